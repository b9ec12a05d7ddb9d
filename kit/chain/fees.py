"""What to pay for inclusion (EIP-1559), within a cap."""

from __future__ import annotations

from dataclasses import dataclass

from kit.chain.rpc import Rpc, RpcRefused, unhexed

GWEI = 10**9


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """Limits of a lane. Fees in wei a gas, times in seconds.

    `bump_percent_x10` is the least raise that nodes accept for a replacement, in tenths of a percent.
    """

    cap: int = 500 * GWEI
    tip_floor: int = GWEI // 100
    tip_cap: int = 5 * GWEI
    bump_percent_x10: int = 125
    bump_after: float = 15.0
    rebroadcast_after: float = 3.0
    max_attempts: int = 40
    final_depth: int = 64


@dataclass(frozen=True, slots=True)
class Fees:
    max_fee: int
    priority_fee: int


def quote(rpc: Rpc, policy: FeePolicy) -> Fees:
    """Fees that stay good while the base fee doubles, at most the cap. Raises RpcUnavailable."""
    head = rpc.block("latest")
    base = head.base_fee if head is not None else 0
    try:
        tip = int.from_bytes(unhexed(_even(rpc.read("eth_maxPriorityFeePerGas"))), "big")
    except RpcRefused:
        tip = policy.tip_floor
    return bounded(2 * base, tip, policy)


def bounded(base: int, tip: int, policy: FeePolicy) -> Fees:
    tip = min(max(tip, policy.tip_floor), policy.tip_cap, policy.cap)
    return Fees(min(base + tip, policy.cap), tip)


def raised(old: Fees, wanted: Fees, policy: FeePolicy) -> Fees | None:
    """Fees that may replace `old`: both raised by the node's least step, and what is wanted now if that is more.

    None when the cap leaves no room for the step: then only waiting helps.
    """
    least = Fees(_step(old.max_fee, policy), _step(old.priority_fee, policy))
    if least.max_fee > policy.cap or least.priority_fee > policy.cap:
        return None
    max_fee = min(max(least.max_fee, wanted.max_fee), policy.cap)
    return Fees(max_fee, min(max(least.priority_fee, wanted.priority_fee), max_fee))


def _step(fee: int, policy: FeePolicy) -> int:
    return -(-fee * (1000 + policy.bump_percent_x10) // 1000) + 1


def _even(text: object) -> str:
    digits = str(text).removeprefix("0x")
    return "0x" + ("0" + digits if len(digits) % 2 else digits)
