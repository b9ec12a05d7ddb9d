"""Everybody who signs in the high-value protocol, with keys made from their names: no clock, no chance.

committee = Committee.of(4)
committee.quorum_signature(message)          # 288 bytes, the first quorum of validators
committee.guardian_signatures(message)       # 65 bytes each, ascending, as Guardians.check wants them
committee.owner_signatures(safe_tx_hash) + committee.tail(order)    # what a certified execTransaction carries
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tests.support.vouchers import Signer
from verification.multisig import SafeTransaction
from verification.quorum import Certificate, QuorumSignature, ValidatorSet, Vote, quorum_size, tally
from verification.signatures.bls import BLS, SecretKey, generate, key_to_evm, signature_to_evm
from verification.signatures.eip712 import Domain, keccak
from verification.signatures.messages import Message, Order, settlement_domain

CHAIN_ID = 31337
GUARD = keccak(b"lockgate test guard")[12:]
"""A placeholder for tests without a chain."""


class Account(Signer):
    """An ordinary key: owner, guardian, attester, vault owner, sentinel."""

    def __init__(self, role: str) -> None:
        name = f"lockgate test {role}"
        super().__init__(name)
        self.private_key = keccak(name.encode())

    def eth_sign(self, digest: bytes) -> bytes:
        """As `personal_sign` of the 32 bytes does, with v of 31 or 32 as Safe wants it."""
        signature = self.sign(keccak(b"\x19Ethereum Signed Message:\n32" + digest))
        return signature[:64] + bytes([signature[64] + 4])


@dataclass(frozen=True)
class Validator:
    """A BLS key."""

    name: str

    @cached_property
    def secret(self) -> SecretKey:
        return generate(keccak(f"lockgate test validator {self.name}".encode()))

    @cached_property
    def key(self) -> bytes:
        """48 bytes, compressed."""
        return BLS.public_key(self.secret)

    @cached_property
    def evm_key(self) -> bytes:
        """128 bytes, for `ValidatorRegistry.prove`."""
        return key_to_evm(self.key)

    @cached_property
    def proof(self) -> bytes:
        """256 bytes, for `ValidatorRegistry.prove`."""
        return signature_to_evm(BLS.prove_possession(self.secret))

    def vote(self, digest: bytes) -> Vote:
        return Vote(self.key, digest, BLS.sign(self.secret, digest))


def accounts(role: str, count: int) -> tuple[Account, ...]:
    """Ascending by address, as the contracts want lists of members."""
    made = (Account(f"{role} {number}") for number in range(count))
    return tuple(sorted(made, key=lambda account: account.address))


def by_all(signers: Iterable[Account], digest: bytes) -> bytes:
    """Every signer's 65 bytes, ascending by address."""
    return b"".join(each.sign(digest) for each in sorted(signers, key=lambda account: account.address))


@dataclass(frozen=True)
class Committee:
    """Validators in the order of the registry; everybody else ascending by address."""

    domain: Domain
    epoch: int
    validators: tuple[Validator, ...]
    guardians: tuple[Account, ...]
    guardian_threshold: int
    attesters: tuple[Account, ...]
    attester_threshold: int
    vault_owners: tuple[Account, ...]
    vault_threshold: int
    owners: tuple[Account, ...]
    owner_threshold: int
    sentinel: Account

    @classmethod
    def of(cls, validators: int = 4, *, chain_id: int = CHAIN_ID, guard: bytes = GUARD, epoch: int = 1) -> Committee:
        """A set of so many validators; another epoch has other validators and the same people."""
        made = [Validator(f"{epoch} {number}") for number in range(validators)]
        order = ValidatorSet.of(epoch, [validator.key for validator in made]).keys
        return cls(
            domain=settlement_domain(chain_id, guard),
            epoch=epoch,
            validators=tuple(sorted(made, key=lambda validator: order.index(validator.key))),
            guardians=accounts("guardian", 5),
            guardian_threshold=3,
            attesters=accounts("attester", 3),
            attester_threshold=2,
            vault_owners=accounts("vault owner", 3),
            vault_threshold=2,
            owners=accounts("owner", 3),
            owner_threshold=2,
            sentinel=Account("sentinel"),
        )

    @cached_property
    def validator_set(self) -> ValidatorSet:
        return ValidatorSet(self.epoch, tuple(validator.key for validator in self.validators))

    @property
    def quorum(self) -> int:
        return quorum_size(len(self.validators))

    def digest(self, message: Message) -> bytes:
        return message.digest(self.domain)

    # Validators

    def votes(self, message: Message, signers: Sequence[int] | None = None) -> list[Vote]:
        """Of the validators with these numbers; of the first quorum when none are named."""
        numbers = range(self.quorum) if signers is None else signers
        return [self.validators[number].vote(self.digest(message)) for number in numbers]

    def quorum_signature(self, message: Message, signers: Sequence[int] | None = None) -> bytes:
        """288 bytes. With too few signers too: what a contract has to refuse has to be made first."""
        return self._quorum(message, signers).encode()

    def tail(self, order: Order, signers: Sequence[int] | None = None) -> bytes:
        """336 bytes, what follows the owners' signatures."""
        quorum = self._quorum(order, signers)
        return Certificate(order.epoch, order.valid_until, order.facts_hash, quorum).encode()

    def _quorum(self, message: Message, signers: Sequence[int] | None) -> QuorumSignature:
        counted = tally(self.validator_set, self.digest(message), self.votes(message, signers)).counted
        return QuorumSignature(sum(1 << number for number in counted), BLS.aggregate(list(counted.values())))

    # People

    def guardian_signatures(self, message: Message, count: int | None = None) -> bytes:
        """Of the first guardians, as many as their quorum unless told otherwise."""
        return by_all(self.guardians[: count or self.guardian_threshold], self.digest(message))

    def attester_signatures(self, message: Message, count: int | None = None) -> bytes:
        return by_all(self.attesters[: count or self.attester_threshold], self.digest(message))

    def vault_signatures(self, message: Message, count: int | None = None) -> bytes:
        return by_all(self.vault_owners[: count or self.vault_threshold], self.digest(message))

    def sentinel_signature(self, message: Message) -> bytes:
        return self.sentinel.sign(self.digest(message))

    def owner_signatures(self, safe_tx_hash: bytes, count: int | None = None) -> bytes:
        """Of the first owners of a Safe of theirs, in Safe's encoding."""
        return by_all(self.owners[: count or self.owner_threshold], safe_tx_hash)

    def order(
        self, safe: bytes, transaction: SafeTransaction, *, valid_until: int, facts_hash: bytes = bytes(32)
    ) -> Order:
        """What the validators sign for a transaction of a guarded Safe."""
        safe_tx_hash = transaction.hash(self.domain.chain_id, safe)
        return Order(safe, safe_tx_hash, transaction.nonce, self.epoch, valid_until, facts_hash)
