"""Leases in SQL: one holder at a time, told from every earlier one by a fencing number."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from kit.database.queries import load

_QUERIES = load("kit.work")


class LeaseLost(Exception):
    """The lease ran out or somebody else has it: what was begun under it must not be committed."""


@dataclass(frozen=True, slots=True)
class Lease:
    name: str
    fence: int


def holder() -> str:
    """This process, as leases and heartbeats name it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def take(pool: ConnectionPool, name: str, seconds: float) -> Lease | None:
    """The lease, or None while somebody has it. The holder itself does not get it twice."""
    with pool.connection() as connection:
        facts = {"name": name, "holder": holder(), "seconds": seconds}
        row = connection.execute(_QUERIES.sql("take_lease"), facts).fetchone()
    return None if row is None else Lease(name, int(row[0]))


def confirm(connection: psycopg.Connection[Any], lease: Lease) -> None:
    """Hold the lease until the caller's transaction ends. Raises LeaseLost."""
    facts = {"name": lease.name, "fence": lease.fence}
    if connection.execute(_QUERIES.sql("confirm_lease"), facts).fetchone() is None:
        raise LeaseLost(f"{lease.name} #{lease.fence}")


def release(pool: ConnectionPool, lease: Lease) -> None:
    """Give it back early; nothing happens when it is lost already."""
    with pool.connection() as connection:
        connection.execute(_QUERIES.sql("release_lease"), {"name": lease.name, "fence": lease.fence})


@contextmanager
def leased(pool: ConnectionPool, name: str, seconds: float) -> Iterator[Lease | None]:
    """The lease for the length of a block; None when somebody else has it."""
    lease = take(pool, name, seconds)
    try:
        yield lease
    finally:
        if lease is not None:
            release(pool, lease)
