"""halmos and slither, each in a virtual environment of its own: installed jointly, one holds the other back."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Callable
from pathlib import Path

from kit.stack import bootstrap

HALMOS = bootstrap.BOOT / "prove"
SLITHER = bootstrap.BOOT / "slither"


def locks() -> tuple[Path, ...]:
    """The files that decide the tools' versions."""
    return tuple(bootstrap.LOCKS / name for name in ("prove.txt", "slither.txt", "package-lock.json"))


def install() -> None:
    """Both environments, exactly what their locks say; nothing when they stand. Raises SetupError."""
    bootstrap.STAMPS.mkdir(parents=True, exist_ok=True)
    with (bootstrap.BOOT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for folder, title in ((HALMOS, "halmos and its solver"), (SLITHER, "slither")):
            inputs: list[str | Path] = [sys.version, bootstrap.LOCKS / f"{folder.name}.txt"]
            bootstrap.step(folder.name, title, inputs, folder / "bin" / "python", _maker(folder))


def _maker(folder: Path) -> Callable[[], None]:
    def make() -> None:
        bootstrap.run([sys.executable, "-m", "venv", "--clear", "--without-pip", folder])
        uv: bootstrap.Words = [bootstrap.BOOT / "bin" / "uv", "pip", "sync", "--python", folder / "bin" / "python"]
        bootstrap.run([*uv, "--require-hashes", "--no-build", bootstrap.LOCKS / f"{folder.name}.txt"])

    return make
