"""EIP-712 digests of the batch-settlement escrow and of EIP-3009 tokens, from precomputed parts.

Byte strings throughout: addresses are 20 bytes, hashes and channel ids 32. Sources: EIP-712, EIP-3009 and the public
x402 batch-settlement contract (domain `x402 Batch Settlement`, version `1`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sha3 import keccak_256


def keccak(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it (not SHA3-256)."""
    digest: bytes = keccak_256(data).digest()
    return digest


def _typehash(*types: str) -> bytes:
    return keccak("".join(types).encode())


_CLAIM_ENTRY = "ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)"
_AUTHORIZATION = "(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"

DOMAIN_TYPEHASH = _typehash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
CHANNEL_CONFIG_TYPEHASH = _typehash(
    "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,"
    "address token,uint40 withdrawDelay,bytes32 salt)"
)
VOUCHER_TYPEHASH = _typehash("Voucher(bytes32 channelId,uint128 maxClaimableAmount)")
REFUND_TYPEHASH = _typehash("Refund(bytes32 channelId,uint256 nonce,uint128 amount)")
CLAIM_ENTRY_TYPEHASH = _typehash(_CLAIM_ENTRY)
CLAIM_BATCH_TYPEHASH = _typehash("ClaimBatch(ClaimEntry[] claims)", _CLAIM_ENTRY)
TRANSFER_WITH_AUTHORIZATION_TYPEHASH = _typehash("TransferWithAuthorization", _AUTHORIZATION)
RECEIVE_WITH_AUTHORIZATION_TYPEHASH = _typehash("ReceiveWithAuthorization", _AUTHORIZATION)

ESCROW_NAME = "x402 Batch Settlement"
ESCROW_VERSION = "1"


def word(value: int) -> bytes:
    """A uint as its 32-byte ABI word. Raises OverflowError when negative or above 2^256-1."""
    return value.to_bytes(32, "big")


def address_word(address: bytes) -> bytes:
    """A 20-byte address as its 32-byte ABI word."""
    if len(address) != 20:
        raise ValueError(f"an address is 20 bytes, not {len(address)}")
    return bytes(12) + address


@dataclass(frozen=True, slots=True)
class Domain:
    """An EIP-712 domain with its separator, computed once."""

    name: str
    version: str
    chain_id: int
    verifying_contract: bytes
    separator: bytes = field(init=False, repr=False, compare=False)
    prefix: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        separator = keccak(
            DOMAIN_TYPEHASH
            + keccak(self.name.encode())
            + keccak(self.version.encode())
            + word(self.chain_id)
            + address_word(self.verifying_contract)
        )
        object.__setattr__(self, "separator", separator)
        object.__setattr__(self, "prefix", b"\x19\x01" + separator)

    def digest(self, struct_hash: bytes) -> bytes:
        """keccak(0x1901 || separator || struct hash)."""
        return keccak(self.prefix + struct_hash)


def escrow_domain(chain_id: int, escrow: bytes) -> Domain:
    """The domain of the batch-settlement escrow at `escrow`."""
    return Domain(ESCROW_NAME, ESCROW_VERSION, chain_id, escrow)


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """What a channel is; its hash is the channel's id. `withdraw_delay` is in seconds."""

    payer: bytes
    payer_authorizer: bytes
    receiver: bytes
    receiver_authorizer: bytes
    token: bytes
    withdraw_delay: int
    salt: bytes


@dataclass(frozen=True, slots=True)
class ClaimEntry:
    """One row of a claim: what its voucher allows and what is claimed of it, both cumulative."""

    channel_id: bytes
    max_claimable: int
    total_claimed: int


@dataclass(frozen=True, slots=True)
class TokenAuthorization:
    """An EIP-3009 authorization; times are unix seconds."""

    sender: bytes
    recipient: bytes
    value: int
    valid_after: int
    valid_before: int
    nonce: bytes


def channel_id(domain: Domain, config: ChannelConfig) -> bytes:
    """A channel's id: the full EIP-712 digest of its configuration."""
    if len(config.salt) != 32:
        raise ValueError(f"a salt is 32 bytes, not {len(config.salt)}")
    if not 0 <= config.withdraw_delay < 1 << 40:
        raise ValueError("a withdraw delay is a uint40")
    return domain.digest(
        keccak(
            CHANNEL_CONFIG_TYPEHASH
            + address_word(config.payer)
            + address_word(config.payer_authorizer)
            + address_word(config.receiver)
            + address_word(config.receiver_authorizer)
            + address_word(config.token)
            + word(config.withdraw_delay)
            + config.salt
        )
    )


def voucher_digest(domain: Domain, channel: bytes, max_claimable: int) -> bytes:
    """What a payer's authorizer signs: hot path, so nothing is checked here beyond what keccak needs."""
    struct = keccak_256(VOUCHER_TYPEHASH + channel + max_claimable.to_bytes(32, "big")).digest()
    digest: bytes = keccak_256(domain.prefix + struct).digest()
    return digest


def refund_digest(domain: Domain, channel: bytes, nonce: int, amount: int) -> bytes:
    """What a receiver's authorizer signs to give unclaimed money back."""
    return domain.digest(keccak(REFUND_TYPEHASH + channel + word(nonce) + word(amount)))


def claim_batch_digest(domain: Domain, entries: Iterable[ClaimEntry]) -> bytes:
    """What a receiver's authorizer signs to claim many channels at once."""
    hashes = b"".join(
        keccak(CLAIM_ENTRY_TYPEHASH + entry.channel_id + word(entry.max_claimable) + word(entry.total_claimed))
        for entry in entries
    )
    return domain.digest(keccak(CLAIM_BATCH_TYPEHASH + keccak(hashes)))


def transfer_authorization_digest(token: Domain, authorization: TokenAuthorization) -> bytes:
    """EIP-3009 `TransferWithAuthorization`, in the token's own domain."""
    return token.digest(_authorization_hash(TRANSFER_WITH_AUTHORIZATION_TYPEHASH, authorization))


def receive_authorization_digest(token: Domain, authorization: TokenAuthorization) -> bytes:
    """EIP-3009 `ReceiveWithAuthorization`, in the token's own domain."""
    return token.digest(_authorization_hash(RECEIVE_WITH_AUTHORIZATION_TYPEHASH, authorization))


def deposit_nonce(channel: bytes, salt: int) -> bytes:
    """The EIP-3009 nonce that binds a deposit to its channel: keccak(abi.encode(channelId, salt))."""
    return keccak(channel + word(salt))


def _authorization_hash(typehash: bytes, authorization: TokenAuthorization) -> bytes:
    if len(authorization.nonce) != 32:
        raise ValueError(f"a nonce is 32 bytes, not {len(authorization.nonce)}")
    return keccak(
        typehash
        + address_word(authorization.sender)
        + address_word(authorization.recipient)
        + word(authorization.value)
        + word(authorization.valid_after)
        + word(authorization.valid_before)
        + authorization.nonce
    )
