"""The broker and the schedulers: what is deferred may come late, twice or never, and is done once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from kit.stack.health import file_touched_within
from tests.faults.stage import Stage, stage
from tests.faults.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

UNCLAIMED = "SELECT COALESCE(sum(charged - claimed), 0) FROM channel_states"
CLAIMS = "SELECT count(*) FROM chain_transactions WHERE purpose LIKE 'claim%%' AND state = 4"
VALUE_WORTH_MANY_CLAIMS = 60_000


@pytest.fixture(scope="module")
def here(run_dirs: Path) -> Iterator[Stage]:
    with stage(run_dirs / "broker") as opened:
        yield opened


def test_payments_go_on_without_the_broker_and_claims_catch_up(here: Stage) -> None:
    """D1: what is to be done stands in the database; the queue only hurries it along.

    Defect: the worker gives up reconnecting (broker_connection_max_retries=0): claims never catch up.
    """
    world, parts = here.world, _pids(here)
    with here.load() as load:
        with here.without("valkey"):
            eventually(lambda: world.row(UNCLAIMED)[0] > VALUE_WORTH_MANY_CLAIMS, "payments wait for a claim")
            load.await_progress(20)
        load.finish()
    here.check()
    assert _pids(here) == parts, "nothing but the broker was restarted"


def test_the_worker_survives_a_broker_that_cuts_it_off_twice(here: Stage) -> None:
    """D3: connections reset twice within three seconds; liveness is work done, and it goes on.

    Defect: the consumer does not come back after its second loss (broker_connection_retry=False).
    """
    world, parts = here.world, _pids(here)
    with here.load() as load, redis.Redis.from_url(world.stack.env["LOCKGATE_BROKER_URL"]) as broker:
        load.await_progress(5)
        assert _cut(broker) > 0
        eventually(lambda: _cut(broker) > 0, "somebody is connected again, and cut off again", 3.0)
        before = world.row("SELECT max(beat_at) FROM work_heartbeats WHERE name = 'worker'")
        beaten = "SELECT max(beat_at) > %s FROM work_heartbeats WHERE name = 'worker'"
        eventually(lambda: world.row(beaten, before[0])[0], "the worker shows life again")
        load.finish()
    here.check()
    assert _pids(here) == parts, "nothing was restarted"


def test_two_schedulers_have_the_effect_of_one(here: Stage) -> None:
    """D2: every periodic job comes twice; each voucher is claimed by one transaction.

    Defect: claims in flight are not taken off what is due: the second scheduler's turn claims them again.
    """
    world = here.world
    first = world.stack.part("beat").part
    alive_file = world.stack.run.path / "beat-2.alive"
    env = {**first.env, "LOCKGATE_BEAT_LIVENESS_FILE": str(alive_file)}
    ready = file_touched_within(alive_file, 30.0)
    with here.load() as load:
        world.stack.start_all([replace(first, name="beat-2", env=env, ready=ready)])
        claims = world.row(CLAIMS)[0]
        eventually(lambda: world.row(CLAIMS)[0] >= claims + 3, "three claims were made with two schedulers")
        load.finish()
    here.check()
    world.stack.stop("beat-2")


def _pids(here: Stage) -> dict[str, int | None]:
    return {name: here.world.stack.part(name).pid for name in ("api", "worker", "beat", "postgres")}


def _cut(broker: redis.Redis[bytes]) -> int:
    """Close every other connection; how many there were."""
    return int(broker.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
