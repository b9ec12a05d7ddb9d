"""Names of our contracts' errors."""

from __future__ import annotations

import json
from typing import Any

from eth_utils.crypto import keccak

from kit.chain.artifacts import ArtifactError, Artifacts


def error_names(artifacts: Artifacts) -> dict[bytes, str]:
    """Custom errors of all our contracts, by selector. Raises ArtifactError."""
    found: dict[bytes, str] = {}
    for path in artifacts.ours.glob("*.json"):
        try:
            entries = json.loads(path.read_text())["abi"]
            found |= {_selector(entry): str(entry["name"]) for entry in entries if entry["type"] == "error"}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{path} is not an artifact with an ABI ({type(error).__name__})") from error
    return found


def _selector(error: dict[str, Any]) -> bytes:
    """Of an error without structs, as all of ours are."""
    return bytes(keccak(text=f"{error['name']}({','.join(each['type'] for each in error['inputs'])})")[:4])
