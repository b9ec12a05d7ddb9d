"""The one-machine stack: real parts as processes, for demos, tests and benchmarks. It imports no service."""

from __future__ import annotations

from kit.stack.launcher import RunningPart
from kit.stack.parts import Part, PartError, StackError
from kit.stack.rundir import AlreadyRunningError
from kit.stack.stack import Options, Stack, launch, options_from_environment

__all__ = [
    "AlreadyRunningError",
    "Options",
    "Part",
    "PartError",
    "RunningPart",
    "Stack",
    "StackError",
    "launch",
    "options_from_environment",
]
