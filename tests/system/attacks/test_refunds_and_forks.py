"""A refund whose block leaves the chain is sent again: what it takes stays withheld until then."""

from __future__ import annotations

from tests.integration.chain.parts import wait_until
from tests.integration.x402.world import PRICE, World, refund_payload, voucher_payload


def test_what_a_refund_withheld_is_freed_once_and_told(world: World) -> None:
    channel, _ = world.opened()
    assert world.settle(refund_payload(channel, PRICE, 2 * PRICE), world.requirements())["success"]
    assert world.state(channel)["withheld"] == 0
    with world.pool.connection() as connection:
        rows = connection.execute(
            "SELECT payload ->> 'amount' FROM outbox JOIN channels ON channel_no::text = payload ->> 'channel_no' "
            "WHERE topic = 'channel.withheld_released' AND channel_id = %s",
            [channel.id],
        ).fetchall()
        leaves = connection.execute(
            "SELECT count(*) FROM audit_leaves WHERE kind = 'channel.withheld_released'"
        ).fetchone()
    assert rows == [(str(2 * PRICE),)]
    assert leaves is not None and leaves[0] >= 1


def test_a_refund_that_left_the_chain_cannot_be_spent_before_it_comes_back(world: World) -> None:
    channel, _ = world.opened()
    asked = world.requirements()
    answer = world.settle(refund_payload(channel, PRICE, 9 * PRICE), asked)
    assert answer["success"], answer
    assert (world.state(channel)["credited"], world.state(channel)["withheld"]) == (PRICE, 0)
    world.node.anvil.request("anvil_reorg", 1, [])
    world.node.mine()
    wait_until(lambda: world.state(channel)["credited"] == 10 * PRICE, "the book takes the refund back")
    assert world.state(channel)["withheld"] == 9 * PRICE
    spent = world.settle(voucher_payload(channel, 10 * PRICE), world.requirements(amount=9 * PRICE))
    assert spent["errorReason"] == "invalid_batch_settlement_evm_cumulative_exceeds_balance"
