"""Forward-only migrations: ordered `.sql` files, each applied once and in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, LiteralString

import psycopg

_LOCK = 0x4C4F434B  # "LOCK": two migrators never run side by side
_TABLE: LiteralString = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        name       text        PRIMARY KEY,
        sha256     bytea       NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )"""


class MigrationChanged(Exception):
    """A migration that was applied no longer reads as it did then."""


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    sql: str

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.sql.encode()).digest()


def collect(packages: Sequence[str]) -> list[Migration]:
    """The migrations of `packages`, package by package, each in the order of its file names."""
    found: list[Migration] = []
    for package in packages:
        folder = files(package) / "migrations"
        for entry in sorted(folder.iterdir(), key=lambda item: item.name):
            if entry.name.endswith(".sql"):
                found.append(Migration(f"{package}/{entry.name}", entry.read_text("utf-8")))
    return found


def migrate(connection: psycopg.Connection[Any], migrations: Sequence[Migration]) -> list[str]:
    """Apply what is not yet applied; returns the names applied. Raises MigrationChanged.

    The connection must be in autocommit mode. Safe to run from several processes at once.
    """
    connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    try:
        connection.execute(_TABLE)
        known = {
            name: bytes(digest)
            for name, digest in connection.execute("SELECT name, sha256 FROM schema_migrations").fetchall()
        }
        return [migration.name for migration in migrations if _apply(connection, migration, known)]
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def pending(connection: psycopg.Connection[Any], migrations: Sequence[Migration]) -> list[str]:
    """Names of migrations that the database does not have yet."""
    table = connection.execute("SELECT to_regclass('schema_migrations')").fetchone()
    if table is None or table[0] is None:
        return [migration.name for migration in migrations]
    known = {row[0] for row in connection.execute("SELECT name FROM schema_migrations").fetchall()}
    return [migration.name for migration in migrations if migration.name not in known]


def _apply(connection: psycopg.Connection[Any], migration: Migration, known: dict[str, bytes]) -> bool:
    if migration.name in known:
        if known[migration.name] != migration.sha256:
            raise MigrationChanged(f"{migration.name} was changed after it had been applied")
        return False
    with connection.transaction():
        connection.execute(migration.sql)
        connection.execute(
            "INSERT INTO schema_migrations (name, sha256) VALUES (%s, %s)", [migration.name, migration.sha256]
        )
    return True
