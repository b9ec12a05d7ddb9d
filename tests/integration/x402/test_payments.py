"""Payments that are made: deposits, vouchers, exact transfers, refunds, claims and settlements."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

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


def test_supported_names_both_schemes_and_who_signs(world: World) -> None:
    answer = world.http.get(f"{world.x402}/supported").json()
    assert {(kind["scheme"], kind["network"]) for kind in answer["kinds"]} == {
        ("exact", "eip155:31337"),
        ("batch-settlement", "eip155:31337"),
    }
    (batch,) = [kind for kind in answer["kinds"] if kind["scheme"] == "batch-settlement"]
    assert batch["extra"] == {"receiverAuthorizer": world.contracts.receiver_authorizer}
    assert answer["extensions"] == []
    assert list(answer["signers"]) == ["eip155:*"]


def test_a_deposit_opens_the_channel_and_pays_once(world: World) -> None:
    channel = world.channel(world.payer())
    payload, asked = deposit_payload(world, channel, 10 * PRICE, PRICE), world.requirements()
    verified = world.verify(payload, asked)
    assert verified["isValid"], verified
    assert verified["extra"]["balance"] == "0"
    answer = world.settle(payload, asked)
    assert answer["success"], answer
    assert answer["amount"] == str(10 * PRICE)
    assert answer["extra"] == {
        "chargedAmount": str(PRICE),
        "channelState": {
            "channelId": "0x" + channel.id.hex(),
            "balance": str(10 * PRICE),
            "totalClaimed": "0",
            "withdrawRequestedAt": 0,
            "refundNonce": "0",
            "chargedCumulativeAmount": str(PRICE),
        },
    }
    sent = world.relayed()
    assert world.settle(payload, asked) == answer
    assert world.relayed() == sent
    assert world.state(channel)["charged"] == PRICE


def test_a_voucher_is_charged_without_a_transaction(world: World) -> None:
    channel, _ = world.opened()
    sent = world.relayed()
    payload, asked = voucher_payload(channel, 2 * PRICE), world.requirements()
    assert world.verify(payload, asked)["isValid"]
    answer = world.settle(payload, asked)
    assert answer["success"], answer
    assert (answer["transaction"], answer["amount"]) == ("", "")
    assert answer["extra"]["chargedAmount"] == str(PRICE)
    assert answer["extra"]["channelState"]["chargedCumulativeAmount"] == str(2 * PRICE)
    assert world.relayed() == sent
    assert world.state(channel)["charged"] == 2 * PRICE


def test_one_voucher_pays_for_one_request_from_fifty_connections(world: World) -> None:
    channel, _ = world.opened()
    payload, asked = voucher_payload(channel, 2 * PRICE), world.requirements()

    def settle(number: int) -> bool:
        return bool(world.settle(payload, asked, headers={"Idempotency-Key": f"request-{number}"})["success"])

    with ThreadPoolExecutor(50) as threads:
        outcomes = list(threads.map(settle, range(50)))
    assert outcomes.count(True) == 1
    assert world.state(channel)["charged"] == 2 * PRICE


def test_the_same_request_again_gets_the_same_answer(world: World) -> None:
    channel, _ = world.opened()
    payload, asked = voucher_payload(channel, 2 * PRICE), world.requirements()
    key = {"Idempotency-Key": "one"}
    first = world.settle(payload, asked, headers=key)
    assert first["success"]
    assert world.settle(payload, asked, headers=key) == first
    other = world.settle(payload, asked, headers={"Idempotency-Key": "two"})
    assert other["errorReason"] == "invalid_batch_settlement_evm_cumulative_amount_mismatch"
    assert world.state(channel)["charged"] == 2 * PRICE


def test_exact_moves_the_money_once(world: World) -> None:
    payer = world.payer()
    before = world.balance(world.receiver)
    payload, asked = exact_payload(world, payer), world.requirements("exact")
    assert world.verify(payload, asked)["isValid"]
    answer = world.settle(payload, asked)
    assert answer["success"], answer
    assert answer["payer"] == payer.address
    assert world.settle(payload, asked) == answer
    assert world.balance(world.receiver) == before + PRICE
    assert world.verify(payload, asked)["invalidReason"] == "invalid_exact_evm_nonce_already_used"
    other = world.settle(payload, asked, headers={"Idempotency-Key": "another-request"})
    assert other["errorReason"] == "invalid_exact_evm_nonce_already_used"


def test_parallel_settlements_of_one_authorization_send_one_transaction(world: World) -> None:
    payer = world.payer()
    payload, asked = exact_payload(world, payer), world.requirements("exact")
    sent, before = world.relayed(), world.balance(world.receiver)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: world.settle(payload, asked), range(8)))
    assert all(answer["success"] for answer in answers), answers
    assert len({answer["transaction"] for answer in answers}) == 1
    assert (world.relayed(), world.balance(world.receiver)) == (sent + 1, before + PRICE)


def test_a_partial_and_then_a_full_refund(world: World) -> None:
    channel, _ = world.opened()
    payer, asked = channel.payer.address, world.requirements()
    before = world.balance(payer)
    part = world.settle(refund_payload(channel, PRICE, 2 * PRICE), asked)
    assert part["success"], part
    assert part["amount"] == str(2 * PRICE)
    assert "chargedAmount" not in part["extra"]
    assert world.balance(payer) == before + 2 * PRICE
    assert world.state(channel)["withheld"] == 0
    rest = refund_payload(channel, PRICE)
    whole = world.settle(rest, asked)
    assert whole["success"], whole
    assert whole["amount"] == str(7 * PRICE)
    assert world.balance(payer) == before + 9 * PRICE
    sent = world.relayed()
    assert world.settle(rest, asked) == whole
    assert world.relayed() == sent
    assert world.state(channel)["withheld"] == 0


def test_a_channel_lives_again_after_a_full_refund(world: World) -> None:
    """Lessons A8: the second life goes on from the old total."""
    channel, _ = world.opened()
    asked = world.requirements()
    assert world.settle(refund_payload(channel, PRICE), asked)["success"]
    again = world.settle(deposit_payload(world, channel, 5 * PRICE, 2 * PRICE), asked)
    assert again["success"], again
    assert again["extra"]["channelState"]["chargedCumulativeAmount"] == str(2 * PRICE)
    old = world.settle(voucher_payload(channel, PRICE), asked)
    assert not old["success"]
    assert world.settle(voucher_payload(channel, 3 * PRICE), asked)["success"]


def test_claim_and_settle_as_a_resource_server_orders_them(world: World) -> None:
    """A channel whose totals its own server keeps: no bookkeeper in its requirements."""
    channel = world.channel(world.payer())
    asked = world.requirements()
    del asked["extra"]["bookkeeper"]
    opened = world.settle(deposit_payload(world, channel, 10 * PRICE, PRICE), asked)
    assert opened["success"], opened
    assert "chargedCumulativeAmount" not in opened["extra"]["channelState"]
    assert "chargedAmount" not in opened["extra"]
    assert world.verify(voucher_payload(channel, 4 * PRICE), asked)["isValid"]
    bare = {**asked, "amount": "0", "maxTimeoutSeconds": 0}
    del bare["extra"]
    claim = {"type": "claim", "claims": [claim_entry(channel, 4 * PRICE, 3 * PRICE)]}
    claimed = world.settle(claim, bare)
    assert claimed["success"], claimed
    before = world.balance(world.receiver)
    settle = {"type": "settle", "receiver": world.receiver, "token": world.contracts.token.address}
    settled = world.settle(settle, bare)
    assert settled["success"], settled
    assert int(settled["amount"]) >= 3 * PRICE
    assert world.balance(world.receiver) == before + int(settled["amount"])


def test_a_refund_that_a_resource_server_orders(world: World) -> None:
    channel = world.channel(world.payer())
    asked = world.requirements()
    del asked["extra"]["bookkeeper"]
    assert world.settle(deposit_payload(world, channel, 10 * PRICE, PRICE), asked)["success"]
    order = {
        "type": "refund",
        "channelConfig": config_document(channel),
        "voucher": voucher_document(channel, PRICE),
        "amount": str(9 * PRICE),
        "refundNonce": "0",
        "claims": [claim_entry(channel, PRICE, PRICE)],
    }
    before = world.balance(channel.payer.address)
    answer = world.settle(order, asked)
    assert answer["success"], answer
    assert answer["amount"] == str(9 * PRICE)
    assert answer["extra"]["channelState"]["refundNonce"] == "1"
    assert "chargedCumulativeAmount" not in answer["extra"]["channelState"]
    assert world.balance(channel.payer.address) == before + 9 * PRICE
    assert world.settle(order, asked) == answer
