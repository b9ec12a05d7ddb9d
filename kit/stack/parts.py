"""A part of the stack as data: what to start, as whom, and how to know that it serves."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kit.stack.supervisor import User

Check = Callable[[], None]


class NotReadyError(Exception):
    """A health check's answer: the part does not serve yet, and why."""


class StackError(Exception):
    """The stack, or one part of it, failed. The text is for people: which part, why, where its log is."""


class PartError(StackError):
    """One part failed."""

    def __init__(self, part: str, why: str, log: Path, tail: str) -> None:
        self.part = part
        self.why = why
        self.log = log
        shown = f"\n{tail}" if tail else ""
        super().__init__(f"{part}: {why}{shown}\n{part}: its log is {log}")


@dataclass(frozen=True, slots=True)
class Part:
    """A process that the stack keeps running, or (`once`) a step that must end with status 0.

    `ready` raises NotReadyError until the part serves; it is asked until `deadline` seconds are over.
    `after` runs once the part serves for the first time. `whole` raises NotReadyError while a kill would
    find the part's files half written; only a part that cannot stand that has one. Parts are stopped in
    the reverse order of their start, by `stop_signal`, and killed when `stop_seconds` are over.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    ready: Check | None = None
    after: Check | None = None
    whole: Check | None = None
    user: User | None = None
    depends_on: tuple[str, ...] = ()
    once: bool = False
    deadline: float = 30.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 20.0
    sign_of_life: Path | None = None
    """The file by which `ready` judges; one of an earlier process is removed before a start."""
    stdout: Path | None = None
    """Where standard output goes when it must stay out of the log."""


def in_waves(parts: list[Part]) -> list[list[Part]]:
    """The same parts in waves, each part in the first wave after all those it depends on.

    A dependency that is not among them is outside. Raises StackError on a circle.
    """
    names = {part.name for part in parts}
    waves: list[list[Part]] = []
    done: set[str] = set()
    waiting = list(parts)
    while waiting:
        wave = [part for part in waiting if names & set(part.depends_on) <= done]
        if not wave:
            raise StackError(f"parts depend on each other in a circle: {', '.join(p.name for p in waiting)}")
        waves.append(wave)
        done |= {part.name for part in wave}
        waiting = [part for part in waiting if part.name not in done]
    return waves
