"""Limits of money, gas and sight, and whose key may do what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from threading import BoundedSemaphore

import pytest
from eth_account import Account

from gateway.x402 import service
from kit.chain.addresses import ESCROW
from tests.integration.chain.parts import Databases, node, proxy
from tests.integration.x402.world import (
    PRICE,
    World,
    claim_entry,
    config_document,
    deposit_payload,
    exact_payload,
    refund_payload,
    voucher_document,
    voucher_payload,
)
from tests.integration.x402.world import world as running_world

USD = 10**6
LISTED = Account.create()
BATCH = "invalid_batch_settlement_evm_"


@dataclass(slots=True)
class Wire:
    """The way to the node, which can be cut."""

    cut: bool = False


@pytest.fixture(scope="module")
def wire() -> Wire:
    return Wire()


@pytest.fixture(scope="module")
def world(pg: Databases, tmp_path_factory: pytest.TempPathFactory, wire: Wire) -> Iterator[World]:
    """A mirror that is never fresh, little unclaimed, little gas, and one listed payer."""
    folder = tmp_path_factory.mktemp("x402")
    limits = {
        "mirror_fresh_seconds": 0,
        "exposure_most": 2 * PRICE,
        "relayed_an_hour_most": 3,
        "deposit_least": 500,
        "sanctioned": LISTED.address,
        "receipt_wait_seconds": 5,
    }
    with (
        node(folder) as chain,
        proxy(chain.url, lambda: wire.cut) as onward,
        running_world(chain, pg.new(), folder, chain_rpc_url=onward.url, **limits) as running,
    ):
        yield running


def test_what_is_unclaimed_has_a_limit_while_the_chain_is_not_fresh(world: World) -> None:
    channel, _ = world.opened()
    assert world.settle(voucher_payload(channel, 2 * PRICE), world.requirements())["success"]
    third = voucher_payload(channel, 3 * PRICE)
    assert world.verify(third, world.requirements())["invalidReason"] == "exposure_limit_reached"
    assert world.settle(third, world.requirements())["errorReason"] == "exposure_limit_reached"


def test_the_gas_of_one_payer_has_a_limit(world: World) -> None:
    payer = world.payer()
    asked = world.requirements("exact")
    for _ in range(3):
        assert world.settle(exact_payload(world, payer), asked)["success"]
    fourth = exact_payload(world, payer)
    assert world.verify(fourth, asked)["invalidReason"] == "gas_budget_exhausted"
    assert world.settle(fourth, asked)["errorReason"] == "gas_budget_exhausted"
    assert world.settle(exact_payload(world, world.payer()), asked)["success"]


def test_a_deposit_has_a_least(world: World) -> None:
    channel = world.channel(world.payer())
    payload, asked = deposit_payload(world, channel, 499, 100), world.requirements(amount=100)
    assert world.verify(payload, asked)["invalidReason"] == BATCH + "deposit_below_min_deposit"


def test_small_payments_do_not_add_up_to_more_than_the_tier(world: World) -> None:
    payer = world.payer()
    asked = world.requirements("exact", amount=6 * USD)
    assert world.settle(exact_payload(world, payer, 6 * USD), asked)["success"]
    assert world.settle(exact_payload(world, payer, 6 * USD), asked)["errorReason"] == "velocity_exceeded"


def test_a_deposit_of_a_higher_tier_waits_for_its_checks(world: World) -> None:
    channel = world.channel(world.payer())
    payload = deposit_payload(world, channel, 11 * USD, PRICE)
    assert world.verify(payload, world.requirements())["invalidReason"] == "check_not_available"


def test_a_listed_payer_pays_nothing(world: World) -> None:
    asked = world.requirements("exact")
    assert world.verify(exact_payload(world, LISTED), asked)["invalidReason"] == "sanctioned"
    world.mint(LISTED.address, USD)
    channel = world.channel(LISTED)
    payload = deposit_payload(world, channel, 10 * PRICE, PRICE)
    assert world.settle(payload, world.requirements())["errorReason"] == "sanctioned"


def test_nobody_pays_himself(world: World) -> None:
    merchant = world.payer()
    with world.pool.connection() as connection:
        connection.execute(
            "INSERT INTO merchant_receivers SELECT merchant_id, %s FROM merchants LIMIT 1",
            [bytes.fromhex(merchant.address[2:])],
        )
    asked = {**world.requirements("exact"), "payTo": merchant.address}
    payload = exact_payload(world, merchant, to=merchant.address)
    assert world.verify(payload, asked)["invalidReason"] == "payer_is_receiver"


def test_a_foreign_token_is_not_taken(world: World) -> None:
    """It knows EIP-3009, and is not listed."""
    other = "0x" + "77" * 20
    code = world.node.anvil.request("eth_getCode", world.contracts.token.address, "latest")
    world.node.anvil.request("anvil_setCode", other, code)
    payload = exact_payload(world, world.payer())
    answer = world.verify(payload, {**world.requirements("exact"), "asset": other})
    assert answer["invalidReason"] == "asset_not_supported"


def test_without_the_chain_new_money_gets_no_verdict_and_known_channels_go_on(world: World, wire: Wire) -> None:
    channel, _ = world.opened()
    new = world.channel(world.payer())
    deposit = deposit_payload(world, new, 10 * PRICE, PRICE)
    exact = exact_payload(world, world.payer())
    sent = world.relayed()
    wire.cut = True
    try:
        for call in ("verify", "settle"):
            for payload, asked in ((deposit, world.requirements()), (exact, world.requirements("exact"))):
                response = world.post(call, payload, asked)
                assert (response.status_code, response.json()["code"]) == (503, "chain_unavailable"), response.text
                assert int(response.headers["Retry-After"]) > 0
        assert world.settle(voucher_payload(channel, 2 * PRICE), world.requirements())["success"]
    finally:
        wire.cut = False
    assert world.relayed() == sent
    assert world.settle(deposit, world.requirements())["success"]


@pytest.fixture
def guarded(world: World) -> Iterator[World]:
    """The merchant wants its key to be shown."""
    with world.pool.connection() as connection:
        connection.execute("UPDATE merchants SET x402_key_required = true")
    yield world
    with world.pool.connection() as connection:
        connection.execute("UPDATE merchants SET x402_key_required = false")


def test_with_a_key_required_nobody_else_binds_a_channel_to_our_book(guarded: World) -> None:
    channel = guarded.channel(guarded.payer())
    payload, asked = deposit_payload(guarded, channel, 10 * PRICE, PRICE), guarded.requirements()
    assert guarded.settle(payload, asked)["errorReason"] == "merchant_key_required"
    key = {"Authorization": f"Bearer {guarded.merchant_key}"}
    assert guarded.settle(payload, asked, headers=key)["success"]
    # What is kept already needs no key: the voucher's own signature is what counts.
    assert guarded.settle(voucher_payload(channel, 2 * PRICE), asked)["success"]
    claim = {"type": "claim", "claims": [claim_entry(channel, PRICE, PRICE)]}
    bare = {**asked, "amount": "0", "maxTimeoutSeconds": 0, "extra": {}}
    assert guarded.settle(claim, bare)["errorReason"] == "merchant_key_required"


def test_a_wrong_key_is_an_error_and_not_nobody(world: World) -> None:
    response = world.post(
        "settle",
        exact_payload(world, world.payer()),
        world.requirements("exact"),
        headers={"Authorization": "Bearer lg_live_" + "x" * 43},
    )
    assert (response.status_code, response.json()["code"]) == (401, "api_key_invalid")


def test_a_payer_cannot_take_back_what_he_was_seen_to_owe(world: World) -> None:
    """A channel whose totals its own server keeps, and a refund order that leaves the signature to us."""
    channel = world.channel(world.payer())
    asked = world.requirements()
    del asked["extra"]["bookkeeper"]
    assert world.settle(deposit_payload(world, channel, 10 * PRICE, PRICE), asked)["success"]
    assert world.verify(voucher_payload(channel, 6 * PRICE), asked)["isValid"]
    order = {
        "type": "refund",
        "channelConfig": config_document(channel),
        "voucher": voucher_document(channel, PRICE),
        "amount": str(9 * PRICE),
        "refundNonce": "0",
        "claims": [claim_entry(channel, PRICE, PRICE)],
    }
    refused = world.settle(order, asked)
    assert refused["errorReason"] == BATCH + "cumulative_amount_mismatch"
    assert world.settle(refund_payload(channel, PRICE), asked)["errorReason"] == BATCH + "missing_channel"


def test_an_escrow_that_is_not_there_is_no_verdict(world: World) -> None:
    payload = deposit_payload(world, world.channel(world.payer()), 10 * PRICE, PRICE)
    real = world.node.anvil.request("eth_getCode", ESCROW, "latest")
    world.node.anvil.request("anvil_setCode", ESCROW, "0x")
    try:
        assert world.post("verify", payload, world.requirements()).status_code == 503
    finally:
        world.node.anvil.request("anvil_setCode", ESCROW, real)


def test_vouchers_do_not_wait_behind_payments_that_wait_for_the_chain(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All places for such payments are taken: new money is told to come again, a voucher is charged."""
    channel, _ = world.opened()
    exact, asked = exact_payload(world, world.payer()), world.requirements("exact")
    full = BoundedSemaphore(1)
    full.acquire()
    monkeypatch.setattr(service, "_chain_waiters", full)
    for call in ("verify", "settle"):
        response = world.post(call, exact, asked)
        assert (response.status_code, response.json()["code"]) == (503, "facilitator_busy")
        assert int(response.headers["Retry-After"]) > 0
    assert world.settle(voucher_payload(channel, 2 * PRICE), world.requirements())["success"]
    full.release()
    assert world.settle(exact, asked)["success"]
    assert full.acquire(blocking=False), "its place was given back"
