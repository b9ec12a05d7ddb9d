"""Outbox delivery: each row is leased with a fence, handled, and called delivered only then.

The broker is not asked: it may lose or repeat anything. A handler works in the transaction that marks its row as
delivered,
so that its own effect in the database happens once; what it does elsewhere must be idempotent by the event's id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool

from kit.database.queries import load
from kit.logging import get_logger
from kit.metrics import counter, gauge

_QUERIES = load("kit.work")
_log = get_logger(__name__)
DELIVERIES = counter("lockgate_outbox_deliveries_total", "Outbox events by what came of them.", ["outcome"])
DEPTH = gauge("lockgate_outbox_depth", "Events that are not delivered yet.")
PARKED = gauge("lockgate_outbox_parked", "Events that wait for a person.")
OLDEST = gauge("lockgate_outbox_oldest_seconds", "Age of the oldest event that is not delivered.")

BATCH = 200
LEASE_SECONDS = 60.0
ATTEMPTS_MOST = 12
Handle = Callable[[psycopg.Connection[Any], "Event"], None]


class UnhandledTopic(Exception):
    """Nobody has said what to do with events of this topic."""


@dataclass(frozen=True, slots=True)
class Event:
    tenant_id: int
    event_id: UUID
    topic: str
    payload: dict[str, Any]
    attempts: int
    fence: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """How a round went."""

    delivered: int = 0
    failed: int = 0
    parked: int = 0


class Outbox:
    """Handlers by topic. `unheard` names topics, or families ending in a dot, that nobody needs to hear of yet.

    An event of any other topic fails by name, and is parked in the end: a misspelt topic never passes for delivered.
    """

    def __init__(self, handlers: Mapping[str, Handle], unheard: tuple[str, ...] = ()) -> None:
        self._handlers = dict(handlers)
        self._unheard = unheard

    def deliver(self, pool: ConnectionPool) -> Delivered:
        """Lease what is due and handle it, one event after the other."""
        with pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(Event))
            facts = {"limit": BATCH, "seconds": LEASE_SECONDS}
            events = cursor.execute(_QUERIES.sql("lease_events"), facts).fetchall()
        events.sort(key=lambda event: event.event_id)
        silent = [event for event in events if event.topic not in self._handlers and self._is_unheard(event.topic)]
        self._pass_over(pool, silent)
        heard = [event for event in events if event.topic in self._handlers or not self._is_unheard(event.topic)]
        outcomes = [self._deliver_one(pool, event) for event in heard]
        for outcome in outcomes:
            DELIVERIES.labels(outcome).inc()
        DELIVERIES.labels("delivered").inc(len(silent))
        return Delivered(
            outcomes.count("delivered") + len(silent), outcomes.count("failed"), outcomes.count("parked")
        )

    def measure(self, pool: ConnectionPool) -> None:
        with pool.connection() as connection:
            row = connection.execute(_QUERIES.sql("outbox_state")).fetchone()
        assert row is not None
        DEPTH.set(row[0])
        PARKED.set(row[1])
        OLDEST.set(row[2])

    def _is_unheard(self, topic: str) -> bool:
        return any(topic == name or (name.endswith(".") and topic.startswith(name)) for name in self._unheard)

    def _pass_over(self, pool: ConnectionPool, events: list[Event]) -> None:
        facts = {
            "tenant_ids": [event.tenant_id for event in events],
            "event_ids": [event.event_id for event in events],
            "fences": [event.fence for event in events],
        }
        if events:
            with pool.connection() as connection:
                connection.execute(_QUERIES.sql("delivered_many"), facts)

    def _deliver_one(self, pool: ConnectionPool, event: Event) -> str:
        facts: dict[str, Any] = {"tenant_id": event.tenant_id, "event_id": event.event_id, "fence": event.fence}
        try:
            with pool.connection() as connection:
                if connection.execute(_QUERIES.sql("hold_event"), facts).fetchone() is None:
                    return "lost"
                self._handler(event.topic)(connection, event)
                connection.execute(_QUERIES.sql("delivered"), facts)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is its event's failure, not the others'
            return self._note_failure(pool, event, facts, error)
        return "delivered"

    def _handler(self, topic: str) -> Handle:
        try:
            return self._handlers[topic]
        except KeyError:
            raise UnhandledTopic(topic) from None

    def _note_failure(self, pool: ConnectionPool, event: Event, facts: dict[str, Any], error: Exception) -> str:
        told = facts | {"error": f"{type(error).__name__}: {error}"[:500], "attempts_most": ATTEMPTS_MOST}
        with pool.connection() as connection:
            row = connection.execute(_QUERIES.sql("failed"), told).fetchone()
        parked = row is not None and bool(row[0])
        log = _log.error if parked else _log.warning
        what = "event parked" if parked else "event not delivered"
        log(what, event_id=str(event.event_id), topic=event.topic, attempts=event.attempts, cause=told["error"])
        return "parked" if parked else "failed"
