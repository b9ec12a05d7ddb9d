"""Money withheld for a refund comes free once, when the refund's transaction is final and only then."""

from __future__ import annotations

from uuid import UUID

import pytest

from gateway.channels.expiry import release_what_is_over
from kit.chain.sender import request
from tests.integration.channels.world import World
from tests.integration.contracts.channels import Channel


def withhold(world: World, channel: Channel, amount: int) -> UUID:
    """What the facilitator leaves behind when it sends a refund."""
    with world.pool.connection() as connection:
        identifier = request(
            connection,
            lane="relay",
            to=world.escrow.escrow,
            data=b"",
            purpose="x402 refund",
            dedup_key=channel.id.hex(),
        )
        connection.execute(
            "INSERT INTO x402_settlements (merchant_id, settlement_key, kind, fingerprint, request_hash, "
            "transaction_id, "
            "subject, channel_no, withheld) SELECT merchant_id, channel_id, 3, channel_id, channel_id, %s, payer, "
            "channel_no, %s FROM channels WHERE channel_id = %s",
            [identifier, amount, channel.id],
        )
        connection.execute("UPDATE channel_states SET withheld = withheld + %s", [amount])
    return identifier


@pytest.mark.parametrize("state", [4, 5, 6, 7])
def test_it_is_released_once_when_the_outcome_is_final(world: World, state: int) -> None:
    channel = world.channel()
    world.deposit(channel, 100)
    world.initiate_withdraw(channel, 30)
    world.follow()
    identifier = withhold(world, channel, 20)
    head = world.fetch("SELECT head_number FROM chain_mirror")[0][0]

    def sweep(*, final: bool, block: int) -> int:
        with world.pool.connection() as connection:
            connection.execute(
                "UPDATE chain_transactions SET state = %s, nonce = 0, is_final = %s, block_number = %s "
                "WHERE transaction_id = %s",
                [state, final, block, identifier],
            )
            return release_what_is_over(connection)

    assert sweep(final=False, block=head) == 0
    if state == 4:
        assert sweep(final=True, block=head + 1) == 0, "mined, and the book has not followed yet"
    assert world.state(channel)["withheld"] == 50
    assert sweep(final=True, block=head) == 1
    assert sweep(final=True, block=head) == 0
    assert world.state(channel)["withheld"] == 30, "the payer's withdrawal is still withheld"
