"""The sentinel's and the guardians' keys: they stop, and send to the vault. What they said counts once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kit.chain.abi import calldata
from kit.chain.rpc import hexed
from tests.support.committee import Account
from tests.system.theft import acts
from tests.system.theft.acts import SENTINEL_PAUSE, SLACK
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.world import ACCEPTED, DAY, FUNDS, MERCHANT, THIEF, TOKEN, USD, World, build_set, mint
from verification.signatures.messages import FOREVER, Evacuate, Pause, Return, Unpause

HUNDRED = 100 * USD
HOUR = 3_600
SECOND = Account("second sentinel")
pytestmark = admits(Stolen.SENTINEL)


def last_pause(world: World) -> tuple[int, int, int]:
    """Its number, its kind and until when it holds."""
    answer = world.anvil.call(hexed(world.at("EmergencyBrake")), calldata("lastPause()"))
    number, kind, until = (int.from_bytes(answer[start : start + 32], "big") for start in (0, 32, 64))
    return number, kind, until


def is_paused(world: World) -> bool:
    return bool(int.from_bytes(world.anvil.call(hexed(world.at("EmergencyBrake")), calldata("isPaused()")), "big"))


# The sentinel


def for_longer_than_six_hours(world: World) -> str:
    return acts.pause(world, until=world.now() + SENTINEL_PAUSE + SLACK)


def until_the_guardians_end_it(world: World) -> str:
    return acts.pause(world, until=FOREVER)


def until_yesterday(world: World) -> str:
    return acts.pause(world, until=world.now() - DAY)


def with_a_key_that_expired(world: World) -> str:
    world.later(29 * DAY)
    return acts.pause(world)


def with_a_key_that_a_guardian_revoked(world: World) -> str:
    revoking = calldata("revokeSentinel(address)", hexed(world.committee.sentinel.address))
    assert world.send(world.at("EmergencyBrake"), revoking, world.committee.guardians[4]) == ACCEPTED
    return acts.pause(world)


def with_a_key_that_never_was_one(world: World) -> str:
    return acts.pause(world, sentinel=SECOND)


def with_another_number(world: World) -> str:
    return acts.pause(world, pause_id=2)


def twice(world: World) -> str:
    assert acts.pause(world) == ACCEPTED
    world.later(SENTINEL_PAUSE)
    return acts.pause(world, pause_id=2)


def while_paused_by_guardians(world: World) -> str:
    assert acts.pause_by_guardians(world) == ACCEPTED
    return acts.pause(world, pause_id=2)


def while_paused_by_another_sentinel(world: World) -> str:
    assert acts.rearm(world, SECOND, world.now() + 20 * DAY) == ACCEPTED
    assert acts.pause(world, sentinel=SECOND) == ACCEPTED
    return acts.pause(world, pause_id=2)


SENTINEL: tuple[tuple[Callable[[World], str], str], ...] = (
    (for_longer_than_six_hours, "PauseTooLong"),
    (until_the_guardians_end_it, "PauseTooLong"),
    (until_yesterday, "MessageExpired"),
    (with_a_key_that_expired, "NotArmed"),
    (with_a_key_that_a_guardian_revoked, "NotArmed"),
    (with_a_key_that_never_was_one, "NotArmed"),
    (with_another_number, "WrongPauseId"),
    (twice, "NotArmed"),
    (while_paused_by_guardians, "AlreadyPaused"),
    (while_paused_by_another_sentinel, "AlreadyPaused"),
)


@pytest.mark.parametrize(("attempt", "answer"), SENTINEL, ids=[each.__name__ for each, _ in SENTINEL])
def test_the_sentinel_does_not_pause(guarded: World, attempt: Callable[[World], str], answer: str) -> None:
    with guarded.moves():
        assert attempt(guarded) == answer


def test_the_sentinel_neither_shortens_nor_replaces_a_pause_of_the_guardians(guarded: World) -> None:
    assert acts.pause_by_guardians(guarded) == ACCEPTED
    before = last_pause(guarded)
    assert before == (1, 2, FOREVER)
    with guarded.moves():
        for number in (1, 2, 3):
            assert acts.pause(guarded, number, until=guarded.now() + HOUR) == "AlreadyPaused"
        guarded.later(30 * DAY)
        assert last_pause(guarded) == before
        assert guarded.execute(guarded.transfer(MERCHANT.address, HUNDRED)) == "SafeIsPaused"


def test_the_guardians_replace_the_sentinels_and_it_does_not_lapse(guarded: World) -> None:
    assert acts.pause(guarded) == ACCEPTED
    assert acts.pause_by_guardians(guarded, 2) == ACCEPTED
    guarded.later(DAY)
    with guarded.moves():
        assert last_pause(guarded) == (2, 2, FOREVER)
        assert guarded.execute(guarded.transfer(MERCHANT.address, HUNDRED)) == "SafeIsPaused"


def test_a_false_pause_costs_six_hours_and_not_a_unit(guarded: World) -> None:
    start = guarded.now()
    assert acts.pause(guarded) == ACCEPTED
    assert last_pause(guarded)[2] <= start + SENTINEL_PAUSE
    transfer = guarded.transfer(MERCHANT.address, HUNDRED)
    with guarded.moves():
        assert guarded.execute(transfer) == "SafeIsPaused"
        assert guarded.execute(transfer, guarded.tail(transfer)) == "SafeIsPaused"
    guarded.later(SENTINEL_PAUSE)
    with guarded.moves(safe=-HUNDRED, merchant=HUNDRED):
        assert guarded.execute(transfer) == ACCEPTED


# Evacuation


@admits(Stolen.F_VALIDATORS)
@pytest.mark.parametrize("signers", [[0], [3], [0, 1]])
def test_a_false_pause_and_f_validators_evacuate_nothing(guarded: World, signers: list[int]) -> None:
    assert acts.pause(guarded) == ACCEPTED
    with guarded.moves():
        assert acts.evacuate(guarded, signers=signers) == "BelowQuorum"
        assert acts.evacuate_by_guardians(guarded, count=2) == "BelowGuardianQuorum"


@admits(Stolen.SENTINEL)
def test_the_sentinel_is_no_guardian_and_evacuates_nothing(guarded: World) -> None:
    assert acts.pause(guarded) == ACCEPTED
    message = Evacuate(1, 1, guarded.safe, TOKEN)
    signature = guarded.committee.sentinel_signature(message)
    evacuating = calldata(
        "evacuateByGuardians(uint64,uint64,address,address,bytes)",
        1,
        1,
        hexed(guarded.safe),
        hexed(TOKEN),
        signature,
    )
    with guarded.moves():
        assert guarded.send(guarded.at("Evacuator"), evacuating) == "NotAGuardian"


@admits(Stolen.VALIDATORS)
def test_nobody_evacuates_while_not_paused(guarded: World) -> None:
    with guarded.moves():
        assert acts.evacuate(guarded, 0, range(4)) == "NotPaused"
        assert acts.evacuate(guarded, 1, range(4)) == "NotPaused"
        assert acts.evacuate_by_guardians(guarded, count=5) == "NotPaused"
        assert acts.pause(guarded) == ACCEPTED
        guarded.later(SENTINEL_PAUSE)
        assert acts.evacuate(guarded, 1, range(4)) == "NotPaused"


@admits(Stolen.VALIDATORS)
def test_a_foreign_evacuator_with_a_foreign_vault_gets_nothing(guarded: World) -> None:
    """The thief's own set, with our validators' signatures over its guard, reaches no Safe that is not its own."""
    foreign = build_set(guarded.anvil, guarded.artifacts, salt=9)
    assert acts.pause(guarded) == ACCEPTED
    assert acts.pause(foreign) == ACCEPTED
    message = Evacuate(1, 1, guarded.safe, TOKEN)
    evacuating = calldata(
        "evacuate(uint64,uint64,address,address,bytes)",
        1,
        1,
        hexed(guarded.safe),
        hexed(TOKEN),
        foreign.committee.quorum_signature(message),
    )
    with guarded.moves(also={"foreign vault": foreign.at("ColdVault")}):
        assert guarded.send(foreign.at("Evacuator"), evacuating) == "NotRegistered"
        assert guarded.send(guarded.at("Evacuator"), evacuating) == "InvalidSignature"
        inner = calldata("transfer(address,uint256)", hexed(foreign.at("ColdVault")), FUNDS)
        asking = calldata("execTransactionFromModule(address,uint256,bytes,uint8)", hexed(TOKEN), 0, inner, 0)
        foreign_module = Account("foreign evacuator")
        foreign_module.address = foreign.at("Evacuator")
        assert guarded.send(guarded.safe, asking, foreign_module) == "GS104"
        # Even the Safe's own evacuator, were it made to ask, gets it to its own vault only.
        own_module = Account("own evacuator")
        own_module.address = guarded.at("Evacuator")
        assert guarded.send(guarded.safe, asking, own_module) == "NotToVault"


def evacuated(world: World) -> None:
    assert acts.pause_by_guardians(world) == ACCEPTED
    with world.moves(safe=-FUNDS, vault=FUNDS):
        assert acts.evacuate(world) == ACCEPTED


def returned(world: World) -> None:
    evacuated(world)
    assert acts.return_(world, Return(1, 1, world.safe, TOKEN, FUNDS)) == ACCEPTED
    world.later(2 * DAY + SLACK)
    with world.moves(safe=FUNDS, vault=-FUNDS):
        assert acts.execute_return(world) == ACCEPTED


@admits(Stolen.VALIDATORS)
def test_an_evacuation_is_not_replayed_after_the_return(guarded: World) -> None:
    """Neither in the same pause nor in the next, by validators' signatures or by guardians'."""
    returned(guarded)
    with guarded.moves():
        assert acts.evacuate(guarded) == "MessageUsed"
        assert acts.evacuate_by_guardians(guarded) == "MessageUsed"
        assert acts.execute_return(guarded) == "NotScheduled"
        assert acts.return_(guarded, Return(1, 1, guarded.safe, TOKEN, FUNDS)) == "WrongReturnId"
        assert acts.pause_by_guardians(guarded, 2) == ACCEPTED
        assert acts.evacuate(guarded, 1) == "WrongPauseId"
        assert acts.evacuate_by_guardians(guarded, 1) == "WrongPauseId"


@admits(Stolen.VALIDATORS)
def test_the_vault_gives_to_the_safe_it_was_taken_from_and_no_more(guarded: World) -> None:
    evacuated(guarded)
    mint(guarded.anvil, TOKEN, guarded.at("ColdVault"), HUNDRED)  # somebody's mistake: nobody's money
    with guarded.moves():
        for order in (
            Return(1, 1, THIEF.address, TOKEN, 1),
            Return(1, 1, MERCHANT.address, TOKEN, 1),
            Return(1, 1, guarded.safe, TOKEN, FUNDS + 1),
            Return(1, 1, guarded.safe, THIEF.address, 1),
        ):
            assert acts.return_(guarded, order) == "ExceedsEvacuated"
        whole = Return(1, 1, guarded.safe, TOKEN, FUNDS)
        assert acts.return_(guarded, whole, signers=[0, 1]) == "BelowQuorum"
        assert acts.return_(guarded, whole, owners=1) == "BelowOwnerQuorum"
        assert acts.return_(guarded, whole) == ACCEPTED
        again = Return(2, 1, guarded.safe, TOKEN, FUNDS)
        assert acts.return_(guarded, again) == ACCEPTED
        assert acts.execute_return(guarded) == "TooEarly"
    guarded.later(2 * DAY + SLACK)
    with guarded.moves(safe=FUNDS, vault=-FUNDS):
        assert acts.execute_return(guarded) == ACCEPTED
        assert acts.execute_return(guarded) == "NotScheduled"
        assert acts.execute_return(guarded, 2) == "ExceedsEvacuated"


# Ending a pause


def message(world: World, pause_id: int = 1, epoch: int = 1) -> Unpause:
    return Unpause(pause_id, epoch, world.now() + HOUR, bytes(32))


@admits(Stolen.VALIDATORS)
def test_validators_do_not_end_a_pause_of_the_guardians(guarded: World) -> None:
    assert acts.pause_by_guardians(guarded) == ACCEPTED
    order = message(guarded)
    with guarded.moves():
        assert acts.unpause(guarded, order, range(4)) == ACCEPTED
        guarded.later(30 * DAY)
        assert acts.end_pause(guarded) == "NotProposed"
        assert acts.consent_unpause(guarded, order, count=2) == "BelowGuardianQuorum"
        assert is_paused(guarded)


@admits(Stolen.GUARDIANS)
def test_guardians_do_not_end_their_pause_alone(guarded: World) -> None:
    assert acts.pause_by_guardians(guarded) == ACCEPTED
    order = message(guarded)
    with guarded.moves():
        assert acts.consent_unpause(guarded, order, count=5) == ACCEPTED
        assert acts.unpause(guarded, order, [0, 1]) == "BelowQuorum"
        assert acts.end_pause(guarded) == "NotProposed"
        guarded.later(2 * HOUR)
        assert acts.unpause(guarded, order) == "MessageExpired"
        assert acts.end_pause(guarded) == "NotProposed"
        assert is_paused(guarded)


@admits(Stolen.VALIDATORS)
def test_what_was_said_to_end_one_pause_does_not_end_the_next(guarded: World) -> None:
    assert acts.pause_by_guardians(guarded) == ACCEPTED
    order = message(guarded)
    assert acts.unpause(guarded, order) == ACCEPTED
    assert acts.consent_unpause(guarded, order) == ACCEPTED
    guarded.later(HOUR - SLACK)
    assert acts.end_pause(guarded) == "TooEarly"
    assert acts.pause_by_guardians(guarded, 2) == ACCEPTED
    guarded.later(2 * SLACK)
    with guarded.moves():
        assert acts.end_pause(guarded, 1) == "WrongPauseId"
        assert acts.end_pause(guarded, 2) == "NotProposed"
        assert acts.unpause(guarded, order) == "WrongPauseId"
        assert acts.consent_unpause(guarded, order) == "WrongPauseId"
        assert acts.pause_by_guardians(guarded, 2) == "WrongPauseId"  # the message that made this one
        assert is_paused(guarded)


@admits(Stolen.VALIDATORS)
def test_one_guardian_stops_a_heal_for_good(guarded: World) -> None:
    assert acts.pause(guarded) == ACCEPTED
    brake = guarded.at("EmergencyBrake")
    with guarded.moves():
        assert guarded.send(brake, calldata("vetoHeal(uint64)", 1), THIEF) == "NotAGuardian"
        assert guarded.send(brake, calldata("vetoHeal(uint64)", 1), guarded.committee.guardians[0]) == ACCEPTED
        assert acts.unpause(guarded, message(guarded), range(4)) == ACCEPTED
        guarded.later(HOUR + SLACK)
        assert acts.end_pause(guarded) == "HealIsVetoed"
        assert is_paused(guarded)


@admits(Stolen.OWNERS)
def test_after_a_heal_limits_are_a_tenth(guarded: World) -> None:
    assert acts.pause(guarded) == ACCEPTED
    assert acts.unpause(guarded, message(guarded)) == ACCEPTED
    guarded.later(HOUR + SLACK)
    assert acts.end_pause(guarded) == ACCEPTED
    with guarded.moves():
        assert guarded.execute(guarded.transfer(MERCHANT.address, HUNDRED)) == "CertificateNeeded"
    with guarded.moves(safe=-39 * USD, merchant=39 * USD):
        assert guarded.execute(guarded.transfer(MERCHANT.address, 39 * USD)) == ACCEPTED
        assert guarded.execute(guarded.transfer(MERCHANT.address, 39 * USD)) == "BucketExceeded"


# Re-arming


@admits(Stolen.SENTINEL)
def test_a_spent_key_is_not_armed_again_by_an_old_message(guarded: World) -> None:
    expires = guarded.now() + 20 * DAY
    assert acts.rearm(guarded, SECOND, expires) == ACCEPTED
    assert acts.pause(guarded, sentinel=SECOND) == ACCEPTED
    guarded.later(SENTINEL_PAUSE)
    with guarded.moves():
        assert acts.rearm(guarded, SECOND, expires) == "MessageUsed"
        assert acts.pause(guarded, 2, sentinel=SECOND) == "NotArmed"
        assert acts.rearm(guarded, SECOND, expires + 1, count=2) == "BelowGuardianQuorum"
        assert acts.rearm(guarded, SECOND, guarded.now() + 31 * DAY) == "OutOfRange"


@admits(Stolen.NOTHING)
def test_a_guardians_signature_counts_once(guarded: World) -> None:
    """The quorum is of keys: the same signature three times, or its other form, is one."""
    order = Pause(1, FOREVER)
    one = guarded.committee.guardian_signatures(order, 1)
    two = guarded.committee.guardian_signatures(order, 2)
    pausing = "pauseByGuardians(uint64,bytes)"
    for signatures, answer in (
        (b"", "BelowGuardianQuorum"),
        (one, "BelowGuardianQuorum"),
        (one * 3, "OutOfOrder"),
        (two + one, "OutOfOrder"),
        (two[:64], "ECDSAInvalidSignatureLength"),
        (bytes(65 * 3), "ECDSAInvalidSignature"),
    ):
        assert guarded.send(guarded.at("EmergencyBrake"), calldata(pausing, 1, signatures)) == answer
    assert not is_paused(guarded)
