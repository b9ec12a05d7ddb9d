"""Starts the parts of a stack in order, waits for each, watches them, and stops them all."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kit.stack import rundir
from kit.stack.parts import NotReadyError, Part, PartError, in_waves
from kit.stack.paths import ROOT
from kit.stack.rundir import RunDir
from kit.stack.supervisor import Process, SpawnError, Supervisor

TAIL_LINES = 15
TAIL_BYTES = 64 * 1024
POLL_SECONDS = 0.05


def _silent(_: str) -> None:
    return None


class RunningPart:
    """One part of a stack: its process now, and what it has said."""

    def __init__(self, part: Part, log: Path) -> None:
        self.part = part
        self.log = log
        self.process: Process | None = None
        self.wanted = False
        """Whether the process is meant to run: an end while wanted is a failure."""

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.status is None

    @property
    def pid(self) -> int | None:
        """Process id of the part's first process while it runs."""
        return self.process.pid if self.process is not None and self.alive else None

    def log_tail(self, lines: int = TAIL_LINES) -> str:
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
                return b"\n".join(file.read().splitlines()[-lines:]).decode(errors="replace")
        except FileNotFoundError:
            return ""

    def error(self, why: str) -> PartError:
        return PartError(self.part.name, why, self.log, self.log_tail())


class Launcher:
    """Runs parts below one run folder; a context manager that stops them at its end."""

    def __init__(self, run_dir: Path, report: Callable[[str], None] = _silent) -> None:
        """Take the folder and wipe it. Raises AlreadyRunningError."""
        self.run = RunDir(run_dir.absolute())
        self._report = report
        self._lock = rundir.acquire(self.run)
        rundir.wipe(self.run)
        self._parts: dict[str, RunningPart] = {}
        self.failed = threading.Event()
        self.failure: PartError | None = None
        beacon = self.run.stack_json
        self._supervisor = Supervisor(self.run.log("reaper"), [self._lock.fileno()], beacon, self._ended)
        self._stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_all()

    def part(self, name: str) -> RunningPart:
        """Raises KeyError."""
        return self._parts[name]

    @property
    def reaper_pid(self) -> int:
        return self._supervisor.reaper_pid

    @property
    def names(self) -> list[str]:
        return list(self._parts)

    def start_all(self, parts: list[Part]) -> None:
        """Parts that depend on nothing missing start together; all are ready at return. Raises PartError."""
        for wave in in_waves(parts):
            for part in wave:
                self._parts[part.name] = RunningPart(part, self.run.log(part.name))
                self._spawn(self._parts[part.name])
            started = time.monotonic()
            for part in wave:
                self._await(self._parts[part.name], started)
                if part.after is not None:
                    part.after()

    def start(self, name: str) -> None:
        """Start a part again with its data as it is, and wait for it. Raises PartError."""
        running = self._parts[name]
        if not running.alive:
            self._spawn(running)
            self._await(running, time.monotonic())

    def stop(self, name: str) -> None:
        """Ask a part to stop, and kill what is left when its time is over."""
        running = self._parts[name]
        running.wanted = False
        if running.process is None or not running.alive:
            return
        self._supervisor.send(running.process, signal.SIGCONT)
        self._supervisor.send(running.process, running.part.stop_signal)
        if not self._supervisor.await_end(running.process, running.part.stop_seconds):
            self._report(f"{name} did not stop in {running.part.stop_seconds:.0f} s and is killed")
            self._supervisor.kill_family(running.process)

    def kill(self, name: str) -> None:
        """kill -9 of the part and its descendants; returns when they are gone."""
        running = self._parts[name]
        running.wanted = False
        if running.process is not None and running.alive:
            self._hold_when_whole(running)
            self._supervisor.kill_family(running.process)

    def restart(self, name: str) -> None:
        """Start again what was killed, or stop and start what runs; data is kept. Raises PartError."""
        self.stop(name)
        self.start(name)

    def pause(self, name: str) -> None:
        """SIGSTOP to the part and its descendants: it hangs without closing a connection."""
        self._signal_family(name, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        self._signal_family(name, signal.SIGCONT)

    def processes(self, name: str) -> list[int]:
        """Process ids of the part: its first process, then its descendants."""
        running = self._parts[name]
        if running.process is None or not running.alive:
            return []
        return [running.process.pid, *self._supervisor.descendants(running.process)]

    def stop_all(self) -> None:
        """Stop every part, last started first, then the reaper; free the folder."""
        if self._stopped:
            return
        self._stopped = True
        try:
            for name in reversed(self._parts):
                self.stop(name)
        finally:
            self._supervisor.close()
            self.run.stack_json.unlink(missing_ok=True)
            self._lock.close()

    def _hold_when_whole(self, running: RunningPart) -> None:
        """Stop the part's clock at a moment when its files are whole, as far as it asks for that."""
        deadline = time.monotonic() + running.part.deadline
        while running.part.whole is not None and time.monotonic() < deadline:
            self.pause(running.part.name)
            try:
                running.part.whole()
            except NotReadyError:
                self.resume(running.part.name)
                time.sleep(POLL_SECONDS)
            else:
                return

    def _signal_family(self, name: str, number: signal.Signals) -> None:
        running = self._parts[name]
        if running.process is not None:
            self._supervisor.send_family(running.process, number)

    def _spawn(self, running: RunningPart) -> None:
        part = running.part
        if part.sign_of_life is not None:
            part.sign_of_life.unlink(missing_ok=True)
        try:
            running.process = self._supervisor.spawn(
                name=part.name,
                argv=part.command,
                env=part.env,
                cwd=ROOT if part.user is None else Path("/"),
                user=part.user,
                stdout=part.stdout or running.log,
                stderr=running.log,
            )
        except SpawnError as error:
            raise running.error(f"could not be started: {error}") from error
        running.wanted = not part.once

    def _await(self, running: RunningPart, started: float) -> None:
        if running.part.once:
            self._await_step(running)
        else:
            self._await_ready(running)
        self._report(f"{running.part.name} ready in {time.monotonic() - started:.1f} s")

    def _await_step(self, running: RunningPart) -> None:
        process = running.process
        assert process is not None
        if not self._supervisor.await_end(process, running.part.deadline):
            self.kill(running.part.name)
            raise running.error(f"was not done within {running.part.deadline:.0f} s")
        if process.status != 0:
            raise running.error(f"ended with {_status(process.status)}")

    def _await_ready(self, running: RunningPart) -> None:
        deadline = time.monotonic() + running.part.deadline
        while True:
            if not running.alive:
                status = running.process.status if running.process is not None else None
                raise running.error(f"ended with {_status(status)} before it was ready")
            try:
                if running.part.ready is not None:
                    running.part.ready()
                return
            except NotReadyError as error:
                if time.monotonic() > deadline:
                    raise running.error(f"not ready after {running.part.deadline:.0f} s: {error}") from error
            time.sleep(POLL_SECONDS)

    def _ended(self, process: Process) -> None:
        """Called from the events thread."""
        running = self._parts.get(process.name)
        if running is None or not running.wanted or running.process is not process:
            return
        self.failure = self.failure or running.error(f"ended by itself with {_status(process.status)}")
        self.failed.set()


def _status(status: int | None) -> str:
    if status is None:
        return "an unknown status"
    if status < 0:
        return f"signal {signal.Signals(-status).name}"
    return f"status {status}"


def as_info(values: dict[str, Any]) -> dict[str, Any]:
    """Without what is absent: a field that is not built is left out, never invented."""
    kept = {name: as_info(value) if isinstance(value, dict) else value for name, value in values.items()}
    return {name: value for name, value in kept.items() if value is not None and value != {}}
