"""Where one payment's time goes: CPU by part beside the peers', payments a statement, and the statement's own time.

CPU time hardly depends on what else the machine does, so on a busy machine these ratios are the ones to believe.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from tests.benchmarks.figures import Chapter, Line, alternate, plain, ratios
from tests.benchmarks.load import Report
from tests.benchmarks.options import Options
from tests.benchmarks.payments import BATCH, BATCH_CONNECTIONS, CONNECTIONS, turns
from tests.benchmarks.processes import cpu_seconds
from tests.benchmarks.workload import Workload
from tests.benchmarks.world import Contestant, World, world

_SAMPLE = re.compile(r"^(lockgate_capture_\w+_(?:sum|count)) ([0-9.e+-]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU of one payment or transaction in microseconds: of the HTTP server, and of PostgreSQL."""

    api: float
    postgres: float

    @property
    def total(self) -> float:
        return self.api + self.postgres


@dataclass(frozen=True, slots=True)
class Statements:
    """Payments in one statement on average, and milliseconds of statement and commit."""

    payments: float
    milliseconds: float


def run(options: Options) -> list[Chapter]:
    workload = Workload(options.channels)
    with world() as servers:
        gateway = servers.gateway("gateway", workload)
        ordinary = servers.ordinary("ordinary", workload)
        return [
            _compare(options, servers, gateway, ordinary, 1, CONNECTIONS),
            _compare(options, servers, gateway, ordinary, BATCH, BATCH_CONNECTIONS),
        ]


def _compare(
    options: Options, servers: World, gateway: Contestant, ordinary: Contestant, batch: int, connections: int
) -> Chapter:
    our_turn = turns(servers, gateway, options, batch, connections)
    their_turn = turns(servers, ordinary, options, batch, connections)
    statements: list[Statements] = []

    def ours() -> Cost:
        before = _samples(gateway)
        cost = _cost_of_turn(servers, gateway, our_turn)
        statements.append(_statements(before, _samples(gateway)))
        return cost

    costs = alternate(
        {
            "ours": ours,
            "ordinary": lambda: _cost_of_turn(servers, ordinary, their_turn),
            "pgbench": lambda: _cost_of_pgbench(servers, options.seconds),
        },
        options.rounds,
    )
    totals = {name: [cost.total for cost in each] for name, each in costs.items()}
    return Chapter(
        f"where one payment's time goes, {batch} a request",
        (
            plain("CPU of the API", [cost.api for cost in costs["ours"]], "us a payment"),
            plain("CPU of PostgreSQL", [cost.postgres for cost in costs["ours"]], "us a payment"),
            plain("payments in one statement", [each.payments for each in statements], "on average"),
            plain("statement and commit", [each.milliseconds for each in statements], "ms"),
            *_peers(totals),
        ),
        ("CPU of the servers only; that of load generators and of the pgbench program is left out.",),
    )


def _peers(totals: dict[str, list[float]]) -> tuple[Line, ...]:
    return (
        plain("CPU of the ordinary handler and its PostgreSQL", totals["ordinary"], "us a payment"),
        plain("CPU of PostgreSQL under `pgbench -N`", totals["pgbench"], "us a transaction"),
        plain("CPU, ordinary handler to ours", ratios(totals["ordinary"], totals["ours"]), "x"),
        plain("CPU, `pgbench -N` to ours", ratios(totals["pgbench"], totals["ours"]), "x"),
    )


def _cost_of_turn(servers: World, contestant: Contestant, turn: Callable[[], Report]) -> Cost:
    before = _busy(servers, contestant.part), _busy(servers, "postgres")
    report = turn()
    after = _busy(servers, contestant.part), _busy(servers, "postgres")
    api, postgres = ((late - early) / report.payments * 1e6 for early, late in zip(before, after, strict=True))
    return Cost(api, postgres)


def _cost_of_pgbench(servers: World, seconds: float) -> Cost:
    before = _busy(servers, "postgres")
    rate = servers.pgbench(seconds)
    transactions = rate * max(1, round(seconds))
    return Cost(0.0, (_busy(servers, "postgres") - before) / transactions * 1e6)


def _busy(servers: World, part: str) -> float:
    return cpu_seconds(servers.launcher.processes(part))


def _samples(gateway: Contestant) -> dict[str, float]:
    text = httpx.get(f"http://127.0.0.1:{gateway.port}/metrics").raise_for_status().text
    return {name: float(value) for name, value in _SAMPLE.findall(text)}


def _statements(before: dict[str, float], after: dict[str, float]) -> Statements:
    delta = {name: after[name] - before.get(name, 0.0) for name in after}
    statements = delta["lockgate_capture_batch_size_count"]
    return Statements(
        delta["lockgate_capture_batch_size_sum"] / statements,
        delta["lockgate_capture_commit_seconds_sum"] / statements * 1e3,
    )
