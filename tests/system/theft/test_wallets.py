"""A Safe as a wallet and as a wallet's owner: ERC-1271 signatures of it, and contracts that sign for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from kit.chain.abi import calldata
from kit.chain.rpc import hexed
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.hostile import Hostile
from tests.system.theft.world import (
    ACCEPTED,
    CERTIFIED_FROM,
    FUNDS,
    MERCHANT,
    THIEF,
    TOKEN,
    USD,
    World,
    mint,
    plain_safe,
    safe_plan,
)
from verification.multisig import SAFE_DOMAIN_TYPEHASH, SafeTransaction, approved_hash
from verification.signatures.eip712 import Domain, address_word, keccak, word

HUNDRED = 100 * USD
NOBODY = hexed(bytes(20))
ALL = range(4)
FAR = 2**48
NONCE = bytes(32)
pytestmark = admits(Stolen.OWNERS)


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
    return calldata(signature, hexed(safe), hexed(to), FUNDS, 0, FAR, NONCE, as_wallet(world, safe, digest))


def receive_with_authorization(world: World, safe: bytes, to: bytes) -> bytes:
    digest = authorization(world, safe, "ReceiveWithAuthorization", to)
    signature = "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)"
    return calldata(signature, hexed(safe), hexed(to), FUNDS, 0, FAR, NONCE, as_wallet(world, safe, digest))


def by_v_r_s(world: World, safe: bytes, to: bytes) -> bytes:
    """The other form of the function, by one owner's key."""
    digest = authorization(world, safe, "TransferWithAuthorization", to)
    signed = world.committee.owners[0].sign(digest)
    signature = "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)"
    return calldata(signature, hexed(safe), hexed(to), FUNDS, 0, FAR, NONCE, signed[64], signed[:32], signed[32:64])


def permit(world: World, safe: bytes, to: bytes) -> bytes:
    words = (address_word(safe), address_word(to), word(FUNDS), word(0), word(FAR))
    digest = dollars(world).digest(struct(f"Permit({PERMIT_FIELDS})", *words))
    signature = "permit(address,address,uint256,uint256,bytes)"
    return calldata(signature, hexed(safe), hexed(to), FUNDS, FAR, as_wallet(world, safe, digest))


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
        taking = calldata("transferFrom(address,address,uint256)", hexed(guarded.safe), hexed(THIEF.address), FUNDS)
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
            taking = calldata("transferFrom(address,address,uint256)", hexed(victim), hexed(MERCHANT.address), FUNDS)
            assert guarded.send(TOKEN, taking, MERCHANT) == ACCEPTED


@admits(Stolen.EVERYBODY)
@pytest.mark.parametrize("certified", [False, True])
def test_no_handler_is_ever_set(guarded: World, certified: bool) -> None:
    handler = guarded.create(guarded.artifacts.safe_creation("handler/CompatibilityFallbackHandler"))
    setting = SafeTransaction(
        guarded.safe, 0, calldata("setFallbackHandler(address)", hexed(handler)), guarded.nonce()
    )
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
    approving = SafeTransaction(nested.safe, 0, calldata("approveHash(bytes32)", tx_hash), 0)
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
        assert nested.send(nested.safe, calldata("approveHash(bytes32)", tx_hash), THIEF) == "GS030"
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
