"""Signatures of our contracts' errors, events and functions, as their artifacts have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from kit.chain.artifacts import ArtifactError, Artifacts
from kit.chain.statement import type_of


def error_names(artifacts: Artifacts) -> dict[bytes, str]:
    """Custom errors of all our contracts, by selector. Raises ArtifactError."""
    entries = (entry for path in artifacts.ours.glob("*.json") for entry in _abi(path))
    errors = (entry for entry in entries if entry["type"] == "error")
    return {bytes(keccak(text=_signature(entry))[:4]): str(entry["name"]) for entry in errors}


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
