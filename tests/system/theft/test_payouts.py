"""The gateway's key stolen: it pays registered merchants with standing, up to the bucket, each payout once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kit.chain.abi import calldata
from kit.chain.rpc import hexed
from tests.support.committee import Account
from tests.system.theft import acts
from tests.system.theft.acts import GATEWAY, Change
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.world import (
    ACCEPTED,
    CERTIFIED_FROM,
    DAILY,
    DAY,
    MERCHANT,
    NOTICE_FROM,
    THIEF,
    TOKEN,
    USD,
    World,
    mint,
)
from verification.signatures.messages import Parameter, RegisterPayee

HUNDRED = 100 * USD
STRANGER = Account("an account with standing that nobody registered")
pytestmark = admits(Stolen.GATEWAY)


@pytest.fixture
def paying(guarded: World) -> World:
    """The group has a payout key, the merchant is registered since more than a day."""
    acts.open_payouts(guarded)
    return guarded


def to_a_stranger(world: World) -> str:
    world.grant_standing(STRANGER.address)
    return acts.pay_out(world, 1, HUNDRED, STRANGER.address)


def too_soon(world: World) -> str:
    world.grant_standing(STRANGER.address)
    assert world.by_owners(world.at("PayoutModule"), "register(address)", hexed(STRANGER.address)) == ACCEPTED
    world.later(DAY - 60)
    return acts.pay_out(world, 1, HUNDRED, STRANGER.address)


def without_standing(world: World) -> str:
    assert world.by_owners(world.at("PayoutModule"), "register(address)", hexed(THIEF.address)) == ACCEPTED
    world.later(DAY + 60)
    return acts.pay_out(world, 1, HUNDRED, THIEF.address)


def after_the_standing_was_revoked(world: World) -> str:
    revoking = calldata("revoke(address)", hexed(MERCHANT.address))
    assert world.send(world.at("StandingRegistry"), revoking, world.committee.attesters[0]) == ACCEPTED
    return acts.pay_out(world, 1, HUNDRED)


def above_the_bucket(world: World) -> str:
    for number in (1, 2):
        assert acts.pay_out(world, number, DAILY // 4) == ACCEPTED
    return acts.pay_out(world, 3, USD)


def paused(world: World) -> str:
    assert acts.pause_by_guardians(world) == ACCEPTED
    return acts.pay_out(world, 1, HUNDRED)


def of_another_group(world: World) -> str:
    other = world.another_safe(salt=4)
    mint(world.anvil, TOKEN, other)
    signature = "payout(address,bytes32,address,address,uint256)"
    data = calldata(signature, hexed(other), bytes(32), hexed(TOKEN), hexed(MERCHANT.address), HUNDRED)
    return world.send(world.at("PayoutModule"), data, GATEWAY)


def from_a_member_that_registered_nobody(world: World) -> str:
    other = world.another_safe(group=world.group, salt=4)
    mint(world.anvil, TOKEN, other)
    assert world.by_owners(world.at("TransferGuard"), "admit(address)", hexed(other)) == ACCEPTED
    signature = "payout(address,bytes32,address,address,uint256)"
    data = calldata(signature, hexed(other), bytes(32), hexed(TOKEN), hexed(MERCHANT.address), HUNDRED)
    return world.send(world.at("PayoutModule"), data, GATEWAY)


def registered_by(world: World, attesters: int) -> str:
    order = RegisterPayee(world.safe, STRANGER.address)
    signatures = world.committee.attester_signatures(order, attesters)
    data = calldata(
        "registerByAttesters(address,address,bytes)", hexed(world.safe), hexed(STRANGER.address), signatures
    )
    return world.send(world.at("PayoutModule"), data, GATEWAY)


def registered_again(world: World) -> str:
    """Which would begin its day anew, or end it early."""
    return world.by_owners(world.at("PayoutModule"), "register(address)", hexed(MERCHANT.address))


def of_an_unguarded_account(world: World) -> str:
    signature = "payout(address,bytes32,address,address,uint256)"
    data = calldata(signature, hexed(THIEF.address), bytes(32), hexed(TOKEN), hexed(MERCHANT.address), HUNDRED)
    return world.send(world.at("PayoutModule"), data, GATEWAY)


ATTEMPTS: dict[str, tuple[Callable[[World], str], str, int]] = {
    "an account that nobody registered": (to_a_stranger, "PayeeNotRegistered", 0),
    "the thief, who is not registered": (
        lambda world: acts.pay_out(world, 1, HUNDRED, THIEF.address),
        "PayeeNotRegistered",
        0,
    ),
    "registered less than 24 h ago": (too_soon, "PayeeTooNew", 0),
    "registered, but without standing": (without_standing, "NoStanding", 0),
    "registered, its standing revoked": (after_the_standing_was_revoked, "NoStanding", 0),
    "above the bucket": (above_the_bucket, "BucketExceeded", DAILY // 2),
    "at the limit": (lambda world: acts.pay_out(world, 1, CERTIFIED_FROM), "CertificateNeeded", 0),
    "as much as is announced elsewhere": (
        lambda world: acts.pay_out(world, 1, NOTICE_FROM),
        "CertificateNeeded",
        0,
    ),
    "another key": (lambda world: acts.pay_out(world, 1, HUNDRED, key=THIEF), "OnlyPayoutKey", 0),
    "a void by another key": (lambda world: acts.void(world, 1, THIEF), "OnlyPayoutKey", 0),
    "while paused": (paused, "SafeIsPaused", 0),
    "a Safe of another group": (of_another_group, "OnlyPayoutKey", 0),
    "a member that registered nobody": (from_a_member_that_registered_nobody, "PayeeNotRegistered", 0),
    "no Safe at all": (of_an_unguarded_account, "NotRegistered", 0),
    "a token that is not listed": (
        lambda world: acts.pay_out(world, 1, HUNDRED, token=world.at("Guardians")),
        "TokenNotListed",
        0,
    ),
    "registered by the gateway": (
        lambda world: world.send(
            world.at("PayoutModule"), calldata("register(address)", hexed(STRANGER.address)), GATEWAY
        ),
        "NotRegistered",
        0,
    ),
    "registered by one attester": (lambda world: registered_by(world, 1), "BelowAttesterQuorum", 0),
    "registered anew": (registered_again, "AlreadyRegistered", 0),
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_pays_nobody_else_and_no_more(paying: World, name: str) -> None:
    attempt, answer, paid = ATTEMPTS[name]
    with paying.moves(also={"stranger": STRANGER.address}, safe=-paid, merchant=paid):
        assert attempt(paying) == answer


def test_a_merchant_is_paid_once_by_an_id(paying: World) -> None:
    with paying.moves(safe=-HUNDRED, merchant=HUNDRED):
        assert acts.pay_out(paying, 1, HUNDRED) == ACCEPTED
        assert acts.pay_out(paying, 1, HUNDRED) == "PayoutUsed"
        assert acts.pay_out(paying, 1, HUNDRED - 1) == "PayoutUsed"
        assert acts.void(paying, 1) == "PayoutUsed"


def test_what_is_void_is_never_paid(paying: World) -> None:
    with paying.moves():
        assert acts.void(paying, 1) == ACCEPTED
        assert acts.void(paying, 1) == "PayoutUsed"
        assert acts.pay_out(paying, 1, HUNDRED) == "PayoutUsed"


def test_a_payout_that_a_reorganisation_dropped_lands_once(paying: World) -> None:
    """Sent again, by the gateway and by whoever kept the transaction: one of them counts."""
    with paying.moves(safe=-HUNDRED, merchant=HUNDRED):
        assert acts.pay_out(paying, 1, HUNDRED) == ACCEPTED
        acts.drop_last_block(paying)
        assert paying.balance(MERCHANT.address) == 0
        assert acts.pay_out(paying, 1, HUNDRED) == ACCEPTED
        assert acts.pay_out(paying, 1, HUNDRED) == "PayoutUsed"


def test_a_payout_dropped_and_voided_is_not_paid_when_it_lands_again(paying: World) -> None:
    with paying.moves():
        assert acts.pay_out(paying, 1, HUNDRED) == ACCEPTED
        acts.drop_last_block(paying)
        assert acts.void(paying, 1) == ACCEPTED
        assert acts.pay_out(paying, 1, HUNDRED) == "PayoutUsed"


def test_a_void_that_was_dropped_does_not_hold(paying: World) -> None:
    """Why it has to be final before the money may go another way."""
    with paying.moves(safe=-HUNDRED, merchant=HUNDRED):
        assert acts.void(paying, 1) == ACCEPTED
        acts.drop_last_block(paying)
        assert acts.pay_out(paying, 1, HUNDRED) == ACCEPTED
        assert acts.void(paying, 1) == "PayoutUsed"


def test_without_a_payout_key_nobody_pays(guarded: World) -> None:
    """Not even the zero address, which is the key of every group that has none."""
    nobody = Account("nobody")
    nobody.address = bytes(20)
    with guarded.moves():
        assert acts.pay_out(guarded, 1, HUNDRED) == "OnlyPayoutKey"
        assert acts.pay_out(guarded, 1, HUNDRED, key=nobody) == "OnlyPayoutKey"


@admits(Stolen.VALIDATORS)
def test_a_changed_payout_key_ends_the_old_one(paying: World) -> None:
    """How a stolen key is taken away; validators alone could not have given themselves one."""
    fresh = Account("the next payout key")
    change = Change(Parameter.PAYOUT_KEY, int.from_bytes(fresh.address, "big"), paying.group)
    order = change.message(paying, 2)
    assert acts.schedule(paying, change, order, range(4)) == ACCEPTED
    paying.later(acts.CHANGE_DELAY + 120)
    with paying.moves():
        assert acts.execute_change(paying, 2) == "OwnersHaveNotAccepted"
        assert acts.pay_out(paying, 1, HUNDRED, key=fresh) == "OnlyPayoutKey"
    assert paying.execute(acts.acceptance(paying, order)) == ACCEPTED
    assert acts.execute_change(paying, 2) == ACCEPTED
    paying.grant_standing(MERCHANT.address, 2)
    with paying.moves(safe=-HUNDRED, merchant=HUNDRED):
        assert acts.pay_out(paying, 1, HUNDRED) == "OnlyPayoutKey"
        assert acts.pay_out(paying, 1, HUNDRED, key=fresh) == ACCEPTED
