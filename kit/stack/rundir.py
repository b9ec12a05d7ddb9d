"""The folder below which a stack keeps all its state, and the lock that makes it one stack's alone."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kit.stack.paths import ROOT

# What a stack writes and a new one wipes; anything else in the folder is left alone.
STATE = ("anvil", "valkey", "logs", "metrics", "secrets", "committee")
FILES = (
    "stack.json",
    "keys.json",
    "contracts.json",
    "settlement.json",
    "relay.key",
    "receiver-authorizer.key",
    "beat.alive",
    "rpc.delay",
    "sanctions.txt",
)
POSTGRES = "postgres"


class AlreadyRunningError(Exception):
    """Another stack holds this folder."""

    def __init__(self, pid: int | None, url: str | None) -> None:
        self.pid = pid
        self.url = url
        where = f" at {url}" if url else ""
        super().__init__(f"a stack is already running here: pid {pid or 'unknown'}{where} (`make down` stops it)")


@dataclass(frozen=True, slots=True)
class RunDir:
    """Paths of one stack."""

    path: Path

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def stack_json(self) -> Path:
        return self.path / "stack.json"

    @property
    def environment(self) -> Path:
        """The settings of the stack's own processes, for one more command of ours."""
        return self.path / "environment.json"

    @property
    def contracts_json(self) -> Path:
        return self.path / "contracts.json"

    @property
    def settlement_json(self) -> Path:
        """Addresses of the high-value contracts by name."""
        return self.path / "settlement.json"

    @property
    def committee(self) -> Path:
        """Keys of everybody who signs, and the plans of the high-value contracts."""
        return self.path / "committee"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics"

    @property
    def sanctions(self) -> Path:
        return self.path / "sanctions.txt"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"


def default_run_dir() -> Path:
    """`LOCKGATE_RUN_DIR`, else `.run` of the checkout."""
    return Path(os.environ.get("LOCKGATE_RUN_DIR") or ROOT / ".run").absolute()


def acquire(run: RunDir) -> IO[str]:
    """Take the folder for this process; the lock is held as long as any copy of the file is open.

    Raises AlreadyRunningError.
    """
    run.path.mkdir(parents=True, exist_ok=True)
    lock = open_lock(run)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with lock:
            raise AlreadyRunningError(holder(run), running_url(run)) from None
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def open_lock(run: RunDir) -> IO[str]:
    return os.fdopen(os.open(run.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")


def is_free(run: RunDir) -> bool:
    """Whether no stack holds the folder at this moment."""
    if not run.lock.exists():
        return True
    with open_lock(run) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def holder(run: RunDir) -> int | None:
    """Process id of the launcher that took the lock last."""
    try:
        said = run.lock.read_text().strip()
    except FileNotFoundError:
        return None
    return int(said) if said.isdigit() else None


def running_url(run: RunDir) -> str | None:
    """The gateway's address, once the running stack is ready."""
    try:
        gateway = json.loads(run.stack_json.read_text()).get("gateway", {})
    except FileNotFoundError:
        return None
    url: str | None = gateway.get("url")
    return url


def wipe(run: RunDir) -> None:
    """Remove what an earlier stack left, and lay the empty folders."""
    for name in STATE:
        shutil.rmtree(run.path / name, ignore_errors=True)
    for name in FILES:
        (run.path / name).unlink(missing_ok=True)
    for name in ("anvil", "valkey", "metrics", "logs"):
        (run.path / name).mkdir(mode=0o700)


def write_secret(path: Path, text: str) -> None:
    """Replace a file as a whole, mode 0600 from its first byte."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def write_json(path: Path, content: dict[str, Any]) -> None:
    write_secret(path, json.dumps(content, indent=2) + "\n")
