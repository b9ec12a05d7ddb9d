"""The gateway's, the settlement service's, f validators', the sentinel's keys stolen, each without the owners."""

from __future__ import annotations

from tests.system.theft import acts
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.world import ACCEPTED, DAY, FUNDS, MERCHANT, THIEF, TOKEN, USD, World, call, hexed

HUNDRED = 100 * USD
pytestmark = admits(Stolen.VALIDATORS)


def untouched(world: World) -> bool:
    return world.balance(world.safe) == FUNDS and world.balance(THIEF.address) == 0


def test_the_gateways_key_without_the_owners_consent_pays_nobody(guarded: World) -> None:
    data = call(
        "payout(address,bytes32,address,address,uint256)",
        hexed(guarded.safe),
        b"\x01" * 32,
        hexed(TOKEN),
        hexed(THIEF.address),
        HUNDRED,
    )
    assert guarded.send(guarded.at("PayoutModule"), data, THIEF) == "OnlyPayoutKey"
    assert untouched(guarded)


def test_no_module_call_from_outside(guarded: World) -> None:
    inner = call("transfer(address,uint256)", hexed(THIEF.address), FUNDS)
    data = call("execTransactionFromModule(address,uint256,bytes,uint8)", hexed(TOKEN), 0, inner, 0)
    assert guarded.send(guarded.safe, data, THIEF) == "GS104"
    assert untouched(guarded)


def test_nobody_sets_the_safe_up_again(guarded: World) -> None:
    data = call(
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
    assert guarded.send(guarded.safe, data, THIEF) == "GS200"
    assert untouched(guarded)


def test_all_validators_without_owners_move_nothing(guarded: World) -> None:
    everybody = [0, 1, 2, 3]
    transfer = guarded.transfer(MERCHANT.address, 20_000 * USD)
    assert guarded.execute(transfer, guarded.tail(transfer, everybody), signatures=b"\x01" * 130) != ACCEPTED
    assert acts.evacuate(guarded, signers=everybody) == "NotPaused"
    assert untouched(guarded)


def test_the_empty_bitmap_with_the_point_at_infinity(guarded: World) -> None:
    transfer = guarded.transfer(MERCHANT.address, 20_000 * USD)
    order_head = guarded.tail(transfer)[:48]
    assert guarded.execute(transfer, order_head + bytes(32 + 256)) == "BelowQuorum"
    full = (0b1111).to_bytes(32, "big")
    assert guarded.execute(transfer, order_head + full + bytes(256)) == "InfinityPoint"
    beyond = (0b11111).to_bytes(32, "big")
    assert guarded.execute(transfer, order_head + beyond + guarded.tail(transfer)[80:]) == "UnknownValidator"
    assert untouched(guarded)


def test_a_certificate_for_another_nonce_or_an_expired_one(guarded: World) -> None:
    coming = guarded.transfer(MERCHANT.address, 20_000 * USD)
    later = type(coming)(coming.to, 0, coming.data, coming.nonce + 1)
    assert guarded.execute(coming, guarded.tail(later)) == "InvalidSignature"
    tail = guarded.tail(coming)
    guarded.later(DAY)
    assert guarded.execute(coming, tail) == "CertificateExpired"
    assert untouched(guarded)


def test_nobody_else_changes_what_governor_and_brake_own(guarded: World) -> None:
    thief = [hexed(THIEF.address)]
    for contract, data in (
        ("Guardians", call("replace(address[],uint256)", thief, 1)),
        ("StandingRegistry", call("replaceAttesters(address[],uint256)", thief, 1)),
        ("StandingRegistry", call("revoke(address)", hexed(MERCHANT.address))),
        ("PayoutModule", call("setPayoutKey(bytes32,address)", bytes(12) + guarded.safe, thief[0])),
        ("PayoutModule", call("register(address)", thief[0])),
        ("Actions", call("open(bool)", False)),
        ("EmergencyBrake", call("vetoHeal(uint64)", 1)),
        ("EmergencyBrake", call("revokeSentinel(address)", hexed(guarded.committee.sentinel.address))),
        ("ColdVault", call("record(address,address,uint256)", thief[0], hexed(TOKEN), FUNDS)),
    ):
        assert guarded.send(guarded.at(contract), data, THIEF) != ACCEPTED, (contract, data[:4].hex())
    assert untouched(guarded)
