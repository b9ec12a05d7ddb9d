"""Ways into a Safe beside its transfers: signatures as a wallet's, contract owners, helpers, what signers were shown.

Lesson F4: a guard was set, but modules went round it; and the page showed a transfer while the signers approved a
delegatecall that replaced the implementation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from kit.chain.addresses import SAFE_SINGLETON
from tests.support.committee import Account, by_all
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.hostile import Hostile
from tests.system.theft.world import (
    ACCEPTED,
    CERTIFIED_FROM,
    FUNDS,
    MERCHANT,
    NO_REASON,
    THIEF,
    TOKEN,
    USD,
    World,
    call,
    hexed,
    mint,
    safe_plan,
)
from verification.multisig import SAFE_DOMAIN_TYPEHASH, SafeTransaction, approved_hash
from verification.signatures.eip712 import Domain, address_word, keccak, word

HUNDRED = 100 * USD
NOBODY = hexed(bytes(20))
ALL = range(4)
FAR = 2**48
SETUP = "setup(address[],uint256,address,bytes,address,address,uint256,address)"
NONCE = bytes(32)
pytestmark = admits(Stolen.OWNERS)


def plain_safe(world: World, handler: bytes = bytes(20)) -> bytes:
    """An ordinary Safe of the same owners."""
    factory = world.create(world.artifacts.safe_creation("proxies/SafeProxyFactory"))
    owners = [hexed(owner.address) for owner in world.committee.owners]
    initializer = call(SETUP, owners, world.committee.owner_threshold, NOBODY, b"", hexed(handler), NOBODY, 0, NOBODY)
    data = call("createProxyWithNonce(address,bytes,uint256)", SAFE_SINGLETON, initializer, 0)
    safe = world.anvil.call(hexed(factory), data)[12:]
    assert world.send(factory, data) == ACCEPTED
    return safe


# ERC-1271: a Safe's signature moves dollars without a transaction of the Safe


def as_wallet(world: World, safe: bytes, digest: bytes) -> bytes:
    """The owners' signatures over a message of their Safe, as its usual fallback handler wants them."""
    separator = keccak(SAFE_DOMAIN_TYPEHASH + word(world.committee.domain.chain_id) + address_word(safe))
    struct = keccak(keccak(b"SafeMessage(bytes message)") + keccak(digest))
    return world.committee.owner_signatures(keccak(b"\x19\x01" + separator + struct))


def dollars(world: World) -> Domain:
    return Domain("USDC", "2", world.committee.domain.chain_id, TOKEN)


def struct(type_: str, *words: bytes) -> bytes:
    return keccak(keccak(type_.encode()) + b"".join(words))


TRANSFER_FIELDS = "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce"
PERMIT_FIELDS = "address owner,address spender,uint256 value,uint256 nonce,uint256 deadline"


def authorization(world: World, safe: bytes, kind: str, to: bytes) -> bytes:
    """EIP-3009: the digest that the payer signs."""
    words = (address_word(safe), address_word(to), word(FUNDS), word(0), word(FAR), NONCE)
    return dollars(world).digest(struct(f"{kind}({TRANSFER_FIELDS})", *words))


def transfer_with_authorization(world: World, safe: bytes, to: bytes) -> bytes:
    digest = authorization(world, safe, "TransferWithAuthorization", to)
    signature = "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)"
    return call(signature, hexed(safe), hexed(to), FUNDS, 0, FAR, NONCE, as_wallet(world, safe, digest))


def receive_with_authorization(world: World, safe: bytes, to: bytes) -> bytes:
    digest = authorization(world, safe, "ReceiveWithAuthorization", to)
    signature = "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)"
    return call(signature, hexed(safe), hexed(to), FUNDS, 0, FAR, NONCE, as_wallet(world, safe, digest))


def by_v_r_s(world: World, safe: bytes, to: bytes) -> bytes:
    """The other form of the function, by one owner's key."""
    digest = authorization(world, safe, "TransferWithAuthorization", to)
    signed = world.committee.owners[0].sign(digest)
    signature = "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)"
    return call(signature, hexed(safe), hexed(to), FUNDS, 0, FAR, NONCE, signed[64], signed[:32], signed[32:64])


def permit(world: World, safe: bytes, to: bytes) -> bytes:
    words = (address_word(safe), address_word(to), word(FUNDS), word(0), word(FAR))
    digest = dollars(world).digest(struct(f"Permit({PERMIT_FIELDS})", *words))
    signature = "permit(address,address,uint256,uint256,bytes)"
    return call(signature, hexed(safe), hexed(to), FUNDS, FAR, as_wallet(world, safe, digest))


BY_SIGNATURE: dict[str, tuple[Callable[[World, bytes, bytes], bytes], str]] = {
    "transferWithAuthorization": (transfer_with_authorization, "FiatTokenV2: invalid signature"),
    "receiveWithAuthorization": (receive_with_authorization, "FiatTokenV2: invalid signature"),
    "v, r, s": (by_v_r_s, "FiatTokenV2: invalid signature"),
    "permit": (permit, "EIP2612: invalid signature"),
}


@pytest.mark.parametrize("name", BY_SIGNATURE)
def test_the_safe_signs_no_token_message(guarded: World, name: str) -> None:
    """It has no fallback handler, so it is no ERC-1271 wallet."""
    make, answer = BY_SIGNATURE[name]
    with guarded.moves():
        assert guarded.send(TOKEN, make(guarded, guarded.safe, THIEF.address), THIEF) == answer
        taking = call("transferFrom(address,address,uint256)", hexed(guarded.safe), hexed(THIEF.address), FUNDS)
        assert guarded.send(TOKEN, taking, THIEF) == "ERC20: transfer amount exceeds allowance"


@pytest.mark.parametrize("name", [name for name in BY_SIGNATURE if name != "v, r, s"])
def test_an_ordinary_safe_with_its_handler_does(guarded: World, name: str) -> None:
    """The same signatures of the same owners: what the guarded Safe is spared."""
    handler = guarded.create(guarded.artifacts.safe_creation("handler/CompatibilityFallbackHandler"))
    victim = plain_safe(guarded, handler)
    mint(guarded.anvil, TOKEN, victim)
    with guarded.moves(also={"victim": victim}, merchant=FUNDS, victim=-FUNDS):
        assert guarded.send(TOKEN, BY_SIGNATURE[name][0](guarded, victim, MERCHANT.address), MERCHANT) == ACCEPTED
        if name == "permit":
            taking = call("transferFrom(address,address,uint256)", hexed(victim), hexed(MERCHANT.address), FUNDS)
            assert guarded.send(TOKEN, taking, MERCHANT) == ACCEPTED


@admits(Stolen.EVERYBODY)
@pytest.mark.parametrize("certified", [False, True])
def test_no_handler_is_ever_set(guarded: World, certified: bool) -> None:
    handler = guarded.create(guarded.artifacts.safe_creation("handler/CompatibilityFallbackHandler"))
    setting = SafeTransaction(guarded.safe, 0, call("setFallbackHandler(address)", hexed(handler)), guarded.nonce())
    with guarded.moves():
        assert guarded.execute(setting, guarded.tail(setting, ALL) if certified else b"") == "NotInTable"
        assert (
            guarded.send(TOKEN, permit(guarded, guarded.safe, THIEF.address), THIEF) == "EIP2612: invalid signature"
        )


# Contracts as owners


def owned_by(world: World, contract: bytes) -> World:
    """A guarded Safe of a contract and two keys, of which two must sign, with money."""
    plan = safe_plan(world.committee, salt=21)
    owners = [hexed(contract), *plan[0][1:]]
    safe = world.planned_safe((owners, *plan[1:]))
    mint(world.anvil, TOKEN, safe)
    return replace(world, safe=safe)


def with_contract(world: World, transaction: SafeTransaction, contract: bytes, static: bytes) -> bytes:
    """The contract's 65 bytes and one key's, ascending by owner."""
    key = world.committee.owners[1]
    signed = key.sign(transaction.hash(world.committee.domain.chain_id, world.safe))
    return static + signed if contract < key.address else signed + static


def test_a_safe_that_owns_approves_by_hash(guarded: World) -> None:
    inner = plain_safe(guarded)
    nested = owned_by(guarded, inner)
    transfer = nested.transfer(MERCHANT.address, HUNDRED)
    tx_hash = transfer.hash(guarded.committee.domain.chain_id, nested.safe)
    approved = approved_hash(inner).encoded
    signatures = with_contract(nested, transfer, inner, approved)
    with nested.moves():
        assert nested.execute(transfer, signatures=signatures) == "GS025"
    approving = SafeTransaction(nested.safe, 0, call("approveHash(bytes32)", tx_hash), 0)
    assert guarded.execute(approving, safe=inner) == ACCEPTED
    with nested.moves(safe=-HUNDRED, merchant=HUNDRED):
        assert nested.execute(transfer, signatures=signatures) == ACCEPTED
        again = replace(transfer, nonce=transfer.nonce + 1)
        assert nested.execute(again, signatures=with_contract(nested, again, inner, approved)) == "GS025"


def test_nobody_approves_in_an_owners_name(guarded: World) -> None:
    inner = plain_safe(guarded)
    nested = owned_by(guarded, inner)
    transfer = nested.transfer(MERCHANT.address, HUNDRED)
    tx_hash = transfer.hash(guarded.committee.domain.chain_id, nested.safe)
    with nested.moves():
        assert nested.send(nested.safe, call("approveHash(bytes32)", tx_hash), THIEF) == "GS030"
        signatures = with_contract(nested, transfer, inner, approved_hash(inner).encoded)
        assert nested.execute(transfer, signatures=signatures) == "GS025"


def test_a_guarded_safe_that_owns_approves_nothing(guarded: World) -> None:
    nested = owned_by(guarded, guarded.safe)
    tx_hash = nested.transfer(THIEF.address, HUNDRED).hash(guarded.committee.domain.chain_id, nested.safe)
    with nested.moves(), guarded.moves():
        assert guarded.by_owners(nested.safe, "approveHash(bytes32)", tx_hash) == "NotInTable"


DYNAMIC: dict[str, tuple[int, str]] = {
    "empty": (0, "MalformedCertificate"),
    "as long as an owner's signature": (33, "ContractSignature"),
    "as long as a certificate": (336 - 32, "ContractSignature"),
    "as long as both": (336 - 32 + 65, "ContractSignature"),
    "a byte more": (336 - 32 + 1, "MalformedCertificate"),
}


@pytest.mark.parametrize("name", DYNAMIC)
def test_a_contracts_signature_is_refused_however_long(trap: Hostile, name: str) -> None:
    """The owner is a contract that says yes to everything, so Safe itself is content."""
    length, answer = DYNAMIC[name]
    world = owned_by(trap.world, trap.accomplice)
    static = address_word(trap.accomplice) + word(130) + b"\x00"
    for amount in (HUNDRED, CERTIFIED_FROM):
        transfer = world.transfer(MERCHANT.address, amount)
        signatures = with_contract(world, transfer, trap.accomplice, static) + word(length) + bytes(length)
        with world.moves():
            assert world.execute(transfer, signatures=signatures) == answer


@admits(Stolen.EVERYBODY)
def test_a_contracts_signature_hidden_in_a_real_certificate_is_refused(trap: Hostile) -> None:
    """Its dynamic part is the certificate's facts hash: 32 zero bytes are an empty signature."""
    world = owned_by(trap.world, trap.accomplice)
    transfer = world.transfer(MERCHANT.address, CERTIFIED_FROM)
    static = address_word(trap.accomplice) + word(130 + 16) + b"\x00"
    signatures = with_contract(world, transfer, trap.accomplice, static)
    with world.moves():
        assert world.execute(transfer, world.tail(transfer, ALL), signatures) == "ContractSignature"


# Safe's own helpers


HELPERS = ("libraries/MultiSend", "libraries/MultiSendCallOnly", "libraries/SignMessageLib", "libraries/CreateCall")


@admits(Stolen.EVERYBODY)
@pytest.mark.parametrize("name", HELPERS)
@pytest.mark.parametrize("operation", [0, 1])
def test_lesson_f4_no_helper_runs_as_the_safe(guarded: World, name: str, operation: int) -> None:
    helper = guarded.create(guarded.artifacts.safe_creation(name))
    approve = call("approve(address,uint256)", hexed(THIEF.address), FUNDS)
    step = bytes(1) + TOKEN + word(0) + word(len(approve)) + approve
    data = {
        "libraries/SignMessageLib": call("signMessage(bytes)", b"anything"),
        "libraries/CreateCall": call("performCreate(uint256,bytes)", 0, b"\x00"),
    }.get(name, call("multiSend(bytes)", step))
    transaction = SafeTransaction(helper, 0, data, guarded.nonce(), operation)
    answer = "OperationNotCall" if operation else "NotInTable"
    with guarded.moves():
        assert guarded.execute(transaction) == answer
        assert guarded.execute(transaction, guarded.tail(transaction, ALL)) == answer


@admits(Stolen.NOTHING)
def test_a_simulation_by_anybody_leaves_nothing_behind(guarded: World) -> None:
    """Safe lets anybody run any code as it, and takes all of it back."""
    sender = guarded.create(guarded.artifacts.safe_creation("libraries/MultiSend"))
    stealing = call("transfer(address,uint256)", hexed(THIEF.address), FUNDS)
    step = bytes(1) + TOKEN + word(0) + word(len(stealing)) + stealing
    data = call("simulateAndRevert(address,bytes)", hexed(sender), call("multiSend(bytes)", step))
    with guarded.moves():
        assert guarded.send(guarded.safe, data, THIEF) not in (ACCEPTED, NO_REASON)  # what the simulation answered


# Lesson F4: what signers were shown, and what they signed


SHOWN: dict[str, Any] = {
    "to": b"\x41" * 20,
    "value": 1,
    "data": call("transfer(address,uint256)", hexed(THIEF.address), FUNDS),
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
    data = call("transfer(address,uint256)", hexed(MERCHANT.address), 0)
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
    steal = call("transfer(address,uint256)", hexed(THIEF.address), FUNDS)
    approve = call("approve(address,uint256)", hexed(THIEF.address), FUNDS)
    registered = answer != "GS104"
    with guarded.moves():
        expected = "OperationNotCall" if operation and registered else answer
        assert guarded.send(guarded.safe, call(signature, hexed(TOKEN), 0, steal, operation), asker) == expected
        expected = expected if operation or not registered else "NotInTable"
        assert guarded.send(guarded.safe, call(signature, hexed(TOKEN), 0, approve, operation), asker) == expected
        own = call("disableModule(address,address)", hexed(bytes(19) + b"\x01"), hexed(guarded.at("Evacuator")))
        assert guarded.send(guarded.safe, call(signature, hexed(guarded.safe), 0, own, operation), asker) == expected


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
    transaction = SafeTransaction(guarded.safe, 0, call(signature, *arguments(guarded)), guarded.nonce())
    config = call("configHashOf(address)", hexed(guarded.safe))
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
    swapping = SafeTransaction(guarded.safe, 0, call(signature, *arguments(guarded)), guarded.nonce())
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
