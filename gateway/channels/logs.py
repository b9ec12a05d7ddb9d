"""Logs of the escrow and of tokens, decoded. Topics and layouts: public x402 batch-settlement contract, ERC-20."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.channels import fold
from kit.chain.rpc import Log
from verification.signatures.eip712 import ChannelConfig, keccak

_CONFIG = "(address,address,address,address,address,uint40,bytes32)"
CHANNEL_CREATED = keccak(f"ChannelCreated(bytes32,{_CONFIG})".encode())
DEPOSITED = keccak(b"Deposited(bytes32,address,uint128,uint128)")
CLAIMED = keccak(b"Claimed(bytes32,address,uint128,uint128)")
SETTLED = keccak(b"Settled(address,address,address,uint128)")
REFUNDED = keccak(b"Refunded(bytes32,address,uint128)")
WITHDRAW_INITIATED = keccak(b"WithdrawInitiated(bytes32,uint128,uint40)")
WITHDRAW_FINALIZED = keccak(b"WithdrawFinalized(bytes32,address,uint128)")
TRANSFER = keccak(b"Transfer(address,address,uint256)")
OF_A_CHANNEL = frozenset({DEPOSITED, CLAIMED, REFUNDED, WITHDRAW_INITIATED, WITHDRAW_FINALIZED})


@dataclass(frozen=True, slots=True)
class ReceiverSettled:
    receiver: bytes
    token: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class TokenTransfer:
    sender: bytes
    receiver: bytes
    amount: int


def config_of(log: Log) -> ChannelConfig:
    """The configuration in a ChannelCreated."""
    words = [log.data[at : at + 32] for at in range(0, 32 * 7, 32)]
    payer, payer_authorizer, receiver, receiver_authorizer, token = (word[12:] for word in words[:5])
    delay = int.from_bytes(words[5], "big")
    return ChannelConfig(payer, payer_authorizer, receiver, receiver_authorizer, token, delay, words[6])


def channel_event(log: Log, withdraw_delay: int) -> fold.Event:
    """What happened to the channel named by topic 1."""
    kind = log.topics[0]
    if kind == DEPOSITED:
        return fold.Deposited(_uint(log, 0))
    if kind == CLAIMED:
        return fold.Claimed(_uint(log, 0))
    if kind == REFUNDED:
        return fold.Refunded(_uint(log, 0))
    if kind == WITHDRAW_INITIATED:
        return fold.WithdrawInitiated(_uint(log, 0), _uint(log, 1) - withdraw_delay)
    if kind == WITHDRAW_FINALIZED:
        return fold.WithdrawFinalized(_uint(log, 0))
    raise ValueError(f"topic 0x{kind.hex()} is no event of a channel")


def receiver_settled(log: Log) -> ReceiverSettled:
    return ReceiverSettled(log.topics[1][12:], log.topics[2][12:], _uint(log, 0))


def token_transfer(log: Log) -> TokenTransfer:
    return TokenTransfer(log.topics[1][12:], log.topics[2][12:], _uint(log, 0))


def _uint(log: Log, word: int) -> int:
    return int.from_bytes(log.data[32 * word : 32 * word + 32], "big")
