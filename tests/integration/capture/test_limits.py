"""A bounded queue, a clean stop, callers that go away, refusals that hold nobody up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future, InvalidStateError
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from gateway.payments import capture
from gateway.payments.capture import Captures
from gateway.payments.outcomes import BookUnavailable, CaptureResult, Outcome, QueueFull
from kit.database.pool import connect, open_pool
from tests.integration.capture.stored import check_books, is_capturing, payments_of, state_of
from tests.support.seed import Merchant, SeededChannel, seed_channel
from tests.support.waiting import until

Connection = psycopg.Connection[Any]


@pytest.fixture
def channel(connection: Connection, merchant: Merchant) -> SeededChannel:
    return seed_channel(connection, merchant)


@pytest.fixture
def holder(gateway_database_url: str) -> Iterator[Connection]:
    """A connection that holds a channel's row, so that its payments have to wait."""
    with connect(gateway_database_url) as opened:
        yield opened


def hold(holder: Connection, channel: SeededChannel) -> None:
    holder.execute("SELECT FROM channel_states WHERE channel_no = %s FOR UPDATE", [channel.channel_no])


async def test_a_full_queue_refuses_and_answers_what_it_took(
    captures: Captures,
    connection: Connection,
    channel: SeededChannel,
    holder: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(capture, "QUEUE_MOST", 10)
    hold(holder, channel)
    requests = [channel.request(1, turn) for turn in range(1, 15)]
    taken = captures.capture_all(requests[:8])
    with pytest.raises(QueueFull):
        captures.capture_all(requests[8:11])
    assert captures.waiting == 8, "all or none"
    taken += [captures.capture(request) for request in requests[8:10]]
    with pytest.raises(QueueFull):
        captures.capture(requests[10])
    from_a_thread = captures.submit(requests[10])
    with pytest.raises(QueueFull):
        await asyncio.wrap_future(from_a_thread)
    holder.rollback()
    assert {(await each).outcome for each in taken} == {Outcome.CAPTURED}
    assert captures.waiting == 0
    assert (await captures.capture(requests[10])).outcome is Outcome.CAPTURED, "there is room again"
    assert state_of(connection, channel).charged == 11


async def test_the_count_of_those_who_wait_comes_back_to_nothing(captures: Captures, channel: SeededChannel) -> None:
    requests = [channel.request(1, 1), channel.request(1, 1), channel.request(1, 9)]
    requests[0].reference = "a\x00b"
    await asyncio.gather(*captures.capture_all(requests), return_exceptions=True)
    assert captures.waiting == 0


async def test_stop_answers_everything_that_was_accepted(
    gateway_database_url: str, pool: ConnectionPool, connection: Connection, merchant: Merchant
) -> None:
    stopping = Captures(gateway_database_url, pool)
    await stopping.start()
    channels = [seed_channel(connection, merchant) for _ in range(5)]
    accepted = [stopping.capture(channel.request(1, turn)) for turn in range(1, 121) for channel in channels]
    refused = stopping.capture(channels[0].request(1, 500))
    stop = asyncio.create_task(stopping.stop())
    await asyncio.sleep(0)
    with pytest.raises(QueueFull):
        stopping.capture(channels[0].request(1, 121))
    await stop
    assert all(each.done() for each in [*accepted, refused])
    assert {each.result().outcome for each in accepted} == {Outcome.CAPTURED}
    assert refused.result().outcome is Outcome.MISMATCH
    assert [state_of(connection, channel).charged for channel in channels] == [120] * 5


def test_threads_that_submit_while_it_stops_all_hear_an_answer(
    gateway_database_url: str, pool: ConnectionPool, connection: Connection, merchant: Merchant
) -> None:
    """Captured or told that the queue is closed, also after the loop has ended."""
    channels = [seed_channel(connection, merchant) for _ in range(4)]
    answers: dict[int, list[Future[CaptureResult]]] = {}
    started, enough = threading.Event(), threading.Event()

    async def serve() -> Captures:
        running = Captures(gateway_database_url, pool)
        await running.start()
        threads = [threading.Thread(target=pay, args=(running, number)) for number in range(4)]
        for thread in threads:
            thread.start()
        await asyncio.to_thread(started.wait, 10)
        await running.stop()
        enough.set()
        for thread in threads:
            await asyncio.to_thread(thread.join, 10)
        return running

    def pay(running: Captures, number: int) -> None:
        mine = answers.setdefault(number, [])
        turn = 0
        while not enough.is_set():
            turn += 1
            mine.append(running.submit(channels[number].request(1, turn)))
            mine[-1].exception(10)
            if turn == 10:
                started.set()

    running = asyncio.run(serve())
    late = running.submit(channels[0].request(1, 10_000))
    assert isinstance(late.exception(1), QueueFull)
    for number, channel in enumerate(channels):
        captured = [each for each in answers[number] if each.exception(1) is None]
        assert all(each.result().outcome is Outcome.CAPTURED for each in captured)
        assert all(isinstance(each.exception(), QueueFull) for each in answers[number][len(captured) :])
        assert state_of(connection, channel).charged == len(captured) >= 1


async def test_a_caller_that_goes_away_does_not_undo_its_payment(
    captures: Captures, connection: Connection, channel: SeededChannel, holder: Connection
) -> None:
    hold(holder, channel)
    gone, stays = captures.capture(channel.request(1, 1)), captures.capture(channel.request(1, 2))
    from_a_thread = captures.submit(channel.request(1, 3))
    await asyncio.sleep(0)
    gone.cancel()
    from_a_thread.cancel()
    holder.rollback()
    assert (await stays).outcome is Outcome.CAPTURED
    assert (await captures.capture(channel.request(1, 4))).outcome is Outcome.CAPTURED
    assert len(payments_of(connection, channel)) == 4


class _GoneJustNow(Future[CaptureResult]):
    """Cancelled by its thread between the look and the answer."""

    def done(self) -> bool:
        return False

    def set_result(self, result: CaptureResult) -> None:
        raise InvalidStateError

    def set_exception(self, exception: BaseException | None) -> None:
        raise InvalidStateError


async def test_a_caller_that_goes_away_in_the_very_moment_does_not_end_the_lane(
    captures: Captures, channel: SeededChannel
) -> None:
    captures._admit(channel.request(1, 1), _GoneJustNow())
    captures._admit(channel.request(1, 9), _GoneJustNow())
    poisoned = channel.request(1, 2)
    poisoned.reference = "a\x00b"
    captures._admit(poisoned, _GoneJustNow())
    after = await asyncio.wait_for(captures.capture(channel.request(1, 2)), 10)
    assert after.outcome is Outcome.CAPTURED


async def test_refusals_that_wait_for_the_pool_hold_no_payment_up(
    gateway_database_url: str, connection: Connection, channel: SeededChannel
) -> None:
    """Every connection of the pool is busy: what is refused is unknown for now, what is good is captured."""
    with open_pool(gateway_database_url, max_size=1, timeout=1.0) as small:
        running = Captures(gateway_database_url, small)
        await running.start()
        with small.connection():
            refused, good = running.capture_all([channel.request(5, 9), channel.request(1, 1)])
            assert (await asyncio.wait_for(good, 10)).outcome is Outcome.CAPTURED
            assert not refused.done()
            assert (await asyncio.wait_for(running.capture(channel.request(1, 2)), 10)).outcome is Outcome.CAPTURED
            with pytest.raises(BookUnavailable):
                await refused
        assert (await running.capture(channel.request(5, 9))).outcome is Outcome.MISMATCH
        await running.stop()


async def test_what_arrives_meanwhile_shares_the_next_statement(
    captures: Captures, connection: Connection, merchant: Merchant, holder: Connection
) -> None:
    held, free = seed_channel(connection, merchant), seed_channel(connection, merchant)
    hold(holder, held)
    first = captures.capture(held.request(1, 1))
    await until(lambda: is_capturing(connection, waiting_for_a_lock=True) is not None, "the first to wait")
    behind = [captures.capture(free.request(1, turn)) for turn in range(1, 51)]
    holder.rollback()
    await asyncio.gather(first, *behind)
    batches = {payment.batch_id for payment in payments_of(connection, free)}
    assert len(batches) == 1
    check_books(connection)
