"""All owners' keys stolen: without validators they move at most the bucket, and only to accounts with standing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.system.theft.world import (
    ACCEPTED,
    CERTIFIED_FROM,
    DAILY,
    DAY,
    FUNDS,
    MERCHANT,
    THIEF,
    TOKEN,
    USD,
    World,
    call,
    create_safe,
    hexed,
)
from verification.multisig import SafeTransaction

Attack = Callable[[World], SafeTransaction]
HUNDRED = 100 * USD


def to_token(signature: str, *values: object) -> Attack:
    return lambda world: SafeTransaction(TOKEN, 0, call(signature, *values), world.nonce())


def to_itself(signature: str, *values: object) -> Attack:
    return lambda world: SafeTransaction(world.safe, 0, call(signature, *values), world.nonce())


def changed(**fields: object) -> Attack:
    return lambda world: replace(world.transfer(MERCHANT.address, HUNDRED), **fields)  # type: ignore[arg-type]


THIEF_ADDRESS = hexed(THIEF.address)
ZERO = "0x" + "00" * 20

ATTACKS: dict[str, tuple[Attack, str]] = {
    "to an account without standing": (lambda world: world.transfer(THIEF.address, HUNDRED), "NoStanding"),
    "above the limit": (lambda world: world.transfer(MERCHANT.address, 20_000 * USD), "CertificateNeeded"),
    "at the limit": (lambda world: world.transfer(MERCHANT.address, CERTIFIED_FROM), "CertificateNeeded"),
    "to the zero address": (lambda world: world.transfer(bytes(20), HUNDRED), "ForbiddenRecipient"),
    "to the token": (lambda world: world.transfer(TOKEN, HUNDRED), "ForbiddenRecipient"),
    "to the guard": (lambda world: world.transfer(world.at("TransferGuard"), HUNDRED), "ForbiddenRecipient"),
    "to itself": (lambda world: world.transfer(world.safe, HUNDRED), "ForbiddenRecipient"),
    "approve, then transferFrom": (to_token("approve(address,uint256)", THIEF_ADDRESS, FUNDS), "NotInTable"),
    "increaseAllowance": (to_token("increaseAllowance(address,uint256)", THIEF_ADDRESS, FUNDS), "NotInTable"),
    "transferFrom itself": (
        lambda world: SafeTransaction(
            TOKEN,
            0,
            call("transferFrom(address,address,uint256)", hexed(world.safe), THIEF_ADDRESS, HUNDRED),
            world.nonce(),
        ),
        "NotInTable",
    ),
    "permit": (
        lambda world: SafeTransaction(
            TOKEN,
            0,
            call(
                "permit(address,address,uint256,uint256,bytes)", hexed(world.safe), THIEF_ADDRESS, FUNDS, 2**60, b""
            ),
            world.nonce(),
        ),
        "NotInTable",
    ),
    "delegatecall": (changed(operation=1), "OperationNotCall"),
    "MultiSend by delegatecall": (
        lambda world: SafeTransaction(THIEF.address, 0, call("multiSend(bytes)", b""), world.nonce(), 1),
        "OperationNotCall",
    ),
    "refund of gas in the token": (
        changed(gas_price=10**6, gas_token=TOKEN, refund_receiver=THIEF.address),
        "RefundNotZero",
    ),
    "a receiver of refunds alone": (changed(refund_receiver=THIEF.address), "RefundNotZero"),
    "base gas": (changed(base_gas=1), "RefundNotZero"),
    "gas for the inner call": (changed(safe_tx_gas=100_000), "RefundNotZero"),
    "the guard taken off": (to_itself("setGuard(address)", ZERO), "ExitNotReady"),
    "the module guard taken off": (to_itself("setModuleGuard(address)", ZERO), "ExitNotReady"),
    "another module": (to_itself("enableModule(address)", THIEF_ADDRESS), "NotInTable"),
    "a fallback handler that answers ERC-1271": (
        to_itself("setFallbackHandler(address)", THIEF_ADDRESS),
        "NotInTable",
    ),
    "an owner added": (to_itself("addOwnerWithThreshold(address,uint256)", THIEF_ADDRESS, 1), "CertificateNeeded"),
    "a lower threshold": (to_itself("changeThreshold(uint256)", 1), "CertificateNeeded"),
    "native currency": (lambda world: SafeTransaction(MERCHANT.address, 1, b"", world.nonce()), "any"),
    "dirty upper bytes of the recipient": (
        changed(data=call("transfer(address,uint256)", hexed(MERCHANT.address), 1)[:4] + b"\xff" * 64),
        "MalformedCall",
    ),
    "a byte more than a transfer has": (
        changed(data=call("transfer(address,uint256)", hexed(MERCHANT.address), HUNDRED) + b"\x00"),
        "MalformedCall",
    ),
    "a token that is not listed": (
        lambda world: world.transfer(MERCHANT.address, 1, THIEF.address),
        "TokenNotListed",
    ),
    "value beside a transfer": (changed(value=1), "any"),
    "the guard asked for limits": (
        lambda world: SafeTransaction(
            world.at("TransferGuard"),
            0,
            call(
                "setLimits(bytes32,address,(uint128,uint128,uint128))",
                bytes(12) + world.safe,
                hexed(TOKEN),
                (FUNDS, FUNDS, FUNDS),
            ),
            world.nonce(),
        ),
        "NotInTable",
    ),
    "an unknown Govern accepted": (
        lambda world: SafeTransaction(
            world.at("TransferGuard"), 0, call("accept(uint64,bytes32)", 1, bytes(32)), world.nonce()
        ),
        "GovernNotPending",
    ),
    "the vault asked to record": (
        lambda world: SafeTransaction(
            world.at("ColdVault"),
            0,
            call("record(address,address,uint256)", hexed(world.safe), hexed(TOKEN), FUNDS),
            world.nonce(),
        ),
        "NotInTable",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_reverts_and_moves_nothing(guarded: World, name: str) -> None:
    attack, error = ATTACKS[name]
    transaction = attack(guarded)
    answer = guarded.execute(transaction)
    assert answer != ACCEPTED
    assert error in ("any", answer), answer
    assert guarded.balance(guarded.safe) == FUNDS
    assert guarded.balance(THIEF.address) == 0


def test_two_days_of_splitting_move_at_most_the_bucket(guarded: World) -> None:
    """Every ten minutes as much as passes: in each 24 h at most L."""
    times: list[tuple[int, int]] = []
    for _ in range(2 * 24 * 6):
        room = guarded.anvil.call(
            guarded.circle.addresses["TransferGuard"],
            call("room(bytes32,address)", bytes(12) + guarded.safe, hexed(TOKEN)),
        )
        amount = min(int.from_bytes(room, "big"), CERTIFIED_FROM - 1)
        if amount and guarded.execute(guarded.transfer(MERCHANT.address, amount)) == ACCEPTED:
            times.append((guarded.now(), amount))
        guarded.later(600)
    for start, _ in times:
        assert sum(amount for time, amount in times if start <= time < start + DAY) <= DAILY
    assert guarded.balance(MERCHANT.address) == sum(amount for _, amount in times) >= DAILY


def test_a_pre_validated_signature_of_somebody_else_is_none(guarded: World) -> None:
    transaction = guarded.transfer(MERCHANT.address, HUNDRED)
    heads = b"".join(bytes(12) + owner.address + bytes(32) + b"\x01" for owner in guarded.committee.owners[:2])
    assert guarded.execute(transaction, signatures=heads) == "GS025"
    assert guarded.balance(guarded.safe) == FUNDS


def test_one_owner_too_few(guarded: World) -> None:
    transaction = guarded.transfer(MERCHANT.address, HUNDRED)
    tx_hash = transaction.hash(guarded.committee.domain.chain_id, guarded.safe)
    one = guarded.committee.owner_signatures(tx_hash, 1)
    assert guarded.execute(transaction, signatures=one) == "GS020"
    assert guarded.execute(transaction, signatures=one + one) == "GS026"
    assert guarded.balance(guarded.safe) == FUNDS


def test_a_surplus_signature_is_no_certificate(guarded: World) -> None:
    transaction = guarded.transfer(MERCHANT.address, HUNDRED)
    tx_hash = transaction.hash(guarded.committee.domain.chain_id, guarded.safe)
    answer = guarded.execute(transaction, signatures=guarded.committee.owner_signatures(tx_hash, 3))
    assert answer in ("MalformedCertificate", "NotThresholdSignatures")
    assert guarded.balance(guarded.safe) == FUNDS


def test_a_strangers_safe_cannot_fill_the_victims_bucket(guarded: World) -> None:
    group = bytes(12) + guarded.safe
    stranger = create_safe(guarded.anvil, guarded.circle, guarded.committee, group=group, salt=7)
    answer = guarded.execute(
        SafeTransaction(TOKEN, 0, call("transfer(address,uint256)", hexed(MERCHANT.address), 0), 0), safe=stranger
    )
    assert answer == "TokenNotListed"
    admitting = SafeTransaction(guarded.at("TransferGuard"), 0, call("admit(address)", hexed(stranger)), 0)
    assert guarded.execute(admitting, safe=stranger) != ACCEPTED


def test_the_guard_answers_registered_safes_only(guarded: World) -> None:
    data = call(
        "checkModuleTransaction(address,uint256,bytes,uint8,address)",
        hexed(TOKEN),
        0,
        call("transfer(address,uint256)", hexed(THIEF.address), FUNDS),
        0,
        hexed(guarded.at("Evacuator")),
    )
    assert guarded.send(guarded.at("TransferGuard"), data, THIEF) == "NotRegistered"
