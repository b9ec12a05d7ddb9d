"""Whoever holds no owner's key: nobody moves money or changes who may."""

from __future__ import annotations

from kit.chain.abi import calldata, signature_of
from kit.chain.rpc import hexed
from tests.system.theft import acts
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.world import FUNDS, MERCHANT, THIEF, TOKEN, USD, World

HUNDRED = 100 * USD
pytestmark = admits(Stolen.VALIDATORS)


@admits(Stolen.GATEWAY)
def test_the_gateways_key_without_the_owners_consent_pays_nobody(guarded: World) -> None:
    data = calldata(
        "payout(address,bytes32,address,address,uint256)",
        hexed(guarded.safe),
        b"\x01" * 32,
        hexed(TOKEN),
        hexed(THIEF.address),
        HUNDRED,
    )
    with guarded.moves():
        assert guarded.send(guarded.at("PayoutModule"), data, THIEF) == "OnlyPayoutKey"


@admits(Stolen.NOTHING)
def test_no_module_call_from_outside(guarded: World) -> None:
    inner = calldata("transfer(address,uint256)", hexed(THIEF.address), FUNDS)
    data = calldata("execTransactionFromModule(address,uint256,bytes,uint8)", hexed(TOKEN), 0, inner, 0)
    with guarded.moves():
        assert guarded.send(guarded.safe, data, THIEF) == "GS104"


@admits(Stolen.NOTHING)
def test_nobody_sets_the_safe_up_again(guarded: World) -> None:
    data = calldata(
        "setup(address[],uint256,address,bytes,address,address,uint256,address)",
        [hexed(THIEF.address)],
        1,
        hexed(bytes(20)),
        b"",
        hexed(bytes(20)),
        hexed(bytes(20)),
        0,
        hexed(bytes(20)),
    )
    with guarded.moves():
        assert guarded.send(guarded.safe, data, THIEF) == "GS200"


def test_all_validators_without_owners_move_nothing(guarded: World) -> None:
    transfer = guarded.transfer(MERCHANT.address, 20_000 * USD)
    with guarded.moves():
        assert guarded.execute(transfer, guarded.tail(transfer, range(4)), signatures=b"\x01" * 130) == "GS025"
        assert acts.evacuate(guarded, signers=range(4)) == "NotPaused"


@admits(Stolen.NOTHING)
def test_nobody_else_changes_what_governor_and_brake_own(guarded: World) -> None:
    thief = [hexed(THIEF.address)]
    everything = (FUNDS, FUNDS, FUNDS)
    set_limits = signature_of(guarded.artifacts, "TransferGuard", "function", "setLimits")
    for contract, data, answer in (
        ("Guardians", calldata("replace(address[],uint256)", thief, 1), "OnlyGovernor"),
        ("StandingRegistry", calldata("replaceAttesters(address[],uint256)", thief, 1), "OnlyGovernor"),
        ("StandingRegistry", calldata("revoke(address)", hexed(MERCHANT.address)), "NotAnAttester"),
        ("StandingRegistry", calldata("disableIssuer(uint32)", 1), "NotAnAttester"),
        ("TransferGuard", calldata(set_limits, guarded.group, hexed(TOKEN), everything), "OnlyGovernor"),
        ("TransferGuard", calldata("announce(bytes32)", bytes(32)), "OnlySafe"),
        ("TransferGuard", calldata("scheduleExit()"), "OnlySafe"),
        ("PayoutModule", calldata("setPayoutKey(bytes32,address)", guarded.group, thief[0]), "OnlyGovernor"),
        ("PayoutModule", calldata("register(address)", thief[0]), "NotRegistered"),
        ("Actions", calldata("open(bool)", False), "NotAnOpener"),
        ("Actions", calldata("take(uint64)", 1), "NotYours"),
        ("Actions", calldata("schedule(uint64,uint64)", 1, 0), "NotYours"),
        ("EmergencyBrake", calldata("vetoHeal(uint64)", 1), "NotAGuardian"),
        ("EmergencyBrake", calldata("revokeSentinel(address)", thief[0]), "NotAGuardian"),
        ("ColdVault", calldata("record(address,address,uint256)", thief[0], hexed(TOKEN), FUNDS), "OnlyEvacuator"),
    ):
        with guarded.moves():
            assert guarded.send(guarded.at(contract), data, THIEF) == answer, (contract, data[:4].hex())
