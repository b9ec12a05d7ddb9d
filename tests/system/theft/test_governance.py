"""Validators who turn: what they change waits, may be vetoed, and gives money no new way without its owners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from kit.chain.abi import calldata
from kit.chain.rpc import hexed
from tests.support.committee import accounts, by_all
from tests.system.theft import acts
from tests.system.theft.acts import CHANGE_DELAY, SLACK, WINDOW, Change
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.world import ACCEPTED, CERTIFIED_FROM, DAILY, DAY, FUNDS, MERCHANT, THIEF, TOKEN, USD, World
from verification.signatures.eip712 import keccak
from verification.signatures.messages import (
    FOREVER,
    Evacuate,
    Govern,
    Parameter,
    Pause,
    Return,
    Rotate,
    Veto,
)

ALL = range(4)
EVERYTHING = 2**96 - 1
pytestmark = admits(Stolen.VALIDATORS)


def limits(world: World) -> bytes:
    data = calldata("limitsOf(bytes32,address)", world.group, hexed(TOKEN))
    return world.anvil.call(hexed(world.at("TransferGuard")), data)


WIDER = {
    "the daily limit": Change(Parameter.DAILY_LIMIT, EVERYTHING, bytes(32)),
    "the limit of a certificate": Change(Parameter.CERTIFIED_FROM, EVERYTHING, bytes(32)),
    "the limit of an announcement": Change(Parameter.NOTICE_FROM, EVERYTHING, bytes(32)),
    "a payout key": Change(Parameter.PAYOUT_KEY, int.from_bytes(THIEF.address, "big"), bytes(32)),
}


def of(world: World, name: str) -> Change:
    return replace(WIDER[name], group=world.group)


@pytest.mark.parametrize("name", WIDER)
def test_all_validators_open_no_way_that_the_owners_did_not_accept(guarded: World, name: str) -> None:
    change = of(guarded, name)
    before = limits(guarded)
    with guarded.moves():
        order = change.message(guarded)
        assert acts.schedule(guarded, change, order, ALL) == ACCEPTED
        assert acts.schedule(guarded, change, order, ALL) == "WrongGovernId"
        assert acts.execute_change(guarded) == "TooEarly"
        guarded.later(CHANGE_DELAY + 2 * SLACK)
        assert acts.execute_change(guarded) == "OwnersHaveNotAccepted"
        assert limits(guarded) == before
        assert acts.pay_out(guarded, 1, USD, THIEF.address, THIEF) == "OnlyPayoutKey"


def certified_by_f(world: World, change: Change) -> str:
    return acts.schedule(world, change, change.message(world), [3])


def at_short_notice(world: World, change: Change) -> str:
    return acts.schedule(world, change, change.message(world, delay=CHANGE_DELAY - 2 * SLACK), ALL)


def under_another_key(world: World, change: Change) -> str:
    """What was signed as another group's, told as the victim's."""
    order = replace(change, group=bytes(31) + b"\x01").message(world)
    return acts.schedule(world, change, order, ALL)


def under_a_later_number(world: World, change: Change) -> str:
    return acts.schedule(world, change, change.message(world, 2), ALL)


def of_another_epoch(world: World, change: Change) -> str:
    return acts.schedule(world, change, replace(change.message(world), epoch=2), ALL)


def too_large_to_be_one(world: World, change: Change) -> str:
    return acts.schedule(world, change, replace(change, value=2**128).message(world), ALL)


REFUSED: tuple[tuple[Callable[[World, Change], str], str], ...] = (
    (certified_by_f, "BelowQuorum"),
    (at_short_notice, "NoticeTooShort"),
    (under_another_key, "KeyMismatch"),
    (under_a_later_number, "WrongGovernId"),
    (of_another_epoch, "WrongEpoch"),
    (too_large_to_be_one, "ValueMismatch"),
)


@pytest.mark.parametrize(("attempt", "answer"), REFUSED, ids=[each.__name__ for each, _ in REFUSED])
def test_a_change_is_not_scheduled(guarded: World, attempt: Callable[[World, Change], str], answer: str) -> None:
    before = limits(guarded)
    with guarded.moves():
        assert attempt(guarded, of(guarded, "the daily limit")) == answer
    assert limits(guarded) == before


@admits(Stolen.EVERYBODY)
def test_a_raise_that_was_accepted_does_not_undo_a_later_cut(guarded: World) -> None:
    """Owners accepted the raise; then the limit was cut for a reason. The old message is not replayed over it."""
    raise_, cut = of(guarded, "the daily limit"), replace(of(guarded, "the daily limit"), value=DAILY // 10)
    raising = raise_.message(guarded)
    assert acts.schedule(guarded, raise_, raising) == ACCEPTED
    assert guarded.execute(acts.acceptance(guarded, raising)) == ACCEPTED
    assert acts.schedule(guarded, cut, cut.message(guarded, 2)) == ACCEPTED
    guarded.later(CHANGE_DELAY + 2 * SLACK)
    assert acts.execute_change(guarded, 2) == ACCEPTED
    after = limits(guarded)
    with guarded.moves():
        assert acts.execute_change(guarded) == "Superseded"
        assert acts.execute_change(guarded, 2) == "NotScheduled"
        assert acts.schedule(guarded, raise_, raising) == "WrongGovernId"
        assert guarded.execute(guarded.transfer(MERCHANT.address, DAILY // 10)) == "BucketExceeded"
    assert limits(guarded) == after


@admits(Stolen.EVERYBODY)
def test_a_raise_that_was_executed_before_the_cut_is_not_executed_again(guarded: World) -> None:
    raise_ = replace(of(guarded, "the daily limit"), value=2 * DAILY)
    cut = replace(raise_, value=DAILY // 10)
    raising = raise_.message(guarded)
    acts.govern(guarded, raise_)
    acts.govern(guarded, cut, 2)
    with guarded.moves():
        assert acts.execute_change(guarded) == "Superseded"
        assert acts.schedule(guarded, raise_, raising) == "WrongGovernId"
        assert guarded.execute(acts.acceptance(guarded, raising)) == "GovernNotPending"
        assert guarded.execute(guarded.transfer(MERCHANT.address, DAILY // 10)) == "BucketExceeded"


def test_a_reorganisation_does_not_swap_what_the_owners_accepted(guarded: World) -> None:
    """They accepted number 1, a small raise. On the other branch number 1 is another, and has another digest."""
    small = replace(of(guarded, "the daily limit"), value=DAILY + 1)
    everything = of(guarded, "the daily limit")
    order = small.message(guarded)
    snapshot = guarded.anvil.request("evm_snapshot")
    assert acts.schedule(guarded, small, order) == ACCEPTED
    accepting = acts.acceptance(guarded, order)
    assert guarded.execute(accepting) == ACCEPTED
    assert guarded.anvil.request("evm_revert", snapshot)  # both are gone; the owners' signature is not
    before = limits(guarded)
    with guarded.moves():
        assert acts.schedule(guarded, everything, everything.message(guarded), ALL) == ACCEPTED
        assert guarded.execute(accepting) == "GovernNotPending"
        guarded.later(CHANGE_DELAY + 2 * SLACK)
        assert acts.execute_change(guarded) == "OwnersHaveNotAccepted"
    assert limits(guarded) == before


def vetoed(world: World, order: Govern) -> None:
    signatures = world.committee.guardian_signatures(Veto(1))
    assert world.send(world.at("Actions"), calldata("veto(uint64,bytes)", 1, signatures)) == ACCEPTED
    world.later(CHANGE_DELAY + 2 * SLACK)


def cancelled(world: World, order: Govern) -> None:
    assert acts.cancel(world, 1) == ACCEPTED
    world.later(CHANGE_DELAY + 2 * SLACK)


def expired(world: World, order: Govern) -> None:
    world.later(CHANGE_DELAY + WINDOW + 2 * SLACK)


def executed(world: World, order: Govern) -> None:
    world.later(CHANGE_DELAY + 2 * SLACK)
    assert acts.execute_change(world) == ACCEPTED


@admits(Stolen.EVERYBODY)
@pytest.mark.parametrize(
    ("end", "answer"),
    [(vetoed, "NotScheduled"), (cancelled, "NotScheduled"), (expired, "Expired"), (executed, "NotScheduled")],
    ids=["vetoed", "cancelled", "expired", "executed"],
)
def test_an_accepted_change_that_ended_is_not_executed(
    guarded: World, end: Callable[[World, Govern], None], answer: str
) -> None:
    change = replace(of(guarded, "the daily limit"), value=2 * DAILY)
    order = change.message(guarded)
    assert acts.schedule(guarded, change, order) == ACCEPTED
    assert guarded.execute(acts.acceptance(guarded, order)) == ACCEPTED
    with guarded.moves():
        end(guarded, order)
        after = limits(guarded)
        assert acts.execute_change(guarded) == answer
        assert acts.schedule(guarded, change, order) == "WrongGovernId"
    assert limits(guarded) == after


@admits(Stolen.OWNERS)
@pytest.mark.parametrize("name", WIDER)
def test_owners_accept_nothing_that_no_validator_proposed(guarded: World, name: str) -> None:
    order = of(guarded, name).message(guarded)
    with guarded.moves():
        assert guarded.execute(acts.acceptance(guarded, order)) == "GovernNotPending"
        assert acts.execute_change(guarded) == "UnknownGovern"


def test_all_validators_with_a_month_of_patience_get_nothing(guarded: World) -> None:
    """They make themselves guardians, which nobody can veto, and use all that guardians can: it ends in the vault."""
    theirs = accounts("their guardian", 3)
    assert acts.schedule_guardians(guarded, theirs, ALL) == ACCEPTED
    guarded.later(14 * DAY + 2 * SLACK)
    replacing = calldata("executeMembers(uint64,address[],uint256)", 1, [hexed(each.address) for each in theirs], 2)
    assert guarded.send(guarded.at("Governor"), replacing) == ACCEPTED

    def sign(message: Pause | Evacuate | Return) -> bytes:
        return by_all(theirs, guarded.committee.digest(message))

    pausing = calldata("pauseByGuardians(uint64,bytes)", 1, sign(Pause(1, FOREVER)))
    assert guarded.send(guarded.at("EmergencyBrake"), pausing) == ACCEPTED
    with guarded.moves(safe=-FUNDS, vault=FUNDS):
        assert acts.evacuate(guarded, signers=ALL) == ACCEPTED
    with guarded.moves():
        for safe, token, amount in ((THIEF.address, TOKEN, FUNDS), (guarded.safe, TOKEN, FUNDS + 1)):
            stolen = Return(1, 1, safe, token, amount)
            returning = calldata(
                "scheduleReturnByGuardians((uint64,uint64,address,address,uint256),bytes,bytes)",
                (1, 1, hexed(safe), hexed(token), amount),
                guarded.committee.quorum_signature(stolen, ALL),
                sign(stolen),
            )
            assert guarded.send(guarded.at("ColdVault"), returning) == "ExceedsEvacuated"
        guarded.later(30 * DAY)
        assert acts.leave(guarded) == "ExitNotReady"  # an exit begins with the owners


def test_the_old_guardians_stop_what_they_can_in_those_14_days(guarded: World) -> None:
    """No veto of their own replacement, but they still pause, and consent to the owners' exit in time."""
    theirs = accounts("their guardian", 3)
    assert acts.schedule_guardians(guarded, theirs, ALL) == ACCEPTED
    signatures = guarded.committee.guardian_signatures(Veto(1))
    with guarded.moves():
        assert guarded.send(guarded.at("Actions"), calldata("veto(uint64,bytes)", 1, signatures)) == "NotVetoable"
        assert acts.pause_by_guardians(guarded) == ACCEPTED
        assert acts.consent_exit(guarded, acts.schedule_exit(guarded)) == ACCEPTED


# Rotation


def rotation(world: World, keys: bytes, signers: range | list[int], notice: int = DAY + SLACK) -> str:
    order = Rotate(2, keccak(keys), world.now() + notice)
    data = calldata(
        "scheduleRotation((uint64,bytes32,uint64),bytes,bytes)",
        (2, order.keys_hash, order.not_before),
        keys,
        world.committee.quorum_signature(order, signers),
    )
    return world.send(world.at("ValidatorRegistry"), data)


@pytest.mark.parametrize(
    ("signers", "notice", "answer"),
    [([0], DAY + SLACK, "BelowQuorum"), (ALL, DAY - SLACK, "NoticeTooShort"), (ALL, DAY + SLACK, ACCEPTED)],
)
def test_a_rotation_needs_a_quorum_and_a_day_and_guardians_may_veto_it(
    guarded: World, signers: range | list[int], notice: int, answer: str
) -> None:
    keys = guarded.committee.validator_set.evm_keys
    with guarded.moves():
        assert rotation(guarded, keys, signers, notice) == answer
        if answer == ACCEPTED:
            starting = calldata("startEpoch(uint64,bytes)", 1, keys)
            assert guarded.send(guarded.at("ValidatorRegistry"), starting) == "TooEarly"
            signatures = guarded.committee.guardian_signatures(Veto(1))
            assert guarded.send(guarded.at("Actions"), calldata("veto(uint64,bytes)", 1, signatures)) == ACCEPTED
            guarded.later(DAY + 2 * SLACK)
            assert guarded.send(guarded.at("ValidatorRegistry"), starting) == "NotScheduled"


def test_orders_in_flight_die_with_their_epoch(guarded: World) -> None:
    """Also when the same keys go on: the epoch is in what they signed."""
    keys = guarded.committee.validator_set.evm_keys
    assert rotation(guarded, keys, ALL) == ACCEPTED
    guarded.later(DAY + 2 * SLACK)
    transfer = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    tail = guarded.tail(transfer)
    assert guarded.send(guarded.at("ValidatorRegistry"), calldata("startEpoch(uint64,bytes)", 1, keys)) == ACCEPTED
    with guarded.moves():
        assert guarded.execute(transfer, tail) == "WrongEpoch"
        assert guarded.execute(transfer, (2).to_bytes(8, "big") + tail[8:]) == "InvalidSignature"
        assert rotation(guarded, keys, ALL) == "WrongEpoch"
    later = replace(guarded, committee=replace(guarded.committee, epoch=2))
    with guarded.moves(safe=-CERTIFIED_FROM, merchant=CERTIFIED_FROM):
        assert later.execute(transfer, later.tail(transfer)) == ACCEPTED
