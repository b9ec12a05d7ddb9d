"""Sets that are half made, wrongly made, or broken.

Lesson F7: an upgrade skipped one initialiser, the vote threshold was zero, and anyone could withdraw.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kit.chain.abi import calldata, parameter_types
from kit.chain.anvil import CallRefused
from kit.chain.circle import Circle, Plan
from kit.chain.rpc import hexed
from kit.chain.settlement import DEPLOYER, NEIGHBOURS
from kit.chain.statement import type_of
from tests.support.committee import Committee
from tests.system.theft import acts
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.world import (
    ACCEPTED,
    CERTIFIED_FROM,
    DAY,
    FUNDS,
    MERCHANT,
    NO_REASON,
    NOTICE_FROM,
    THIEF,
    USD,
    World,
    mined,
    settlement_plan,
)
from verification.signatures.messages import Parameter, Rotate

HUNDRED = 100 * USD
NOBODY = hexed(bytes(20))
SET = (
    "CertificateVerifier",
    "ValidatorRegistry",
    "Actions",
    "Guardians",
    "Governor",
    "StandingRegistry",
    "EmergencyBrake",
    "ColdVault",
    "TransferGuard",
    "PayoutModule",
    "Evacuator",
    "GuardedSafeFactory",
)
pytestmark = admits(Stolen.NOTHING)


# Half a deployment. Lesson F7, "every external call on a half-initialised deployment".


def half_deployed(world: World, missing: str) -> Circle:
    """All contracts of a new set but one, which everybody else names already."""
    plan = settlement_plan(world.anvil, world.artifacts, world.committee)
    circle = Circle(world.anvil, world.artifacts, Plan(b"\x07" * 32, plan.values, NEIGHBOURS), DEPLOYER)
    for name in circle.addresses:
        if name != missing:
            data = hexed(circle.creation_call(name))
            assert mined(world.anvil, {"from": DEPLOYER, "to": circle.factory, "data": data})["status"] == "0x1"
    return circle


def external_calls(world: World, contract: str) -> Iterator[tuple[str, bytes]]:
    """Each function that could change something, with nothing as its arguments: no signature, no address, zero."""
    for entry in json.loads((world.artifacts.ours / f"{contract}.json").read_text())["abi"]:
        if entry["type"] == "function" and entry["stateMutability"] in ("nonpayable", "payable"):
            kinds = [type_of(each) for each in entry["inputs"]]
            yield entry["name"], calldata(f"{entry['name']}({','.join(kinds)})", *map(nothing, kinds))


def nothing(kind: str) -> Any:
    """The value of a type that says nothing."""
    if kind.endswith("[]"):
        return []
    if kind.startswith("("):
        return tuple(nothing(part) for part in parameter_types(kind))
    if kind.startswith("bytes"):
        return bytes(int(kind[5:] or 0))
    return {"address": NOBODY, "bool": False, "string": ""}.get(kind, 0)


ANYBODYS = {("ValidatorRegistry", "openRecovery")}
"""Gives a number to what guardians may sign. It changes nothing else."""
INITIALISERS = (
    "initialize()",
    "init()",
    "initialize(address)",
    "initialize(address,uint256)",
    "initializeV2()",
    "setUp(bytes)",
    "setGuard(address)",
    "setRegistry(address)",
    "setFactory(address)",
    "setOwner(address)",
    "setThreshold(uint256)",
    "transferOwnership(address)",
    "upgradeTo(address)",
    "upgradeToAndCall(address,bytes)",
    "migrate()",
)


def guesses() -> Iterator[tuple[str, bytes]]:
    for guess in INITIALISERS:
        kinds = parameter_types(guess)
        yield guess, calldata(guess, *map(nothing, kinds))


def accepted_calls(world: World, circle: Circle, whole: bool) -> set[tuple[str, str]]:
    """What a stranger may call of what stands, with nothing as arguments; of a whole set also any initialiser.

    There is none: whether a contract has such a function does not depend on its neighbours.
    """
    found = set()
    for contract, address in circle.addresses.items():
        if not world.anvil.code(address):
            continue
        for name, data in (*external_calls(world, contract), *(guesses() if whole else ())):
            asked = {"from": hexed(THIEF.address), "to": address, "data": hexed(data)}
            try:
                world.anvil.request("eth_call", asked, "latest")
            except CallRefused:
                continue
            found.add((contract, name))
    return found


@pytest.mark.parametrize("missing", ["", *SET])
def test_lesson_f7_nobody_finishes_or_uses_half_a_deployment(guarded: World, missing: str) -> None:
    circle = half_deployed(guarded, missing)
    accepted = accepted_calls(guarded, circle, not missing)
    assert accepted <= ANYBODYS, accepted
    # The one that is missing is the deployer's to make: nobody else's creation stands at that address.
    if missing:
        assert guarded.send(bytes.fromhex(circle.factory[2:]), circle.creation_call(missing), THIEF) == ACCEPTED
        assert not guarded.anvil.code(circle.addresses[missing])


# The same set, live, with one contract gone: as if it had never been made. What needs it refuses, by itself.

NEEDS: dict[str, tuple[str, ...]] = {
    "transfer": ("TransferGuard", "StandingRegistry", "EmergencyBrake"),
    "certified": ("TransferGuard", "StandingRegistry", "EmergencyBrake", "CertificateVerifier", "ValidatorRegistry"),
    "payout": ("TransferGuard", "StandingRegistry", "EmergencyBrake"),
    "exit": ("TransferGuard", "Actions"),
    "govern": ("Actions", "CertificateVerifier", "ValidatorRegistry"),
    "pause": ("Guardians",),
    # Without guardians there is no pause in which to evacuate.
    "evacuation": (
        "TransferGuard",
        "EmergencyBrake",
        "Guardians",
        "ColdVault",
        "CertificateVerifier",
        "ValidatorRegistry",
    ),
}
SENT_TO = {"payout": "PayoutModule", "govern": "Governor", "pause": "EmergencyBrake", "evacuation": "Evacuator"}
"""A call to where nothing stands succeeds and does nothing."""


def everything_tried(world: World) -> dict[str, str]:
    """Every way in which money or power moves, each with all signatures that it could want."""
    large = world.transfer(MERCHANT.address, CERTIFIED_FROM)
    change = acts.Change(Parameter.DAILY_LIMIT, 0, world.group)
    return {
        "certified": world.execute(large, world.tail(large)),
        "transfer": world.execute(world.transfer(MERCHANT.address, HUNDRED)),
        "payout": acts.pay_out(world, 1, HUNDRED),
        "exit": world.by_owners(world.at("TransferGuard"), "scheduleExit()"),
        "govern": acts.schedule(world, change, change.message(world, 2)),
        "pause": acts.pause_by_guardians(world),
        "evacuation": acts.evacuate(world),
    }


@admits(Stolen.EVERYBODY)
@pytest.mark.parametrize("missing", ["", *SET])
def test_lesson_f7_what_needs_a_missing_neighbour_refuses(guarded: World, missing: str) -> None:
    """No call to an empty address is taken for a yes, and money moves as far as each answer says, to the unit."""
    acts.open_payouts(guarded)
    if missing:
        guarded.anvil.request("anvil_setCode", hexed(guarded.at(missing)), "0x")
    answers = everything_tried(guarded)
    for deed, needed in NEEDS.items():
        assert (answers[deed] == ACCEPTED) == (missing not in needed), (deed, answers[deed])
    done = {deed for deed, answer in answers.items() if answer == ACCEPTED and SENT_TO.get(deed) != missing}
    amounts = {"transfer": HUNDRED, "certified": CERTIFIED_FROM, "payout": HUNDRED}
    paid = sum(amount for deed, amount in amounts.items() if deed in done)
    kept = 0 if "evacuation" in done else FUNDS - paid
    assert guarded.balance(MERCHANT.address) == paid
    assert guarded.balance(guarded.safe) == kept
    assert guarded.balance(guarded.at("ColdVault")) == FUNDS - paid - kept


# Lesson F7, "zero threshold, empty set and unset epoch reject everything".


@pytest.mark.parametrize(
    ("contract", "changes", "error"),
    [
        ("Guardians", {"threshold": 0}, "InvalidGuardians"),
        ("Guardians", {"guardians": [], "threshold": 0}, "InvalidGuardians"),
        ("Guardians", {"threshold": 6}, "InvalidGuardians"),
        ("StandingRegistry", {"threshold": 0}, "InvalidAttesters"),
        ("StandingRegistry", {"attesters": [], "threshold": 0}, "InvalidAttesters"),
        ("ColdVault", {"threshold": 0}, "InvalidOwners"),
        ("ColdVault", {"owners": [], "threshold": 0}, "InvalidOwners"),
        ("ValidatorRegistry", {"keys": "0x", "proofs": []}, "TooFewKeys"),
        ("ValidatorRegistry", {"proofs": []}, "InvalidProof"),
    ],
)
def test_lesson_f7_no_set_without_a_threshold_is_made(
    guarded: World, contract: str, changes: dict[str, Any], error: str
) -> None:
    plan = settlement_plan(guarded.anvil, guarded.artifacts, guarded.committee)
    values = {**plan.values, contract: {**plan.values[contract], **changes}}
    circle = Circle(guarded.anvil, guarded.artifacts, Plan(b"\x08" * 32, values, NEIGHBOURS), DEPLOYER)
    with pytest.raises(CallRefused) as refused:
        guarded.anvil.runtime_code(circle.codes[contract])
    assert guarded.error_name(refused.value.data) == error


def unset_epoch(world: World) -> None:
    """As if the registry's first epoch had been forgotten: number and keys of the current one are zero."""
    registry = hexed(world.at("ValidatorRegistry"))
    word = world.anvil.request("eth_getStorageAt", registry, "0x0", "latest")
    assert int(word, 16) & (2**64 - 1) == 1
    world.anvil.store(registry, 0, 0)


@admits(Stolen.OWNERS)
@pytest.mark.parametrize("signature", ["nobody's", "everybody's"])
def test_lesson_f7_without_an_epoch_nothing_is_certified(guarded: World, signature: str) -> None:
    unset_epoch(guarded)
    transfer = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    tail = guarded.tail(transfer, range(4))
    nobodys = tail[8:48] + bytes(288)
    everybodys = tail[8:]
    with guarded.moves():
        forged = bytes(8) + (nobodys if signature == "nobody's" else everybodys)
        assert guarded.execute(transfer, forged) == NO_REASON
        assert guarded.execute(transfer, (1).to_bytes(8, "big") + forged[8:]) == "WrongEpoch"
        assert acts.pause_by_guardians(guarded) == ACCEPTED
        assert acts.evacuate(guarded, epoch=0, signers=range(4)) == NO_REASON


# Lesson F7, "hard caps hold even if the quorum check is broken".


@pytest.fixture
def broken(guarded: World) -> World:
    """The verifier says yes to everything, as one with a threshold of zero would."""
    guarded.anvil.request("anvil_setCode", hexed(guarded.at("CertificateVerifier")), "0x00")
    return guarded


def test_lesson_f7_a_broken_quorum_check_alone_moves_nothing_to_the_thief(broken: World) -> None:
    world = broken
    with world.moves():
        large = world.transfer(THIEF.address, CERTIFIED_FROM)
        assert world.execute(large, bytes(8 + 8 + 32 + 288), signatures=b"\x01" * 130) == "GS025"
        assert acts.evacuate(world, signers=[0]) == "NotPaused"
    assert acts.pause(world) == ACCEPTED
    with world.moves(safe=-FUNDS, vault=FUNDS):
        assert acts.evacuate(world, signers=[0]) == ACCEPTED


@admits(Stolen.OWNERS)
def test_lesson_f7_with_all_owners_too_the_notice_and_standing_hold(broken: World) -> None:
    world = broken
    forged = bytes(8) + (world.now() + 600).to_bytes(8, "big") + bytes(32 + 288)
    with world.moves():
        assert world.execute(world.transfer(THIEF.address, CERTIFIED_FROM), forged) == "NoStanding"
        assert world.execute(world.transfer(MERCHANT.address, NOTICE_FROM), forged) == "NotAnnounced"
        change = acts.Change(Parameter.PAYOUT_KEY, int.from_bytes(THIEF.address, "big"), world.group)
        assert acts.schedule(world, change, change.message(world), [0]) == ACCEPTED
        world.later(2 * DAY + 200)
        assert acts.execute_change(world) == "OwnersHaveNotAccepted"
        late = bytes(8) + (world.now() + 10_000).to_bytes(8, "big") + bytes(32 + 288)
        assert world.execute(world.transfer(MERCHANT.address, CERTIFIED_FROM), late) == "CertificateTooLong"


# Lesson F7, "a malicious member can always be removed".


@admits(Stolen.F_VALIDATORS)
def test_lesson_f7_a_malicious_validator_is_rotated_out_without_its_vote(guarded: World) -> None:
    fresh = Committee.of(4, guard=guarded.at("TransferGuard"), chain_id=guarded.anvil.chain_id, epoch=2)
    keys = fresh.validator_set.evm_keys
    for validator in fresh.validators:
        proving = calldata("prove(bytes,bytes)", validator.evm_key, validator.proof)
        assert guarded.send(guarded.at("ValidatorRegistry"), proving) == ACCEPTED
    order = Rotate(2, fresh.validator_set.keys_hash, guarded.now() + DAY + acts.SLACK)
    scheduling = calldata(
        "scheduleRotation((uint64,bytes32,uint64),bytes,bytes)",
        (2, order.keys_hash, order.not_before),
        keys,
        guarded.committee.quorum_signature(order, [0, 1, 2]),
    )
    assert guarded.send(guarded.at("ValidatorRegistry"), scheduling) == ACCEPTED
    guarded.later(DAY + 2 * acts.SLACK)
    starting = calldata("startEpoch(uint64,bytes)", 1, keys)
    assert guarded.send(guarded.at("ValidatorRegistry"), starting) == ACCEPTED
    transfer = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    with guarded.moves():
        assert guarded.execute(transfer, guarded.tail(transfer, [1, 2, 3])) == "WrongEpoch"
        old = guarded.tail(transfer, [1, 2, 3])
        assert guarded.execute(transfer, (2).to_bytes(8, "big") + old[8:]) == "InvalidSignature"
