"""Group commit: one voucher's effects, and that a bad voucher is nobody's trouble but its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from gateway.merchants.service import issue_key, revoke_key
from gateway.payments.capture import Captures
from gateway.payments.outcomes import CaptureFailed, CaptureRequest, CaptureResult, Outcome
from gateway.payments.statement import commitment_of
from kit.ids import uuid7
from kit.ledger.book import balance
from tests.integration.capture.stored import (
    check_books,
    check_leaf,
    counts,
    level_of,
    pass_time,
    payments_of,
    state_of,
)
from tests.support.seed import Merchant, SeededChannel, seed_channel

Connection = psycopg.Connection[Any]
DAY = 86_400


async def capture_all(captures: Captures, requests: Sequence[CaptureRequest]) -> list[CaptureResult]:
    """In one statement: nothing runs between the queueing of the first and of the last."""
    return await asyncio.gather(*captures.capture_all(requests))


def outcomes(results: Sequence[CaptureResult]) -> list[Outcome]:
    return [result.outcome for result in results]


@pytest.fixture
def channel(connection: Connection, merchant: Merchant) -> SeededChannel:
    return seed_channel(connection, merchant, credited=1000)


async def test_one_voucher_is_written_everywhere_it_belongs(
    captures: Captures, connection: Connection, channel: SeededChannel
) -> None:
    request = channel.request(40, 40, reference="order-7", idempotency_key="key-7")
    result = await captures.capture(request)
    assert result == CaptureResult(Outcome.CAPTURED, 40, 1000, request.payment_id)
    state = state_of(connection, channel)
    assert (state.charged, state.voucher_max, state.voucher_signature) == (40, 40, request.signature)
    assert state.kept and state.dated
    (payment,) = payments_of(connection, channel)
    assert (payment.payment_id, payment.reference, payment.idempotency_key) == (
        request.payment_id,
        "order-7",
        "key-7",
    )
    assert (payment.scheme, payment.state, payment.amount, payment.cumulative) == (1, 3, 40, 40)
    assert balance(connection, channel.merchant_id, channel.captured_account) == 40
    check_leaf(connection, payment.batch_id, [request])
    check_books(connection)


def test_the_commitment_is_what_its_description_says(channel: SeededChannel) -> None:
    import hashlib

    request = channel.request(40, 40)
    parts = [request.payment_id.bytes, request.channel_id, (40).to_bytes(32, "big"), (40).to_bytes(32, "big")]
    assert commitment_of(request) == hashlib.sha256(b"".join(parts) + request.request_hash).digest()


async def test_a_batch_is_one_statement_with_one_leaf_in_order(
    captures: Captures, connection: Connection, merchant: Merchant
) -> None:
    channels = [seed_channel(connection, merchant) for _ in range(3)]
    requests = [channels[turn % 3].request(1, 1 + turn // 3) for turn in range(30)]
    before = counts(connection)
    assert set(outcomes(await capture_all(captures, requests))) == {Outcome.CAPTURED}
    after = counts(connection)
    grown = {name: after[name] - before[name] for name in after}
    assert (grown["payments"], grown["ledger_legs"], grown["audit_leaves"], grown["outbox"]) == (30, 60, 1, 1)
    check_leaf(connection, payments_of(connection, channels[0])[0].batch_id, requests)


async def test_a_batch_of_refusals_writes_nothing(
    captures: Captures, connection: Connection, channel: SeededChannel
) -> None:
    before = counts(connection)
    results = await capture_all(captures, [channel.request(5, 6), channel.request(2000, 2000)])
    assert outcomes(results) == [Outcome.MISMATCH, Outcome.EXCEEDS_BALANCE]
    assert counts(connection) == before


async def test_a_refusal_tells_the_client_how_to_resynchronise(captures: Captures, channel: SeededChannel) -> None:
    last = channel.request(40, 40)
    await captures.capture(last)
    result = await captures.capture(channel.request(5, 46))
    assert result == CaptureResult(Outcome.MISMATCH, 40, 1000, None, 40, last.signature)
    fresh = await captures.capture(channel.request(961, 1001))
    assert (fresh.outcome, fresh.charged, fresh.credited) == (Outcome.EXCEEDS_BALANCE, 40, 1000)


async def test_balance_exposure_and_window_may_be_used_up_and_not_passed(
    captures: Captures, connection: Connection, merchant: Merchant
) -> None:
    for limit in ("credited", "exposure_most", "window_most"):
        channel = seed_channel(connection, merchant, credited=100 if limit == "credited" else 1000)
        limits: dict[str, Any] = {} if limit == "credited" else {limit: 100}
        assert (await captures.capture(channel.request(99, 99, **limits))).outcome is Outcome.CAPTURED
        refused = await captures.capture(channel.request(2, 101, **limits))
        assert (
            refused.outcome.name
            == {
                "credited": "EXCEEDS_BALANCE",
                "exposure_most": "EXCEEDS_EXPOSURE",
                "window_most": "VELOCITY",
            }[limit]
        )
        assert (await captures.capture(channel.request(1, 100, **limits))).outcome is Outcome.CAPTURED
    check_books(connection)


async def test_withheld_money_is_not_there(
    captures: Captures, connection: Connection, channel: SeededChannel
) -> None:
    connection.execute("UPDATE channel_states SET withheld = 950 WHERE channel_no = %s", [channel.channel_no])
    assert (await captures.capture(channel.request(51, 51))).outcome is Outcome.EXCEEDS_BALANCE
    assert (await captures.capture(channel.request(50, 50))).outcome is Outcome.CAPTURED
    connection.execute("UPDATE channel_states SET withheld = 5000 WHERE channel_no = %s", [channel.channel_no])
    assert (await captures.capture(channel.request(1, 51))).outcome is Outcome.EXCEEDS_BALANCE


async def test_a_claim_makes_room_under_the_exposure_limit(
    captures: Captures, connection: Connection, channel: SeededChannel
) -> None:
    await captures.capture(channel.request(100, 100, exposure_most=100))
    assert (await captures.capture(channel.request(1, 101, exposure_most=100))).outcome is Outcome.EXCEEDS_EXPOSURE
    connection.execute("UPDATE channel_states SET claimed = 60 WHERE channel_no = %s", [channel.channel_no])
    assert (await captures.capture(channel.request(60, 160, exposure_most=100))).outcome is Outcome.CAPTURED
    assert (await captures.capture(channel.request(1, 161, exposure_most=100))).outcome is Outcome.EXCEEDS_EXPOSURE


async def test_amounts_up_to_uint128(captures: Captures, connection: Connection, merchant: Merchant) -> None:
    most = (1 << 128) - 1
    channel = seed_channel(connection, merchant, credited=most)
    assert (await captures.capture(channel.request(most - 1, most - 1))).outcome is Outcome.CAPTURED
    last = await captures.capture(channel.request(1, most))
    assert (last.outcome, last.charged, last.credited) == (Outcome.CAPTURED, most, most)
    check_books(connection)


async def test_a_payer_without_a_window_has_no_room(
    captures: Captures, connection: Connection, channel: SeededChannel
) -> None:
    connection.execute("DELETE FROM velocity_windows WHERE subject = %s", [channel.payer.config.payer])
    before = counts(connection)
    assert (await captures.capture(channel.request(1, 1))).outcome is Outcome.VELOCITY
    assert counts(connection) == before


async def test_a_window_is_the_payer_s_at_every_merchant_and_channel(
    captures: Captures, connection: Connection, merchant: Merchant
) -> None:
    from tests.support.seed import seed_merchant

    payer = f"payer {uuid7()}"
    one = seed_channel(connection, merchant, payer=payer)
    other = seed_channel(connection, seed_merchant(connection), payer=payer)
    assert (await captures.capture(one.request(60, 60, window_most=100))).outcome is Outcome.CAPTURED
    assert (await captures.capture(other.request(41, 41, window_most=100))).outcome is Outcome.VELOCITY
    assert (await captures.capture(other.request(40, 40, window_most=100))).outcome is Outcome.CAPTURED


async def test_a_window_drains_however_often_it_is_looked_at(
    captures: Captures, connection: Connection, channel: SeededChannel
) -> None:
    """Half a unit of draining, forty times, is twenty units, not forty times nothing."""
    most = 864  # one unit in 100 s
    await captures.capture(channel.request(500, 500, window_most=most))
    for turn in range(40):
        pass_time(connection, channel, 50)
        assert (await captures.capture(channel.request(1, 501 + turn, window_most=most))).outcome is Outcome.CAPTURED
    assert abs(level_of(connection, channel, most=most, seconds=DAY) - 520) < 0.5


async def test_a_clock_that_went_back_fills_no_window(
    captures: Captures, connection: Connection, channel: SeededChannel
) -> None:
    await captures.capture(channel.request(10, 10, window_most=864))
    pass_time(connection, channel, -1000)
    await captures.capture(channel.request(10, 20, window_most=864))
    pass_time(connection, channel, 1000)
    assert abs(level_of(connection, channel, most=864, seconds=DAY) - 20) < 0.5


BAD = {
    "mismatch": (1, Outcome.MISMATCH),
    "balance": (2, Outcome.EXCEEDS_BALANCE),
    "exposure": (3, Outcome.EXCEEDS_EXPOSURE),
    "velocity": (4, Outcome.VELOCITY),
    "key": (5, Outcome.KEY_UNUSABLE),
    "idempotency key": (6, Outcome.IDEMPOTENCY_CONFLICT),
    "channel": (7, Outcome.UNKNOWN_CHANNEL),
    "database": (8, None),
    "encoding": (9, None),
}


def bad_voucher(kind: str, channel: SeededChannel, charged: int, revoked_key: int) -> CaptureRequest:
    """A voucher that follows `charged` and is refused for the reason named."""
    amount = 700 if kind in ("balance", "velocity") else 7
    request = channel.request(amount, charged + amount, window_most=600)
    changes: dict[str, dict[str, Any]] = {
        "mismatch": {"amount": 8},
        "balance": {"voucher_max": 5000, "amount": 5000 - charged},
        "exposure": {"exposure_most": charged + 6},
        "velocity": {},
        "key": {"key_id": revoked_key},
        "idempotency key": {"idempotency_key": f"taken {channel.channel_no}"},
        "channel": {"channel_no": channel.channel_no + 1_000_000},
        "database": {"reference": "a\x00b"},
        "encoding": {"reference": "\ud800"},
    }
    return replace(request, **changes[kind])


@pytest.mark.parametrize("kind", BAD)
async def test_the_second_of_three_is_bad_and_the_third_fits_without_it(
    captures: Captures, connection: Connection, merchant: Merchant, kind: str
) -> None:
    """Same channel, same payer: what was refused must leave no trace in charge or window for the one behind it."""
    payer = f"payer {uuid7()}"
    channel = seed_channel(connection, merchant, payer=payer, credited=1000)
    sister = seed_channel(connection, merchant, payer=payer, credited=1000, salt=1)
    _, revoked = issue_key(connection, merchant_id=merchant.merchant_id, label="gone")
    revoke_key(connection, merchant_id=merchant.merchant_id, key_id=revoked)
    holder = sister.request(1, 1, idempotency_key=f"taken {channel.channel_no}")
    await captures.capture(holder)
    requests = [
        channel.request(10, 10, window_most=600),
        bad_voucher(kind, channel, 10, revoked),
        channel.request(5, 15, window_most=600),
        sister.request(500, 501, window_most=600),
        channel.request(20, 35, window_most=600),
    ]
    waiting = captures.capture_all(requests)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    good = [result for index, result in enumerate(results) if index != 1]
    assert [r.outcome if isinstance(r, CaptureResult) else r for r in good] == [Outcome.CAPTURED] * 4
    expected = BAD[kind][1]
    bad = results[1]
    if expected is None:
        assert isinstance(bad, CaptureFailed)
    else:
        assert isinstance(bad, CaptureResult)
        assert bad.outcome is expected
    assert state_of(connection, channel).charged == 35
    assert state_of(connection, sister).charged == 501
    assert abs(level_of(connection, channel, most=600, seconds=DAY) - 536) < 0.5
    check_books(connection)


@pytest.mark.parametrize("position", [0, 37, 99])
async def test_a_poisoned_batch_is_split_until_the_bad_one_is_alone(
    captures: Captures, connection: Connection, merchant: Merchant, position: int
) -> None:
    """A trigger refuses one payment among a hundred, whatever the statement thinks of it."""
    channels = [seed_channel(connection, merchant) for _ in range(10)]
    requests = [channels[turn % 10].request(1, 1 + turn // 10) for turn in range(100)]
    poisoned = replace(requests[position], reference="poison")
    requests[position] = poisoned
    connection.execute(
        """
        CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF NEW.reference = 'poison' THEN RAISE EXCEPTION 'poisoned'; END IF; RETURN NEW; END $$;
        CREATE TRIGGER poison BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION poison()"""
    )
    try:
        waiting = captures.capture_all(requests)
        results = await asyncio.gather(*waiting, return_exceptions=True)
    finally:
        connection.execute("DROP TRIGGER poison ON payments; DROP FUNCTION poison()")
    assert isinstance(results[position], CaptureFailed)
    behind = {index for index in range(100) if index % 10 == position % 10 and index > position}
    for index, result in enumerate(results):
        if index != position:
            assert isinstance(result, CaptureResult)
            # What follows it on its channel was signed on top of it.
            assert result.outcome is (Outcome.MISMATCH if index in behind else Outcome.CAPTURED)
    assert sum(len(payments_of(connection, channel)) for channel in channels) == 99 - len(behind)
    check_books(connection)


async def test_the_same_voucher_fifty_times(
    captures: Captures, connection: Connection, channel: SeededChannel
) -> None:
    good = channel.request(40, 40)
    requests = [replace(good, payment_id=uuid7()) for _ in range(25)]
    requests += [replace(good, payment_id=uuid7(), request_hash=bytes([n]) * 32) for n in range(25)]
    results = await asyncio.gather(*(asyncio.wrap_future(captures.submit(request)) for request in requests))
    assert outcomes(results[:25]).count(Outcome.CAPTURED) == 1
    assert outcomes(results[:25]).count(Outcome.REPLAY) == 24
    assert {result.payment_id for result in results[:25]} == {payments_of(connection, channel)[0].payment_id}
    assert outcomes(results[25:]) == [Outcome.MISMATCH] * 25
    assert state_of(connection, channel).charged == 40


async def test_two_processes_worth_on_the_same_channels(
    captures: Captures, gateway_database_url: str, connection: Connection, merchant: Merchant
) -> None:
    """Every voucher goes to both; each is captured once, by whichever came first, and the other is told so."""
    other = Captures(gateway_database_url, captures._pool, shard=1, lanes=2)
    await other.start()
    payer = f"payer {uuid7()}"
    channels = [seed_channel(connection, merchant, payer=payer, salt=salt) for salt in range(4)]
    try:
        captured = replayed = 0
        for turn in range(1, 31):
            requests = [channel.request(2, 2 * turn) for channel in channels]
            copies = [replace(request, payment_id=uuid7()) for request in reversed(requests)]
            results = await asyncio.gather(*captures.capture_all(requests), *other.capture_all(copies))
            captured += outcomes(results).count(Outcome.CAPTURED)
            replayed += outcomes(results).count(Outcome.REPLAY)
    finally:
        await other.stop()
    assert (captured, replayed) == (120, 120)
    assert [state_of(connection, channel).charged for channel in channels] == [60] * 4
    assert abs(level_of(connection, channels[0], most=1000, seconds=DAY) - 240) < 240
    check_books(connection)


async def test_one_idempotency_key_has_one_effect(
    captures: Captures, gateway_database_url: str, connection: Connection, merchant: Merchant
) -> None:
    """Twenty vouchers of twenty channels under one key, through two ways into the book."""
    other = Captures(gateway_database_url, captures._pool, shard=1)
    await other.start()
    channels = [seed_channel(connection, merchant) for _ in range(20)]
    requests = [channel.request(5, 5, idempotency_key="the one key") for channel in channels]
    try:
        waiting = [*captures.capture_all(requests[:10]), *other.capture_all(requests[10:])]
        results = await asyncio.gather(*waiting)
    finally:
        await other.stop()
    assert sorted(outcomes(results)) == [Outcome.CAPTURED] + [Outcome.IDEMPOTENCY_CONFLICT] * 19
    assert sum(state_of(connection, channel).charged for channel in channels) == 5
    (holder,) = [request for request, result in zip(requests, results, strict=True) if not result.outcome]
    again = await captures.capture(replace(holder, payment_id=uuid7()))
    assert (again.outcome, again.payment_id) == (Outcome.REPLAY, holder.payment_id)


async def test_the_same_key_at_two_merchants_is_two_keys(
    captures: Captures, connection: Connection, merchant: Merchant
) -> None:
    from tests.support.seed import seed_merchant

    channels = [seed_channel(connection, merchant), seed_channel(connection, seed_merchant(connection))]
    requests = [channel.request(5, 5, idempotency_key="shared") for channel in channels]
    assert outcomes(await capture_all(captures, requests)) == [Outcome.CAPTURED] * 2


async def test_a_refused_voucher_burns_no_key(captures: Captures, channel: SeededChannel) -> None:
    assert (await captures.capture(channel.request(5, 9, idempotency_key="k"))).outcome is Outcome.MISMATCH
    assert (await captures.capture(channel.request(5, 5, idempotency_key="k"))).outcome is Outcome.CAPTURED


@pytest.mark.parametrize("how", ["revoked", "expired", "read only", "suspended"])
async def test_a_key_that_may_not_write_any_more(
    captures: Captures, connection: Connection, merchant: Merchant, channel: SeededChannel, how: str
) -> None:
    key = merchant.key_id
    assert (await captures.capture(channel.request(1, 1, key_id=key))).outcome is Outcome.CAPTURED
    change = {
        "revoked": "UPDATE api_keys SET revoked_at = now() WHERE key_id = %s",
        "expired": "UPDATE api_keys SET expires_at = now() WHERE key_id = %s",
        "read only": "UPDATE api_keys SET can_write = false WHERE key_id = %s",
        "suspended": "UPDATE merchants SET suspended_at = now() FROM api_keys k "
        "WHERE k.merchant_id = merchants.merchant_id AND key_id = %s",
    }[how]
    connection.execute(change.encode(), [key])
    result = await captures.capture(channel.request(1, 2, key_id=key))
    assert (result.outcome, result.voucher_signature) == (Outcome.KEY_UNUSABLE, None)
    assert state_of(connection, channel).charged == 1


async def test_lanes_keep_the_order_of_a_channel(
    gateway_database_url: str, captures: Captures, connection: Connection, merchant: Merchant
) -> None:
    several = Captures(gateway_database_url, captures._pool, lanes=4)
    await several.start()
    channels = [seed_channel(connection, merchant) for _ in range(8)]
    requests = [channel.request(1, turn) for turn in range(1, 61) for channel in channels]
    try:
        results = await capture_all(several, requests)
    finally:
        await several.stop()
    assert set(outcomes(results)) == {Outcome.CAPTURED}
    check_books(connection)
