"""Deploys and verifies contracts that name each other in their constructors, from one file that states them all.

The file is JSON: `{"salt": "0x..", "contracts": {NAME: {PARAMETER: value, ...}}}`. A constructor's parameter (or a
member of a struct parameter) of type address whose name is in `neighbours` is another contract of the set and is left
out of the file; every other one is stated. Addresses follow from the deployer and the salt (CREATE3), so a run that
was stopped is finished by the next one, and nothing is ever initialised.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from kit.chain.addresses import CREATE2_DEPLOYER
from kit.chain.anvil import Anvil, ChainError
from kit.chain.artifacts import Artifacts

DEPLOYER_CONTRACT = "Create3Deployer"
_SALT = bytes(32)


class PlanError(Exception):
    """The file does not state what the constructors need; the text names the contract and the parameter."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to deploy: constructor values by contract and parameter, and which parameters are neighbours."""

    salt: bytes
    values: Mapping[str, Mapping[str, Any]]
    neighbours: Mapping[str, str]
    """Parameter name -> contract name."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.values)


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which the chain is not what the file states."""

    contract: str
    what: str


def read_plan(path: Path, neighbours: Mapping[str, str]) -> Plan:
    """Raises PlanError."""
    try:
        members = json.loads(path.read_text())
        salt = bytes.fromhex(members["salt"].removeprefix("0x"))
        values = {str(name): dict(values) for name, values in members["contracts"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise PlanError(f"{path} is not a deployment file ({type(error).__name__}: {error})") from error
    if len(salt) != 32:
        raise PlanError(f"{path}: the salt has 32 bytes, not {len(salt)}")
    return Plan(salt, values, neighbours)


class Circle:
    """One set of contracts on one local chain, deployed by one account."""

    def __init__(self, chain: Anvil, artifacts: Artifacts, plan: Plan, deployer: str) -> None:
        self._chain = chain
        self._artifacts = artifacts
        self._plan = plan
        self._deployer = deployer
        self._factory_code = artifacts.creation(DEPLOYER_CONTRACT)
        self.factory = _create2(CREATE2_DEPLOYER, _SALT, self._factory_code)
        self.addresses = {name: self._address_of(name) for name in plan.names}

    def deploy(self) -> list[str]:
        """Create what is not there yet and return its names. Raises ChainError, PlanError, ArtifactError."""
        codes = {name: self.creation_code(name) for name in self._plan.names}  # a wrong file changes nothing
        if not self._chain.code(self.factory, "pending"):
            self._send(CREATE2_DEPLOYER, _SALT + self._factory_code)
        # All of them before the first is awaited: one block takes the set, where one each would take a dozen.
        missing = [name for name in codes if not self._chain.code(self.addresses[name], "pending")]
        sent = {name: self._create(name, codes[name]) for name in missing}
        for name, transaction in sent.items():
            with _named(name):
                self._chain.wait_mined(transaction)
        return list(sent)

    def verify(self) -> list[Difference]:
        """How the code on chain, with its immutables (neighbours, roles, delays), differs from the file's."""
        return [found for name in self._plan.names if (found := self._compare(name)) is not None]

    def creation_code(self, name: str) -> bytes:
        """Creation code with the constructor's arguments. Raises PlanError, ArtifactError."""
        inputs = self._artifacts.constructor_inputs(name)
        stated = dict(self._plan.values[name])
        values = [self._value(name, each, stated) for each in inputs]
        if stated:
            raise PlanError(f"{name}: its constructor knows no {', '.join(sorted(stated))}")
        try:
            return self._artifacts.creation(name, [_type_of(each) for each in inputs], values)
        except (EncodingError, TypeError, ValueError) as error:
            raise PlanError(f"{name}: {error}") from error

    def _compare(self, name: str) -> Difference | None:
        address = self.addresses[name]
        found = self._chain.code(address)
        if not found:
            return Difference(name, f"there is no code at {address}")
        # Run as if it were being created just there, so that immutables made of its own address are equal, too.
        expected = self._chain.runtime_code_at(address, self.creation_code(name))
        return None if found == expected else Difference(name, f"the code at {address} is not the file's")

    def _value(self, contract: str, parameter: Mapping[str, Any], stated: dict[str, Any]) -> Any:
        name = str(parameter["name"]).rstrip("_")
        neighbour = self._plan.neighbours.get(name, "")
        if parameter["type"] == "address" and name not in stated and neighbour in self.addresses:
            return self.addresses[neighbour]
        if parameter["type"] == "tuple":
            members = dict(_object(contract, name, stated.pop(name, {})))
            values = tuple(self._value(f"{contract}.{name}", each, members) for each in parameter["components"])
            if members:
                raise PlanError(f"{contract}.{name} has no {', '.join(sorted(members))}")
            return values
        if name not in stated:
            raise PlanError(f"{contract} needs {name} ({parameter['type']})")
        return _plain(parameter, stated.pop(name))

    def _address_of(self, name: str) -> str:
        """CREATE3: the address of what a minimal proxy, itself made by CREATE2, creates first."""
        salt = keccak(encode(["address", "bytes32"], [self._deployer, self._salt_of(name)]))
        proxy = bytes.fromhex(_create2(self.factory, salt, _PROXY)[2:])
        return str(to_checksum_address(keccak(b"\xd6\x94" + proxy + b"\x01")[12:]))

    def _salt_of(self, name: str) -> bytes:
        return bytes(keccak(self._plan.salt + name.encode()))

    def _create(self, name: str, code: bytes) -> str:
        """The transaction that creates it; not awaited."""
        with _named(name):
            data = _call("deploy(bytes32,bytes)", [self._salt_of(name), code])
            return self._chain.send_as(self._deployer, self.factory, data)

    def _send(self, to: str, data: bytes) -> None:
        self._chain.wait_mined(self._chain.send_as(self._deployer, to, data))


# Solady's CREATE3 proxy: creates the calldata it is called with.
_PROXY = bytes.fromhex("67363d3d37363d34f03d5260086018f3")


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except ChainError as error:
        raise ChainError(f"{name} could not be created: {error}") from error


def _object(contract: str, name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise PlanError(f"{contract}: {name} is an object")
    return value


def _plain(parameter: Mapping[str, Any], value: Any) -> Any:
    """JSON's text for bytes, its lists and objects for arrays and structs."""
    kind = str(parameter["type"])
    if kind.endswith("[]"):
        element = {**parameter, "type": kind[:-2]}
        return [_plain(element, each) for each in value]
    if kind == "tuple":
        return tuple(_plain(each, value[each["name"]]) for each in parameter["components"])
    if kind.startswith("bytes"):
        return bytes.fromhex(str(value).removeprefix("0x"))
    return value


def _type_of(parameter: Mapping[str, Any]) -> str:
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type_of(each) for each in parameter['components'])}){kind[5:]}"


def _create2(deployer: str, salt: bytes, init_code: bytes) -> str:
    """EIP-1014."""
    digest = keccak(b"\xff" + bytes.fromhex(deployer[2:]) + salt + keccak(init_code))
    return str(to_checksum_address(digest[12:]))


def _call(signature: str, values: Sequence[Any]) -> bytes:
    types = signature[signature.index("(") + 1 : -1].split(",")
    return bytes(keccak(text=signature)[:4]) + encode(types, values)
