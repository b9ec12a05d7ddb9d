"""What was found, and what is remembered of it from one run to the next."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Verdict(StrEnum):
    HOLDS = "holds"
    FAILS = "FAILS"
    UNKNOWN = "UNKNOWN"
    """Time was over, the solver gave up or the tool broke: never taken for `holds`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table. `bounds` says within which limits it holds; empty means without any."""

    kind: str
    name: str
    verdict: Verdict
    seconds: float
    bounds: str = ""
    detail: str = ""
    remembered: bool = False

    @property
    def good(self) -> bool:
        return self.verdict is Verdict.HOLDS


class Memory:
    """Good findings by the content of everything that they depend on. A bad one is tried again every time."""

    def __init__(self, path: Path, tools: str) -> None:
        self._path = path
        self._tools = tools
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, str | float]] = json.loads(path.read_text()) if path.is_file() else {}

    def key(self, *parts: str) -> str:
        """Hash of the parts and of the tools' versions."""
        return hashlib.sha256("\0".join((self._tools, *parts)).encode()).hexdigest()

    def get(self, key: str) -> dict[str, str | float] | None:
        with self._lock:
            return self._known.get(key)

    def put(self, key: str, value: dict[str, str | float]) -> None:
        with self._lock:
            self._known[key] = value
            self._path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = self._path.with_suffix(".new")
            unfinished.write_text(json.dumps(self._known))
            unfinished.replace(self._path)
