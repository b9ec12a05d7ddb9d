"""The `lockgate` program: its commands are entry points, so that this module imports no service."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

GROUP = "lockgate.commands"
USAGE_ERROR = 2


class Command(Protocol):
    """What an entry point of the group `lockgate.commands` refers to."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments; its summary is `parser.description`."""

    def run(self, args: argparse.Namespace) -> int:
        """Do the work and return the exit status."""


class CommandUnavailableError(Exception):
    """The command is registered, but this installation holds no code for it."""


def load(entry: EntryPoint) -> Command:
    """Import one command.

    Raises CommandUnavailableError when its own module or object is missing; a missing dependency of
    that module is a broken installation and stays a ModuleNotFoundError.
    """
    try:
        loaded: Command = entry.load()
    except ModuleNotFoundError as error:
        if error.name is None or not f"{entry.module}.".startswith(f"{error.name}."):
            raise
        raise CommandUnavailableError(_unavailable(entry, f"there is no module {error.name}")) from error
    except AttributeError as error:
        raise CommandUnavailableError(_unavailable(entry, f"{entry.module} has no {entry.attr}")) from error
    return loaded


def _unavailable(entry: EntryPoint, why: str) -> str:
    return f"lockgate {entry.name}: not part of this installation ({why})"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command named by the first word; status 2 is a usage error, as in argparse."""
    words = list(sys.argv[1:] if argv is None else argv)
    commands = {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name)}
    if not words or words[0] in {"-h", "--help", "help"}:
        print(_help(commands))
        return 0 if words else USAGE_ERROR
    entry = commands.get(words[0])
    if entry is None:
        print(f"lockgate: no command {words[0]!r}\n\n{_help(commands)}", file=sys.stderr)
        return USAGE_ERROR
    try:
        command = load(entry)
    except CommandUnavailableError as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR
    parser = argparse.ArgumentParser(prog=f"lockgate {entry.name}")
    command.configure(parser)
    return command.run(parser.parse_args(words[1:]))


def _help(commands: dict[str, EntryPoint]) -> str:
    names = "\n".join(f"  {name}" for name in commands)
    return f"usage: lockgate COMMAND ...\n\ncommands:\n{names}\n\n`lockgate COMMAND --help` explains one."


if __name__ == "__main__":
    sys.exit(main())
