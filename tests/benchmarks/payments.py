"""Durable payments over HTTP: the real gateway, the ordinary handler and pgbench, in turn on one server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks import cases
from tests.benchmarks.figures import Chapter, Line, at_least, at_most, plain, ratios
from tests.benchmarks.load import Report
from tests.benchmarks.options import Options
from tests.benchmarks.workload import Workload
from tests.benchmarks.world import Contestant, World, world

BATCH = 100
BATCH_CONNECTIONS = 8
CONNECTIONS = 64
MEETINGS = 8
WARM_SECONDS = 5.0
TUNED_THREADS = 8
_PGBENCH_NOTE = "pgbench is `pgbench -N -c 64 -j 2` on the same server: it updates one row and inserts another."


def run(options: Options) -> list[Chapter]:
    workload = Workload(options.channels)
    with world() as servers:
        gateway = servers.gateway("gateway", workload)
        ordinary = servers.ordinary("ordinary", workload)
        tuned = servers.ordinary("tuned", workload, threads=TUNED_THREADS)
        for contestant in (gateway, ordinary, tuned):
            cases.verify(contestant, workload)
        return [_single(options, servers, gateway, ordinary, tuned), _batch(options, servers, gateway, ordinary)]


def warm_up(contestant: Contestant, batch: int = 1, connections: int = CONNECTIONS) -> Report:
    """Until each worker process has met about every channel, or for a few seconds."""
    most = max(contestant.workload.channels * MEETINGS, batch * connections)
    return contestant.pay(seconds=WARM_SECONDS, most=most, batch=batch, connections=connections)


def turns(
    servers: World, contestant: Contestant, options: Options, batch: int = 1, connections: int = CONNECTIONS
) -> Callable[[], Report]:
    """A contestant's turn, warmed up; the rate of the last turn says how many payments to sign for the next."""
    rate = warm_up(contestant, batch, connections).rate

    def turn() -> Report:
        nonlocal rate
        servers.checkpoint()
        most = max(batch * connections, int(rate * options.seconds * 1.5))
        report = contestant.pay(seconds=options.seconds, most=most, batch=batch, connections=connections)
        rate = report.rate
        return report

    return turn


@dataclass(frozen=True, slots=True)
class Measured:
    """What each contestant did, round by round; pgbench's transactions a second."""

    ours: list[Report]
    ordinary: list[Report]
    pgbench: list[float]

    @property
    def rates(self) -> list[float]:
        return [report.rate for report in self.ours]

    def lines(self) -> list[Line]:
        ours, theirs = self.ours, self.ordinary
        return [
            plain("ours", self.rates, "payments/s"),
            plain("ours, p50 of a request", [report.p50 for report in ours], "ms"),
            plain("ours, p99 of a request", [report.p99 for report in ours], "ms"),
            plain("ordinary handler", [report.rate for report in theirs], "payments/s"),
            plain("ordinary handler, p50 of a request", [report.p50 for report in theirs], "ms"),
            plain("`pgbench -N`", self.pgbench, "transactions/s"),
        ]

    def asked(self, of_ordinary: float, of_pgbench: float) -> list[Line]:
        theirs = [report.rate for report in self.ordinary]
        return [
            at_least("rate as a ratio to the ordinary handler", ratios(self.rates, theirs), of_ordinary),
            at_least("rate as a ratio to `pgbench -N`", ratios(self.rates, self.pgbench), of_pgbench),
        ]


def _single(
    options: Options, servers: World, gateway: Contestant, ordinary: Contestant, tuned: Contestant
) -> Chapter:
    tuned_turn = turns(servers, tuned, options)
    best: list[float] = []
    measured = _measure(options, servers, gateway, ordinary, 1, CONNECTIONS, lambda: best.append(tuned_turn().rate))
    return Chapter(
        "one payment a request over HTTP, durable, 64 connections",
        (
            *measured.lines(),
            *measured.asked(25, 1.0),
            at_most("p99 as a ratio to p50", [report.tail for report in measured.ours], 2.5),
            plain(
                "rate as a ratio to the ordinary handler with its threads tuned", ratios(measured.rates, best), "x"
            ),
        ),
        (
            _PGBENCH_NOTE,
            "every process, the load generator too, shares the machine's cores.",
            f"the ordinary handler runs in FastAPI's 40 threads a process; tuned, in {TUNED_THREADS}.",
        ),
    )


def _batch(options: Options, servers: World, gateway: Contestant, ordinary: Contestant) -> Chapter:
    measured = _measure(options, servers, gateway, ordinary, BATCH, BATCH_CONNECTIONS)
    return Chapter(
        "100 vouchers a request, 8 connections",
        (*measured.lines(), *measured.asked(40, 1.6)),
        ("the ordinary handler commits once a request, with a savepoint a payment.",),
    )


def _measure(
    options: Options,
    servers: World,
    gateway: Contestant,
    ordinary: Contestant,
    batch: int,
    connections: int,
    another: Callable[[], None] = lambda: None,
) -> Measured:
    """Rounds of ours, the ordinary handler, pgbench and `another` contestant, who keeps his own record."""
    our_turn = turns(servers, gateway, options, batch, connections)
    their_turn = turns(servers, ordinary, options, batch, connections)
    measured = Measured([], [], [])
    for _ in range(options.rounds):
        measured.ours.append(our_turn())
        measured.ordinary.append(their_turn())
        measured.pgbench.append(servers.pgbench(options.seconds))
        another()
    return measured
