"""Everybody who signs for a guarded Safe, with the keys that the local stack has made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account

from kit.chain.signer import LocalSigner
from verification.multisig import count_approvals, read_signature
from verification.quorum import Certificate, ValidatorSet, Vote, tally
from verification.signatures.bls import BLS, SecretKey
from verification.signatures.eip712 import Domain
from verification.signatures.messages import GrantStanding, Order


def signer_of(private_key: str) -> LocalSigner:
    return LocalSigner(Account.from_key(private_key))


@dataclass(frozen=True, slots=True)
class Signers:
    """Owners of the Safe, attesters of standing, validators; each in the order that the chain wants."""

    domain: Domain
    owners: tuple[LocalSigner, ...]
    attesters: tuple[LocalSigner, ...]
    attester_threshold: int
    validators: tuple[SecretKey, ...]

    def attest(self, grant: GrantStanding) -> bytes:
        """As many attesters' signatures as are needed, ascending."""
        digest = grant.digest(self.domain)
        return b"".join(each.sign_digest(digest) for each in self.attesters[: self.attester_threshold])

    def approve(self, safe_tx_hash: bytes, threshold: int) -> bytes:
        """The first owners' signatures in Safe's encoding."""
        addresses = [owner.address for owner in self.owners]
        signatures = [
            read_signature(safe_tx_hash, owner.sign_digest(safe_tx_hash), addresses)
            for owner in self.owners[:threshold]
        ]
        return count_approvals(signatures, addresses, threshold, ()).encode()

    def certify(self, order: Order) -> tuple[bytes, int]:
        """The first quorum's certificate, as it follows the owners' signatures, and how many signed it."""
        keys = [BLS.public_key(secret) for secret in self.validators]
        validators = ValidatorSet.of(order.epoch, keys)
        digest = order.digest(self.domain)
        votes = [
            Vote(key, digest, BLS.sign(secret, digest))
            for key, secret in list(zip(keys, self.validators, strict=True))[: validators.quorum]
        ]
        quorum = tally(validators, digest, votes).quorum_signature()
        certificate = Certificate(order.epoch, order.valid_until, order.facts_hash, quorum)
        return certificate.encode(), len(quorum.signers())


def read_signers(committee_file: Path, owners: Sequence[dict[str, str]], domain: Domain) -> Signers:
    """From the stack's files, whose keys are of worth on its own chain only."""
    told: dict[str, Any] = json.loads(committee_file.read_text())
    attesters = told["attesters"]
    return Signers(
        domain=domain,
        owners=tuple(signer_of(owner["private_key"]) for owner in owners),
        attesters=tuple(signer_of(member["private_key"]) for member in attesters["members"]),
        attester_threshold=attesters["threshold"],
        validators=tuple(
            SecretKey.from_bytes(bytes.fromhex(each["bls_secret_key"].removeprefix("0x")))
            for each in told["validators"]
        ),
    )
