"""`batch-settlement` vouchers: checked by `/verify`, charged in the book by `/settle`."""

from __future__ import annotations

from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from gateway.payments.facts import ChannelFacts
from gateway.payments.outcomes import (
    BookUnavailable,
    CaptureFailed,
    CaptureRequest,
    CaptureResult,
    Outcome,
    QueueFull,
)
from gateway.x402 import book, channels
from gateway.x402.book import BookChannel
from gateway.x402.codes import Code
from gateway.x402.facilitator import ChainLost, Facilitator, Merchant, Request, judge_voucher, require_key
from gateway.x402.messages import Refusal, Requirements, Settled, Verified
from gateway.x402.onchain import ChannelOnChain
from gateway.x402.payloads import Voucher, VoucherPayment
from kit.chain.rpc import RpcUnavailable
from kit.ids import uuid7
from verification.signatures.eip712 import ChannelConfig
from verification.signatures.recovery import canonical_signature

CAPTURE_SECONDS = 20.0


class BookBusy(Exception):
    """The book could not take the voucher, or did not say in time; the same request again will tell."""


def verify(f: Facilitator, payment: VoucherPayment, asked: Requirements, merchant: Merchant) -> Verified:
    """Raises Refusal, ChainLost."""
    channels.check_config(f, payment.config, payment.voucher.channel_id, asked)
    channels.check_voucher_signature(f, payment.config, payment.voucher)
    with f.pool.connection() as connection:
        channel = book.find_channel(connection, payment.voucher.channel_id)
    if channel is not None and (channel.kept or asked.facilitator_keeps_book):
        return _verify_kept(f, payment, asked, merchant, channel)
    if channel is None and asked.facilitator_keeps_book:
        raise Refusal(Code.BATCH_CHANNEL_NOT_FOUND, "no deposit to this channel is known")
    return _verify_for_others(f, payment, asked, channel)


def _verify_kept(
    f: Facilitator, payment: VoucherPayment, asked: Requirements, merchant: Merchant, channel: BookChannel
) -> Verified:
    channels.check_ours(f, payment.config)
    voucher = payment.voucher
    if channel.credited == 0:
        raise Refusal(Code.BATCH_CHANNEL_NOT_FOUND, "the channel is empty")
    book.require_total(channel, voucher.max_claimable, channel.charged + asked.amount)
    _check_cover(voucher.max_claimable, channel.credited, channel.spendable)
    facts = channels.channel_facts(f, merchant, channel.channel_no, payment.config)
    judge_voucher(f, facts, asked.amount, voucher.max_claimable, voucher.signature)
    if voucher.max_claimable > channel.claimed + exposure_most(f, facts):
        raise Refusal(Code.EXPOSURE_LIMIT, "the chain is not in sight, and what is unclaimed is at its limit")
    state = book.book_view(channel)
    del state["chargedCumulativeAmount"]
    return Verified(payment.config.payer, state)


def _verify_for_others(
    f: Facilitator, payment: VoucherPayment, asked: Requirements, channel: BookChannel | None
) -> Verified:
    """A resource server that keeps the totals itself asks what the chain says."""
    voucher = payment.voucher
    seen = see_channel(f, payment.config, voucher.channel_id, channel)
    check_against_chain(voucher, seen)
    if asked.amount > voucher.max_claimable:
        raise Refusal(Code.BATCH_MISMATCH, "the voucher's maximum is below the amount")
    if channel is not None:
        with f.pool.connection() as connection:
            book.remember_voucher(connection, channel, voucher.max_claimable, canonical_signature(voucher.signature))
    return Verified(payment.config.payer, book.chain_view(voucher.channel_id, seen))


def see_channel(
    f: Facilitator, config: ChannelConfig, channel_id: bytes, channel: BookChannel | None
) -> ChannelOnChain:
    """The channel's state from the chain, else from our mirror of it while that is fresh enough. Raises ChainLost."""
    try:
        return f.onchain.channel(channel_id)
    except RpcUnavailable as error:
        mirrored = f.facts.chain_age() <= min(f.settings.mirror_stale_seconds, config.withdraw_delay // 4)
        if channel is None or not mirrored:
            raise ChainLost("the chain does not answer, and the channel's state is not known well enough") from error
        return ChannelOnChain(
            channel.credited, channel.claimed, channel.withheld, channel.withdraw_requested_at, channel.refund_nonce
        )


def check_against_chain(voucher: Voucher, seen: ChannelOnChain, deposit: int = 0) -> None:
    """Raises Refusal."""
    balance = seen.balance + deposit
    if balance == 0:
        raise Refusal(Code.BATCH_CHANNEL_NOT_FOUND, "the channel is empty")
    _check_cover(voucher.max_claimable, balance, balance - seen.withdraw_amount)
    if voucher.max_claimable <= seen.total_claimed:
        raise Refusal(Code.BATCH_BELOW_CLAIMED, "the voucher's maximum is not above what is claimed already")


def _check_cover(max_claimable: int, balance: int, spendable: int) -> None:
    if max_claimable > balance:
        raise Refusal(Code.BATCH_EXCEEDS_BALANCE, "the voucher goes beyond the channel's balance")
    if max_claimable > spendable:
        raise Refusal(Code.BATCH_EXCEEDS_BALANCE, "beyond what a withdrawal or refund under way leaves")


def exposure_most(f: Facilitator, facts: ChannelFacts) -> int:
    """Raises ChainLost when the chain was not seen for too long to accept anything."""
    most = f.facts.exposure_most(facts)
    if most is None:
        raise ChainLost("the chain has not been seen for too long to accept vouchers on this channel")
    return most


def settle(
    f: Facilitator, payment: VoucherPayment, asked: Requirements, merchant: Merchant, request: Request
) -> Settled:
    """Charge the voucher in our book. Durable when this returns. Raises Refusal, ChainLost, BookBusy."""
    channels.check_config(f, payment.config, payment.voucher.channel_id, asked)
    channels.check_ours(f, payment.config)
    channels.check_voucher_signature(f, payment.config, payment.voucher)
    with f.pool.connection() as connection:
        channel = book.find_channel(connection, payment.voucher.channel_id)
    if channel is None:
        raise Refusal(Code.BATCH_MISSING_CHANNEL, "no deposit to this channel is known")
    if not channel.kept:
        require_key(merchant, request, "the first charge of a channel")
    charged = charge(f, payment.config, payment.voucher, channel, asked.amount, merchant, request)
    return Settled(f.network, payer=payment.config.payer, extra=charged)


def charge(
    f: Facilitator,
    config: ChannelConfig,
    voucher: Voucher,
    channel: BookChannel,
    amount: int,
    merchant: Merchant,
    request: Request,
) -> dict[str, Any]:
    """Charge a voucher; returns the answer's `extra`. Raises Refusal, ChainLost, BookBusy."""
    facts = channels.channel_facts(f, merchant, channel.channel_no, config)
    judge_voucher(f, facts, amount, voucher.max_claimable, voucher.signature)
    capture = CaptureRequest(
        payment_id=uuid7(),
        merchant_id=merchant.merchant_id,
        channel_no=channel.channel_no,
        channel_id=voucher.channel_id,
        amount=amount,
        voucher_max=voucher.max_claimable,
        signature=canonical_signature(voucher.signature),
        request_hash=request.request_hash,
        window_most=facts.policy.window_most,
        exposure_most=exposure_most(f, facts),
    )
    try:
        result = f.captures.submit(capture).result(timeout=CAPTURE_SECONDS)
    except (QueueFull, BookUnavailable, CaptureFailed, FutureTimeout) as error:
        raise BookBusy("the payment could not be booked now") from error
    with f.pool.connection() as connection:
        after = book.find_channel(connection, voucher.channel_id)
    assert after is not None
    return _charged(result, after, amount, voucher.max_claimable)


def _charged(result: CaptureResult, channel: BookChannel, amount: int, total: int) -> dict[str, Any]:
    if result.outcome in (Outcome.CAPTURED, Outcome.REPLAY):
        # The total after this very payment: another one may have come after it.
        state = {**book.book_view(channel), "chargedCumulativeAmount": str(total)}
        return {"channelState": state, "chargedAmount": str(amount)}
    if result.outcome is Outcome.MISMATCH:
        book.require_total(channel, total, channel.charged + amount)
        # Somebody else's request was between our two looks: now it would fit, but it was not captured.
        raise Refusal(Code.BATCH_MISMATCH, "another payment came first", extra=book.corrective(channel))
    code, message = _REFUSED[result.outcome]
    raise Refusal(code, message)


_REFUSED: dict[Outcome, tuple[str, str]] = {
    Outcome.EXCEEDS_BALANCE: (Code.BATCH_EXCEEDS_BALANCE, "the voucher goes beyond what the channel can still pay"),
    Outcome.EXCEEDS_EXPOSURE: (Code.EXPOSURE_LIMIT, "what is unclaimed on the channel is at its limit"),
    Outcome.VELOCITY: ("velocity_exceeded", "the payer has reached what may be paid within one window"),
    Outcome.UNKNOWN_CHANNEL: (Code.BATCH_MISSING_CHANNEL, "no deposit to this channel is known"),
}
