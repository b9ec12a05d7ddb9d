"""The servers of a run: one PostgreSQL with full durability, and contestants that serve the same channels from it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from kit.stack import postgres
from kit.stack.health import http_answers
from kit.stack.launcher import Launcher
from kit.stack.parts import Part
from kit.stack.ports import free_ports
from kit.stack.rundir import default_run_dir
from kit.stack.services import lockgate
from tests.benchmarks import seed
from tests.benchmarks.figures import BenchmarkFailed
from tests.benchmarks.load import Order, Report, offer
from tests.benchmarks.ordinary import seed as ordinary_seed
from tests.benchmarks.workload import CHAIN_ID, ESCROW, RECEIVER_AUTHORIZER, TOKEN, Workload

WORKERS = 2
PGBENCH_SCALE = 1  # the smaller table is the faster one, so this favours pgbench
CONNECTIONS = 300
_TPS = re.compile(r"tps = ([0-9.]+) \(without initial connection time\)")


@dataclass
class Contestant:
    """An HTTP server with its database; `steps` is the number of payments that each channel has made so far."""

    name: str
    part: str
    port: int
    workload: Workload
    database: str
    api_keys: list[str] = field(repr=False)
    steps: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.steps = [0] * self.workload.channels

    def pay(self, *, seconds: float, most: int, batch: int = 1, connections: int = 64) -> Report:
        """Go on where the last call ended. Raises BenchmarkFailed."""
        report = offer(
            Order(
                port=self.port,
                api_keys=self.api_keys,
                channels=self.workload.channels,
                merchants=self.workload.merchants,
                payments=most,
                steps=self.steps,
                batch=batch,
                connections=connections,
                seconds=seconds,
            )
        )
        self.steps = report.steps
        return report


class World:
    """One server, any number of contestants on it."""

    def __init__(self, launcher: Launcher, server: postgres.Server) -> None:
        self.launcher = launcher
        self.server = server
        self._env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._pgbench_ready = False

    def gateway(self, name: str, workload: Workload, **book: int) -> Contestant:
        """The real gateway over a seeded book; `book` goes to `seed.gateway`."""
        database = f"bench_{name}"
        self.server.create_database(database)
        url = self.server.url(database)
        api_keys = seed.gateway(url, workload, **book)
        folder = self.launcher.run.path / name
        folder.mkdir()
        (folder / "sanctions.txt").write_text("# nobody\n")
        (folder / "contracts.json").write_text(json.dumps(_contracts()))
        (port,) = free_ports(1)
        env = self._env | {
            "LOCKGATE_DATABASE_URL": url,
            "LOCKGATE_CHAIN_ID": str(CHAIN_ID),
            "LOCKGATE_CONTRACTS_FILE": str(folder / "contracts.json"),
            "LOCKGATE_SANCTIONS_FILE": str(folder / "sanctions.txt"),
            "LOCKGATE_METRICS_DIR": str(folder / "metrics"),
            "LOCKGATE_LOG_LEVEL": "WARNING",
            "LOCKGATE_HTTP_PORT": str(port),
        }
        command = lockgate("gateway", "serve", "--workers", str(WORKERS))
        ready = http_answers(f"http://127.0.0.1:{port}", "/readyz")
        self._start(Part(name=name, command=command, env=env, ready=ready, deadline=60.0))
        return Contestant(name, name, port, workload, database, api_keys)

    def ordinary(self, name: str, workload: Workload, threads: int | None = None) -> Contestant:
        """The ordinary handler over the same channels in its own schema; `threads` as FastAPI has it unless given."""
        database = f"bench_{name}"
        self.server.create_database(database)
        url = self.server.url(database)
        api_keys = ordinary_seed.seed(url, workload)
        (port,) = free_ports(1)
        words = ["--factory", "tests.benchmarks.ordinary.app:create", "--workers", str(WORKERS), "--port", str(port)]
        words += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
        # The faster hash, as our own stack sets it.
        env = self._env | {"ORDINARY_DATABASE_URL": url, "ETH_HASH_BACKEND": "pysha3"}
        if threads is not None:
            env["ORDINARY_THREADS"] = str(threads)
        ready = http_answers(f"http://127.0.0.1:{port}", "/healthz")
        command = (sys.executable, "-m", "uvicorn", *words)
        self._start(Part(name=name, command=command, env=env, ready=ready, deadline=60.0))
        return Contestant(name, name, port, workload, database, api_keys)

    def pgbench(self, seconds: float, clients: int = 64) -> float:
        """Transactions a second of `pgbench -N` with so many clients on this server."""
        if not self._pgbench_ready:
            self.server.create_database("pgbench")
            self._pgbench("-i", "-q", "-s", str(PGBENCH_SCALE))
            self._pgbench_ready = True
        self.checkpoint()
        said = self._pgbench("-N", "-c", str(clients), "-j", "2", "-T", str(max(1, round(seconds))))
        found = _TPS.search(said)
        if found is None:
            raise BenchmarkFailed(f"pgbench said no rate:\n{said}")
        return float(found.group(1))

    def checkpoint(self) -> None:
        """So that no contestant pays for pages that another has dirtied."""
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    def _pgbench(self, *words: str) -> str:
        where = ["-h", "127.0.0.1", "-p", str(self.server.port), "-U", postgres.SUPERUSER, "pgbench"]
        done = subprocess.run(
            [str(self.server.binaries / "pgbench"), *words, *where],
            env={"PGPASSWORD": self.server.password, "PATH": os.defpath},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise BenchmarkFailed(f"pgbench failed:\n{done.stderr}")
        return done.stdout

    def _start(self, part: Part) -> None:
        self.launcher.start_all([part])


@contextmanager
def world() -> Iterator[World]:
    """A fresh server below the run folder; stopped at the end, and removed unless something failed."""
    default_run_dir().mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=default_run_dir()))
    folder.chmod(0o755)  # the server's account has to pass
    with opened(folder) as made:
        yield made
    shutil.rmtree(folder)


@contextmanager
def opened(folder: Path) -> Iterator[World]:
    with Launcher(folder) as launcher:
        (port,) = free_ports(1)
        server = postgres.prepare(launcher.run.path / "postgres", port)
        with (server.data / "postgresql.conf").open("a") as config:
            config.write(f"max_connections = {CONNECTIONS}\n")  # several contestants hold theirs at once
        launcher.start_all([server.part()])
        yield World(launcher, server)


def _contracts() -> dict[str, object]:
    """What the API needs to know of the chain; nothing is sent there in a benchmark."""
    nobody = "0x" + "55" * 20
    return {
        "chain_id": CHAIN_ID,
        "token": {"address": "0x" + TOKEN.hex(), "name": "USDC", "version": "2", "decimals": 6},
        "escrow": "0x" + ESCROW.hex(),
        "receiver_authorizer": "0x" + RECEIVER_AUTHORIZER.hex(),
        "erc3009_collector": nobody,
        "permit2_collector": nobody,
        "operator_safe": nobody,
        "treasury_safe": nobody,
        "multicall3": nobody,
        "deployed_at_block": 0,
    }
