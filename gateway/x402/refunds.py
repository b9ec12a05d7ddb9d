"""Cooperative refunds: what is claimed goes to the merchant and what is free back to the payer, in one transaction.

Only the payer's authorizer can ask for one, by a voucher over exactly what is charged. A resource server that keeps
the totals itself sends its own order; where it leaves the signature to us, its voucher has to be the best that we
have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import psycopg

from gateway.channels.service import apply_receipt
from gateway.x402 import abi, book, channels, settlements
from gateway.x402.book import BookChannel
from gateway.x402.codes import Code
from gateway.x402.facilitator import QUERIES, Facilitator, Merchant, Request, find_merchant, require_key
from gateway.x402.messages import Refusal, Requirements, Settled, Verified
from gateway.x402.onchain import ChannelOnChain
from gateway.x402.payloads import RefundOrder, RefundPayment, VoucherClaim
from gateway.x402.settlements import Identity, Kind, Order, Settlement
from gateway.x402.vouchers import see_channel
from kit.chain.rpc import Receipt
from kit.chain.sender import Outcome, TransactionState
from verification.signatures.eip712 import channel_id
from verification.signatures.recovery import canonical_signature


def verify(f: Facilitator, payment: RefundPayment | RefundOrder, asked: Requirements, merchant: Merchant) -> Verified:
    """Raises Refusal, RpcUnavailable, ChainLost."""
    channel = _check_ownership(f, payment, asked)
    if channel is not None and (channel.kept or asked.facilitator_keeps_book):
        _refundable(channel, payment)
        state = book.book_view(channel)
        del state["chargedCumulativeAmount"]
        return Verified(payment.config.payer, state)
    seen = see_channel(f, payment.config, payment.voucher.channel_id, channel)
    _check_seen(payment, seen)
    return Verified(payment.config.payer, book.chain_view(payment.voucher.channel_id, seen))


def _check_ownership(f: Facilitator, payment: RefundPayment | RefundOrder, asked: Requirements) -> BookChannel | None:
    channels.check_config(f, payment.config, payment.voucher.channel_id, asked)
    channels.check_voucher_signature(f, payment.config, payment.voucher)
    with f.pool.connection() as connection:
        return book.find_channel(connection, payment.voucher.channel_id)


def _check_seen(payment: RefundPayment | RefundOrder, seen: ChannelOnChain) -> None:
    if seen.balance == 0:
        raise Refusal(Code.BATCH_CHANNEL_NOT_FOUND, "the channel is empty")
    if payment.voucher.max_claimable > seen.balance:
        raise Refusal(Code.BATCH_EXCEEDS_BALANCE, "the voucher goes beyond the channel's balance")
    if payment.voucher.max_claimable < seen.total_claimed:
        raise Refusal(Code.BATCH_BELOW_CLAIMED, "the voucher's maximum is below what is claimed already")


def _refundable(channel: BookChannel, payment: RefundPayment | RefundOrder) -> int:
    """How much goes back. Raises Refusal, with what a client needs to sign the right voucher."""
    book.require_total(channel, payment.voucher.max_claimable, channel.charged)
    if payment.amount == 0:
        raise Refusal(Code.BATCH_REFUND_AMOUNT, "a refund is at least 1")
    wanted = channel.refundable if payment.amount is None else payment.amount
    if channel.refundable == 0 or wanted > channel.refundable:
        raise Refusal(Code.BATCH_REFUND_NO_BALANCE, f"{channel.refundable} is left to refund")
    return wanted


def settle(
    f: Facilitator, payment: RefundPayment, asked: Requirements, merchant: Merchant, request: Request
) -> Settled:
    """A client's own wish, for a channel whose totals we keep. Raises Refusal, RpcUnavailable, ChainLost."""
    found = _check_ownership(f, payment, asked)
    channels.check_ours(f, payment.config)
    if found is None:
        raise Refusal(Code.BATCH_MISSING_CHANNEL, "no deposit to this channel is known")
    if not found.kept and not asked.facilitator_keeps_book:
        raise Refusal(Code.BATCH_MISSING_CHANNEL, "its resource server keeps this channel's totals: ask there")
    if not found.kept:
        require_key(merchant, request, "a refund from a channel that we have not charged yet")
    _free_what_is_over(f, found)
    settlement = _find_own(f, payment, merchant, found)
    if settlement is None:
        settlement = _place(f, payment, merchant, request)
    elif settlement.answer is not None:
        return _as_stored(settlement.answer)
    outcome = settlements.carry_out(f, settlement)
    receipt = outcome.receipt
    _book(f, settlement, outcome)
    tx_hash = settlements.require_mined(
        outcome, payment.config.payer, Code.BATCH_REFUND_FAILED, Code.BATCH_REFUND_SIMULATION
    )
    with f.pool.connection() as connection:
        channel = book.find_channel(connection, payment.voucher.channel_id)
    assert channel is not None
    refunded = _refunded(f, receipt, payment.voucher.channel_id)
    settled = Settled(
        f.network, tx_hash, payment.config.payer, str(refunded), {"channelState": book.book_view(channel)}
    )
    settlements.store_answer(f, settlement, settled.document())
    return settled


def _identity(payment: RefundPayment | RefundOrder, merchant: Merchant, nonce: int) -> Identity:
    amount = b"all" if payment.amount is None else payment.amount
    return Identity(
        merchant.merchant_id,
        settlements.hash_of(b"refund", payment.voucher.channel_id, nonce),
        Kind.REFUND,
        settlements.hash_of(payment.voucher.max_claimable, amount),
    )


def _find_own(f: Facilitator, payment: RefundPayment, merchant: Merchant, channel: BookChannel) -> Settlement | None:
    """This very refund, under way or done.

    A refund of everything that was done is found again by the voucher it was asked with: its answer may have been
    lost. A part, once paid, may be asked for a second time.
    """
    now = _identity(payment, merchant, channel.refund_nonce)
    under_way = settlements.find_under_way(f, now)
    if under_way is not None:
        if under_way.fingerprint != now.fingerprint:
            raise Refusal(Code.BATCH_REFUND_SIMULATION, "another refund of this channel is under way")
        return under_way
    if payment.amount is None and channel.refundable == 0 and channel.refund_nonce > 0:
        before = _identity(payment, merchant, channel.refund_nonce - 1)
        done = settlements.find_under_way(f, before)
        if done is not None and done.fingerprint == before.fingerprint:
            return done
    return None


def _place(f: Facilitator, payment: RefundPayment, merchant: Merchant, request: Request) -> Settlement:
    """Simulate, withhold and order the refund."""
    with f.pool.connection() as connection:
        channel = book.find_channel(connection, payment.voucher.channel_id)
    assert channel is not None
    amount = _refundable(channel, payment)
    nonce = f.onchain.channel(channel.channel_id).refund_nonce
    calldata = _calldata(f, payment, channel, amount, nonce)
    gas_most = settlements.gas_most(claim_rows=1)
    why = f.onchain.simulate(f.contracts.escrow, calldata, gas_most)
    if why is not None:
        raise Refusal(Code.BATCH_REFUND_SIMULATION, f"the refund would revert: {why}")
    order = Order(
        f.contracts.escrow,
        calldata,
        payment.config.payer,
        channel_no=channel.channel_no,
        withheld=amount,
        gas_most=gas_most,
    )

    def reserve(connection: psycopg.Connection[Any]) -> None:
        locked = book.find_channel(connection, channel.channel_id, lock=True)
        assert locked is not None
        # A voucher may have been charged since: then the sums above are of another channel than this.
        if _refundable(locked, payment) != amount or locked.refund_nonce != channel.refund_nonce:
            raise Refusal(Code.BATCH_MISMATCH, "the channel has changed meanwhile", extra=book.corrective(locked))
        facts = {"merchant_id": locked.merchant_id, "channel_no": locked.channel_no, "amount": Decimal(amount)}
        connection.execute(QUERIES.sql("withhold"), facts)

    return settlements.place(f, _identity(payment, merchant, nonce), order, request, reserve)


def _calldata(f: Facilitator, payment: RefundPayment, channel: BookChannel, amount: int, nonce: int) -> bytes:
    refund = abi.refund_with_signature(
        payment.config, amount, nonce, f.authorizer.sign_refund(channel.channel_id, nonce, amount)
    )
    if channel.charged <= channel.claimed:
        return refund
    claims = [
        VoucherClaim(
            payment.config,
            payment.voucher.max_claimable,
            canonical_signature(payment.voucher.signature),
            channel.charged,
        )
    ]
    return abi.multicall([abi.claim_with_signature(claims, f.authorizer.sign_claims(claims)), refund])


def _free_what_is_over(f: Facilitator, channel: BookChannel) -> None:
    """Refunds of this channel whose end nobody was there to see."""
    facts = {"merchant_id": channel.merchant_id, "channel_no": channel.channel_no}
    with f.pool.connection() as connection:
        rows = connection.execute(QUERIES.sql("withholding"), facts).fetchall()
        held = [settlements.find(connection, channel.merchant_id, bytes(row[0])) for row in rows]
    for settlement in held:
        if settlement is None:
            continue
        outcome = f.sender.look(f.pool, settlement.transaction_id)
        _book(f, settlement, outcome)


def _book(f: Facilitator, settlement: Settlement, outcome: Outcome) -> None:
    """Book what was paid back and free what was withheld for it, together: in between, it could be spent twice."""
    with f.pool.connection() as connection:
        if outcome.receipt is not None:
            apply_receipt(connection, outcome.receipt)
        if outcome.is_pending:
            return
        if outcome.state is not TransactionState.MINED or _is_booked(connection, outcome):
            settlements.release(connection, settlement)


def _is_booked(connection: psycopg.Connection[Any], outcome: Outcome) -> bool:
    facts = {"tx_hash": outcome.tx_hash, "topic": abi.REFUNDED_TOPIC}
    return connection.execute(QUERIES.sql("is_booked"), facts).fetchone() is not None


def _as_stored(answer: dict[str, Any]) -> Settled:
    payer = answer.get("payer")
    return Settled(
        network=answer["network"],
        transaction=answer["transaction"],
        payer=None if payer is None else bytes.fromhex(payer[2:]),
        amount=answer["amount"],
        extra=answer.get("extra", {}),
    )


def _refunded(f: Facilitator, receipt: Receipt | None, channel: bytes) -> int:
    """What the escrow says that it gave back."""
    if receipt is None:
        return 0
    return sum(
        int.from_bytes(log.data, "big")
        for log in receipt.logs
        if log.address == f.contracts.escrow and log.topics[:2] == (abi.REFUNDED_TOPIC, channel)
    )


def execute(f: Facilitator, order: RefundOrder, asked: Requirements, merchant: Merchant, request: Request) -> Settled:
    """A resource server's order. Raises Refusal, RpcUnavailable, ChainLost."""
    _check_order(f, order, asked)
    identity = _identity(order, merchant, order.nonce)
    settlement = settlements.find_under_way(f, identity)
    if settlement is None:
        settlement = _place_order(f, order, identity, merchant, request)
    if settlement.fingerprint != identity.fingerprint:
        raise Refusal(Code.BATCH_REFUND_SIMULATION, "another refund of this channel is under way", order.config.payer)
    outcome = settlements.carry_out(f, settlement)
    _book(f, settlement, outcome)
    tx_hash = settlements.require_mined(
        outcome, order.config.payer, Code.BATCH_REFUND_FAILED, Code.BATCH_REFUND_SIMULATION
    )
    seen = f.onchain.channel(order.voucher.channel_id)
    refunded = _refunded(f, outcome.receipt, order.voucher.channel_id)
    extra = {"channelState": book.chain_view(order.voucher.channel_id, seen)}
    return Settled(f.network, tx_hash, order.config.payer, str(refunded), extra)


def _check_order(f: Facilitator, order: RefundOrder, asked: Requirements) -> None:
    """The order is of the receiver and the token that it names, and of whom its voucher says. Raises Refusal."""
    if channel_id(f.domain, order.config) != order.voucher.channel_id:
        raise Refusal(Code.BATCH_CHANNEL_ID, "channelId is not the EIP-712 hash of channelConfig")
    if order.config.receiver != asked.pay_to:
        raise Refusal(Code.BATCH_RECEIVER, "channelConfig.receiver is not payTo")
    channels.check_token(f, order.config)
    channels.check_voucher_signature(f, order.config, order.voucher)
    if order.amount == 0:
        raise Refusal(Code.BATCH_REFUND_AMOUNT, "a refund is at least 1")


def _place_order(
    f: Facilitator, order: RefundOrder, identity: Identity, merchant: Merchant, request: Request
) -> Settlement:
    """Simulate the order, withhold from a channel that we know what it takes, and order its transaction."""
    with f.pool.connection() as connection:
        channel = book.find_channel(connection, order.voucher.channel_id)
    _check_earned(f, order, merchant, request, channel)
    seen = f.onchain.channel(order.voucher.channel_id)
    if seen.balance - max(seen.total_claimed, _claimed_by(f, order)) <= 0 and order.nonce == seen.refund_nonce:
        raise Refusal(Code.BATCH_REFUND_NO_BALANCE, "nothing is left to refund", order.config.payer)
    calldata = _order_calldata(f, order, request)
    gas_most = settlements.gas_most(len(order.claims))
    why = f.onchain.simulate(f.contracts.escrow, calldata, gas_most)
    if why is not None:
        raise Refusal(Code.BATCH_REFUND_SIMULATION, f"the refund would revert: {why}", order.config.payer)
    withheld = 0 if channel is None else min(order.amount, channel.refundable)

    def reserve(connection: psycopg.Connection[Any]) -> None:
        locked = book.find_channel(connection, order.voucher.channel_id, lock=True)
        if locked is None:
            return
        # A voucher may have been charged since: what was refundable may be earned by now.
        _check_earned(f, order, merchant, request, locked)
        if min(order.amount, locked.refundable) != withheld:
            raise Refusal(Code.BATCH_MISMATCH, "the channel has changed meanwhile", extra=book.corrective(locked))
        facts = {"merchant_id": locked.merchant_id, "channel_no": locked.channel_no, "amount": Decimal(withheld)}
        connection.execute(QUERIES.sql("withhold"), facts)

    number = None if channel is None else channel.channel_no
    placed = Order(
        f.contracts.escrow,
        calldata,
        order.config.payer,
        channel_no=number,
        withheld=withheld,
        gas_most=gas_most,
    )
    return settlements.place(f, identity, placed, request, reserve)


def _check_earned(
    f: Facilitator, order: RefundOrder, merchant: Merchant, request: Request, channel: BookChannel | None
) -> None:
    """The order takes nothing that we know to be earned. Raises Refusal.

    One that brings the signature of another authorizer is its receiver's own affair, unless the channel is one that
    we keep.
    """
    if order.refund_signature is None:
        channels.check_ours(f, order.config)
        require_key(merchant, request, "a refund that we sign")
    elif channel is None or not channel.kept:
        return
    if channel is None:
        return
    if channel.kept:
        book.require_total(channel, order.voucher.max_claimable, channel.charged)
        if order.amount > channel.refundable:
            raise Refusal(Code.BATCH_REFUND_NO_BALANCE, f"{channel.refundable} is left to refund")
    earned = max(channel.charged, channel.voucher_max if not channel.kept else 0)
    if order.voucher.max_claimable < earned:
        raise Refusal(Code.BATCH_MISMATCH, "a later voucher of this channel is known", extra=book.corrective(channel))
    if channel.charged > channel.claimed and _claimed_by(f, order) < channel.charged:
        raise Refusal(Code.BATCH_REFUND_SIMULATION, "claims has to hold what is charged and not claimed yet")


def _claimed_by(f: Facilitator, order: RefundOrder) -> int:
    totals = [c.total_claimed for c in order.claims if channel_id(f.domain, c.config) == order.voucher.channel_id]
    return max(totals, default=0)


def _order_calldata(f: Facilitator, order: RefundOrder, request: Request) -> bytes:
    signature = order.refund_signature
    if signature is None:
        signature = f.authorizer.sign_refund(order.voucher.channel_id, order.nonce, order.amount)
    refund = abi.refund_with_signature(order.config, order.amount, order.nonce, signature)
    if not order.claims:
        return refund
    rows = order.claims, signed_claims(f, order.claims, order.claim_signature, request)
    return abi.multicall([abi.claim_with_signature(*rows), refund])


def signed_claims(f: Facilitator, claims: Sequence[VoucherClaim], signature: bytes | None, request: Request) -> bytes:
    """The authorizer's signature of these rows: theirs, else ours. Raises Refusal.

    Every row pays a merchant of ours in a token that we take. Ours is given only to rows that name us, with the key
    of each merchant that wants to be asked, and never for more of a kept channel than it was charged.
    """
    with f.pool.connection() as connection:
        for row in claims:
            channels.check_token(f, row.config)
            merchant = find_merchant(connection, row.config.receiver)
            if signature is not None:
                continue
            channels.check_ours(f, row.config)
            require_key(merchant, request, "a claim that we sign")
            known = book.find_channel(connection, channel_id(f.domain, row.config))
            if known is not None and known.kept and row.total_claimed > known.charged:
                raise Refusal(Code.BATCH_CLAIM_PAYLOAD, "totalClaimed is more than this channel was charged")
    return f.authorizer.sign_claims(claims) if signature is None else signature
