"""The launcher's side of the reaper: start processes, follow their ends, signal them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.stack import reaper
from kit.stack.reaper import family, signal_all

REPLY_SECONDS = 20.0
GONE_SECONDS = 30.0
POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class User:
    """An identity to run as; only root can give one."""

    uid: int
    gid: int


@dataclass(slots=True)
class Process:
    """One process that the reaper has started; `status` is as in subprocess.Popen.returncode."""

    name: str
    pid: int
    status: int | None = None


class SpawnError(Exception):
    """The program could not be started."""


class Supervisor:
    """Owns the reaper of one stack. Safe to call from several threads."""

    def __init__(self, log: Path, keep_open: Sequence[int], beacon: Path, on_end: Callable[[Process], None]) -> None:
        """Start the reaper.

        `keep_open`: descriptors that it holds until its last child is gone; `beacon`: a file that it removes
        before it ends the first one.
        """
        self._on_end = on_end
        self._changed = threading.Condition()
        self._answers: dict[str, Process | str] = {}
        self._processes: dict[int, Process] = {}
        self.reaper_gone = False
        ours, theirs = socket.socketpair()
        with theirs, log.open("ab") as output:
            self._reaper = subprocess.Popen(
                [sys.executable, "-I", "-S", reaper.__file__, str(theirs.fileno()), str(beacon)],
                pass_fds=[theirs.fileno(), *keep_open],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd="/",
            )
        self._socket = ours
        self._reader = threading.Thread(target=self._read_events, name="stack-events", daemon=True)
        self._reader.start()

    @property
    def reaper_pid(self) -> int:
        return self._reaper.pid

    def spawn(
        self,
        *,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        user: User | None,
        stdout: Path,
        stderr: Path,
    ) -> Process:
        """Start a program. Raises SpawnError."""
        identity = None if user is None else {"uid": user.uid, "gid": user.gid}
        request = {"name": name, "argv": list(argv), "env": dict(env), "cwd": str(cwd), "user": identity}
        request |= {"do": "spawn", "stdout": str(stdout), "stderr": str(stderr)}
        with self._changed:
            self._answers.pop(name, None)
            try:
                self._socket.sendall(json.dumps(request).encode() + b"\n")
            except OSError as error:
                raise SpawnError(f"the stack's reaper is gone: {error}") from error
            self._changed.wait_for(lambda: name in self._answers or self.reaper_gone, REPLY_SECONDS)
            answer = self._answers.pop(name, "no answer from the stack's reaper")
        if isinstance(answer, str):
            raise SpawnError(answer)
        return answer

    def await_end(self, process: Process, seconds: float) -> bool:
        """Whether the process has ended within the time."""
        with self._changed:
            return self._changed.wait_for(lambda: process.status is not None or self.reaper_gone, seconds)

    def send(self, process: Process, number: signal.Signals) -> None:
        """Signal the process itself, if it still runs."""
        if process.status is None:
            signal_all([process.pid], number)

    def send_family(self, process: Process, number: signal.Signals) -> None:
        """Signal the process and all its descendants."""
        if process.status is None:
            signal_all([process.pid, *family(process.pid)], number)

    def descendants(self, process: Process) -> list[int]:
        """Process ids below the process, parents before children."""
        return family(process.pid) if process.status is None else []

    def kill_family(self, process: Process) -> None:
        """kill -9 of the process and all its descendants at once; returns when they are gone."""
        self.send(process, signal.SIGSTOP)  # a stopped parent bears no more children
        doomed = self.descendants(process)
        self.send(process, signal.SIGKILL)
        deadline = time.monotonic() + GONE_SECONDS
        while left := [pid for pid in doomed if _alive(pid)]:
            signal_all(left, signal.SIGKILL)
            doomed += [born for pid in left for born in family(pid) if born not in doomed]
            if time.monotonic() > deadline:
                raise TimeoutError(f"{process.name}: processes {left} survive SIGKILL")
            time.sleep(POLL_SECONDS)
        if not self.await_end(process, GONE_SECONDS):
            raise TimeoutError(f"{process.name}: process {process.pid} survives SIGKILL")

    def close(self) -> None:
        """End everything that still runs and wait for the reaper itself."""
        if not self.reaper_gone:
            self._socket.shutdown(socket.SHUT_WR)
        try:
            self._reaper.wait(reaper.GRACE_SECONDS + reaper.KILL_SECONDS + GONE_SECONDS)
        finally:
            self._reader.join(REPLY_SECONDS)
            self._socket.close()

    def _read_events(self) -> None:
        with self._socket.makefile("rb") as lines:
            try:
                for line in lines:
                    self._take(json.loads(line))
            except ConnectionResetError:
                pass  # the reaper was killed: the same end as a closed connection
        self._lose_reaper()

    def _take(self, event: dict[str, Any]) -> None:
        ended: Process | None = None
        with self._changed:
            if event["event"] == "ended":
                ended = self._processes.pop(event["pid"])
                ended.status = event["status"]
            elif event["event"] == "spawned":
                started = Process(event["name"], event["pid"])
                self._processes[started.pid] = started
                self._answers[started.name] = started
            else:
                self._answers[event["name"]] = event["why"]
            self._changed.notify_all()
        if ended is not None:
            self._on_end(ended)

    def _lose_reaper(self) -> None:
        """The parts die with the reaper by their death signal; their children are ended here."""
        with self._changed:
            self.reaper_gone = True
            orphans = list(self._processes.values())
            self._processes.clear()
            self._changed.notify_all()
        for process in orphans:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            finally:
                process.status = -signal.SIGKILL
        for process in orphans:
            self._on_end(process)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
