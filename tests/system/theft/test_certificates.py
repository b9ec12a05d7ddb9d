"""Forged certificates: what a thief can make of bits, points and keys without 2f + 1 votes for just this order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from py_ecc.bls.g2_primitives import G1_to_pubkey, pubkey_to_G1
from py_ecc.optimized_bls12_381.optimized_curve import add, curve_order, neg

from kit.chain.abi import calldata
from kit.chain.rpc import hexed
from tests.integration.contracts.quorum_reference import P
from tests.system.theft import acts
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.world import ACCEPTED, CERTIFIED_FROM, DAY, FUNDS, MERCHANT, THIEF, USD, World
from verification.multisig import SafeTransaction
from verification.quorum import Certificate, QuorumSignature
from verification.signatures.bls import BLS, SecretKey, generate, key_to_evm, signature_to_evm
from verification.signatures.eip712 import keccak, word
from verification.signatures.messages import Order, Rotate

ALL = range(4)
HUNDRED = 100 * USD
THIEFS_SECRET = generate(keccak(b"the thief's BLS key"))
pytestmark = admits(Stolen.OWNERS_AND_F)

Forgery = Callable[[World, Order], bytes]
"""What follows the certificate's head: 288 bytes."""


def encoded(bitmap: int, signature: bytes) -> bytes:
    return word(bitmap) + signature_to_evm(signature)


def by(world: World, order: Order, signers: Sequence[int]) -> list[bytes]:
    return [vote.signature for vote in world.committee.votes(order, signers)]


def with_bits(signers: Sequence[int], bitmap: int) -> Forgery:
    """The sum of these validators' signatures, said to be those of the bitmap."""
    return lambda world, order: encoded(bitmap, BLS.aggregate(by(world, order, signers)))


def over_another_digest(world: World, order: Order) -> bytes:
    other = Order(order.safe, keccak(b"another"), order.safe_nonce, order.epoch, order.valid_until, order.facts_hash)
    return world.committee.quorum_signature(other, ALL)


def by_the_thief_alone(world: World, order: Order) -> bytes:
    return encoded(0b0111, BLS.sign(THIEFS_SECRET, world.committee.digest(order)))


def with_the_thiefs_beside(world: World, order: Order) -> bytes:
    thiefs = BLS.sign(THIEFS_SECRET, world.committee.digest(order))
    return encoded(0b0111, BLS.aggregate([*by(world, order, [0, 1]), thiefs]))


def as_a_proof_of_possession(world: World, order: Order) -> bytes:
    """The proofs that all validators once published are signatures too, in another suite."""
    proofs = [validator.proof for validator in world.committee.validators]
    return word(0b0001) + proofs[0]


def negated(world: World, order: Order) -> bytes:
    """The point's mirror image, which is on the curve and in the subgroup."""
    point = world.committee.quorum_signature(order, ALL)
    y = [int.from_bytes(point[start : start + 64], "big") for start in (160, 224)]
    return point[:160] + b"".join((P - part).to_bytes(64, "big") for part in y)


def not_reduced(world: World, order: Order) -> bytes:
    """The same coordinate and once more the field's modulus: another encoding of a valid signature."""
    point = world.committee.quorum_signature(order, ALL)
    x = int.from_bytes(point[32:96], "big") + P
    return point[:32] + x.to_bytes(64, "big") + point[96:]


def off_the_curve(world: World, order: Order) -> bytes:
    point = bytearray(world.committee.quorum_signature(order, ALL))
    point[-1] ^= 1
    return bytes(point)


def dirty(world: World, order: Order) -> bytes:
    point = bytearray(world.committee.quorum_signature(order, ALL))
    point[32] = 1
    return bytes(point)


def nothing(bitmap: int) -> Forgery:
    return lambda world, order: word(bitmap) + bytes(256)


FORGERIES: dict[str, tuple[Forgery, str]] = {
    "nobody, infinity": (nothing(0), "BelowQuorum"),
    "everybody, infinity": (nothing(0b1111), "InfinityPoint"),
    "a quorum, infinity": (nothing(0b0111), "InfinityPoint"),
    "f validators": (with_bits([0], 0b0001), "BelowQuorum"),
    "2f validators": (with_bits([0, 1], 0b0011), "BelowQuorum"),
    "2f validators, said to be a quorum": (with_bits([0, 1], 0b0111), "InvalidSignature"),
    "one validator, said to be all": (with_bits([0], 0b1111), "InvalidSignature"),
    "one validator three times": (with_bits([0, 0, 0], 0b0111), "InvalidSignature"),
    "other three than the bits": (with_bits([0, 1, 2], 0b1110), "InvalidSignature"),
    "all, one bit missing": (with_bits([0, 1, 2, 3], 0b0111), "InvalidSignature"),
    "the first bit beyond n": (with_bits([0, 1, 2], 0b10111), "UnknownValidator"),
    "2f and a bit beyond n": (with_bits([0, 1], 0b10011), "UnknownValidator"),
    "the last bit": (with_bits([0, 1, 2], 0b0111 | 1 << 255), "UnknownValidator"),
    "all bits": (with_bits([0, 1, 2, 3], 2**256 - 1), "UnknownValidator"),
    "another digest": (over_another_digest, "InvalidSignature"),
    "the thief's signature": (by_the_thief_alone, "InvalidSignature"),
    "two votes and the thief's": (with_the_thiefs_beside, "InvalidSignature"),
    "a proof of possession": (as_a_proof_of_possession, "BelowQuorum"),
    "the mirror image": (negated, "InvalidSignature"),
    "a coordinate above the modulus": (not_reduced, "InvalidSignature"),
    "a point off the curve": (off_the_curve, "InvalidSignature"),
    "dirty upper bytes": (dirty, "InvalidSignature"),
}


def with_quorum(order: Order, quorum: bytes) -> bytes:
    return order.epoch.to_bytes(8, "big") + order.valid_until.to_bytes(8, "big") + order.facts_hash + quorum


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_certificates_move_nothing(guarded: World, name: str) -> None:
    forge, answer = FORGERIES[name]
    transfer = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    order = guarded.committee.order(guarded.safe, transfer, valid_until=guarded.now() + 600)
    with guarded.moves():
        assert guarded.execute(transfer, with_quorum(order, forge(guarded, order))) == answer


@pytest.mark.parametrize("signers", [[0, 1, 2], [1, 2, 3], [0, 1, 2, 3]])
def test_every_quorum_is_as_good(guarded: World, signers: list[int]) -> None:
    """So that the refusals above are not for another reason."""
    transfer = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    with guarded.moves(safe=-CERTIFIED_FROM, merchant=CERTIFIED_FROM):
        assert guarded.execute(transfer, guarded.tail(transfer, signers)) == ACCEPTED


CHANGES: dict[str, tuple[slice, str]] = {
    "the epoch": (slice(0, 8), "WrongEpoch"),
    "until when": (slice(8, 16), "InvalidSignature"),
    "the facts": (slice(16, 48), "InvalidSignature"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_in_a_certificate_can_be_changed(guarded: World, name: str) -> None:
    place, answer = CHANGES[name]
    transfer = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    tail = bytearray(guarded.tail(transfer))
    tail[place.stop - 1] ^= 1
    with guarded.moves():
        assert guarded.execute(transfer, bytes(tail)) == answer


@pytest.mark.parametrize("length", [0, 1, 48, 287, 288, 335, 337, 336 * 2])
def test_a_certificate_is_336_bytes(guarded: World, length: int) -> None:
    transfer = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    tail = (guarded.tail(transfer) * 2)[:length]
    with guarded.moves():
        assert guarded.execute(transfer, tail) == ("MalformedCertificate" if length else "CertificateNeeded")


@pytest.mark.parametrize(
    ("valid_for", "later", "answer"),
    [(600, 700, "CertificateExpired"), (3_900, 0, "CertificateTooLong"), (3_500, 0, ACCEPTED)],
)
def test_a_certificate_lives_an_hour_at_most(guarded: World, valid_for: int, later: int, answer: str) -> None:
    transfer = guarded.transfer(MERCHANT.address, CERTIFIED_FROM)
    tail = guarded.tail(transfer, valid_for=valid_for)
    guarded.later(later)
    moved = CERTIFIED_FROM if answer == ACCEPTED else 0
    with guarded.moves(safe=-moved, merchant=moved):
        assert guarded.execute(transfer, tail) == answer


# A rogue key: the thief's own minus the sum of the others, so that the sum of all is the thief's


def rogue_key(world: World, others: Sequence[int]) -> bytes:
    """48 bytes."""
    point = pubkey_to_G1(BLS.public_key(THIEFS_SECRET))  # type: ignore[arg-type]
    for number in others:
        point = add(point, neg(pubkey_to_G1(world.committee.validators[number].key)))  # type: ignore[arg-type]
    return bytes(G1_to_pubkey(point))


def test_a_rogue_key_would_sign_for_all_and_is_not_registered(guarded: World) -> None:
    rogue = rogue_key(guarded, [0, 1, 2])
    digest = keccak(b"whatever the thief wants")
    others = [guarded.committee.validators[number].key for number in (0, 1, 2)]
    assert BLS.verify_aggregate([*others, rogue], digest, BLS.sign(THIEFS_SECRET, digest))
    registry = guarded.at("ValidatorRegistry")
    proofs = {
        "the thief's own": signature_to_evm(BLS.prove_possession(THIEFS_SECRET)),
        "over the rogue key, as a vote": signature_to_evm(BLS.sign(THIEFS_SECRET, rogue)),
        "an honest validator's": guarded.committee.validators[0].proof,
        "infinity": bytes(256),
    }
    with guarded.moves():
        for proof in proofs.values():
            data = calldata("prove(bytes,bytes)", key_to_evm(rogue), proof)
            assert guarded.send(registry, data, THIEF) == "InvalidProof"
        assert guarded.send(registry, calldata("prove(bytes,bytes)", bytes(128), bytes(256)), THIEF) == "InvalidProof"


@admits(Stolen.VALIDATORS)
def test_a_rogue_key_is_in_no_set_even_when_all_validators_want_it(guarded: World) -> None:
    rogue = key_to_evm(rogue_key(guarded, [0, 1, 2]))
    keys = sorted([*(each.evm_key for each in guarded.committee.validators[:3]), rogue])
    order = Rotate(2, keccak(b"".join(keys)), guarded.now() + DAY + acts.SLACK)
    data = calldata(
        "scheduleRotation((uint64,bytes32,uint64),bytes,bytes)",
        (2, order.keys_hash, order.not_before),
        b"".join(keys),
        guarded.committee.quorum_signature(order, ALL),
    )
    with guarded.moves():
        assert guarded.send(guarded.at("ValidatorRegistry"), data) == "KeyNotProven"


@admits(Stolen.VALIDATORS)
@pytest.mark.parametrize("kind", ["twice the same key", "a key and its negation", "three keys"])
def test_a_set_has_four_different_keys(guarded: World, kind: str) -> None:
    """Two places of one validator would count as two."""
    keys = [each.evm_key for each in guarded.committee.validators]
    mirrored = generate(keccak(b"mirrored"))
    opposite = SecretKey(curve_order - mirrored.scalar)
    pair = []
    for secret in (mirrored, opposite):
        key = key_to_evm(BLS.public_key(secret))
        proving = calldata("prove(bytes,bytes)", key, signature_to_evm(BLS.prove_possession(secret)))
        assert guarded.send(guarded.at("ValidatorRegistry"), proving) == ACCEPTED
        pair.append(key)
    made = {
        "twice the same key": sorted([*keys[:3], keys[2]]),
        "a key and its negation": sorted([*keys[:2], *pair]),
        "three keys": keys[:3],
    }[kind]
    order = Rotate(2, keccak(b"".join(made)), guarded.now() + DAY + acts.SLACK)
    data = calldata(
        "scheduleRotation((uint64,bytes32,uint64),bytes,bytes)",
        (2, order.keys_hash, order.not_before),
        b"".join(made),
        guarded.committee.quorum_signature(order, ALL),
    )
    with guarded.moves():
        answer = guarded.send(guarded.at("ValidatorRegistry"), data)
        assert answer == ("TooFewKeys" if kind == "three keys" else "KeysNotAscending")


# All validators and too few owners; all owners and no validator


@admits(Stolen.VALIDATORS)
@pytest.mark.parametrize(
    ("signatures", "answer", "with_certificate"),
    [(0, "GS020", "GS021"), (1, "GS020", "GS021"), (2, "GS026", "GS026")],
    ids=["no owner", "all but one", "one owner twice"],
)
def test_all_validators_and_too_few_owners_move_nothing(
    guarded: World, signatures: int, answer: str, with_certificate: str
) -> None:
    for to, amount in ((MERCHANT.address, HUNDRED), (MERCHANT.address, CERTIFIED_FROM), (THIEF.address, FUNDS)):
        transfer = guarded.transfer(to, amount)
        tx_hash = transfer.hash(guarded.committee.domain.chain_id, guarded.safe)
        one = guarded.committee.owners[0].sign(tx_hash)
        with guarded.moves():
            assert guarded.execute(transfer, signatures=one * signatures) == answer
            # Behind too few signatures Safe reads the certificate as the next ones: of a contract, by its zeros.
            tail = guarded.tail(transfer, ALL)
            assert guarded.execute(transfer, tail, one * signatures) == with_certificate


@admits(Stolen.VALIDATORS)
def test_the_owners_signatures_are_for_this_transaction(guarded: World) -> None:
    signed = guarded.transfer(MERCHANT.address, HUNDRED)
    wanted = guarded.transfer(THIEF.address, FUNDS)
    signatures = guarded.committee.owner_signatures(signed.hash(guarded.committee.domain.chain_id, guarded.safe))
    with guarded.moves():
        assert guarded.execute(wanted, guarded.tail(wanted, ALL), signatures) == "GS026"


@admits(Stolen.OWNERS)
def test_all_owners_without_a_validator_get_the_bucket_to_accounts_with_standing(guarded: World) -> None:
    with guarded.moves(safe=1 - CERTIFIED_FROM, merchant=CERTIFIED_FROM - 1):
        assert guarded.execute(guarded.transfer(MERCHANT.address, CERTIFIED_FROM - 1)) == ACCEPTED
        assert guarded.execute(guarded.transfer(MERCHANT.address, CERTIFIED_FROM - 1)) == "BucketExceeded"
        assert guarded.execute(guarded.transfer(MERCHANT.address, CERTIFIED_FROM)) == "CertificateNeeded"
        assert guarded.execute(guarded.transfer(THIEF.address, 1)) == "NoStanding"


@admits(Stolen.EVERYBODY)
def test_a_certificate_does_not_stand_in_for_standing(guarded: World) -> None:
    transfer = guarded.transfer(THIEF.address, CERTIFIED_FROM)
    with guarded.moves():
        assert guarded.execute(transfer, guarded.tail(transfer, ALL)) == "NoStanding"


def test_certificates_of_the_python_side_are_what_is_forged_here(guarded: World) -> None:
    """The head and the order of the parts are those of `Certificate`."""
    transfer = SafeTransaction(MERCHANT.address, 0, b"", 0)
    order = guarded.committee.order(guarded.safe, transfer, valid_until=1)
    quorum = guarded.committee.quorum_signature(order)
    certificate = Certificate(order.epoch, order.valid_until, order.facts_hash, QuorumSignature.decode(quorum))
    assert with_quorum(order, quorum) == certificate.encode() == guarded.committee.tail(order)
    assert hexed(order.safe) == hexed(guarded.safe)
