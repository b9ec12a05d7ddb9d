"""Figures that operators read."""

from __future__ import annotations

from kit.database.queries import load
from tests.integration.channels.test_claims import await_mined, channels_with, claims_of
from tests.integration.channels.world import World


def test_what_was_settled_is_shown_as_nothing_owed(world: World) -> None:
    """A gauge keeps what it was last told: a merchant that is left out would owe for ever."""
    unsettled = load("gateway.channels", "claims.sql").sql("unsettled_by_merchant")
    (channel,) = channels_with(world, 700)
    with world.pool.connection() as connection:
        assert connection.execute(unsettled).fetchall() == [(world.merchant_id, 700)]
    claims = claims_of(world)
    await_mined(world, claims.claim_due(world.pool))
    world.follow()
    for settle in claims.settle_due(world.pool):
        await_mined(world, settle)
    world.follow()
    assert world.numbers(channel) == (1_000, 700, 700, 700)
    with world.pool.connection() as connection:
        assert connection.execute(unsettled).fetchall() == [(world.merchant_id, 0)]
