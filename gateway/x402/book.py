"""A channel as our book has it, and as a client is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from gateway.x402 import wire
from gateway.x402.codes import Code
from gateway.x402.facilitator import QUERIES
from gateway.x402.messages import Refusal
from gateway.x402.onchain import ChannelOnChain


@dataclass(frozen=True, slots=True)
class BookChannel:
    """Amounts in the token's smallest unit. `kept` says that its running total is ours to know."""

    merchant_id: int
    channel_no: int
    channel_id: bytes
    credited: int
    charged: int
    claimed: int
    withheld: int
    withdraw_requested_at: int
    refund_nonce: int
    voucher_max: int
    voucher_signature: bytes | None
    kept: bool

    @property
    def spendable(self) -> int:
        """The highest cumulative total that the channel still covers."""
        return self.credited - self.withheld

    @property
    def refundable(self) -> int:
        return max(0, self.spendable - self.charged)


def find_channel(connection: psycopg.Connection[Any], channel_id: bytes, *, lock: bool = False) -> BookChannel | None:
    """The channel, with its row locked until the transaction ends if `lock`."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        query = QUERIES.sql("lock_channel" if lock else "find_channel")
        row: Any = cursor.execute(query, {"channel_id": channel_id}).fetchone()
    if row is None:
        return None
    return BookChannel(
        merchant_id=row.merchant_id,
        channel_no=row.channel_no,
        channel_id=channel_id,
        credited=int(row.credited),
        charged=int(row.charged),
        claimed=int(row.claimed),
        withheld=int(row.withheld),
        withdraw_requested_at=row.withdraw_requested_at,
        refund_nonce=int(row.refund_nonce),
        voucher_max=int(row.voucher_max),
        voucher_signature=None if row.voucher_signature is None else bytes(row.voucher_signature),
        kept=row.kept,
    )


def remember_voucher(
    connection: psycopg.Connection[Any], channel: BookChannel, voucher_max: int, signature: bytes
) -> None:
    """Keep the highest voucher seen of a channel whose totals somebody else keeps."""
    connection.execute(
        QUERIES.sql("remember_voucher"),
        {
            "merchant_id": channel.merchant_id,
            "channel_no": channel.channel_no,
            "voucher_max": voucher_max,
            "signature": signature,
        },
    )


def chain_view(channel_id: bytes, seen: ChannelOnChain) -> dict[str, Any]:
    """`channelState` as far as the chain knows it: a resource server that keeps the totals adds the charged one."""
    return {
        "channelId": wire.hexadecimal(channel_id),
        "balance": str(seen.balance),
        "totalClaimed": str(seen.total_claimed),
        "withdrawRequestedAt": seen.withdraw_requested_at,
        "refundNonce": str(seen.refund_nonce),
    }


def book_view(channel: BookChannel) -> dict[str, Any]:
    """`channelState` with all six members."""
    seen = ChannelOnChain(channel.credited, channel.claimed, 0, channel.withdraw_requested_at, channel.refund_nonce)
    return {**chain_view(channel.channel_id, seen), "chargedCumulativeAmount": str(channel.charged)}


def corrective(channel: BookChannel) -> Mapping[str, Any]:
    """What a client resynchronises with. It shows a voucher: never to a request without a signed one."""
    extra: dict[str, Any] = {"channelState": book_view(channel)}
    if channel.voucher_signature is not None and channel.voucher_max > 0:
        extra["voucherState"] = {
            "signedMaxClaimable": str(channel.voucher_max),
            "signature": wire.hexadecimal(channel.voucher_signature),
        }
    return extra


def require_total(channel: BookChannel, max_claimable: int, expected: int) -> None:
    """A voucher's maximum is exactly `expected`. Raises Refusal with what the client needs to sign the right one."""
    if max_claimable == expected:
        return
    code = Code.BATCH_BELOW_CLAIMED if max_claimable <= channel.claimed else Code.BATCH_MISMATCH
    raise Refusal(code, f"the voucher's maximum has to be {expected}", extra=corrective(channel))
