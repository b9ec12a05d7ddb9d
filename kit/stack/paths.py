"""Where things are in a checkout, and the native programs that npm brought."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "verification" / "contracts"

_PROCESSORS = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class MissingToolError(Exception):
    """A program that the set-up installs is not there; the text says what to run."""


def native(tool: str) -> Path:
    """The native binary of anvil, forge or cast.

    npm's wrappers are passed over: forge's and cast's exit 0 on errors, anvil's adds a process that
    a signal has to cross. Raises MissingToolError.
    """
    processor = _PROCESSORS.get(platform.machine().lower(), platform.machine())
    package = f"{tool}-{platform.system().lower()}-{processor}"
    path = ROOT / "node_modules" / "@foundry-rs" / package / "bin" / tool
    if not path.is_file():
        raise MissingToolError(f"{tool} is not installed at {path}: run `make setup`")
    return path


def node() -> Path:
    """The node of the set-up, else the one on the PATH. Raises MissingToolError."""
    search = os.pathsep.join([str(ROOT / ".boot" / "bin"), os.environ.get("PATH", os.defpath)])
    found = shutil.which("node", path=search)
    if found is None:
        raise MissingToolError("node is not installed: run `make setup`")
    return Path(found)
