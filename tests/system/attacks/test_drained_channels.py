"""A payer who is served and then takes the money back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from eth_account.signers.local import LocalAccount

from tests.integration.chain.parts import account, wait_until
from tests.integration.contracts.channels import CONFIG, Channel, calldata
from tests.integration.x402.world import (
    PRICE,
    World,
    claim_entry,
    config_document,
    refund_payload,
    voucher_document,
    voucher_payload,
)


def pay(world: World, channel: Channel, total: int, amount: int) -> httpx.Response:
    """POST /v1/payments."""
    body = {"voucher": voucher_document(channel, total), "amount": str(amount)}
    url = world.x402.removesuffix("/x402") + "/v1/payments"
    return world.http.post(url, json=body, headers={"Authorization": f"Bearer {world.merchant_key}"})


def is_known(world: World, channel: Channel) -> bool:
    with world.pool.connection() as connection:
        row = connection.execute("SELECT 1 FROM channels WHERE channel_id = %s", [channel.id]).fetchone()
    return row is not None and world.state(channel)["credited"] > 0


def opened_on_chain(world: World, payer: LocalAccount, **changes: Any) -> Channel:
    """A channel that the payer opens without asking us: any configuration that the escrow takes."""
    channel = world.channel(payer, **changes)
    world.send(account("relay").address, world.contracts.escrow, channel.deposit(10 * PRICE, 1))
    wait_until(lambda: is_known(world, channel), "the follower books the deposit")
    return channel


def test_a_channel_that_its_payer_may_refund_to_himself_takes_no_voucher(world: World) -> None:
    """Its receiverAuthorizer is the payer: he could give himself back what he has just spent."""
    payer = world.payer()
    channel = opened_on_chain(world, payer, receiver_authorizer=payer.address)
    answer = pay(world, channel, PRICE, PRICE)
    data = calldata(f"refund({CONFIG},uint128)", [CONFIG, "uint128"], [channel.config, 10 * PRICE])
    world.send(payer.address, world.contracts.escrow, data)
    assert world.balance(payer.address) == 100 * 10**6, "the payer has all his money back"
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "receiver_authorizer_foreign"
    assert world.state(channel)["charged"] == 0


def refund_order(channel: Channel, charged: int, amount: int) -> dict[str, Any]:
    return {
        "type": "refund",
        "channelConfig": config_document(channel),
        "voucher": voucher_document(channel, charged),
        "amount": str(amount),
        "refundNonce": "0",
        "claims": [claim_entry(channel, charged, charged)],
    }


def test_a_refund_order_under_way_cannot_be_spent_meanwhile(world: World) -> None:
    """The order leaves its signature to us, so it withholds like any other refund of a channel that we keep."""
    channel, _ = world.opened()
    order = refund_order(channel, PRICE, 9 * PRICE)
    sent = world.relayed()
    world.node.automine(False)
    try:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(lambda: httpx.post(f"{world.x402}/settle", json=envelope(world, order), timeout=60))
            wait_until(lambda: pending(world) > sent, "the refund is in the node's pool")
            spent = world.settle(voucher_payload(channel, 10 * PRICE), world.requirements(amount=9 * PRICE))
            direct = pay(world, channel, 10 * PRICE, 9 * PRICE)
            world.node.automine(True)
            world.node.mine()
            assert waiting.result().json()["success"]
    finally:
        world.node.automine(True)
    wait_until(lambda: world.state(channel)["refund_nonce"] == 1, "the refund is in the book")
    state = world.state(channel)
    assert state["charged"] <= state["credited"], state
    assert not spent["success"] and direct.status_code == 409
    assert state["withheld"] == 0


def envelope(world: World, payload: dict[str, Any]) -> dict[str, Any]:
    asked = world.requirements()
    del asked["extra"]["bookkeeper"]
    return {
        "x402Version": 2,
        "paymentPayload": {"x402Version": 2, "payload": payload, "accepted": asked},
        "paymentRequirements": asked,
    }


def pending(world: World) -> int:
    count = world.node.anvil.request("eth_getTransactionCount", account("relay").address, "pending")
    return int(count, 16)


def test_a_refund_under_way_cannot_be_spent_meanwhile(world: World) -> None:
    channel, _ = world.opened()
    sent = world.relayed()
    world.node.automine(False)
    try:
        with ThreadPoolExecutor(1) as pool:
            asked = world.requirements()
            waiting = pool.submit(lambda: world.settle(refund_payload(channel, PRICE), asked))
            wait_until(lambda: pending(world) > sent, "the refund is in the node's pool")
            with httpx.Client(timeout=60) as http:
                world_http, world.http = world.http, http
                spent = world.settle(voucher_payload(channel, 10 * PRICE), world.requirements(amount=9 * PRICE))
                direct = pay(world, channel, 10 * PRICE, 9 * PRICE)
                world.http = world_http
            world.node.automine(True)
            world.node.mine()
            assert waiting.result()["success"]
    finally:
        world.node.automine(True)
    assert not spent["success"] and direct.status_code == 409
    state = world.state(channel)
    assert state["charged"] <= state["credited"] and state["withheld"] == 0


def test_a_refund_asked_for_by_everybody_is_paid_once(world: World) -> None:
    channel, _ = world.opened()
    before, sent = world.balance(channel.payer.address), world.relayed()
    payload = refund_payload(channel, PRICE)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: world.settle(payload, world.requirements()), range(12)))
    assert {answer["amount"] for answer in answers if answer["success"]} == {str(9 * PRICE)}
    assert world.balance(channel.payer.address) == before + 9 * PRICE
    assert world.relayed() == sent + 1
    state = world.state(channel)
    assert (state["credited"], state["withheld"]) == (PRICE, 0)


def test_a_refund_without_a_voucher_is_no_request(world: World) -> None:
    channel, _ = world.opened()
    payload = refund_payload(channel, PRICE)
    del payload["voucher"]
    response = world.post("settle", payload, world.requirements())
    assert (response.status_code, response.json()["code"]) == (400, "invalid_payload")
