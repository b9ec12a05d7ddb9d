"""Living processes as a test sees them, safe against reused process ids."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from kit.stack.reaper import family

SECONDS = 30.0

Identity = tuple[int, str]


def identities(root: int) -> set[Identity]:
    """All descendants of a process, each with the time of its start."""
    return {(pid, started) for pid in family(root) if (started := _started(pid)) is not None}


def alive(processes: set[Identity]) -> set[Identity]:
    return {one for one in processes if _started(one[0]) == one[1]}


def eventually(holds: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    """Wait until it holds. Raises AssertionError when the time is over."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)


def _started(pid: int) -> str | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]
