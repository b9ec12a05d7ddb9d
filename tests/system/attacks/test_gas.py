"""Whose gas it is: our relay pays for what others ask for, so what they can make it pay has a limit."""

from __future__ import annotations

import pytest
from eth_account.signers.local import LocalAccount

from kit.chain.sender import Sender
from tests.integration.chain.parts import account
from tests.integration.x402.world import (
    PRICE,
    World,
    claim_entry,
    config_document,
    deposit_payload,
    exact_payload,
)

BATCH = "invalid_batch_settlement_evm_"
# Counts down from the number at its start, 26 gas a step, and then calls every signature good (ERC-1271).
BURNER = "62{steps:06x}5b60019003806004575063" + "1626ba7e" + "60e01b60005260206000f3"


def burner(world: World, gas: int) -> LocalAccount:
    """A payer whose account is a contract that burns so much gas whenever it is asked about a signature."""
    payer = world.payer()
    world.node.anvil.request("anvil_setCode", payer.address, "0x" + BURNER.format(steps=gas // 26))
    return payer


def spent(world: World) -> int:
    """Gas that the relay has paid for, in wei."""
    return int(world.node.anvil.request("eth_getBalance", account("relay").address, "latest"), 16)


def test_a_wallet_that_is_no_glutton_pays(world: World) -> None:
    assert world.settle(exact_payload(world, burner(world, 50_000)), world.requirements("exact"))["success"]


@pytest.mark.parametrize("call", ["verify", "settle"])
def test_a_wallet_that_burns_our_gas_pays_nothing(world: World, call: str) -> None:
    before, payer = spent(world), burner(world, 8_000_000)
    exact = world.post(call, exact_payload(world, payer), world.requirements("exact")).json()
    assert exact.get("invalidReason", exact.get("errorReason")) == "invalid_exact_evm_transaction_simulation_failed"
    asked = world.requirements()
    deposit = world.post(call, deposit_payload(world, world.channel(payer), 10 * PRICE, PRICE), asked).json()
    assert deposit.get("invalidReason", deposit.get("errorReason")) == BATCH + "deposit_simulation_failed"
    assert spent(world) == before


def test_a_claim_row_that_burns_our_gas_is_not_sent(world: World) -> None:
    """Without a payerAuthorizer the escrow asks the payer's own code about the voucher."""
    channel = world.channel(burner(world, 8_000_000))
    entry = claim_entry(channel, PRICE, PRICE)
    entry["voucher"]["channel"] = config_document(channel, payerAuthorizer="0x" + "00" * 20)
    asked = {**world.requirements(), "amount": "0", "maxTimeoutSeconds": 0, "extra": {}}
    before = spent(world)
    answer = world.settle({"type": "claim", "claims": [entry]}, asked)
    assert answer["errorReason"] == BATCH + "claim_simulation_failed", answer
    assert spent(world) == before


def test_what_was_never_sent_can_be_asked_for_in_other_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same salt with another amount: the first deposit has no way to happen any more."""
    channel, asked = world.channel(world.payer()), world.requirements()
    with monkeypatch.context() as patch:
        patch.setattr(Sender, "estimate", lambda *_: None)
        refused = world.settle(deposit_payload(world, channel, 10 * PRICE, PRICE, salt=77), asked)
    assert refused["errorReason"] == BATCH + "deposit_simulation_failed"
    answer = world.settle(deposit_payload(world, channel, 20 * PRICE, PRICE, salt=77), asked)
    assert answer["success"], answer
    assert world.state(channel)["credited"] == 20 * PRICE
