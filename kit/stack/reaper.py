"""The process that owns every process of a stack, so that none outlives its launcher.

It starts parts on request, tells when they end, and, once the connection to the launcher closes for
whatever reason (a clean stop, a crash, kill -9), ends every descendant and only then itself. As a child
subreaper (prctl(2), PR_SET_CHILD_SUBREAPER) it inherits descendants whose own parent has died, so none
escapes by daemonising. The part's own death signal (PR_SET_PDEATHSIG) covers the death of the reaper.

Run as `python -I -S reaper.py FD FILE`, where FILE (stack.json) says that the stack serves and goes with it,
and so does state outside its folder to which links in the folder lead.
Standard library only, single-threaded. Messages on the socket FD are JSON, one a line.

Requests: {"do": "spawn", "name", "argv", "env", "cwd", "user", "stdout", "stderr"}.
Events: {"event": "spawned", "name", "pid"}, {"event": "refused", "name", "why"},
{"event": "ended", "name", "pid", "status"} where status is as in subprocess.Popen.returncode.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 8.0
KILL_SECONDS = 10.0
POLL_SECONDS = 0.02
READ_BYTES = 65536
PREFIX = "lockgate-state-"
"""Begins the names of folders outside the run folder, to which links in it lead."""


def prctl(option: int, value: int) -> None:
    """prctl(2). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def dying_with(parent: int) -> Callable[[], None]:
    """What a new part does after its uid has changed (a change of uid clears the death signal)."""
    libc = ctypes.CDLL(None, use_errno=True)

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def children() -> dict[int, list[int]]:
    """Living processes by their parent's id."""
    found: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - twice as fast, and asked often
        if not entry.isdigit():
            continue
        try:
            state, parent = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state not in "ZX":
            found.setdefault(int(parent), []).append(int(entry))
    return found


def family(root: int) -> list[int]:
    """Process ids of all living descendants of `root`, parents before children."""
    by_parent = children()
    found: list[int] = []
    waiting = [root]
    while waiting:
        born = by_parent.get(waiting.pop(), [])
        found += born
        waiting += born
    return found


def signal_all(pids: list[int], number: signal.Signals) -> None:
    """Send to each that is still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def remove(folder: Path) -> None:
    """Remove a server's state: a folder, or a link to one that a stack made elsewhere."""
    if folder.is_symlink():
        target = folder.readlink()
        if target.name.startswith(PREFIX) and target.exists() and target.stat().st_uid == os.geteuid():
            shutil.rmtree(target)
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


class Reaper:
    """One launcher, many parts."""

    def __init__(self, launcher: socket.socket) -> None:
        self.launcher = launcher
        self.parts: dict[int, tuple[str, subprocess.Popen[bytes]]] = {}
        self.unread = b""

    def serve(self, wake: int) -> None:
        """Until the launcher closes its end or a signal asks to stop."""
        while True:
            readable, _, _ = select.select([self.launcher.fileno(), wake], [], [])
            if wake in readable and self._stop_asked(os.read(wake, READ_BYTES)):
                return
            self.collect()
            if self.launcher.fileno() in readable and not self._receive():
                return

    def _stop_asked(self, signals: bytes) -> bool:
        return any(number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP) for number in signals)

    def _receive(self) -> bool:
        try:
            data = self.launcher.recv(READ_BYTES)
        except ConnectionResetError:
            return False
        *lines, self.unread = (self.unread + data).split(b"\n")
        for line in lines:
            self.spawn(json.loads(line))
        return bool(data)

    def spawn(self, request: dict[str, Any]) -> None:
        """Start one part in a session of its own, with its output in its log."""
        name = request["name"]
        try:
            with _log(request["stdout"]) as stdout, _log(request["stderr"]) as stderr:
                part = subprocess.Popen(
                    request["argv"],
                    env=request["env"],
                    cwd=request["cwd"],
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    start_new_session=True,
                    preexec_fn=dying_with(os.getpid()),  # noqa: PLW1509 - this process has one thread
                    **_identity(request["user"]),
                )
        except (OSError, subprocess.SubprocessError) as error:
            self.tell({"event": "refused", "name": name, "why": str(error)})
            return
        self.parts[part.pid] = (name, part)
        self.tell({"event": "spawned", "name": name, "pid": part.pid})

    def collect(self) -> None:
        """Take the status of every child that has ended, adopted ones included."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            name, part = self.parts.pop(pid, ("", None))
            if part is not None:
                part.returncode = os.waitstatus_to_exitcode(status)
                self.tell({"event": "ended", "name": name, "pid": pid, "status": part.returncode})

    def tell(self, event: dict[str, Any]) -> None:
        try:
            self.launcher.sendall(json.dumps(event).encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            return  # the launcher is gone: the next read says so and everything is ended

    def end_all(self) -> None:
        """Ask, wait, then kill until nothing is left."""
        signal_all(family(os.getpid()), signal.SIGCONT)
        adopted = [pid for pid in children().get(os.getpid(), []) if pid not in self.parts]
        signal_all([*self.parts, *adopted], signal.SIGTERM)
        self._await_none(GRACE_SECONDS)
        deadline = time.monotonic() + KILL_SECONDS
        while (left := family(os.getpid())) and time.monotonic() < deadline:
            signal_all(left, signal.SIGKILL)
            self._await_none(POLL_SECONDS)
        self.collect()

    def _await_none(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while family(os.getpid()) and time.monotonic() < deadline:
            self.collect()
            time.sleep(POLL_SECONDS)


def _log(path: str) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab")


def _identity(user: dict[str, int] | None) -> dict[str, Any]:
    return {} if user is None else {"user": user["uid"], "group": user["gid"], "extra_groups": []}


def main(words: list[str]) -> int:
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake, woken = os.pipe()
    for end in (wake, woken):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    with socket.socket(fileno=int(words[0])) as launcher:
        reaper = Reaper(launcher)
        reaper.serve(wake)
        serves = Path(words[1])
        serves.unlink(missing_ok=True)
        reaper.end_all()
    for link in (path for path in serves.parent.iterdir() if path.is_symlink()):
        remove(link)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
