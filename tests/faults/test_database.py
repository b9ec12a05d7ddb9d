"""PostgreSQL restarted or away, and the API stopped under load."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.stage import Stage, stage
from tests.faults.victims import children_that_work
from tests.faults.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

AWAY_SECONDS = 17.0
BACK_SECONDS = 8.0
"""How soon after the database's return everybody is served again; its own start is not counted."""


@pytest.fixture(scope="module")
def here(run_dirs: Path) -> Iterator[Stage]:
    with stage(run_dirs / "database") as opened:
        yield opened


def test_a_restart_of_the_database_needs_no_other_restart(here: Stage) -> None:
    """D4: every payer is served again within seconds, by the same processes.

    Defect: a lost connection of the capture lane is kept and used again.
    """
    processes = _processes(here)
    with here.load(settles=True) as load:
        here.world.stack.restart("postgres")
        load.await_progress(2, BACK_SECONDS)
        load.finish()
    here.check()
    assert _processes(here) == processes, "no process was restarted"


def test_the_database_may_be_away_for_longer(here: Stage) -> None:
    """D4: pools do not wait longer and longer; deferred work goes on within seconds of the return, too.

    Defect: reconnect_timeout of minutes, between whose attempts psycopg_pool waits 1, 2, 4, 8, 16 s.
    """
    with here.load() as load:
        with here.without("postgres"):
            gone = time.monotonic()
            eventually(lambda: time.monotonic() - gone >= AWAY_SECONDS, "the time is over", AWAY_SECONDS + 1)
        back = time.monotonic()
        load.await_progress(2, BACK_SECONDS)
        fresh = "the chain is followed again"
        eventually(lambda: here.world.mirror_age() < time.monotonic() - back, fresh, BACK_SECONDS, 0.1)
        load.finish()
    here.check()


def _processes(here: Stage) -> dict[str, list[int]]:
    return {part: sorted(children_that_work(here.world, part)) for part in ("api", "worker")}
