"""Migrations: once each, in order, whole or not at all, whoever else is migrating."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from itertools import count
from typing import Any

import psycopg
import pytest

from gateway.migrations import MIGRATIONS
from kit.database.migrate import Migration, MigrationChanged, collect, migrate, pending
from kit.database.pool import connect
from kit.stack.postgres import Server

_numbers = count(1)
TWO = [
    Migration("room/0001.sql", "CREATE TABLE one (a int); INSERT INTO one VALUES (1)"),
    Migration("room/0002.sql", "INSERT INTO one SELECT a + 1 FROM one"),
]


@pytest.fixture
def empty_url(postgres: Server) -> str:
    name = f"migrate_{next(_numbers)}"
    postgres.create_database(name)
    return postgres.url(name)


@pytest.fixture
def connection(empty_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(empty_url, autocommit=True) as opened:
        yield opened


def rows(connection: psycopg.Connection[Any]) -> list[int]:
    return [row[0] for row in connection.execute("SELECT a FROM one ORDER BY a").fetchall()]


def test_once_each_and_in_order(connection: psycopg.Connection[Any]) -> None:
    assert pending(connection, TWO) == ["room/0001.sql", "room/0002.sql"]
    assert migrate(connection, TWO[:1]) == ["room/0001.sql"]
    assert pending(connection, TWO) == ["room/0002.sql"]
    assert migrate(connection, TWO) == ["room/0002.sql"]
    assert migrate(connection, TWO) == []
    assert pending(connection, TWO) == []
    assert rows(connection) == [1, 2]


def test_a_file_that_changed_after_it_was_applied_stops_everything(connection: psycopg.Connection[Any]) -> None:
    migrate(connection, TWO[:1])
    changed = Migration("room/0001.sql", TWO[0].sql + " ")
    with pytest.raises(MigrationChanged, match=r"room/0001\.sql was changed"):
        migrate(connection, [changed, TWO[1]])
    assert rows(connection) == [1]
    assert migrate(connection, TWO) == ["room/0002.sql"], "the lock was given back"


def test_one_that_fails_leaves_nothing_of_itself(connection: psycopg.Connection[Any]) -> None:
    broken = Migration("room/0002.sql", "INSERT INTO one VALUES (7); SELECT nonsense()")
    with pytest.raises(psycopg.errors.UndefinedFunction):
        migrate(connection, [TWO[0], broken])
    assert rows(connection) == [1]
    assert pending(connection, TWO) == ["room/0002.sql"]
    assert migrate(connection, TWO) == ["room/0002.sql"]


def _migrate_in_a_process(url: str, both: Any, answers: Any) -> None:
    slow = [Migration("room/0000.sql", "SELECT pg_sleep(0.5); CREATE TABLE slow ()"), *TWO]
    with connect(url, autocommit=True) as connection:
        both.wait(30)
        try:
            answers.put(migrate(connection, slow))
        except psycopg.Error as error:
            answers.put([repr(error)])


def test_two_processes_at_once(empty_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    answers, both = context.Queue(), context.Barrier(2)
    processes = [context.Process(target=_migrate_in_a_process, args=(empty_url, both, answers)) for _ in range(2)]
    for process in processes:
        process.start()
    applied = [answers.get(timeout=30) for _ in processes]
    for process in processes:
        process.join(30)
    assert sorted(applied, key=len) == [[], ["room/0000.sql", "room/0001.sql", "room/0002.sql"]]
    with connect(empty_url) as connection:
        assert rows(connection) == [1, 2]


def test_our_own_from_nothing(connection: psycopg.Connection[Any]) -> None:
    names = [migration.name for migration in MIGRATIONS]
    assert migrate(connection, MIGRATIONS) == names
    assert pending(connection, MIGRATIONS) == []
    assert names.index("kit.ledger/0001_ledger.sql") < names.index("gateway/0002_payments.sql")


def test_collect_sorts_each_package_by_file_name() -> None:
    names = [migration.name for migration in collect(["kit.ledger"])]
    assert names == sorted(names)
    assert all(name.startswith("kit.ledger/") and name.endswith(".sql") for name in names)
