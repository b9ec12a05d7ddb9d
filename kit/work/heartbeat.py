"""Liveness proved by work done: a task writes the time, whoever watches reads its age."""

from __future__ import annotations

from typing import Any

import psycopg

from kit.database.queries import load
from kit.work.leases import holder

_QUERIES = load("kit.work")


def beat(connection: psycopg.Connection[Any], name: str) -> None:
    connection.execute(_QUERIES.sql("beat"), {"name": name, "holder": holder()})


def age(connection: psycopg.Connection[Any], name: str) -> float | None:
    """Seconds since the last beat; None when there never was one."""
    row = connection.execute(_QUERIES.sql("heartbeat_age"), {"name": name}).fetchone()
    return None if row is None else float(row[0])
