"""Connection, answer or the whole server is lost: nothing acknowledged is missing, nothing is charged twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from gateway.merchants.service import revoke_key
from gateway.migrations import MIGRATIONS
from gateway.payments import capture
from gateway.payments.capture import Captures
from gateway.payments.outcomes import BookUnavailable, Outcome
from kit.database.migrate import migrate
from kit.database.pool import connect, open_pool
from kit.stack import postgres as embedded
from kit.stack.launcher import Launcher
from kit.stack.ports import free_ports
from tests.integration.capture.stored import check_books, is_capturing, payments_of, state_of
from tests.support.seed import Merchant, SeededChannel, seed_channel, seed_merchant
from tests.support.waiting import until
from tests.support.wire import wire

Connection = psycopg.Connection[Any]


@pytest.fixture
def channel(connection: Connection, merchant: Merchant) -> SeededChannel:
    return seed_channel(connection, merchant)


def terminate(connection: Connection, pid: int) -> None:
    assert connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)


async def test_killed_between_two_statements(
    captures: Captures, connection: Connection, channel: SeededChannel
) -> None:
    await captures.capture(channel.request(1, 1))
    pid = is_capturing(connection, waiting_for_a_lock=False)
    assert pid is not None
    terminate(connection, pid)
    assert (await captures.capture(channel.request(1, 2))).outcome is Outcome.CAPTURED
    assert len(payments_of(connection, channel)) == 2


async def test_killed_in_the_middle_of_a_statement(
    captures: Captures, connection: Connection, channel: SeededChannel, gateway_database_url: str
) -> None:
    with connect(gateway_database_url) as holder:
        holder.execute("SELECT FROM channel_states WHERE channel_no = %s FOR UPDATE", [channel.channel_no])
        waiting = captures.capture_all([channel.request(1, turn) for turn in range(1, 31)])
        await until(lambda: is_capturing(connection, waiting_for_a_lock=True) is not None, "the statement to wait")
        pid = is_capturing(connection, waiting_for_a_lock=True)
        assert pid is not None
        terminate(connection, pid)
    results = await asyncio.gather(*waiting)
    assert {result.outcome for result in results} == {Outcome.CAPTURED}
    assert len(payments_of(connection, channel)) == 30
    check_books(connection)


@pytest.mark.parametrize("meanwhile", ["nothing", "the key is revoked"])
async def test_the_answer_of_a_commit_is_lost(
    gateway_database_url: str,
    pool: ConnectionPool,
    connection: Connection,
    merchant: Merchant,
    channel: SeededChannel,
    meanwhile: str,
) -> None:
    """The server has committed, the client never heard. Asked again, it is told that it is captured, once."""
    with wire(gateway_database_url) as lossy:
        running = Captures(lossy.url, pool)
        await running.start()
        await running.capture(channel.request(1, 1, key_id=merchant.key_id))
        lossy.deaf.set()
        requests = [channel.request(1, turn, key_id=merchant.key_id) for turn in range(2, 12)]
        waiting = running.capture_all([*requests, channel.request(5, 99, key_id=merchant.key_id)])
        await until(lambda: state_of(connection, channel).charged == 11, "the commit")
        await until(lossy.swallowed.is_set, "the answer to be lost")
        if meanwhile != "nothing":
            revoke_key(connection, merchant_id=merchant.merchant_id, key_id=merchant.key_id)
        lossy.deaf.clear()
        lossy.cut()
        *results, refused = await asyncio.gather(*waiting)
        await running.stop()
    assert [result.outcome for result in results] == [Outcome.CAPTURED] * 10
    assert [result.payment_id for result in results] == [request.payment_id for request in requests]
    assert [result.charged for result in results] == list(range(2, 12))
    assert refused.outcome is (Outcome.MISMATCH if meanwhile == "nothing" else Outcome.KEY_UNUSABLE)
    assert len(payments_of(connection, channel)) == 11
    check_books(connection)


async def test_a_retry_after_an_unknown_outcome_is_told_the_truth(
    gateway_database_url: str,
    pool: ConnectionPool,
    connection: Connection,
    channel: SeededChannel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The wire stays dead: unknown to the first caller, and a replay to the second."""
    monkeypatch.setattr(capture, "RETRY_SECONDS", 0.01)
    with wire(gateway_database_url) as lossy:
        running = Captures(lossy.url, pool)
        await running.start()
        await running.capture(channel.request(1, 1))
        lossy.deaf.set()
        first = channel.request(1, 2)
        waiting = running.capture(first)
        await until(lambda: state_of(connection, channel).charged == 2, "the commit")
        lossy.close()
        with pytest.raises(BookUnavailable):
            await waiting
        await running.stop()
    again = Captures(gateway_database_url, pool)
    await again.start()
    result = await again.capture(channel.request(1, 2))
    await again.stop()
    assert (result.outcome, result.payment_id) == (Outcome.REPLAY, first.payment_id)
    assert len(payments_of(connection, channel)) == 2


async def test_no_server_from_the_start(channel: SeededChannel, pool: ConnectionPool) -> None:
    (port,) = free_ports(1)
    running = Captures(f"postgresql://nobody@127.0.0.1:{port}/none", pool)
    await running.start()
    waiting = running.capture_all([channel.request(1, 1), channel.request(1, 2)])
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [BookUnavailable] * 2
    await running.stop()


@pytest.fixture(scope="module")
def own_server(run_dirs: Path) -> Iterator[tuple[Launcher, embedded.Server]]:
    """A server that may be restarted without anybody else's noticing."""
    with Launcher(run_dirs / "restarted") as launcher:
        (port,) = free_ports(1)
        server = embedded.prepare(launcher.run.path / "postgres", port)
        launcher.start_all([server.part()])
        with connect(server.url(), autocommit=True) as connection:
            migrate(connection, MIGRATIONS)
        yield launcher, server


@pytest.mark.parametrize("how", ["restart", "kill -9"])
async def test_a_server_that_comes_back_is_used_again(own_server: tuple[Launcher, embedded.Server], how: str) -> None:
    """Payments flow while the server goes and returns; nothing is restarted on this side."""
    launcher, server = own_server
    with connect(server.url(), autocommit=True) as connection:
        merchant = seed_merchant(connection)
        channels = [seed_channel(connection, merchant) for _ in range(4)]
    with open_pool(server.url(), max_size=4) as pool:
        running = Captures(server.url(), pool)
        await running.start()
        over = asyncio.Event()

        async def pay(channel: SeededChannel) -> int:
            """Each voucher again and again until it is known to be captured, as a client does; how many were."""
            captured = 0
            while not over.is_set() or captured < 5:
                try:
                    result = await running.capture(channel.request(1, captured + 1, reference=str(captured)))
                except BookUnavailable:
                    continue
                assert result.outcome in (Outcome.CAPTURED, Outcome.REPLAY)
                captured += 1
            return captured

        paying = [asyncio.create_task(pay(channel)) for channel in channels]
        await asyncio.sleep(0.1)
        if how == "restart":
            await asyncio.to_thread(launcher.restart, "postgres")
        else:
            await asyncio.to_thread(launcher.kill, "postgres")
            await asyncio.to_thread(launcher.start, "postgres")
        over.set()
        totals = await asyncio.wait_for(asyncio.gather(*paying), 30)
        with pool.connection() as connection:
            assert [state_of(connection, channel).charged for channel in channels] == totals
            check_books(connection)
        await running.stop()
