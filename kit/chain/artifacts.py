"""Compiled contracts: creation code and constructor arguments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from eth_abi.abi import encode

SAFE_ARTIFACTS = Path("node_modules", "@safe-global", "safe-smart-account", "build", "artifacts", "contracts")


class ArtifactError(Exception):
    """An artifact is missing or is not one; the text names the file."""


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Where the compiled contracts are: ours by name, Safe's where its npm package keeps them."""

    ours: Path
    safe: Path

    def creation(self, name: str, types: Sequence[str] = (), values: Sequence[Any] = ()) -> bytes:
        """Creation code of a contract of ours, with its constructor's arguments. Raises ArtifactError."""
        return _code(self.ours / f"{name}.json", "bytecode") + encode(types, values)

    def constructor_inputs(self, name: str) -> list[dict[str, Any]]:
        """The constructor's parameters as the ABI lists them, if it has one. Raises ArtifactError."""
        abi = _artifact(self.ours / f"{name}.json")["abi"]
        return next((list(entry["inputs"]) for entry in abi if entry["type"] == "constructor"), [])

    def safe_creation(self, name: str) -> bytes:
        """Creation code of a Safe v1.5.0 contract, `folder/Name` or `Name`. Raises ArtifactError."""
        return _code(self._safe_artifact(name), "bytecode")

    def safe_runtime(self, name: str) -> bytes:
        """What a Safe v1.5.0 contract without immutables is on chain. Raises ArtifactError."""
        return _code(self._safe_artifact(name), "deployedBytecode")

    def _safe_artifact(self, name: str) -> Path:
        path = Path(name)
        return self.safe / path.with_suffix(".sol") / f"{path.name}.json"


def find_artifacts(ours: Path | None, safe: Path | None) -> Artifacts:
    """The folders given, else the installed package's, and the npm package's that lies above it.

    Raises ArtifactError.
    """
    if ours is None:
        ours = Path(str(files("verification.contracts") / "artifacts"))
    if safe is None:
        above = [parent / SAFE_ARTIFACTS for parent in ours.absolute().parents]
        safe = next((folder for folder in above if folder.is_dir()), None)
    if safe is None:
        raise ArtifactError(f"no {SAFE_ARTIFACTS} above {ours}: run `make setup`, or name it by --safe-artifacts")
    return Artifacts(ours, safe)


def _code(path: Path, member: str) -> bytes:
    try:
        return bytes.fromhex(_artifact(path)[member].removeprefix("0x"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{path} is not an artifact with {member} ({type(error).__name__})") from error


def _artifact(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except FileNotFoundError as error:
        raise ArtifactError(f"no artifact {path}: run `make contracts`") from error
    except (OSError, ValueError, TypeError) as error:
        raise ArtifactError(f"{path} is not an artifact with creation code ({type(error).__name__})") from error
