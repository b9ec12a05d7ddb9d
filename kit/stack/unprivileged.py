"""Servers that refuse to run as root, or should not: who they run as, and a folder that this user can reach."""

from __future__ import annotations

import os
import pwd
import stat
import tempfile
from pathlib import Path

from kit.stack.parts import StackError
from kit.stack.reaper import PREFIX, remove
from kit.stack.supervisor import User


def identity(account: str) -> User | None:
    """The account's ids when this process is root, else None: an ordinary user lends its own.

    Raises StackError when there is no such account.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(account)
    except KeyError as error:
        raise StackError(f"root needs the account {account!r}, which this machine has not") from error
    return User(entry.pw_uid, entry.pw_gid)


def reachable(path: Path) -> bool:
    """Whether any user may pass every folder on the way to `path`, itself included if it is one."""
    folders = [path, *path.parents] if path.is_dir() else list(path.parents)
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


def make_home(folder: Path, user: User | None) -> Path:
    """A new folder for a server's state, at `folder`, or behind a link at `folder` where the user could not go.

    A checkout below /root is such a place. Returns the folder itself.
    """
    remove(folder)
    home = folder
    if user is not None and not reachable(folder.parent):
        home = Path(tempfile.mkdtemp(prefix=PREFIX))
        folder.symlink_to(home)
    else:
        home.mkdir()
    home.chmod(0o711)
    return home


def own(path: Path, user: User | None) -> None:
    """Give a file or folder to the user."""
    if user is not None:
        os.chown(path, user.uid, user.gid)
