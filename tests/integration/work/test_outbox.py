"""Delivery: only what is handled is delivered, once, by however many workers, and nothing stops the rest."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
from psycopg_pool import ConnectionPool

from kit.ledger.changes import record
from kit.work import outbox
from kit.work.outbox import ATTEMPTS_MOST, Event, Outbox


def write(pool: ConnectionPool, topic: str, count: int = 1) -> list[UUID]:
    with pool.connection() as connection:
        return [record(connection, tenant_id=0, topic=topic, payload={"n": n}) for n in range(count)]


def note(connection: psycopg.Connection[Any], event: Event) -> None:
    """A handler whose effect can be counted: one row an event, or an error for the second."""
    connection.execute("INSERT INTO work_heartbeats VALUES (0, %s, now(), 'handled')", [str(event.event_id)])


def handled(pool: ConnectionPool) -> set[str]:
    with pool.connection() as connection:
        return {row[0] for row in connection.execute("SELECT name FROM work_heartbeats").fetchall()}


def undelivered(pool: ConnectionPool) -> int:
    with pool.connection() as connection:
        row = connection.execute("SELECT count(*) FROM outbox WHERE delivered_at IS NULL").fetchone()
    assert row is not None
    return int(row[0])


def hurry(pool: ConnectionPool) -> None:
    with pool.connection() as connection:
        connection.execute("UPDATE outbox SET next_attempt_at = NULL, leased_until = NULL")


def test_eight_workers_handle_each_event_once(pool: ConnectionPool) -> None:
    events = write(pool, "job.done", 120)
    box = Outbox({"job.done": note})
    with ThreadPoolExecutor(8) as threads:
        rounds = list(threads.map(lambda _: box.deliver(pool), range(16)))
    assert sum(one.delivered for one in rounds) == 120
    assert sum(one.failed for one in rounds) == 0
    assert handled(pool) == {str(event) for event in events}
    assert undelivered(pool) == 0


def test_a_failing_event_is_tried_again_parked_in_the_end_and_stops_nobody(pool: ConnectionPool) -> None:
    def fail(connection: psycopg.Connection[Any], event: Event) -> None:
        note(connection, event)
        raise RuntimeError("no")

    write(pool, "job.bad")
    write(pool, "job.done", 3)
    box = Outbox({"job.bad": fail, "job.done": note})
    first = box.deliver(pool)
    assert (first.delivered, first.failed) == (3, 1)
    assert len(handled(pool)) == 3, "what a failed handler wrote is rolled back"
    assert box.deliver(pool) == outbox.Delivered(), "not again at once"
    for _ in range(ATTEMPTS_MOST - 2):
        hurry(pool)
        assert box.deliver(pool).failed == 1
    hurry(pool)
    assert box.deliver(pool).parked == 1
    hurry(pool)
    assert box.deliver(pool) == outbox.Delivered()
    assert undelivered(pool) == 1, "parked is not delivered"


def test_a_topic_that_nobody_knows_is_never_called_delivered(pool: ConnectionPool) -> None:
    write(pool, "chanel.opened")
    write(pool, "channel.opened")
    box = Outbox({}, unheard=("channel.",))
    assert box.deliver(pool) == outbox.Delivered(delivered=1, failed=1)
    with pool.connection() as connection:
        row = connection.execute("SELECT last_error FROM outbox WHERE delivered_at IS NULL").fetchone()
    assert row == ("UnhandledTopic: chanel.opened",)


def test_a_worker_that_lost_its_lease_does_not_handle(pool: ConnectionPool) -> None:
    """The fence: somebody else has taken the row between our lease and our hand."""
    write(pool, "job.done", 2)
    box = Outbox({"job.done": note})
    stolen = {"done": False}

    def steal(connection: psycopg.Connection[Any], event: Event) -> None:
        if not stolen["done"]:
            stolen["done"] = True
            with pool.connection() as other:
                other.execute(
                    "UPDATE outbox SET fence = fence + 1 WHERE event_id <> %s AND delivered_at IS NULL",
                    [event.event_id],
                )
        note(connection, event)

    first = Outbox({"job.done": steal}).deliver(pool)
    assert first.delivered == 1
    hurry(pool)
    assert box.deliver(pool).delivered == 1
    assert len(handled(pool)) == 2


def test_a_lease_that_ran_out_is_taken_up_by_another(pool: ConnectionPool) -> None:
    write(pool, "job.done")
    with pool.connection() as connection:
        connection.execute("UPDATE outbox SET leased_until = now() - interval '1 second', fence = 7, attempts = 1")
    assert Outbox({"job.done": note}).deliver(pool).delivered == 1
