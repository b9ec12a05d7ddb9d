"""Votes of validators, and the certificate that a quorum of them makes. Pure: keys and votes come in, bytes go out.

The on-chain half is `contracts/src/quorum`. Of n = 3f + 1 validators f may be faulty, so n - floor((n - 1) / 3) must
have signed: any two quorums share an honest one. Keys and signatures are compressed here (48 and 96 bytes) and as
EIP-2537 has them (128 and 256 bytes) in what the chain reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from types import MappingProxyType

from verification.signatures.bls import (
    BLS,
    Backend,
    MalformedPoint,
    key_from_evm,
    key_to_evm,
    signature_from_evm,
    signature_to_evm,
)
from verification.signatures.bls.points import EVM_KEY_LENGTH, EVM_SIGNATURE_LENGTH
from verification.signatures.eip712 import keccak, word

LEAST_VALIDATORS = 4
MOST_VALIDATORS = 100
"""As the registry has it."""

BITMAP_LENGTH = 32
QUORUM_SIGNATURE_LENGTH = BITMAP_LENGTH + EVM_SIGNATURE_LENGTH
_HEAD_LENGTH = 8 + 8 + 32
TAIL_LENGTH = _HEAD_LENGTH + QUORUM_SIGNATURE_LENGTH


class InvalidValidators(ValueError):
    """Keys that can be no set of validators."""


class MalformedCertificate(ValueError):
    """Bytes that encode no quorum signature or no certificate."""


class QuorumRefusal(Enum):
    """Why a quorum signature does not count, in the order in which the chain looks."""

    UNKNOWN_VALIDATOR = "unknown_validator"
    BELOW_QUORUM = "below_quorum"
    INVALID_SIGNATURE = "invalid_signature"


class QuorumRefused(ValueError):
    """A quorum signature that does not count."""

    def __init__(self, reason: QuorumRefusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


def quorum_size(validators: int) -> int:
    """How many of so many have to sign. Raises InvalidValidators for fewer than four: f would be 0."""
    if validators < LEAST_VALIDATORS:
        raise InvalidValidators(f"{validators} validators, where at least {LEAST_VALIDATORS} are needed")
    return validators - (validators - 1) // 3


@dataclass(frozen=True)
class ValidatorSet:
    """The keys of an epoch, strictly ascending by x as the registry wants them. A validator's number is its place.

    Whether each key's possession was proven, the registry has seen. Raises InvalidValidators.
    """

    epoch: int
    keys: tuple[bytes, ...]
    backend: Backend = field(default=BLS, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 < self.epoch < 1 << 64:
            raise InvalidValidators("an epoch is a uint64 from 1")
        quorum_size(len(self.keys))
        if len(self.keys) > MOST_VALIDATORS:
            raise InvalidValidators(f"{len(self.keys)} validators, where at most {MOST_VALIDATORS} are possible")
        for number, key in enumerate(self.keys):
            try:
                self.backend.check_key(key)
            except MalformedPoint as error:
                raise InvalidValidators(f"key {number}: {error}") from error
        if any(_x(one) >= _x(next_) for one, next_ in zip(self.keys, self.keys[1:], strict=False)):
            raise InvalidValidators("keys are not strictly ascending by x")

    @classmethod
    def of(cls, epoch: int, keys: Iterable[bytes], backend: Backend = BLS) -> ValidatorSet:
        """From compressed keys in any order."""
        return cls(epoch, tuple(sorted(keys, key=_x)), backend)

    @classmethod
    def from_evm(cls, epoch: int, keys: bytes, backend: Backend = BLS) -> ValidatorSet:
        """From what the registry keeps. Raises InvalidValidators, also when they are out of order."""
        parts = [keys[start : start + EVM_KEY_LENGTH] for start in range(0, len(keys), EVM_KEY_LENGTH)]
        try:
            return cls(epoch, tuple(key_from_evm(part) for part in parts), backend)
        except MalformedPoint as error:
            raise InvalidValidators(str(error)) from error

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def quorum(self) -> int:
        return quorum_size(len(self.keys))

    @cached_property
    def evm_keys(self) -> bytes:
        """All keys as `Rotate` and the registry take them, 128 bytes each."""
        return b"".join(key_to_evm(key) for key in self.keys)

    @property
    def keys_hash(self) -> bytes:
        """`Rotate.keysHash` and `Recover.keysHash`."""
        return keccak(self.evm_keys)


def _x(key: bytes) -> bytes:
    """x of a compressed key without the three flags, so that a key and its negation are equal."""
    return bytes([key[0] & 0x1F]) + key[1:] if key else key


# Votes


@dataclass(frozen=True, slots=True)
class Vote:
    """A validator's signature (96 bytes) over a message's EIP-712 digest; `validator` is its key (48 bytes)."""

    validator: bytes
    digest: bytes
    signature: bytes


class VoteRefusal(Enum):
    UNKNOWN_VALIDATOR = "unknown_validator"
    WRONG_DIGEST = "wrong_digest"
    INVALID_SIGNATURE = "invalid_signature"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class RefusedVote:
    vote: Vote
    reason: VoteRefusal


@dataclass(frozen=True, slots=True)
class Tally:
    """The votes for one digest: who counted, and who did not and why."""

    validators: ValidatorSet
    digest: bytes
    counted: Mapping[int, bytes]
    """Signature by the validator's number."""
    refused: tuple[RefusedVote, ...]

    @property
    def is_quorum(self) -> bool:
        return len(self.counted) >= self.validators.quorum

    @property
    def missing(self) -> tuple[bytes, ...]:
        """Keys of the validators without a vote that counts."""
        return tuple(key for number, key in enumerate(self.validators.keys) if number not in self.counted)

    def quorum_signature(self) -> QuorumSignature:
        """All that counted, in one. Raises QuorumRefused below the quorum."""
        if not self.is_quorum:
            raise QuorumRefused(QuorumRefusal.BELOW_QUORUM)
        signature = self.validators.backend.aggregate(list(self.counted.values()))
        return QuorumSignature(sum(1 << number for number in self.counted), signature)


def tally(validators: ValidatorSet, digest: bytes, votes: Iterable[Vote]) -> Tally:
    """Every vote is verified by itself, so none that is bad gets into the sum, and its validator is named.

    A bad vote does not use up its validator's place; a second good one is refused as a duplicate.
    """
    numbers = {key: number for number, key in enumerate(validators.keys)}
    counted: dict[int, bytes] = {}
    refused = []
    for vote in votes:
        reason = _why_not(vote, digest, numbers, counted, validators.backend)
        if reason is None:
            counted[numbers[vote.validator]] = vote.signature
        else:
            refused.append(RefusedVote(vote, reason))
    return Tally(validators, digest, MappingProxyType(dict(sorted(counted.items()))), tuple(refused))


def _why_not(
    vote: Vote, digest: bytes, numbers: Mapping[bytes, int], counted: Mapping[int, bytes], backend: Backend
) -> VoteRefusal | None:
    if vote.validator not in numbers:
        return VoteRefusal.UNKNOWN_VALIDATOR
    if vote.digest != digest:
        return VoteRefusal.WRONG_DIGEST
    earlier = counted.get(numbers[vote.validator])
    # A key has one signature of a digest, so another one is bad whatever it is.
    if earlier is not None:
        return VoteRefusal.DUPLICATE if vote.signature == earlier else VoteRefusal.INVALID_SIGNATURE
    if not backend.verify(vote.validator, digest, vote.signature):
        return VoteRefusal.INVALID_SIGNATURE
    return None


# Certificates


@dataclass(frozen=True, slots=True)
class QuorumSignature:
    """Bit i of `bitmap` is validator i; `signature` is the sum (96 bytes compressed)."""

    bitmap: int
    signature: bytes

    def encode(self) -> bytes:
        """288 bytes: bitmap and EIP-2537 point. Raises MalformedPoint, OverflowError for a bitmap of no uint256."""
        return word(self.bitmap) + signature_to_evm(self.signature)

    @classmethod
    def decode(cls, encoded: bytes) -> QuorumSignature:
        """Raises MalformedCertificate. Whether the point lies in the subgroup is seen when it is verified."""
        if len(encoded) != QUORUM_SIGNATURE_LENGTH:
            raise MalformedCertificate(
                f"{len(encoded)} bytes, where a quorum signature has {QUORUM_SIGNATURE_LENGTH}"
            )
        try:
            signature = signature_from_evm(encoded[BITMAP_LENGTH:])
        except MalformedPoint as error:
            raise MalformedCertificate(str(error)) from error
        return cls(int.from_bytes(encoded[:BITMAP_LENGTH], "big"), signature)

    def signers(self) -> Sequence[int]:
        return [number for number in range(self.bitmap.bit_length()) if self.bitmap >> number & 1]

    def check(self, validators: ValidatorSet, digest: bytes) -> None:
        """As the chain's verifier does. Raises QuorumRefused."""
        if self.bitmap < 0 or self.bitmap >> len(validators):
            raise QuorumRefused(QuorumRefusal.UNKNOWN_VALIDATOR)
        if self.bitmap.bit_count() < validators.quorum:
            raise QuorumRefused(QuorumRefusal.BELOW_QUORUM)
        keys = [validators.keys[number] for number in self.signers()]
        if not validators.backend.verify_aggregate(keys, digest, self.signature):
            raise QuorumRefused(QuorumRefusal.INVALID_SIGNATURE)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the guard reads after the owners' signatures: the rest of an `Order`, and the quorum's signature of it."""

    epoch: int
    valid_until: int
    facts_hash: bytes
    quorum: QuorumSignature

    def encode(self) -> bytes:
        """336 bytes: epoch 8, valid_until 8, facts hash 32, quorum signature 288. Raises MalformedCertificate."""
        if len(self.facts_hash) != 32:
            raise MalformedCertificate("a facts hash is 32 bytes")
        try:
            times = self.epoch.to_bytes(8, "big") + self.valid_until.to_bytes(8, "big")
            return times + self.facts_hash + self.quorum.encode()
        except (OverflowError, MalformedPoint) as error:
            raise MalformedCertificate(str(error)) from error

    @classmethod
    def decode(cls, tail: bytes) -> Certificate:
        """Raises MalformedCertificate."""
        if len(tail) != TAIL_LENGTH:
            raise MalformedCertificate(f"{len(tail)} bytes, where a certificate has {TAIL_LENGTH}")
        epoch, valid_until = (int.from_bytes(tail[start : start + 8], "big") for start in (0, 8))
        return cls(epoch, valid_until, tail[16:_HEAD_LENGTH], QuorumSignature.decode(tail[_HEAD_LENGTH:]))
