"""The way out from under the guard: owners and guardians, 14 days, 7 days open, and only the guards' slots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from kit.chain.abi import calldata
from kit.chain.rpc import hexed
from tests.system.theft import acts
from tests.system.theft.acts import EXIT_DELAY, WINDOW
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.world import ACCEPTED, CERTIFIED_FROM, DAY, FUNDS, MERCHANT, THIEF, TOKEN, USD, World
from verification.multisig import SafeTransaction

HUNDRED = 100 * USD
YEAR = 365 * DAY
pytestmark = admits(Stolen.OWNERS)


def matured(world: World) -> int:
    """An exit with both consents, 14 days later."""
    action_id = acts.schedule_exit(world)
    assert acts.consent_exit(world, action_id) == ACCEPTED
    world.later(EXIT_DELAY + acts.SLACK)
    return action_id


def without_any(world: World) -> None:
    pass


def with_the_owners_alone(world: World) -> None:
    acts.schedule_exit(world)
    world.later(YEAR)


def a_day_early(world: World) -> None:
    assert acts.consent_exit(world, acts.schedule_exit(world)) == ACCEPTED
    world.later(EXIT_DELAY - DAY)


def fourteen_days_from_the_first_consent(world: World) -> None:
    action_id = acts.schedule_exit(world)
    world.later(EXIT_DELAY)
    assert acts.consent_exit(world, action_id) == ACCEPTED
    world.later(DAY)


def years_later(world: World) -> None:
    matured(world)
    world.later(3 * YEAR)


def after_its_week(world: World) -> None:
    matured(world)
    world.later(WINDOW)


def cancelled_by_the_owners(world: World) -> None:
    action_id = matured(world)
    assert world.by_owners(world.at("TransferGuard"), "cancelExit(uint64)", action_id) == ACCEPTED


def cancelled_by_the_validators(world: World) -> None:
    assert acts.cancel(world, matured(world)) == ACCEPTED


def of_another_safe(world: World) -> None:
    other = world.another_safe(salt=6)
    matured(replace(world, safe=other))


NOT_READY: dict[str, Callable[[World], None]] = {
    each.__name__.replace("_", " "): each
    for each in (
        without_any,
        with_the_owners_alone,
        a_day_early,
        fourteen_days_from_the_first_consent,
        years_later,
        after_its_week,
        cancelled_by_the_owners,
        cancelled_by_the_validators,
        of_another_safe,
    )
}


@pytest.mark.parametrize("name", NOT_READY)
def test_the_guards_stay_where_they_are(guarded: World, name: str) -> None:
    with guarded.moves():
        NOT_READY[name](guarded)
        assert acts.leave(guarded) == "ExitNotReady"
        assert guarded.by_owners(guarded.safe, "setModuleGuard(address)", hexed(bytes(20))) == "ExitNotReady"
        transfer = guarded.transfer(THIEF.address, FUNDS)
        assert guarded.execute(transfer) == "NoStanding"


@admits(Stolen.GUARDIANS)
def test_guardians_consent_to_what_owners_asked_for_only(guarded: World) -> None:
    with guarded.moves():
        assert acts.consent_exit(guarded, 1) == "NoExit"
        action_id = acts.schedule_exit(guarded)
        assert acts.consent_exit(guarded, action_id, count=2) == "BelowGuardianQuorum"
        other = guarded.another_safe(salt=6)
        assert acts.consent_exit(guarded, action_id, safe=other) == "NoExit"
        assert acts.consent_exit(guarded, action_id) == ACCEPTED
        # Again would begin the 14 days, or the week after them, anew.
        assert acts.consent_exit(guarded, action_id) == "NotOpen"
        assert guarded.by_owners(guarded.at("TransferGuard"), "scheduleExit()") == "ExitAlreadyScheduled"


def test_a_consent_does_not_outlive_the_exit_it_was_given_for(guarded: World) -> None:
    first = acts.schedule_exit(guarded)
    assert acts.consent_exit(guarded, first) == ACCEPTED
    assert guarded.by_owners(guarded.at("TransferGuard"), "cancelExit(uint64)", first) == ACCEPTED
    second = acts.schedule_exit(guarded)
    assert second != first
    with guarded.moves():
        assert acts.consent_exit(guarded, first) == "NoExit"
        guarded.later(EXIT_DELAY + DAY)
        assert acts.leave(guarded) == "ExitNotReady"


DURING: dict[str, tuple[Callable[[World], SafeTransaction], str]] = {
    "a transfer to the thief": (lambda world: world.transfer(THIEF.address, HUNDRED), "NoStanding"),
    "a transfer above the limit": (
        lambda world: world.transfer(MERCHANT.address, CERTIFIED_FROM),
        "CertificateNeeded",
    ),
    "an approval": (
        lambda world: SafeTransaction(
            TOKEN, 0, calldata("approve(address,uint256)", hexed(THIEF.address), FUNDS), world.nonce()
        ),
        "NotInTable",
    ),
    "another owner": (
        lambda world: SafeTransaction(
            world.safe, 0, calldata("addOwnerWithThreshold(address,uint256)", hexed(THIEF.address), 1), world.nonce()
        ),
        "CertificateNeeded",
    ),
    "another module": (
        lambda world: SafeTransaction(
            world.safe, 0, calldata("enableModule(address)", hexed(THIEF.address)), world.nonce()
        ),
        "NotInTable",
    ),
    "a fallback handler": (
        lambda world: SafeTransaction(
            world.safe, 0, calldata("setFallbackHandler(address)", hexed(THIEF.address)), world.nonce()
        ),
        "NotInTable",
    ),
    "the guard by delegatecall": (
        lambda world: SafeTransaction(
            world.safe, 0, calldata("setGuard(address)", hexed(bytes(20))), world.nonce(), operation=1
        ),
        "OperationNotCall",
    ),
    "the same guard anew": (
        lambda world: SafeTransaction(
            world.safe, 0, calldata("setGuard(address)", hexed(world.at("TransferGuard"))), world.nonce()
        ),
        "MalformedCall",
    ),
}


@pytest.mark.parametrize("name", DURING)
def test_a_matured_exit_opens_the_guards_slots_and_nothing_else(guarded: World, name: str) -> None:
    make, answer = DURING[name]
    matured(guarded)
    guarded.grant_standing(MERCHANT.address, 2)
    with guarded.moves():
        assert guarded.execute(make(guarded)) == answer


@admits(Stolen.GATEWAY)
def test_half_an_exit_leaves_nothing_to_the_payout_key(guarded: World) -> None:
    """Without the module guard nothing would bound the module, so it pays no more."""
    acts.open_payouts(guarded)
    matured(guarded)
    guarded.grant_standing(MERCHANT.address, 2)
    assert guarded.by_owners(guarded.safe, "setModuleGuard(address)", hexed(bytes(20))) == ACCEPTED
    with guarded.moves():
        assert acts.pay_out(guarded, 1, HUNDRED) == "NotRegistered"
        assert acts.pay_out(guarded, 1, FUNDS, THIEF.address) == "PayeeNotRegistered"
        assert guarded.execute(guarded.transfer(MERCHANT.address, CERTIFIED_FROM)) == "CertificateNeeded"


@admits(Stolen.EVERYBODY)
def test_the_honest_exit_is_for_good_and_runs_while_paused(guarded: World) -> None:
    """Owners and guardians agreed 14 days ago: from then on it is an ordinary Safe, and the group forgets it."""
    acts.open_payouts(guarded)
    matured(guarded)
    assert acts.pause_by_guardians(guarded) == ACCEPTED
    assert acts.leave(guarded) == ACCEPTED
    with guarded.moves(safe=-CERTIFIED_FROM, merchant=CERTIFIED_FROM):
        assert guarded.execute(guarded.transfer(MERCHANT.address, CERTIFIED_FROM)) == ACCEPTED
    with guarded.moves():
        assert acts.pay_out(guarded, 1, HUNDRED) == "NotRegistered"
        assert acts.evacuate_by_guardians(guarded) == "NotRegistered"
        assert guarded.by_owners(guarded.at("TransferGuard"), "scheduleExit()") == "OnlySafe"
    # Under the guard again, but without the factory, it is registered no more and can do nothing at all.
    assert acts.leave(guarded, guarded.at("TransferGuard")) == ACCEPTED
    with guarded.moves():
        assert guarded.execute(guarded.transfer(MERCHANT.address, HUNDRED)) == "NotRegistered"
