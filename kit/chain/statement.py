"""The file that states a set of contracts which name each other in their constructors.

JSON: `{"salt": "0x..", "contracts": {NAME: {PARAMETER: value, ...}}}`, and optionally `deployer` (the account that
creates them, from which their addresses follow), `changed` (what the protocol has changed since, by contract and
parameter as in `contracts`) and `groups` (what the governor and the factory set later); the last two are read only by
a verification. A constructor's parameter (or a member of a struct parameter) of type address whose name is in
`neighbours` is another contract of the set and is left out of the file; every other one is stated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_utils.address import is_address, to_checksum_address

_MEMBERS = frozenset({"salt", "deployer", "contracts", "changed", "groups"})


class PlanError(Exception):
    """The file does not state what it has to; the text names the contract and the parameter."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to deploy: constructor values by contract and parameter, and which parameters are neighbours."""

    salt: bytes
    values: Mapping[str, Mapping[str, Any]]
    neighbours: Mapping[str, str]
    """Parameter name -> contract name."""
    lapsing: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Values that a constructor takes only for a time and that are not in the code, and what it always takes."""
    deployer: str | None = None
    groups: Mapping[str, Any] = field(default_factory=dict)
    changed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.values)


def read_plan(
    path: Path, neighbours: Mapping[str, str], lapsing: Mapping[str, Mapping[str, Any]] | None = None
) -> Plan:
    """Raises PlanError."""
    try:
        members = json.loads(path.read_text(), object_pairs_hook=_once)
        salt = bytes.fromhex(members["salt"].removeprefix("0x"))
        values = {str(name): dict(values) for name, values in members["contracts"].items()}
        groups = dict(members.get("groups", {}))
        changed = {str(name): dict(values) for name, values in members.get("changed", {}).items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise PlanError(f"{path} is not a deployment file ({type(error).__name__}: {error})") from error
    if len(salt) != 32:
        raise PlanError(f"{path}: the salt has 32 bytes, not {len(salt)}")
    if unknown := sorted(set(members) - _MEMBERS):
        raise PlanError(f"{path}: {', '.join(unknown)} is nothing that a deployment file states")
    deployer = members.get("deployer")
    if deployer is not None and not is_address(deployer):
        raise PlanError(f"{path}: deployer is not an address")
    creator = None if deployer is None else str(to_checksum_address(deployer))
    return Plan(salt, values, neighbours, lapsing or {}, creator, groups, changed)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """What is stated twice states nothing."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)} is stated twice")
    return found


def plain(parameter: Mapping[str, Any], value: Any) -> Any:
    """JSON's text for bytes, its lists and objects for arrays and structs, as eth_abi wants them."""
    kind = str(parameter["type"])
    if kind.endswith("[]"):
        element = {**parameter, "type": kind[:-2]}
        return [plain(element, each) for each in value]
    if kind == "tuple":
        unknown = set(value) - {each["name"] for each in parameter["components"]}
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))} is no member of {parameter['name']}")
        return tuple(plain(each, value[each["name"]]) for each in parameter["components"])
    if kind.startswith("bytes"):
        return bytes.fromhex(str(value).removeprefix("0x"))
    return value


def type_of(parameter: Mapping[str, Any]) -> str:
    """An ABI type with its structs written out."""
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(type_of(each) for each in parameter['components'])}){kind[5:]}"
