"""Votes, tallies and certificates; the properties hold for every number of validators that is tried."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.committee import Committee
from verification.quorum import (
    LEAST_VALIDATORS,
    MOST_VALIDATORS,
    TAIL_LENGTH,
    Certificate,
    InvalidValidators,
    MalformedCertificate,
    QuorumRefusal,
    QuorumRefused,
    QuorumSignature,
    ValidatorSet,
    Vote,
    VoteRefusal,
    quorum_size,
    tally,
)
from verification.signatures.bls import BLS, MalformedPoint, key_to_evm
from verification.signatures.eip712 import keccak
from verification.signatures.messages import Order, Veto

SOME = settings(max_examples=25, deadline=None)
COMMITTEE = Committee.of(4)
SET = COMMITTEE.validator_set
MESSAGE = Veto(7)
DIGEST = COMMITTEE.digest(MESSAGE)
OTHER = COMMITTEE.digest(Veto(8))
INFINITY = b"\xc0" + bytes(95)


@cache
def committee(validators: int) -> Committee:
    return Committee.of(validators)


def refusals(votes: list[Vote]) -> list[VoteRefusal]:
    return [each.reason for each in tally(SET, DIGEST, votes).refused]


@pytest.mark.parametrize(("validators", "size"), [(4, 3), (5, 4), (6, 5), (7, 5), (10, 7), (19, 13), (67, 45)])
def test_quorum_size(validators: int, size: int) -> None:
    assert quorum_size(validators) == size


@given(st.integers(LEAST_VALIDATORS, 1000))
def test_quorums_share_an_honest_validator_and_need_no_faulty_one(validators: int) -> None:
    faulty, size = (validators - 1) // 3, quorum_size(validators)
    assert 2 * size - validators > faulty
    assert size <= validators - faulty


@pytest.mark.parametrize("validators", [-1, 0, 1, 3])
def test_too_few_validators(validators: int) -> None:
    with pytest.raises(InvalidValidators):
        quorum_size(validators)


# The set


def test_set_is_ordered_whatever_the_order_of_its_keys() -> None:
    assert ValidatorSet.of(1, reversed(SET.keys)) == SET
    assert SET.evm_keys == b"".join(key_to_evm(key) for key in SET.keys)
    assert SET.keys_hash == keccak(SET.evm_keys)
    assert ValidatorSet.from_evm(1, SET.evm_keys) == SET
    numbers = [int.from_bytes(SET.evm_keys[at : at + 64], "big") for at in range(0, 512, 128)]
    assert numbers == sorted(numbers)


def test_sets_that_the_registry_refuses() -> None:
    keys = SET.keys
    negated = bytes([keys[0][0] ^ 0x20]) + keys[0][1:]
    bad = {
        "ascending": (1, (keys[1], keys[0], *keys[2:])),
        "strictly": (1, (keys[0], *keys)),
        "by x": (1, tuple(sorted((negated, *keys), key=lambda key: bytes([key[0] & 0x1F]) + key[1:]))),
        "at least 4": (1, keys[:3]),
        "key 0": (1, (b"\xc0" + bytes(47), *keys)),
        "key 3": (1, (*keys[:3], b"\x80" + b"\xff" * 47)),
        "epoch": (0, keys),
        "uint64": (2**64, keys),
        "at most": (1, keys * (MOST_VALIDATORS // 4) + keys[:1]),
    }
    for why, (epoch, wrong) in bad.items():
        with pytest.raises(InvalidValidators, match=why):
            ValidatorSet(epoch, wrong)
    for encoded in (SET.evm_keys[:-1], bytes(512), b"", SET.evm_keys[128:] + SET.evm_keys[:128]):
        with pytest.raises(InvalidValidators):
            ValidatorSet.from_evm(1, encoded)


# Votes


@SOME
@given(st.data())
def test_any_quorum_makes_a_valid_signature_and_fewer_make_none(data: st.DataObject) -> None:
    people = committee(data.draw(st.integers(4, 10)))
    total, needed = len(people.validators), people.quorum
    signers = data.draw(st.lists(st.integers(0, total - 1), unique=True))
    votes = people.votes(MESSAGE, signers)
    votes += data.draw(st.lists(st.sampled_from(votes))) if votes else []
    counted = tally(people.validator_set, DIGEST, data.draw(st.permutations(votes)))
    assert list(counted.counted) == sorted(signers)
    assert len(counted.refused) == len(votes) - len(signers)
    assert set(counted.missing) == {people.validators[number].key for number in range(total) if number not in signers}
    assert counted.is_quorum is (len(signers) >= needed)
    if counted.is_quorum:
        signature = counted.quorum_signature()
        assert list(signature.signers()) == sorted(signers)
        signature.check(people.validator_set, DIGEST)
        assert QuorumSignature.decode(signature.encode()) == signature
    else:
        with pytest.raises(QuorumRefused, match="below_quorum"):
            counted.quorum_signature()


def test_bad_votes_are_named_and_never_summed() -> None:
    votes = COMMITTEE.votes(MESSAGE, range(3))
    stranger = Committee.of(4, epoch=2).votes(MESSAGE)[0]
    wrong_digest = COMMITTEE.votes(Veto(8), [3])[0]
    of_another = Vote(SET.keys[3], DIGEST, votes[0].signature)
    bad = {
        VoteRefusal.UNKNOWN_VALIDATOR: [stranger, Vote(b"", DIGEST, votes[0].signature)],
        VoteRefusal.WRONG_DIGEST: [wrong_digest],
        VoteRefusal.INVALID_SIGNATURE: [
            of_another,
            Vote(SET.keys[3], DIGEST, wrong_digest.signature),
            Vote(SET.keys[3], DIGEST, INFINITY),
            Vote(SET.keys[3], DIGEST, b""),
            Vote(SET.keys[0], DIGEST, votes[1].signature),
        ],
        VoteRefusal.DUPLICATE: [votes[0]],
    }
    for reason, wrong in bad.items():
        for vote in wrong:
            counted = tally(SET, DIGEST, [*votes, vote])
            assert [(each.vote, each.reason) for each in counted.refused] == [(vote, reason)]
            assert list(counted.counted) == [0, 1, 2]
            counted.quorum_signature().check(SET, DIGEST)


def test_two_bad_votes_that_cancel_out_are_both_refused() -> None:
    """The sum of all four would verify: each bad one is off by the same point, with opposite signs."""
    good = COMMITTEE.votes(MESSAGE, range(4))
    point = good[3].signature
    opposite = bytes([point[0] ^ 0x20]) + point[1:]
    votes = [
        Vote(good[0].validator, DIGEST, BLS.aggregate([good[0].signature, point])),
        Vote(good[1].validator, DIGEST, BLS.aggregate([good[1].signature, opposite])),
        good[2],
        good[3],
    ]
    assert BLS.verify_aggregate(SET.keys, DIGEST, BLS.aggregate([vote.signature for vote in votes]))
    assert refusals(votes) == [VoteRefusal.INVALID_SIGNATURE] * 2


def test_bad_vote_does_not_use_up_its_validators_place() -> None:
    votes = COMMITTEE.votes(MESSAGE, range(3))
    forged = Vote(votes[0].validator, DIGEST, votes[1].signature)
    counted = tally(SET, DIGEST, [forged, *votes])
    assert counted.is_quorum
    assert refusals([forged, *votes]) == [VoteRefusal.INVALID_SIGNATURE]


# Certificates


def reason_of(signature: QuorumSignature, digest: bytes = DIGEST, validators: ValidatorSet = SET) -> QuorumRefusal:
    with pytest.raises(QuorumRefused) as raised:
        signature.check(validators, digest)
    return raised.value.reason


def test_quorum_signatures_that_do_not_count() -> None:
    good = tally(SET, DIGEST, COMMITTEE.votes(MESSAGE)).quorum_signature()
    good.check(SET, DIGEST)
    assert reason_of(good, OTHER) is QuorumRefusal.INVALID_SIGNATURE
    assert reason_of(good, validators=Committee.of(4, epoch=2).validator_set) is QuorumRefusal.INVALID_SIGNATURE
    assert reason_of(QuorumSignature(0, INFINITY)) is QuorumRefusal.BELOW_QUORUM
    assert reason_of(QuorumSignature(0b0011, good.signature)) is QuorumRefusal.BELOW_QUORUM
    assert reason_of(QuorumSignature(0b1111, good.signature)) is QuorumRefusal.INVALID_SIGNATURE
    assert reason_of(QuorumSignature(0b0111, INFINITY)) is QuorumRefusal.INVALID_SIGNATURE
    assert reason_of(QuorumSignature(0b10111, good.signature)) is QuorumRefusal.UNKNOWN_VALIDATOR
    assert reason_of(QuorumSignature(1 << 255 | 0b0111, good.signature)) is QuorumRefusal.UNKNOWN_VALIDATOR
    assert reason_of(QuorumSignature(-1, good.signature)) is QuorumRefusal.UNKNOWN_VALIDATOR


def order(epoch: int = 1, valid_until: int = 2**64 - 1) -> Order:
    return Order(b"\1" * 20, b"\2" * 32, 5, epoch, valid_until, b"\3" * 32)


def test_certificate_is_the_guards_tail() -> None:
    tail = COMMITTEE.tail(order())
    assert len(tail) == TAIL_LENGTH == 336
    assert tail[:48] == (1).to_bytes(8, "big") + b"\xff" * 8 + b"\3" * 32
    assert tail[48:80] == (7).to_bytes(32, "big")
    assert tail[48:] == COMMITTEE.quorum_signature(order())
    certificate = Certificate.decode(tail)
    assert certificate.encode() == tail
    certificate.quorum.check(SET, COMMITTEE.digest(order()))
    assert reason_of(certificate.quorum, COMMITTEE.digest(order(epoch=2))) is QuorumRefusal.INVALID_SIGNATURE


def test_malformed_certificates() -> None:
    tail = COMMITTEE.tail(order())
    for bad in (b"", tail[:-1], tail + b"\0", tail[:80] + bytes(256), tail[:-1] + bytes([tail[-1] ^ 1])):
        with pytest.raises(MalformedCertificate):
            Certificate.decode(bad)
    with pytest.raises(MalformedCertificate):
        QuorumSignature.decode(tail[48:-1])
    good = Certificate.decode(tail)
    for wrong in (
        Certificate(2**64, 1, good.facts_hash, good.quorum),
        Certificate(1, -1, good.facts_hash, good.quorum),
        Certificate(1, 1, b"", good.quorum),
        Certificate(1, 1, good.facts_hash, QuorumSignature(1 << 256, good.quorum.signature)),
        Certificate(1, 1, good.facts_hash, QuorumSignature(7, INFINITY)),
    ):
        with pytest.raises(MalformedCertificate):
            wrong.encode()


def test_committee_is_deterministic() -> None:
    assert Committee.of(4).tail(order()) == COMMITTEE.tail(order())
    assert Committee.of(4, epoch=2).validator_set.keys_hash != SET.keys_hash
    with pytest.raises(MalformedPoint):
        COMMITTEE.quorum_signature(MESSAGE, [])
