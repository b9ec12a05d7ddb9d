"""The gateway's, the settlement service's, f validators', the sentinel's keys stolen, each without the owners."""

from __future__ import annotations

from tests.system.theft.world import ACCEPTED, DAY, FUNDS, MERCHANT, THIEF, TOKEN, USD, World, call, hexed
from verification.signatures.messages import (
    Evacuate,
    Govern,
    Parameter,
    Pause,
    Return,
    Rotate,
    govern_key,
    members_hash,
)

HUNDRED = 100 * USD
EVACUATE = "evacuate(uint64,uint64,address,address,bytes)"


def untouched(world: World) -> bool:
    return world.balance(world.safe) == FUNDS and world.balance(THIEF.address) == 0


def pause(world: World, until: int | None = None) -> str:
    order = Pause(1, world.now() + DAY // 4 - 10 if until is None else until)
    return world.send(
        world.at("EmergencyBrake"),
        call(
            "pauseBySentinel(address,uint64,uint64,bytes)",
            hexed(world.committee.sentinel.address),
            1,
            order.until,
            world.committee.sentinel_signature(order),
        ),
    )


def evacuation(world: World, signers: list[int] | None = None) -> bytes:
    order = Evacuate(1, 1, world.safe, TOKEN)
    return call(EVACUATE, 1, 1, hexed(world.safe), hexed(TOKEN), world.committee.quorum_signature(order, signers))


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
    assert guarded.send(guarded.at("Evacuator"), evacuation(guarded, everybody)) == "NotPaused"
    assert untouched(guarded)


def test_f_validators_are_no_quorum(guarded: World) -> None:
    assert pause(guarded) == ACCEPTED
    assert guarded.send(guarded.at("Evacuator"), evacuation(guarded, [0])) == "BelowQuorum"
    rotate = Rotate(2, b"\x02" * 32, guarded.now() + 2 * DAY)
    data = call(
        "scheduleRotation((uint64,bytes32,uint64),bytes,bytes)",
        (2, rotate.keys_hash, rotate.not_before),
        b"",
        guarded.committee.quorum_signature(rotate, [0, 1]),
    )
    assert guarded.send(guarded.at("ValidatorRegistry"), data) != ACCEPTED
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


def test_the_sentinel_stops_six_hours_once_and_moves_nothing(guarded: World) -> None:
    assert pause(guarded, guarded.now() + DAY) == "PauseTooLong"
    assert pause(guarded) == ACCEPTED
    assert guarded.execute(guarded.transfer(MERCHANT.address, HUNDRED)) == "SafeIsPaused"
    transfer = guarded.transfer(MERCHANT.address, 20_000 * USD)
    assert guarded.execute(transfer, guarded.tail(transfer)) == "SafeIsPaused"
    guarded.later(DAY // 4)
    assert pause(guarded) != ACCEPTED
    assert guarded.execute(guarded.transfer(MERCHANT.address, HUNDRED)) == ACCEPTED


def test_evacuation_goes_to_the_vault_and_comes_back_to_its_safe_alone(guarded: World) -> None:
    assert pause(guarded) == ACCEPTED
    vault = guarded.at("ColdVault")
    assert guarded.send(guarded.at("Evacuator"), evacuation(guarded)) == ACCEPTED
    assert guarded.balance(vault) == FUNDS
    assert guarded.send(guarded.at("Evacuator"), evacuation(guarded)) != ACCEPTED
    elsewhere = Return(1, 1, THIEF.address, TOKEN, HUNDRED)
    schedule = "scheduleReturn((uint64,uint64,address,address,uint256),bytes,bytes)"

    def returning(order: Return) -> bytes:
        values = (order.return_id, order.epoch, hexed(order.safe), hexed(order.token), order.amount)
        committee = guarded.committee
        return call(schedule, values, committee.quorum_signature(order), committee.vault_signatures(order))

    assert guarded.send(vault, returning(elsewhere)) == "ExceedsEvacuated"
    assert guarded.send(vault, returning(Return(1, 1, guarded.safe, TOKEN, FUNDS))) == ACCEPTED
    assert guarded.send(vault, call("executeReturn(uint64)", 1)) == "TooEarly"
    guarded.later(2 * DAY)
    assert guarded.send(vault, call("executeReturn(uint64)", 1)) == ACCEPTED
    assert guarded.balance(guarded.safe) == FUNDS


def test_validators_alone_raise_no_limit(guarded: World) -> None:
    """A certified Govern, unvetoed and ripe, still needs the owners' accept; and counts once."""
    group = bytes(12) + guarded.safe
    order = Govern(1, 1, govern_key(Parameter.DAILY_LIMIT, group, TOKEN), FUNDS.to_bytes(32, "big"), 0)
    order = type(order)(1, 1, order.key, order.value, guarded.now() + 3 * DAY)
    data = call(
        "schedule((uint64,uint64,bytes32,bytes32,uint64),(uint8,bytes32,address),bytes)",
        (1, 1, order.key, order.value, order.not_before),
        (0, group, hexed(TOKEN)),
        guarded.committee.quorum_signature(order, [0, 1, 2, 3]),
    )
    governor = guarded.at("Governor")
    assert guarded.send(governor, data) == ACCEPTED
    assert guarded.send(governor, data) == "WrongGovernId"
    assert guarded.send(governor, call("execute(uint64)", 1)) == "TooEarly"
    guarded.later(3 * DAY)
    assert guarded.send(governor, call("execute(uint64)", 1)) == "OwnersHaveNotAccepted"
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
    assert len(members_hash([THIEF.address], 1)) == 32
    assert untouched(guarded)
