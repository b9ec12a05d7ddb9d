"""One prepared statement on one connection: right answers, typed failures, and a new connection after a loss."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from kit.database import binary
from kit.database.pool import connect
from kit.database.prepared import ConnectionLost, PreparedStatement, StatementFailed

ECHO = "SELECT ($1::int4 + 1)::int4, pg_backend_pid(), pg_sleep($2::int4 / 1000.0)"


@pytest.fixture
def echo(database_url: str) -> Iterator[PreparedStatement]:
    statement = PreparedStatement(database_url, ECHO)
    yield statement
    statement.close()


@pytest.fixture
def watcher(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database_url, autocommit=True) as opened:
        yield opened


async def ask(statement: PreparedStatement, value: int, sleep_ms: int = 0) -> tuple[int, int]:
    result = await statement.execute([binary.int4(value), binary.int4(sleep_ms)])
    number, pid = (int.from_bytes(result.get_value(0, column) or b"", "big", signed=True) for column in (0, 1))
    return number, pid


async def kill(watcher: psycopg.Connection[Any], pid: int) -> None:
    row = await asyncio.to_thread(lambda: watcher.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone())
    assert row == (True,)


async def test_many_answers_on_one_connection(echo: PreparedStatement) -> None:
    answers = [await ask(echo, number) for number in range(-3, 50)]
    assert [number for number, _ in answers] == list(range(-2, 51))
    assert len({pid for _, pid in answers}) == 1


async def test_a_refusal_names_its_sqlstate_and_the_connection_stays(echo: PreparedStatement) -> None:
    _, before = await ask(echo, 1)
    with pytest.raises(StatementFailed, match="out of range") as refused:
        await ask(echo, (1 << 31) - 1)
    assert refused.value.sqlstate == "22003"
    assert await ask(echo, 5) == (6, before)


async def test_killed_between_two_statements(echo: PreparedStatement, watcher: psycopg.Connection[Any]) -> None:
    _, pid = await ask(echo, 1)
    await kill(watcher, pid)
    with pytest.raises(ConnectionLost):
        await ask(echo, 2)
    number, other = await ask(echo, 3)
    assert number == 4
    assert other != pid


async def test_killed_while_it_runs(echo: PreparedStatement, watcher: psycopg.Connection[Any]) -> None:
    _, pid = await ask(echo, 1)
    running = asyncio.create_task(ask(echo, 2, sleep_ms=20_000))
    await asyncio.sleep(0)
    await kill(watcher, pid)
    with pytest.raises(ConnectionLost):
        await asyncio.wait_for(running, 10)
    assert (await ask(echo, 3))[0] == 4


async def test_a_cancelled_caller_leaves_no_answer_for_the_next(echo: PreparedStatement) -> None:
    await ask(echo, 0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask(echo, 10, sleep_ms=5_000), 0.1)
    assert (await ask(echo, 20))[0] == 21


async def test_no_server_is_a_lost_connection() -> None:
    statement = PreparedStatement("postgresql://nobody@127.0.0.1:1/none", ECHO)
    with pytest.raises(ConnectionLost):
        await ask(statement, 1)


async def test_a_statement_that_cannot_be_prepared_says_why(database_url: str) -> None:
    statement = PreparedStatement(database_url, "SELECT nonsense($1::int4)")
    for _ in range(2):
        with pytest.raises(StatementFailed) as refused:
            await statement.execute([binary.int4(1)])
        assert refused.value.sqlstate == "42883"
