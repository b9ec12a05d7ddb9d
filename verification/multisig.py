"""Safe v1.5 transactions: their hash, their owners' signatures in every form that wallets send, and Safe's encoding.

Byte strings throughout: addresses 20 bytes, hashes 32, a signature r || s || v of 65. A contract owner's signature
(v = 0) is refused: its dynamic part would make the certificate's place behind the signatures ambiguous; such an owner
approves the hash on chain instead. Sources: Safe v1.5.0 (`getTransactionHash`, `checkNSignatures`), EIP-712, EIP-191.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from verification.signatures.eip712 import address_word, keccak, word
from verification.signatures.recovery import SIGNATURE_LENGTH, recover_address

SAFE_DOMAIN_TYPEHASH = keccak(b"EIP712Domain(uint256 chainId,address verifyingContract)")
SAFE_TX_TYPEHASH = keccak(
    b"SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,"
    b"address gasToken,address refundReceiver,uint256 nonce)"
)
ZERO_ADDRESS = bytes(20)
_PERSONAL_PREFIX = b"\x19Ethereum Signed Message:\n32"
_CONTRACT_V, _APPROVED_V = 0, 1
_RECOVERY_BIT = {0: 0, 1: 1, 27: 0, 28: 1, 31: 0, 32: 1}


@dataclass(frozen=True, slots=True)
class SafeTransaction:
    """What a Safe executes. Everything that a guarded Safe never has has its only value as default.

    `operation` is 0 for CALL and 1 for DELEGATECALL; `value` in wei; gas fields and refund as in Safe.
    """

    to: bytes
    value: int
    data: bytes
    nonce: int
    operation: int = 0
    safe_tx_gas: int = 0
    base_gas: int = 0
    gas_price: int = 0
    gas_token: bytes = ZERO_ADDRESS
    refund_receiver: bytes = ZERO_ADDRESS

    def hash(self, chain_id: int, safe: bytes) -> bytes:
        """`safeTxHash`. Raises ValueError or OverflowError for a field that its type cannot hold."""
        if not 0 <= self.operation < 256:
            raise ValueError("an operation is a uint8")
        domain = keccak(SAFE_DOMAIN_TYPEHASH + word(chain_id) + address_word(safe))
        struct = keccak(
            SAFE_TX_TYPEHASH
            + address_word(self.to)
            + word(self.value)
            + keccak(self.data)
            + word(self.operation)
            + word(self.safe_tx_gas)
            + word(self.base_gas)
            + word(self.gas_price)
            + address_word(self.gas_token)
            + address_word(self.refund_receiver)
            + word(self.nonce)
        )
        return keccak(b"\x19\x01" + domain + struct)


class SignatureKind(Enum):
    """How an owner said yes; the values are the names that Safe's transaction service gives them."""

    EIP712 = "EOA"
    ETH_SIGN = "ETH_SIGN"
    APPROVED_HASH = "APPROVED_HASH"


class SignatureRefusal(Enum):
    MALFORMED = "malformed"
    CONTRACT_SIGNATURE = "contract_signature"
    NOT_BY_AN_OWNER = "not_by_an_owner"


class SignatureRefused(ValueError):
    """A signature that cannot count."""

    def __init__(self, reason: SignatureRefusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OwnerSignature:
    """One owner's approval in the one form that Safe accepts: 65 bytes."""

    owner: bytes
    kind: SignatureKind
    encoded: bytes


def read_signature(safe_tx_hash: bytes, signature: bytes, owners: Collection[bytes]) -> OwnerSignature:
    """An owner's signature, whatever v the wallet wrote, told by which hash recovers to one of `owners`.

    Wallets write v as 0/1, 27/28 or 31/32, and some add 4 to what was never `eth_sign`: so v gives only the recovery
    bit, and both hashes are tried. v = 1 with s = 0 and an address as r is an approved hash; whether the chain has
    that approval is seen when the signatures are counted. Raises SignatureRefused.
    """
    if len(signature) != SIGNATURE_LENGTH or signature[64] not in _RECOVERY_BIT:
        raise SignatureRefused(SignatureRefusal.MALFORMED)
    if _names_an_address(signature):
        return _read_named(signature, owners)
    rs, bit = signature[:64], _RECOVERY_BIT[signature[64]]
    recovered = False
    for kind, digest, v in (
        (SignatureKind.EIP712, safe_tx_hash, 27 + bit),
        (SignatureKind.ETH_SIGN, keccak(_PERSONAL_PREFIX + safe_tx_hash), 31 + bit),
    ):
        signer = recover_address(digest, rs + bytes([bit]))
        recovered = recovered or signer is not None
        if signer is not None and signer in owners:
            return OwnerSignature(signer, kind, rs + bytes([v]))
    if not recovered:
        raise SignatureRefused(SignatureRefusal.MALFORMED)
    raise SignatureRefused(SignatureRefusal.NOT_BY_AN_OWNER)


def approved_hash(owner: bytes) -> OwnerSignature:
    """What stands for an owner's `approveHash` on chain: v = 1, r the owner, s zero."""
    return OwnerSignature(owner, SignatureKind.APPROVED_HASH, address_word(owner) + bytes(32) + bytes([_APPROVED_V]))


def _names_an_address(signature: bytes) -> bool:
    """Whether r is an address and not a curve point: Safe's contract signatures and approved hashes.

    An r below 2^160 of an honest ECDSA signature would be a chance of 2^-96.
    """
    return signature[64] in (_CONTRACT_V, _APPROVED_V) and not any(signature[:12])


def _read_named(signature: bytes, owners: Collection[bytes]) -> OwnerSignature:
    if signature[64] == _CONTRACT_V:
        raise SignatureRefused(SignatureRefusal.CONTRACT_SIGNATURE)
    owner = signature[12:32]
    if any(signature[32:64]):
        raise SignatureRefused(SignatureRefusal.MALFORMED)
    if owner not in owners:
        raise SignatureRefused(SignatureRefusal.NOT_BY_AN_OWNER)
    return approved_hash(owner)


def split_signatures(signatures: bytes) -> list[bytes]:
    """Concatenated signatures of 65 bytes each. Raises SignatureRefused when something is left over."""
    if len(signatures) % SIGNATURE_LENGTH:
        raise SignatureRefused(SignatureRefusal.MALFORMED)
    return [signatures[start : start + SIGNATURE_LENGTH] for start in range(0, len(signatures), SIGNATURE_LENGTH)]


@dataclass(frozen=True, slots=True)
class Approvals:
    """Who of the owners of this moment has approved, one signature an owner, ascending by owner."""

    counted: tuple[OwnerSignature, ...]
    threshold: int

    @property
    def is_enough(self) -> bool:
        return len(self.counted) >= self.threshold

    def encode(self) -> bytes:
        """Safe's `signatures`: exactly as many as the threshold, so that the certificate follows at once.

        Raises ValueError when there are too few.
        """
        if not self.is_enough:
            raise ValueError(f"{len(self.counted)} of {self.threshold} owners have approved")
        return b"".join(each.encoded for each in self.counted[: self.threshold])


def count_approvals(
    signatures: Iterable[OwnerSignature],
    owners: Sequence[bytes],
    threshold: int,
    approved_on_chain: Collection[bytes],
) -> Approvals:
    """Against the owners and threshold of now, since either may have changed after a signature was collected.

    `approved_on_chain`: whose `approvedHashes(owner, safeTxHash)` is set. They count by that alone, and without it a
    signature of that kind does not. Order and repetition do not matter. Raises ValueError for a threshold that no
    Safe has.
    """
    if not 1 <= threshold <= len(set(owners)):
        raise ValueError(f"a threshold of {threshold} for {len(set(owners))} owners")
    signed = [signature for signature in signatures if signature.kind is not SignatureKind.APPROVED_HASH]
    counted: dict[bytes, OwnerSignature] = {}
    for approval in (*signed, *map(approved_hash, approved_on_chain)):
        if approval.owner in owners:
            counted.setdefault(approval.owner, approval)
    return Approvals(tuple(counted[owner] for owner in sorted(counted)), threshold)
