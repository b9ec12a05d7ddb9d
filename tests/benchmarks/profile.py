"""Where one payment's time goes: CPU by part, payments a statement, and the statement's own time."""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx

from tests.benchmarks.figures import Chapter, Line, plain
from tests.benchmarks.options import Options
from tests.benchmarks.payments import warm_up
from tests.benchmarks.processes import cpu_seconds
from tests.benchmarks.workload import Workload
from tests.benchmarks.world import Contestant, World, world

_SAMPLE = re.compile(r"^(lockgate_capture_\w+_(?:sum|count)) ([0-9.e+-]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: microseconds of CPU a payment by part, the mean batch, and milliseconds a statement."""

    rate: float
    api: float
    postgres: float
    batch: float
    statement: float


def run(options: Options) -> Chapter:
    workload = Workload(options.channels)
    lines: list[Line] = []
    with world() as servers:
        gateway = servers.gateway("gateway", workload)
        warm_up(gateway)
        for batch, connections in ((1, 64), (100, 8)):
            turns = [_turn(options, servers, gateway, batch, connections) for _ in range(options.rounds)]
            lines += _lines("one a request" if batch == 1 else f"{batch} a request", turns)
    return Chapter("where one payment's time goes", tuple(lines))


def _turn(options: Options, servers: World, gateway: Contestant, batch: int, connections: int) -> Turn:
    servers.checkpoint()
    api, postgres = servers.launcher.processes(gateway.part), servers.launcher.processes("postgres")
    counted, busy = _samples(gateway), (cpu_seconds(api), cpu_seconds(postgres))
    report = gateway.pay(
        seconds=options.seconds, most=int(20_000 * options.seconds), batch=batch, connections=connections
    )
    now = _samples(gateway)
    spent = (cpu_seconds(api) - busy[0], cpu_seconds(postgres) - busy[1])
    delta = {name: now[name] - counted.get(name, 0.0) for name in now}
    statements = delta["lockgate_capture_batch_size_count"]
    return Turn(
        report.rate,
        spent[0] / report.payments * 1e6,
        spent[1] / report.payments * 1e6,
        delta["lockgate_capture_batch_size_sum"] / statements,
        delta["lockgate_capture_commit_seconds_sum"] / statements * 1e3,
    )


def _samples(gateway: Contestant) -> dict[str, float]:
    text = httpx.get(f"http://127.0.0.1:{gateway.port}/metrics").raise_for_status().text
    return {name: float(value) for name, value in _SAMPLE.findall(text)}


def _lines(how: str, turns: list[Turn]) -> list[Line]:
    return [
        plain(f"{how}: rate", [turn.rate for turn in turns], "payments/s"),
        plain(f"{how}: CPU of the API", [turn.api for turn in turns], "us a payment"),
        plain(f"{how}: CPU of PostgreSQL", [turn.postgres for turn in turns], "us a payment"),
        plain(f"{how}: payments in one statement", [turn.batch for turn in turns], "mean"),
        plain(f"{how}: statement and commit", [turn.statement for turn in turns], "ms"),
    ]
