"""Calldata of the escrow and of EIP-3009 tokens, and what their errors say.

Sources: the public x402 batch-settlement contract, EIP-3009, ERC-20, ERC-1271, ERC-6492.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from gateway.x402.payloads import DepositAuthorization, VoucherClaim
from verification.signatures.eip712 import ChannelConfig, TokenAuthorization, keccak

_CONFIG = "(address,address,address,address,address,uint40,bytes32)"
_CLAIMS = f"(({_CONFIG},uint128),bytes,uint128)[]"
_ERC6492_SUFFIX = bytes.fromhex("6492" * 16)
ERC1271_MAGIC = bytes.fromhex("1626ba7e")
_ERROR_STRING = bytes.fromhex("08c379a0")

TRANSFER_TOPIC = keccak(b"Transfer(address,address,uint256)")
SETTLED_TOPIC = keccak(b"Settled(address,address,address,uint128)")
REFUNDED_TOPIC = keccak(b"Refunded(bytes32,address,uint128)")

_ESCROW_ERRORS = (
    "InvalidChannel",
    "DepositsPaused",
    "ZeroDeposit",
    "DepositOverflow",
    "InvalidSignature",
    "NotReceiverAuthorizer",
    "NotAuthorizedToClaim",
    "NotAuthorizedToRefund",
    "ClaimExceedsCeiling",
    "ClaimExceedsBalance",
    "WithdrawalAlreadyPending",
    "WithdrawalNotPending",
    "NotAuthorizedToFinalizeWithdraw",
    "WithdrawDelayNotElapsed",
    "NothingToWithdraw",
    "WithdrawAmountExceedsAvailable",
    "WithdrawDelayOutOfRange",
    "EmptyBatch",
    "DepositCollectionFailed",
    "InvalidCollector",
    "InvalidRefundNonce",
    "ZeroRefund",
    "OnlyX402BatchSettlement",
)
_ERRORS_BY_SELECTOR = {keccak(f"{name}()".encode())[:4]: name for name in _ESCROW_ERRORS} | {
    keccak(b"ERC20InsufficientBalance(address,uint256,uint256)")[:4]: "ERC20InsufficientBalance"
}


def _call(name: str, types: Sequence[str], values: Sequence[Any]) -> bytes:
    return keccak(f"{name}({','.join(types)})".encode())[:4] + encode(types, values)


def _config(config: ChannelConfig) -> tuple[Any, ...]:
    return (
        config.payer,
        config.payer_authorizer,
        config.receiver,
        config.receiver_authorizer,
        config.token,
        config.withdraw_delay,
        config.salt,
    )


def deposit(config: ChannelConfig, amount: int, collector: bytes, authorization: DepositAuthorization) -> bytes:
    data = encode(
        ["uint256", "uint256", "uint256", "bytes"],
        [authorization.valid_after, authorization.valid_before, authorization.salt, authorization.signature],
    )
    return _call("deposit", [_CONFIG, "uint128", "address", "bytes"], [_config(config), amount, collector, data])


def claim_with_signature(claims: Sequence[VoucherClaim], signature: bytes) -> bytes:
    rows = [((_config(c.config), c.max_claimable), c.signature, c.total_claimed) for c in claims]
    return _call("claimWithSignature", [_CLAIMS, "bytes"], [rows, signature])


def refund_with_signature(config: ChannelConfig, amount: int, nonce: int, signature: bytes) -> bytes:
    return _call(
        "refundWithSignature",
        [_CONFIG, "uint128", "uint256", "bytes"],
        [_config(config), amount, nonce, signature],
    )


def multicall(calls: Sequence[bytes]) -> bytes:
    return _call("multicall", ["bytes[]"], [list(calls)])


def settle(receiver: bytes, token: bytes) -> bytes:
    return _call("settle", ["address", "address"], [receiver, token])


def transfer_with_authorization(authorization: TokenAuthorization, signature: bytes) -> bytes:
    """The `v, r, s` form for 65-byte signatures, since every EIP-3009 token has it; the bytes form otherwise."""
    types = ["address", "address", "uint256", "uint256", "uint256", "bytes32"]
    values: list[Any] = [
        authorization.sender,
        authorization.recipient,
        authorization.value,
        authorization.valid_after,
        authorization.valid_before,
        authorization.nonce,
    ]
    if len(signature) == 65:
        types += ["uint8", "bytes32", "bytes32"]
        values += [signature[64], signature[:32], signature[32:64]]
    else:
        types.append("bytes")
        values.append(signature)
    return _call("transferWithAuthorization", types, values)


def is_valid_signature(digest: bytes, signature: bytes) -> bytes:
    return _call("isValidSignature", ["bytes32", "bytes"], [digest, signature])


def channels(channel_id: bytes) -> bytes:
    return _call("channels", ["bytes32"], [channel_id])


def pending_withdrawals(channel_id: bytes) -> bytes:
    return _call("pendingWithdrawals", ["bytes32"], [channel_id])


def refund_nonce(channel_id: bytes) -> bytes:
    return _call("refundNonce", ["bytes32"], [channel_id])


def receivers(receiver: bytes, token: bytes) -> bytes:
    return _call("receivers", ["address", "address"], [receiver, token])


def balance_of(account: bytes) -> bytes:
    return _call("balanceOf", ["address"], [account])


def authorization_state(account: bytes, nonce: bytes) -> bytes:
    return _call("authorizationState", ["address", "bytes32"], [account, nonce])


def name() -> bytes:
    return _call("name", [], [])


def version() -> bytes:
    return _call("version", [], [])


class UnexpectedAnswer(Exception):
    """A contract answered in another shape than its ABI says: it is not that contract, or not there."""


def read_uint(answer: bytes) -> int:
    """Raises UnexpectedAnswer."""
    if len(answer) != 32:
        raise UnexpectedAnswer(f"{len(answer)} bytes where one word was due")
    return int.from_bytes(answer, "big")


def read_pair(answer: bytes) -> tuple[int, int]:
    """Raises UnexpectedAnswer."""
    if len(answer) != 64:
        raise UnexpectedAnswer(f"{len(answer)} bytes where two words were due")
    return int.from_bytes(answer[:32], "big"), int.from_bytes(answer[32:], "big")


def read_string(answer: bytes) -> str | None:
    """A string, or None when the answer is none."""
    try:
        return str(decode(["string"], answer)[0])
    except (DecodingError, UnicodeDecodeError, OverflowError):
        return None


def revert_reason(data: bytes) -> str:
    """What revert data says: an error's name, or the text of `require`."""
    if data[:4] == _ERROR_STRING:
        return read_string(data[4:]) or "reverted"
    return _ERRORS_BY_SELECTOR.get(data[:4], "reverted")


@dataclass(frozen=True, slots=True)
class UnwrappedSignature:
    """A signature freed of its ERC-6492 wrapping; `factory` is who would deploy the wallet, if it was wrapped."""

    signature: bytes
    factory: bytes | None


def unwrap_signature(signature: bytes) -> UnwrappedSignature | None:
    """None when it announces a wrapping and holds none."""
    if not signature.endswith(_ERC6492_SUFFIX):
        return UnwrappedSignature(signature, None)
    try:
        factory, _, inner = decode(["address", "bytes", "bytes"], signature[:-32])
    except (DecodingError, OverflowError):
        return None
    return UnwrappedSignature(inner, bytes.fromhex(factory[2:]))
