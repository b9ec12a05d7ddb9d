"""The peer of the benchmarks does the same work: it answers the same cases as the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.stack import postgres as embedded
from kit.stack.launcher import Launcher
from tests.benchmarks.cases import told_and_due
from tests.benchmarks.workload import Workload
from tests.benchmarks.world import Contestant, World

WORKLOAD = Workload(channels=4)


@pytest.fixture(scope="module")
def contestants(run_dirs: Path, postgres: embedded.Server) -> Iterator[dict[str, Contestant]]:
    with Launcher(run_dirs / "peers") as launcher:
        servers = World(launcher, postgres)
        yield {
            "gateway": servers.gateway("gateway", WORKLOAD),
            "ordinary": servers.ordinary("ordinary", WORKLOAD),
        }


@pytest.mark.parametrize("name", ["gateway", "ordinary"])
def test_answers_as_it_should(contestants: dict[str, Contestant], name: str) -> None:
    payer, other = WORKLOAD.spares
    told, due = told_and_due(contestants[name], payer, other)
    assert told == due
