"""One writer into the book: a process that posts batches of transfers, a commit each, for as long as it is told."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from kit.database.pool import connect
from kit.ids import uuid7
from kit.ledger.book import Leg, Posted, Transfer, post
from tests.benchmarks.figures import BenchmarkFailed


@dataclass(frozen=True, slots=True)
class Task:
    """`transfers` a batch, each of two legs between two of `accounts`."""

    database_url: str
    tenant_id: int
    asset_id: int
    accounts: list[int]
    shard: int
    transfers: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Written:
    """Latencies are those of a batch, commit included, in milliseconds."""

    transfers: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        return self.transfers / self.seconds


def write(tasks: list[Task]) -> list[Written]:
    """All writers at once, started together. Raises BenchmarkFailed."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.book_writer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in tasks
    ]
    for writer, task in zip(writers, tasks, strict=True):
        _say(writer, json.dumps(asdict(task)))
        if _hear(writer) != "ready\n":
            raise BenchmarkFailed("a writer could not start")
    for writer in writers:
        _say(writer, "go")
    written = [Written(**json.loads(_hear(writer) or "{}")) for writer in writers]
    for writer in writers:
        writer.wait()
    return written


def _say(writer: subprocess.Popen[str], line: str) -> None:
    assert writer.stdin is not None
    writer.stdin.write(line + "\n")
    writer.stdin.flush()


def _hear(writer: subprocess.Popen[str]) -> str:
    assert writer.stdout is not None
    return writer.stdout.readline()


def main() -> None:
    task = Task(**json.loads(sys.stdin.readline()))
    with connect(task.database_url, autocommit=True) as connection:
        chance = random.Random(task.shard)  # noqa: S311 - which accounts, nothing secret
        _post_one(connection, task, chance)
        print("ready", flush=True)
        sys.stdin.readline()
        latencies = []
        started = now = time.perf_counter()
        while now < started + task.seconds:
            _post_one(connection, task, chance)
            latencies.append(-now + (now := time.perf_counter()))
    milliseconds = sorted(latency * 1e3 for latency in latencies)
    p50, p99 = (milliseconds[int(len(milliseconds) * share)] for share in (0.5, 0.99))
    written = Written(len(latencies) * task.transfers, now - started, p50, p99)
    print(json.dumps(asdict(written)), flush=True)


def _post_one(connection: psycopg.Connection[Any], task: Task, chance: random.Random) -> None:
    transfers = []
    for _ in range(task.transfers):
        debited, credited = chance.sample(task.accounts, 2)
        legs = (Leg(debited, -7), Leg(credited, 7))
        transfers.append(Transfer(task.tenant_id, uuid7(), task.asset_id, legs))
    if any(posted is not Posted.NEW for posted in post(connection, transfers, shard=task.shard)):
        raise BenchmarkFailed("a new transfer was taken for a replay")


if __name__ == "__main__":
    main()
