"""Who signs: an interface that a key file serves today and a KMS or web3signer can serve tomorrow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import Hash32
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak


class KeyFileError(Exception):
    """A key file cannot be read or holds no key. Never says what it holds."""


@dataclass(frozen=True, slots=True)
class UnsignedTransaction:
    """An EIP-1559 transaction; fees in wei a gas, `value` in wei."""

    chain_id: int
    nonce: int
    to: bytes
    value: int
    data: bytes
    gas_limit: int
    max_fee: int
    priority_fee: int


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """The bytes to broadcast and their hash."""

    raw: bytes
    tx_hash: bytes


class Signer(Protocol):
    """Holds one key and never shows it."""

    @property
    def address(self) -> bytes:
        """20 bytes."""

    def sign_transaction(self, transaction: UnsignedTransaction) -> SignedTransaction: ...

    def sign_digest(self, digest: bytes) -> bytes:
        """A 65-byte signature (r, s, v in {27, 28}) with low s, over 32 bytes as they are."""


class LocalSigner:
    """A key in memory."""

    __slots__ = ("_account", "address")

    def __init__(self, account: LocalAccount) -> None:
        self._account = account
        self.address: bytes = bytes.fromhex(account.address[2:])

    def __repr__(self) -> str:
        return f"LocalSigner({self._account.address})"

    def sign_transaction(self, transaction: UnsignedTransaction) -> SignedTransaction:
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": transaction.chain_id,
                "nonce": transaction.nonce,
                "to": to_checksum_address(transaction.to),
                "value": transaction.value,
                "data": transaction.data,
                "gas": transaction.gas_limit,
                "maxFeePerGas": transaction.max_fee,
                "maxPriorityFeePerGas": transaction.priority_fee,
                "accessList": [],
            }
        )
        raw = bytes(signed.raw_transaction)
        return SignedTransaction(raw, bytes(keccak(raw)))

    def sign_digest(self, digest: bytes) -> bytes:
        return bytes(self._account.unsafe_sign_hash(Hash32(digest)).signature)


def read_key_file(path: Path) -> LocalSigner:
    """A signer from a file that holds one private key in hexadecimal. Raises KeyFileError."""
    try:
        return LocalSigner(Account.from_key(path.read_text().strip()))
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be read ({error.strerror})") from None
    except (ValueError, TypeError):
        # The library's message may quote the key.
        raise KeyFileError(f"the key file {path} holds no secp256k1 key") from None
