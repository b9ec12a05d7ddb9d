"""What becomes of a transaction after it was sent: late, reverted, without effect; each told for what it is."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from kit.chain.addresses import ESCROW
from tests.integration.chain.parts import Databases, node, wait_until
from tests.integration.x402.world import (
    PRICE,
    Document,
    World,
    claim_entry,
    deposit_payload,
    exact_payload,
    refund_payload,
    voucher_payload,
)
from tests.integration.x402.world import world as running_world

BATCH = "invalid_batch_settlement_evm_"
REVERTS, STOPS = "0x60006000fd", "0x00"


@pytest.fixture(scope="module")
def world(pg: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Nobody waits long for a receipt here."""
    folder = tmp_path_factory.mktemp("x402")
    with (
        node(folder) as chain,
        running_world(chain, pg.new(), folder, receipt_wait_seconds=2) as running,
    ):
        yield running


@contextmanager
def held(world: World) -> Iterator[None]:
    """No blocks meanwhile."""
    world.node.automine(False)
    try:
        yield
    finally:
        world.node.mine()
        world.node.automine(True)


def pending(world: World) -> int:
    return int(world.node.anvil.request("txpool_status")["pending"], 16)


def mined_with_code(world: World, payload: Document, asked: Document, contract: str, code: str) -> Document:
    """Settle, and let the transaction be mined where `contract` does what `code` does."""
    real = world.node.anvil.request("eth_getCode", contract, "latest")
    with ThreadPoolExecutor(1) as thread, held(world):
        answer: Future[Document] = thread.submit(world.settle, payload, asked)
        wait_until(lambda: pending(world) > 0, "the transaction reached the pool")
        world.node.anvil.request("anvil_setCode", contract, code)
        world.node.mine()
        world.node.anvil.request("anvil_setCode", contract, real)
        return answer.result(20)


def bare(world: World) -> Document:
    return {**world.requirements(), "amount": "0", "maxTimeoutSeconds": 0, "extra": {}}


def test_an_exact_payment_that_is_late_is_pending_and_then_paid_once(world: World) -> None:
    """Lessons A1."""
    payload, asked = exact_payload(world, world.payer()), world.requirements("exact")
    sent, before = world.relayed(), world.balance(world.receiver)
    with held(world):
        first, second = world.settle(payload, asked), world.settle(payload, asked)
    assert (first["success"], first["errorReason"]) == (False, "settlement_pending")
    assert first["transaction"].startswith("0x")
    assert second == first
    paid = world.settle(payload, asked)
    assert paid["success"], paid
    assert (world.relayed(), world.balance(world.receiver)) == (sent + 1, before + PRICE)


def test_a_deposit_that_is_late_is_pending_and_then_charged_once(world: World) -> None:
    channel = world.channel(world.payer())
    payload, asked = deposit_payload(world, channel, 10 * PRICE, PRICE), world.requirements()
    sent = world.relayed()
    with held(world):
        first = world.settle(payload, asked)
        assert world.verify(payload, asked)["isValid"] is False
    assert first["errorReason"] == "settlement_pending"
    paid = world.settle(payload, asked)
    assert paid["success"], paid
    assert paid["transaction"] == first["transaction"]
    assert (world.relayed(), world.state(channel)["charged"]) == (sent + 1, PRICE)


def test_a_refund_that_is_late_withholds_until_it_is_over(world: World) -> None:
    channel, _ = world.opened()
    asked = world.requirements()
    with held(world):
        late = world.settle(refund_payload(channel, PRICE, 9 * PRICE), asked)
        assert late["errorReason"] == "settlement_pending"
        assert world.state(channel)["withheld"] == 9 * PRICE
        refused = world.settle(voucher_payload(channel, 2 * PRICE), asked)
        assert refused["errorReason"] == BATCH + "cumulative_exceeds_balance"
        other = world.settle(refund_payload(channel, PRICE, 3 * PRICE), asked)
        assert other["errorReason"] in (BATCH + "refund_simulation_failed", BATCH + "refund_no_balance")
    done = world.settle(refund_payload(channel, PRICE, 9 * PRICE), asked)
    # It was paid out while nobody asked: what is asked for again now is a second refund, and nothing is left for it.
    assert done["success"] or done["errorReason"] == BATCH + "refund_no_balance"
    assert world.state(channel)["withheld"] == 0
    assert world.state(channel)["credited"] == PRICE


def test_an_exact_transfer_that_reverts(world: World) -> None:
    payload, asked = exact_payload(world, world.payer()), world.requirements("exact")
    token = world.contracts.token.address
    answer = mined_with_code(world, payload, asked, token, REVERTS)
    assert (answer["success"], answer["errorReason"]) == (False, "transaction_failed")
    assert answer["transaction"].startswith("0x")
    assert world.settle(payload, asked) == answer


def test_an_exact_transfer_that_moves_nothing(world: World) -> None:
    payload, asked = exact_payload(world, world.payer()), world.requirements("exact")
    answer = mined_with_code(world, payload, asked, world.contracts.token.address, STOPS)
    assert answer["errorReason"] == "invalid_exact_evm_transfer_event_mismatch"


def test_an_exact_transfer_that_would_revert_for_no_known_reason(world: World) -> None:
    payload, asked = exact_payload(world, world.payer()), world.requirements("exact")
    token = world.contracts.token.address
    real = world.node.anvil.request("eth_getCode", token, "latest")
    world.node.anvil.request("anvil_setCode", token, REVERTS)
    try:
        assert world.verify(payload, asked)["invalidReason"] == "invalid_exact_evm_transaction_simulation_failed"
    finally:
        world.node.anvil.request("anvil_setCode", token, real)


def test_a_deposit_that_reverts(world: World) -> None:
    channel = world.channel(world.payer())
    payload, asked = deposit_payload(world, channel, 10 * PRICE, PRICE), world.requirements()
    answer = mined_with_code(world, payload, asked, world.contracts.token.address, REVERTS)
    assert answer["errorReason"] == BATCH + "deposit_transaction_failed"
    assert world.state(channel)["credited"] == 0


def test_a_refund_that_reverts_frees_what_it_withheld_and_can_be_asked_for_again(world: World) -> None:
    channel, _ = world.opened()
    payload, asked = refund_payload(channel, PRICE), world.requirements()
    answer = mined_with_code(world, payload, asked, world.contracts.token.address, REVERTS)
    assert answer["errorReason"] == BATCH + "refund_transaction_failed"
    assert world.state(channel)["withheld"] == 0
    again = world.settle(payload, asked)
    assert again["success"], again
    assert again["amount"] == str(9 * PRICE)


def test_a_claim_that_reverts_can_be_ordered_again(world: World) -> None:
    channel, _ = world.opened()
    claim = {"type": "claim", "claims": [claim_entry(channel, PRICE, PRICE)]}
    answer = mined_with_code(world, claim, bare(world), ESCROW, REVERTS)
    assert answer["errorReason"] == BATCH + "claim_transaction_failed"
    assert world.settle(claim, bare(world))["success"]


def test_a_settlement_that_cannot_be_and_one_that_reverts(world: World) -> None:
    channel, _ = world.opened()
    claim = {"type": "claim", "claims": [claim_entry(channel, PRICE, PRICE)]}
    assert world.settle(claim, bare(world))["success"]
    token = world.contracts.token.address
    settle = {"type": "settle", "receiver": world.receiver, "token": token}
    real = world.node.anvil.request("eth_getCode", token, "latest")
    world.node.anvil.request("anvil_setCode", token, REVERTS)
    try:
        refused = world.settle(settle, bare(world))
    finally:
        world.node.anvil.request("anvil_setCode", token, real)
    assert refused["errorReason"] == BATCH + "settle_simulation_failed"
    failed = mined_with_code(world, settle, bare(world), token, REVERTS)
    assert failed["errorReason"] == BATCH + "settle_transaction_failed"
    assert world.settle(settle, bare(world))["success"]
