"""Orders of a resource server (claims, refunds) sent by somebody who is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from gateway.merchants.service import create_merchant
from tests.integration.x402.world import (
    PRICE,
    World,
    claim_entry,
    config_document,
    deposit_payload,
    raw,
    voucher_document,
)

STRANGERS_SIGNATURE = "0x" + "11" * 65


def bare(world: World) -> dict[str, Any]:
    """Requirements as resource servers send them with an order."""
    asked = {**world.requirements(), "amount": "0", "maxTimeoutSeconds": 0}
    del asked["extra"]
    return asked


def test_our_relay_runs_no_code_of_a_token_that_we_do_not_take(world: World) -> None:
    """A stranger's token, channel and authorizer: its code could burn all the gas that our relay pays for."""
    payer = world.payer(0)
    token = replace(world.contracts.token, address=Account.create().address)
    channel = world.channel(payer, token=token, receiver_authorizer=payer.address)
    order = {
        "type": "refund",
        "channelConfig": config_document(channel),
        "voucher": voucher_document(channel, PRICE),
        "amount": str(PRICE),
        "refundNonce": "0",
        "claims": [],
        "refundAuthorizerSignature": STRANGERS_SIGNATURE,
    }
    claim = {
        "type": "claim",
        "claims": [claim_entry(channel, PRICE, PRICE)],
        "claimAuthorizerSignature": STRANGERS_SIGNATURE,
    }
    sent = world.relayed()
    for asked in (order, claim):
        assert world.settle(asked, bare(world))["errorReason"] == "asset_not_supported"
    assert world.relayed() == sent


@pytest.fixture
def guarded(world: World) -> Iterator[str]:
    """The receiver of another merchant, who wants his key to be shown before we sign for him."""
    receiver: str = Account.create().address
    with world.pool.connection() as connection:
        made = create_merchant(connection, name="guarded", receiver=raw(receiver))
        connection.execute("UPDATE merchants SET x402_key_required = true WHERE merchant_id = %s", [made.merchant_id])
    yield receiver


def test_a_claim_row_needs_the_key_of_the_merchant_whom_it_pays(world: World, guarded: str) -> None:
    """Not that of the merchant whom the requirements name, who asks for none."""
    channel = world.channel(world.payer(), receiver=guarded)
    sent = world.relayed()
    claim = {"type": "claim", "claims": [claim_entry(channel, PRICE, PRICE)]}
    assert world.settle(claim, bare(world))["errorReason"] == "merchant_key_required"
    own = world.channel(world.payer())
    asked = world.requirements()
    del asked["extra"]["bookkeeper"]
    assert world.settle(deposit_payload(world, own, 10 * PRICE, PRICE), asked)["success"]
    order = {
        "type": "refund",
        "channelConfig": config_document(own),
        "voucher": voucher_document(own, PRICE),
        "amount": str(PRICE),
        "refundNonce": "0",
        "claims": [claim_entry(channel, PRICE, PRICE)],
    }
    assert world.settle(order, asked)["errorReason"] == "merchant_key_required"
    assert world.relayed() == sent + 1, "only the deposit was sent"


def test_a_claim_row_of_a_channel_that_we_keep_takes_no_more_than_was_charged(world: World) -> None:
    """The same in the claims that a refund order brings along."""
    kept, _ = world.opened()
    own = world.channel(world.payer())
    asked = world.requirements()
    del asked["extra"]["bookkeeper"]
    assert world.settle(deposit_payload(world, own, 10 * PRICE, PRICE), asked)["success"]
    row = claim_entry(kept, 5 * PRICE, 5 * PRICE)
    order = {
        "type": "refund",
        "channelConfig": config_document(own),
        "voucher": voucher_document(own, PRICE),
        "amount": str(PRICE),
        "refundNonce": "0",
        "claims": [row],
    }
    for payload, terms in ((order, asked), ({"type": "claim", "claims": [row]}, bare(world))):
        assert world.settle(payload, terms)["errorReason"] == "invalid_batch_settlement_evm_claim_payload"
    assert world.state(kept)["claimed"] == 0
