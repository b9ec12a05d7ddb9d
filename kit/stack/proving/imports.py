"""Which of our Solidity files a file is made of."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_IMPORT = re.compile(r"""^\s*import\s+(?:[^"';]*\bfrom\s+)?["']([^"']+)["']""", re.MULTILINE)


def names(text: str) -> list[str]:
    """What a file with this text imports, as it names it."""
    return _IMPORT.findall(text)


def imported(root: Path, file: Path) -> frozenset[Path]:
    """Files of ours that `file` imports itself; packages' files are settled by the lock of the packages."""
    found = (_resolve(root, file, name) for name in names(file.read_text()))
    return frozenset(path for path in found if path is not None)


def _resolve(root: Path, file: Path, name: str) -> Path | None:
    path = Path(os.path.normpath(file.parent / name if name.startswith(".") else root / name))
    return path if path.is_file() and not path.is_relative_to(root / "node_modules") else None


class Graph:
    """The files of one folder of contracts, read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._direct = cache(lambda file: imported(root, file))

    def closure(self, file: Path) -> frozenset[Path]:
        """`file` and all that it is made of."""
        seen: set[Path] = set()
        waiting = [file]
        while waiting:
            here = waiting.pop()
            if here not in seen:
                seen.add(here)
                waiting.extend(self._direct(here))
        return frozenset(seen)

    def digest(self, files: Iterable[Path]) -> str:
        """Hash of all that `files` are made of, with their places."""
        parts = sorted({part for file in files for part in self.closure(file)})
        total = hashlib.sha256()
        for part in parts:
            total.update(f"{part.relative_to(self.root)}\0{hashlib.sha256(part.read_bytes()).hexdigest()}\n".encode())
        return total.hexdigest()
