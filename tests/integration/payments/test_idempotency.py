"""Idempotency-Key on both payment routes: one effect a key, and no key burnt by a refusal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.capture.stored import state_of
from tests.integration.payments.api import Api, assert_problem
from tests.support.seed import Merchant, SeededChannel, seed_channel, seed_merchant


def test_one_key_with_two_bodies(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    first = api.pay(merchant, channel.body(5, 5, "a"), Idempotency_Key="order-1")
    assert first.status_code == 201
    with api.nothing_changes():
        other = api.pay(merchant, channel.body(5, 10, "b"), Idempotency_Key="order-1")
        assert_problem(other, 409, "idempotency_key_reused")
        assert_problem(
            api.pay(merchant, channel.body(5, 5, "b"), Idempotency_Key="order-1"), 409, "idempotency_key_reused"
        )
        same = api.pay(merchant, channel.body(5, 5, "a"), Idempotency_Key="order-1")
        assert (same.status_code, same.json()) == (200, first.json())
    assert api.pay(merchant, channel.body(5, 10, "b"), Idempotency_Key="order-2").status_code == 201


def test_two_bodies_with_one_key_at_once(api: Api, merchant: Merchant) -> None:
    channels = [seed_channel(api.connection, merchant) for _ in range(16)]
    with ThreadPoolExecutor(16) as threads:
        answers = list(
            threads.map(lambda channel: api.pay(merchant, channel.body(5, 5), Idempotency_Key="race"), channels)
        )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15
    assert sum(state_of(api.connection, channel).charged for channel in channels) == 5


def test_one_batch_key_with_two_bodies(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    bodies = [channel.body(5, 5), channel.body(5, 10)]
    first = api.pay_many(merchant, bodies, Idempotency_Key="batch-1")
    assert [result["status"] for result in first.json()["results"]] == [201, 201]
    with api.nothing_changes():
        other = api.pay_many(merchant, [channel.body(5, 15)], Idempotency_Key="batch-1")
        assert_problem(other, 409, "idempotency_key_reused")
        same = api.pay_many(merchant, bodies, Idempotency_Key="batch-1").json()["results"]
        assert [result["status"] for result in same] == [200, 200]
        assert [result["payment"] for result in same] == [result["payment"] for result in first.json()["results"]]


def test_a_key_s_scope_is_merchant_and_route(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    other = seed_merchant(api.connection)
    theirs = seed_channel(api.connection, other)
    assert api.pay(merchant, channel.body(5, 5), Idempotency_Key="shared").status_code == 201
    assert api.pay(other, theirs.body(7, 7), Idempotency_Key="shared").status_code == 201
    batch = api.pay_many(merchant, [channel.body(5, 10)], Idempotency_Key="shared")
    assert batch.json()["results"][0]["status"] == 201
    their_batch = api.pay_many(other, [theirs.body(7, 14)], Idempotency_Key="shared")
    assert their_batch.json()["results"][0]["status"] == 201


def test_a_request_refused_before_any_effect_burns_no_key(
    api: Api, merchant: Merchant, channel: SeededChannel
) -> None:
    unsigned = channel.body(5, 5) | {"amount": "6"}
    assert_problem(api.pay(merchant, unsigned, Idempotency_Key="corrected"), 422, "amount_out_of_range")
    assert_problem(
        api.pay(merchant, channel.body(5, 9), Idempotency_Key="corrected"), 409, "cumulative_amount_mismatch"
    )
    assert api.pay(merchant, channel.body(5, 5), Idempotency_Key="corrected").status_code == 201
    refused = api.pay_many(merchant, [channel.body(5, 99), {}], Idempotency_Key="corrected")
    assert [result["status"] for result in refused.json()["results"]] == [409, 400]
    accepted = api.pay_many(merchant, [channel.body(5, 10)], Idempotency_Key="corrected")
    assert accepted.json()["results"][0]["status"] == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_a_key_that_is_none(api: Api, merchant: Merchant, channel: SeededChannel, key: str) -> None:
    with api.nothing_changes():
        assert_problem(api.pay(merchant, channel.body(5, 5), Idempotency_Key=key), 400, "invalid_idempotency_key")
        assert_problem(
            api.pay_many(merchant, [channel.body(5, 5)], Idempotency_Key=key), 400, "invalid_idempotency_key"
        )
