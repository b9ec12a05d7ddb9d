"""All owners' keys stolen: without validators they move at most the bucket, and only to accounts with standing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from kit.chain.abi import calldata
from kit.chain.rpc import hexed
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.world import CERTIFIED_FROM, FUNDS, MERCHANT, THIEF, TOKEN, USD, World
from verification.multisig import SafeTransaction

Attack = Callable[[World], SafeTransaction]
HUNDRED = 100 * USD
pytestmark = admits(Stolen.OWNERS)


def to_token(signature: str, *values: object) -> Attack:
    return lambda world: SafeTransaction(TOKEN, 0, calldata(signature, *values), world.nonce())


def to_itself(signature: str, *values: object) -> Attack:
    return lambda world: SafeTransaction(world.safe, 0, calldata(signature, *values), world.nonce())


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
            calldata("transferFrom(address,address,uint256)", hexed(world.safe), THIEF_ADDRESS, HUNDRED),
            world.nonce(),
        ),
        "NotInTable",
    ),
    "permit": (
        lambda world: SafeTransaction(
            TOKEN,
            0,
            calldata(
                "permit(address,address,uint256,uint256,bytes)", hexed(world.safe), THIEF_ADDRESS, FUNDS, 2**60, b""
            ),
            world.nonce(),
        ),
        "NotInTable",
    ),
    "delegatecall": (changed(operation=1), "OperationNotCall"),
    "MultiSend by delegatecall": (
        lambda world: SafeTransaction(THIEF.address, 0, calldata("multiSend(bytes)", b""), world.nonce(), 1),
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
    "native currency": (lambda world: SafeTransaction(MERCHANT.address, 1, b"", world.nonce()), "TokenNotListed"),
    "dirty upper bytes of the recipient": (
        changed(data=calldata("transfer(address,uint256)", hexed(MERCHANT.address), 1)[:4] + b"\xff" * 64),
        "MalformedCall",
    ),
    "a byte more than a transfer has": (
        changed(data=calldata("transfer(address,uint256)", hexed(MERCHANT.address), HUNDRED) + b"\x00"),
        "MalformedCall",
    ),
    "a token that is not listed": (
        lambda world: world.transfer(MERCHANT.address, 1, THIEF.address),
        "TokenNotListed",
    ),
    "value beside a transfer": (changed(value=1), "MalformedCall"),
    "the guard asked for limits": (
        lambda world: SafeTransaction(
            world.at("TransferGuard"),
            0,
            calldata(
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
            world.at("TransferGuard"), 0, calldata("accept(uint64,bytes32)", 1, bytes(32)), world.nonce()
        ),
        "GovernNotPending",
    ),
    "the vault asked to record": (
        lambda world: SafeTransaction(
            world.at("ColdVault"),
            0,
            calldata("record(address,address,uint256)", hexed(world.safe), hexed(TOKEN), FUNDS),
            world.nonce(),
        ),
        "NotInTable",
    ),
}


WITH_A_CERTIFICATE = {"ExitNotReady": "MalformedCertificate", "GovernNotPending": "MalformedCertificate"}
"""No certificate belongs to what a Safe schedules or how it leaves."""


@pytest.mark.parametrize("name", ATTACKS)
def test_reverts_and_moves_nothing(guarded: World, name: str) -> None:
    attack, error = ATTACKS[name]
    with guarded.moves():
        assert guarded.execute(attack(guarded)) == error


@admits(Stolen.EVERYBODY)
@pytest.mark.parametrize("name", [name for name, (_, error) in ATTACKS.items() if error != "CertificateNeeded"])
def test_no_certificate_of_all_validators_helps(guarded: World, name: str) -> None:
    """Owners and validators together do nothing that is not in the table."""
    attack, error = ATTACKS[name]
    transaction = attack(guarded)
    with guarded.moves():
        answer = guarded.execute(transaction, guarded.tail(transaction, range(4)))
        assert answer == WITH_A_CERTIFICATE.get(error, error)


@admits(Stolen.OWNERS_AND_F)
@pytest.mark.parametrize("name", [name for name, (_, error) in ATTACKS.items() if error == "CertificateNeeded"])
def test_f_validators_certify_nothing(guarded: World, name: str) -> None:
    transaction = ATTACKS[name][0](guarded)
    with guarded.moves():
        assert guarded.execute(transaction, guarded.tail(transaction, [3])) == "BelowQuorum"
        assert guarded.execute(transaction, guarded.tail(transaction, [2, 3])) == "BelowQuorum"


def test_a_surplus_signature_is_no_certificate(guarded: World) -> None:
    transaction = guarded.transfer(MERCHANT.address, HUNDRED)
    tx_hash = transaction.hash(guarded.committee.domain.chain_id, guarded.safe)
    with guarded.moves():
        signatures = guarded.committee.owner_signatures(tx_hash, 3)
        assert guarded.execute(transaction, signatures=signatures) == "NotThresholdSignatures"


@admits(Stolen.NOTHING)
def test_the_guard_answers_registered_safes_only(guarded: World) -> None:
    data = calldata(
        "checkModuleTransaction(address,uint256,bytes,uint8,address)",
        hexed(TOKEN),
        0,
        calldata("transfer(address,uint256)", hexed(THIEF.address), FUNDS),
        0,
        hexed(guarded.at("Evacuator")),
    )
    with guarded.moves():
        assert guarded.send(guarded.at("TransferGuard"), data, THIEF) == "NotRegistered"
