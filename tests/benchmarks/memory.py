"""The memory of the API's workers over a million payments: it has to stay low, and to stay."""

from __future__ import annotations

from tests.benchmarks.figures import BenchmarkFailed, Chapter, Line, Spread
from tests.benchmarks.options import Options
from tests.benchmarks.processes import resident_bytes
from tests.benchmarks.workload import Workload
from tests.benchmarks.world import WORKERS, Contestant, World, world

STEPS = 10
BATCH, CONNECTIONS = 100, 8
TURN_SECONDS = 600.0
MOST_MEGABYTES = 250
MEGABYTE = 1_000_000
FLAT_SHARE = 0.03
"""Growth over the second half of the payments that still counts as flat."""


def run(options: Options) -> Chapter:
    workload = Workload(options.memory_channels)
    each = options.memory_payments // STEPS
    with world() as servers:
        gateway = servers.gateway("gateway", workload)
        sizes = [_largest(servers, gateway)]
        for _ in range(STEPS):
            while sum(gateway.steps) < each * len(sizes):
                missing = each * len(sizes) - sum(gateway.steps)
                gateway.pay(
                    seconds=TURN_SECONDS,
                    most=max(missing, BATCH * CONNECTIONS),
                    batch=BATCH,
                    connections=CONNECTIONS,
                )
            sizes.append(_largest(servers, gateway))
    half = sizes[1 + STEPS // 2 :]
    growth = half[-1] / sizes[STEPS // 2] - 1
    course = ", ".join(f"{size:.0f}" for size in sizes)
    return Chapter(
        f"memory of an API worker over {options.memory_payments:,} payments",
        (
            Line(
                "the largest worker's resident memory at the end",
                f"{Spread.of(sizes[-1:])} MB",
                f"< {MOST_MEGABYTES} MB",
                max(sizes) < MOST_MEGABYTES,
            ),
            Line(
                "growth over the second half of the payments",
                f"{growth:+.1%}",
                f"<= {FLAT_SHARE:.0%}",
                growth <= FLAT_SHARE,
            ),
        ),
        (
            f"MB at the start and after each tenth of the payments: {course}.",
            f"payments come from {options.memory_channels:,} channels in turn, each of which a worker remembers.",
        ),
    )


def _largest(servers: World, gateway: Contestant) -> float:
    """Megabytes of the largest worker; the supervising process above the workers serves nothing."""
    pids = servers.launcher.processes(gateway.part)
    sizes = sorted((resident_bytes(pid) / MEGABYTE for pid in pids), reverse=True)
    if len(sizes) <= WORKERS:
        raise BenchmarkFailed(f"{len(sizes)} processes of the gateway run where {WORKERS} workers are due")
    return sizes[0]
