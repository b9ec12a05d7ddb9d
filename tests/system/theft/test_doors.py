"""Ways into a Safe beside its transfers: helpers, what signers were shown, modules, its configuration.

Lesson F4: a guard was set, but modules went round it; and the page showed a transfer while the signers approved a
delegatecall that replaced the implementation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from kit.chain.abi import calldata
from kit.chain.rpc import hexed
from tests.support.committee import Account, by_all
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.hostile import Hostile
from tests.system.theft.world import ACCEPTED, CERTIFIED_FROM, FUNDS, MERCHANT, NO_REASON, THIEF, TOKEN, USD, World
from verification.multisig import SafeTransaction
from verification.signatures.eip712 import word

HUNDRED = 100 * USD
ALL = range(4)
pytestmark = admits(Stolen.OWNERS)


# Safe's own helpers


HELPERS = ("libraries/MultiSend", "libraries/MultiSendCallOnly", "libraries/SignMessageLib", "libraries/CreateCall")


@admits(Stolen.EVERYBODY)
@pytest.mark.parametrize("name", HELPERS)
@pytest.mark.parametrize("operation", [0, 1])
def test_lesson_f4_no_helper_runs_as_the_safe(guarded: World, name: str, operation: int) -> None:
    helper = guarded.create(guarded.artifacts.safe_creation(name))
    approve = calldata("approve(address,uint256)", hexed(THIEF.address), FUNDS)
    step = bytes(1) + TOKEN + word(0) + word(len(approve)) + approve
    data = {
        "libraries/SignMessageLib": calldata("signMessage(bytes)", b"anything"),
        "libraries/CreateCall": calldata("performCreate(uint256,bytes)", 0, b"\x00"),
    }.get(name, calldata("multiSend(bytes)", step))
    transaction = SafeTransaction(helper, 0, data, guarded.nonce(), operation)
    answer = "OperationNotCall" if operation else "NotInTable"
    with guarded.moves():
        assert guarded.execute(transaction) == answer
        assert guarded.execute(transaction, guarded.tail(transaction, ALL)) == answer


@admits(Stolen.NOTHING)
def test_a_simulation_by_anybody_leaves_nothing_behind(guarded: World) -> None:
    """Safe lets anybody run any code as it, and takes all of it back."""
    sender = guarded.create(guarded.artifacts.safe_creation("libraries/MultiSend"))
    stealing = calldata("transfer(address,uint256)", hexed(THIEF.address), FUNDS)
    step = bytes(1) + TOKEN + word(0) + word(len(stealing)) + stealing
    data = calldata("simulateAndRevert(address,bytes)", hexed(sender), calldata("multiSend(bytes)", step))
    with guarded.moves():
        assert guarded.send(guarded.safe, data, THIEF) not in (ACCEPTED, NO_REASON)  # what the simulation answered


# Lesson F4: what signers were shown, and what they signed


SHOWN: dict[str, Any] = {
    "to": b"\x41" * 20,
    "value": 1,
    "data": calldata("transfer(address,uint256)", hexed(THIEF.address), FUNDS),
    "operation": 1,
    "safe_tx_gas": 1,
    "base_gas": 1,
    "gas_price": 1,
    "gas_token": TOKEN,
    "refund_receiver": THIEF.address,
}


@pytest.mark.parametrize("name", SHOWN)
def test_lesson_f4_a_field_altered_after_signing_is_another_transaction(guarded: World, name: str) -> None:
    shown = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    signatures = guarded.committee.owner_signatures(shown.hash(guarded.committee.domain.chain_id, guarded.safe))
    with guarded.moves():
        assert guarded.execute(replace(shown, **{name: SHOWN[name]}), guarded.tail(shown, ALL), signatures) == "GS026"


WHY: dict[str, str] = {
    "to": "TokenNotListed",
    "value": "MalformedCall",
    "data": "NoStanding",
    "operation": "OperationNotCall",
    "safe_tx_gas": "RefundNotZero",
    "base_gas": "RefundNotZero",
    "gas_price": "RefundNotZero",
    "gas_token": "RefundNotZero",
    "refund_receiver": "RefundNotZero",
}


@pytest.mark.parametrize("name", SHOWN)
def test_lesson_f4_signers_who_were_shown_a_transfer_and_signed_something_else(guarded: World, name: str) -> None:
    """They sign blindly, and the validators certified what was shown."""
    shown = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    signed = replace(shown, **{name: SHOWN[name]})
    with guarded.moves():
        assert guarded.execute(signed, guarded.tail(shown, ALL)) == WHY[name]


def test_every_field_of_a_safe_transaction_is_altered_above() -> None:
    assert {each.name for each in fields(SafeTransaction)} == {*SHOWN, "nonce"}


@admits(Stolen.EVERYBODY)
def test_lesson_f4_the_implementation_is_never_replaced(guarded: World) -> None:
    """Bybit: owners signed a delegatecall whose code wrote the proxy's slot 0. Here with every signature there is."""
    # PUSH1 1, PUSH0, SSTORE, STOP
    code = bytes.fromhex("60015f5500")
    target = b"\x42" * 20
    guarded.anvil.place(hexed(target), code)
    data = calldata("transfer(address,uint256)", hexed(MERCHANT.address), 0)
    before = guarded.anvil.request("eth_getStorageAt", hexed(guarded.safe), "0x0", "latest")
    with guarded.moves():
        for operation in (1, 0):
            transaction = SafeTransaction(target, 0, data, guarded.nonce(), operation)
            for tail in (b"", guarded.tail(transaction, ALL)):
                answer = guarded.execute(transaction, tail)
                assert answer == ("OperationNotCall" if operation else "TokenNotListed")
    assert guarded.anvil.request("eth_getStorageAt", hexed(guarded.safe), "0x0", "latest") == before


MODULE_CALLS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "execTransactionFromModule": ("execTransactionFromModule(address,uint256,bytes,uint8)", (0,)),
    "and its data": ("execTransactionFromModuleReturnData(address,uint256,bytes,uint8)", (0,)),
    "by delegatecall": ("execTransactionFromModule(address,uint256,bytes,uint8)", (1,)),
}


@admits(Stolen.GATEWAY)
@pytest.mark.parametrize("name", MODULE_CALLS)
@pytest.mark.parametrize(
    ("module", "answer"), [("PayoutModule", "NoStanding"), ("Evacuator", "NotToVault"), ("Governor", "GS104")]
)
def test_lesson_f4_a_module_does_not_go_round_the_guard(guarded: World, name: str, module: str, answer: str) -> None:
    """Even one whose code was replaced by the thief's: the module guard looks at what it asks for."""
    signature, (operation,) = MODULE_CALLS[name]
    asker = Account(f"as {module}")
    asker.address = guarded.at(module)
    steal = calldata("transfer(address,uint256)", hexed(THIEF.address), FUNDS)
    approve = calldata("approve(address,uint256)", hexed(THIEF.address), FUNDS)
    registered = answer != "GS104"
    with guarded.moves():
        expected = "OperationNotCall" if operation and registered else answer
        assert guarded.send(guarded.safe, calldata(signature, hexed(TOKEN), 0, steal, operation), asker) == expected
        expected = expected if operation or not registered else "NotInTable"
        assert guarded.send(guarded.safe, calldata(signature, hexed(TOKEN), 0, approve, operation), asker) == expected
        own = calldata("disableModule(address,address)", hexed(bytes(19) + b"\x01"), hexed(guarded.at("Evacuator")))
        assert (
            guarded.send(guarded.safe, calldata(signature, hexed(guarded.safe), 0, own, operation), asker) == expected
        )


CONFIGURING: dict[str, tuple[str, Callable[[World], tuple[Any, ...]]]] = {
    "an owner added": ("addOwnerWithThreshold(address,uint256)", lambda _: (hexed(THIEF.address), 1)),
    "an owner swapped": (
        "swapOwner(address,address,address)",
        lambda world: (hexed(bytes(19) + b"\x01"), owner(world, 0), hexed(THIEF.address)),
    ),
    "an owner removed": (
        "removeOwner(address,address,uint256)",
        lambda world: (hexed(bytes(19) + b"\x01"), owner(world, 0), 1),
    ),
    "the threshold lowered": ("changeThreshold(uint256)", lambda _: (1,)),
    "the evacuator disabled": (
        "disableModule(address,address)",
        lambda world: (hexed(bytes(19) + b"\x01"), hexed(world.at("Evacuator"))),
    ),
}


def owner(world: World, place: int) -> str:
    return hexed(world.committee.owners[place].address)


@pytest.mark.parametrize("name", CONFIGURING)
def test_owners_change_nothing_of_their_safe_without_a_certificate(guarded: World, name: str) -> None:
    """With one they do: the last line shows that the refusals are for want of it."""
    signature, arguments = CONFIGURING[name]
    transaction = SafeTransaction(guarded.safe, 0, calldata(signature, *arguments(guarded)), guarded.nonce())
    config = calldata("configHashOf(address)", hexed(guarded.safe))
    before = guarded.anvil.call(hexed(guarded.at("TransferGuard")), config)
    with guarded.moves():
        assert guarded.execute(transaction) == "CertificateNeeded"
        assert guarded.execute(transaction, guarded.tail(transaction, [0, 1])) == "BelowQuorum"
        assert guarded.execute(transaction, guarded.tail(guarded.transfer(MERCHANT.address, 1))) == "InvalidSignature"
        assert guarded.anvil.call(hexed(guarded.at("TransferGuard")), config) == before
        assert guarded.execute(transaction, guarded.tail(transaction)) == ACCEPTED
    assert guarded.anvil.call(hexed(guarded.at("TransferGuard")), config) != before


def test_an_owner_who_left_signs_nothing_any_more(guarded: World) -> None:
    """Signatures that were collected before count against the owners of the moment."""
    people = guarded.committee
    coming = replace(guarded.transfer(MERCHANT.address, HUNDRED), nonce=guarded.nonce() + 1)
    tx_hash = coming.hash(people.domain.chain_id, guarded.safe)
    collected = people.owner_signatures(tx_hash)
    signature, arguments = CONFIGURING["an owner swapped"]
    swapping = SafeTransaction(guarded.safe, 0, calldata(signature, *arguments(guarded)), guarded.nonce())
    assert guarded.execute(swapping, guarded.tail(swapping)) == ACCEPTED
    with guarded.moves():
        assert guarded.execute(coming, signatures=collected) == "GS026"
    with guarded.moves(safe=-HUNDRED, merchant=HUNDRED):
        assert guarded.execute(coming, signatures=by_all(people.owners[1:], tx_hash)) == ACCEPTED


# Native currency


@admits(Stolen.EVERYBODY)
def test_native_currency_always_needs_a_certificate_standing_and_a_listing(trap: Hostile, guarded: World) -> None:
    world = trap.world  # lists it; the other Safe does not
    guarded.anvil.fund(hexed(guarded.safe), FUNDS)
    with world.moves(bytes(20)), guarded.moves():
        one = SafeTransaction(MERCHANT.address, 1, b"", world.nonce())
        assert world.execute(one) == "CertificateNeeded"
        thiefs = SafeTransaction(THIEF.address, 1, b"", world.nonce())
        assert world.execute(thiefs, world.tail(thiefs, ALL)) == "NoStanding"
        with_data = SafeTransaction(MERCHANT.address, 1, b"\x00" * 4, world.nonce())
        assert world.execute(with_data, world.tail(with_data, ALL)) == "NotInTable"
        unlisted = SafeTransaction(MERCHANT.address, 1, b"", guarded.nonce())
        assert guarded.execute(unlisted, guarded.tail(unlisted, ALL)) == "TokenNotListed"
