"""Files that are written once, by one writer, and never again: a key that a contract knows must not be lost."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any


class CommitteeError(Exception):
    """The folder cannot be used as asked; the text says why and shows no key."""


def make_private(folder: Path) -> None:
    """The folder, mode 0700 when it is new. Raises CommitteeError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CommitteeError(f"{folder} cannot be made ({error.strerror})") from error


def write_once(path: Path, content: dict[str, Any]) -> None:
    """The whole file, mode 0600 and on disk, or none; the first of several writers wins. Raises CommitteeError."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(json.dumps(content, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename, a link never takes another file's place.
        path.hardlink_to(unfinished)
        _sync(path.parent)
    except FileExistsError:
        raise CommitteeError(f"{path} was written by another run at the same time: run it again") from None
    except OSError as error:
        raise CommitteeError(f"{path} cannot be written ({error.strerror})") from error
    finally:
        unfinished.unlink(missing_ok=True)


def read_private(path: Path) -> str:
    """Raises CommitteeError, also when others than the owner may read or write it."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommitteeError(f"{path} cannot be read ({type(error).__name__})") from error
    if mode & 0o077:
        raise CommitteeError(f"{path} holds keys and has mode {mode:04o}: others may read it (chmod 600)")
    return text


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
