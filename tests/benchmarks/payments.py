"""Durable payments over HTTP: the real gateway, the ordinary handler and pgbench, in turn on one server."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.benchmarks import cases
from tests.benchmarks.figures import Chapter, Line, alternate, at_least, at_most, plain, ratios
from tests.benchmarks.load import Report
from tests.benchmarks.options import Options
from tests.benchmarks.workload import Workload
from tests.benchmarks.world import Contestant, World, world

BATCH = 100
BATCH_CONNECTIONS = 8
CONNECTIONS = 64
MEETINGS = 8
WARM_SECONDS = 5.0
_PGBENCH_NOTE = "pgbench is `pgbench -N -c 64 -j 2` on the same server: it updates one row and inserts another."


def run(options: Options) -> list[Chapter]:
    workload = Workload(options.channels)
    with world() as servers:
        gateway = servers.gateway("gateway", workload)
        ordinary = servers.ordinary("ordinary", workload)
        for contestant in (gateway, ordinary):
            cases.verify(contestant, workload)
        return [_single(options, servers, gateway, ordinary), _batch(options, servers, gateway, ordinary)]


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


def _single(options: Options, servers: World, gateway: Contestant, ordinary: Contestant) -> Chapter:
    ours, theirs, pgbench = _measure(options, servers, gateway, ordinary, 1, CONNECTIONS)
    rates = [report.rate for report in ours]
    return Chapter(
        "one payment a request over HTTP, durable, 64 connections",
        (
            *_common(ours, theirs, pgbench),
            at_least("rate as a ratio to the ordinary handler", ratios(rates, [r.rate for r in theirs]), 25),
            at_least("rate as a ratio to `pgbench -N`", ratios(rates, pgbench), 1.0),
            at_most("p99 as a ratio to p50", [report.tail for report in ours], 2.5),
        ),
        (_PGBENCH_NOTE, "every process, the load generator too, shares the machine's cores."),
    )


def _batch(options: Options, servers: World, gateway: Contestant, ordinary: Contestant) -> Chapter:
    ours, theirs, pgbench = _measure(options, servers, gateway, ordinary, BATCH, BATCH_CONNECTIONS)
    rates = [report.rate for report in ours]
    return Chapter(
        "100 vouchers a request, 8 connections",
        (
            *_common(ours, theirs, pgbench),
            at_least("rate as a ratio to the ordinary handler", ratios(rates, [r.rate for r in theirs]), 40),
            at_least("rate as a ratio to `pgbench -N`", ratios(rates, pgbench), 1.6),
        ),
        ("the ordinary handler commits once a request, with a savepoint a payment.",),
    )


def _measure(
    options: Options, servers: World, gateway: Contestant, ordinary: Contestant, batch: int, connections: int
) -> tuple[list[Report], list[Report], list[float]]:
    our_turn = turns(servers, gateway, options, batch, connections)
    their_turn = turns(servers, ordinary, options, batch, connections)
    pgbench: list[float] = []

    def peer() -> Report:
        report = their_turn()
        pgbench.append(servers.pgbench(options.seconds))
        return report

    measured = alternate({"gateway": our_turn, "ordinary": peer}, options.rounds)
    return measured["gateway"], measured["ordinary"], pgbench


def _common(ours: Sequence[Report], theirs: Sequence[Report], pgbench: Sequence[float]) -> list[Line]:
    return [
        plain("ours", [report.rate for report in ours], "payments/s"),
        plain("ours, p50 of a request", [report.p50 for report in ours], "ms"),
        plain("ours, p99 of a request", [report.p99 for report in ours], "ms"),
        plain("ordinary handler", [report.rate for report in theirs], "payments/s"),
        plain("ordinary handler, p50 of a request", [report.p50 for report in theirs], "ms"),
        plain("`pgbench -N`", pgbench, "transactions/s"),
    ]
