"""Calls by a function's signature, and the signatures that our contracts' artifacts have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_abi.grammar import parse
from eth_utils.crypto import keccak

from kit.chain.artifacts import ArtifactError, Artifacts
from kit.chain.statement import type_of


def selector(signature: str) -> bytes:
    """The first four bytes of a call; `name(types)` with structs written out."""
    return bytes(keccak(text=signature)[:4])


def calldata(signature: str, *values: Any) -> bytes:
    """Selector and arguments of a function by its signature; structs as tuples. Raises EncodingError."""
    return selector(signature) + encode(parameter_types(signature), values)


def parameter_types(signature: str) -> list[str]:
    """The types between the outer brackets of `name(types)`."""
    listed = signature[signature.index("(") :]
    return [] if listed == "()" else [each.to_type_str() for each in parse(listed).components]


def error_names(artifacts: Artifacts) -> dict[bytes, str]:
    """Custom errors of all our contracts, by selector. Raises ArtifactError."""
    entries = (entry for path in artifacts.ours.glob("*.json") for entry in _abi(path))
    errors = (entry for entry in entries if entry["type"] == "error")
    return {selector(_signature(entry)): str(entry["name"]) for entry in errors}


def event_topic(artifacts: Artifacts, contract: str, name: str) -> bytes:
    """The first topic of an event. Raises ArtifactError."""
    return bytes(keccak(text=signature_of(artifacts, contract, "event", name)))


def signature_of(artifacts: Artifacts, contract: str, kind: str, name: str) -> str:
    """`name(types)` of what the ABI has once. Raises ArtifactError."""
    path = artifacts.ours / f"{contract}.json"
    found = [entry for entry in _abi(path) if entry["type"] == kind and entry["name"] == name]
    if len(found) != 1:
        raise ArtifactError(f"{path} has {len(found)} of {kind} {name}")
    return _signature(found[0])


def _abi(path: Path) -> list[dict[str, Any]]:
    try:
        return list(json.loads(path.read_text())["abi"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path} is not an artifact with an ABI ({type(error).__name__})") from error


def _signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(type_of(each) for each in entry['inputs'])})"
