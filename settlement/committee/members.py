"""The committee and the one file that holds its secret keys."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coincurve import PrivateKey
from eth_utils.address import to_checksum_address

from settlement.committee.files import CommitteeError, read_private, write_once
from verification.quorum import ValidatorSet
from verification.signatures.bls import BLS, SecretKey, generate
from verification.signatures.eip712 import keccak

EPOCH = 1
VALIDATORS = 4
SENTINEL_LIFE = 29 * 24 * 3600
"""Seconds; the brake takes at most 30 days, from a block's time."""


@dataclass(frozen=True, slots=True)
class Member:
    """A secp256k1 key (0x and 32 bytes) and its checksummed address."""

    address: str
    private_key: str = field(repr=False)

    @classmethod
    def new(cls) -> Member:
        return cls.of("0x" + secrets.token_bytes(32).hex())

    @classmethod
    def of(cls, private_key: str) -> Member:
        """Raises ValueError for what is no key."""
        public = PrivateKey(bytes.fromhex(private_key.removeprefix("0x"))).public_key.format(compressed=False)
        return cls(str(to_checksum_address(keccak(public[1:])[12:])), private_key)


@dataclass(frozen=True, slots=True)
class Council:
    """Members strictly ascending by address, as the contracts list them, and how many of them must sign."""

    threshold: int
    members: tuple[Member, ...]

    @classmethod
    def of(cls, threshold: int, members: list[Member]) -> Council:
        return cls(threshold, tuple(sorted(members, key=lambda member: int(member.address, 16))))

    @property
    def addresses(self) -> list[str]:
        return [member.address for member in self.members]


@dataclass(frozen=True, slots=True)
class Validator:
    """A BLS12-381 key pair; the public key is 48 bytes, compressed."""

    public_key: bytes
    secret: SecretKey

    @classmethod
    def of(cls, secret: SecretKey) -> Validator:
        return cls(BLS.public_key(secret), secret)


@dataclass(frozen=True, slots=True)
class Committee:
    """Validators are in the registry's order, so a validator's place here is its bit in a certificate."""

    chain_id: int
    validators: tuple[Validator, ...]
    guardians: Council
    attesters: Council
    vault_owners: Council
    sentinel: Member
    sentinel_expires: int
    """Unix seconds."""
    payout: Member
    """Pays out once a governed change has named it; no contract knows it from the start."""


def new_committee(chain_id: int, now: int) -> Committee:
    """Fresh random keys. `now` in Unix seconds."""

    def council(threshold: int, size: int) -> Council:
        return Council.of(threshold, [Member.new() for _ in range(size)])

    return Committee(
        chain_id=chain_id,
        validators=_in_order([Validator.of(generate(secrets.token_bytes(32))) for _ in range(VALIDATORS)]),
        guardians=council(3, 5),
        attesters=council(2, 3),
        vault_owners=council(2, 3),
        sentinel=Member.new(),
        sentinel_expires=now + SENTINEL_LIFE,
        payout=Member.new(),
    )


def _in_order(validators: list[Validator]) -> tuple[Validator, ...]:
    by_key = {validator.public_key: validator for validator in validators}
    return tuple(by_key[key] for key in ValidatorSet.of(EPOCH, by_key).keys)


def save(path: Path, committee: Committee) -> None:
    """Only where there is no file yet. Raises CommitteeError."""
    shown: dict[str, Any] = {
        "chain_id": committee.chain_id,
        "epoch": EPOCH,
        "validators": [
            {
                "index": index,
                "bls_public_key": "0x" + validator.public_key.hex(),
                "bls_secret_key": "0x" + validator.secret.to_bytes().hex(),
            }
            for index, validator in enumerate(committee.validators)
        ],
        "guardians": _shown_council(committee.guardians),
        "attesters": _shown_council(committee.attesters),
        "vault_owners": _shown_council(committee.vault_owners),
        "sentinel": _shown(committee.sentinel) | {"expires": committee.sentinel_expires},
        "payout": _shown(committee.payout),
    }
    write_once(path, shown)


def load(path: Path) -> Committee:
    """Raises CommitteeError when it is open to others, or is no committee; the text shows nothing of it."""
    text = read_private(path)
    try:
        told: dict[str, Any] = json.loads(text)
        secrets_of = [entry["bls_secret_key"] for entry in told["validators"]]
        return Committee(
            chain_id=int(told["chain_id"]),
            validators=_in_order([Validator.of(SecretKey.from_bytes(_bytes(secret))) for secret in secrets_of]),
            guardians=_council(told["guardians"]),
            attesters=_council(told["attesters"]),
            vault_owners=_council(told["vault_owners"]),
            sentinel=Member.of(told["sentinel"]["private_key"]),
            sentinel_expires=int(told["sentinel"]["expires"]),
            payout=Member.of(told["payout"]["private_key"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        # The library's message may quote a key.
        raise CommitteeError(f"{path} holds no committee") from None


def _shown(member: Member) -> dict[str, Any]:
    return {"address": member.address, "private_key": member.private_key}


def _shown_council(council: Council) -> dict[str, Any]:
    return {"threshold": council.threshold, "members": [_shown(member) for member in council.members]}


def _council(told: Mapping[str, Any]) -> Council:
    return Council.of(int(told["threshold"]), [Member.of(each["private_key"]) for each in told["members"]])


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
