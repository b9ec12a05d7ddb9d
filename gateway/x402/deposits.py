"""`batch-settlement` deposits by EIP-3009: the payer signs, our relay sends and pays the gas."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import psycopg

from gateway.channels.service import EscrowNotRegistered, UnlistedToken, apply_receipt, ensure_channel
from gateway.x402 import abi, book, channels, settlements, vouchers
from gateway.x402.book import BookChannel
from gateway.x402.codes import Code
from gateway.x402.facilitator import (
    ChainLost,
    Facilitator,
    Merchant,
    Request,
    check_tier,
    judge_voucher,
    read_token_domain,
    require_key,
)
from gateway.x402.messages import Refusal, Requirements, Settled, Verified
from gateway.x402.onchain import ChannelOnChain, WalletSignature
from gateway.x402.payloads import DepositPayment
from gateway.x402.settlements import Identity, Kind, Order
from kit.chain.rpc import Receipt
from verification.signatures.eip712 import TokenAuthorization, deposit_nonce, receive_authorization_digest
from verification.signatures.recovery import canonical_signature

# A transaction takes a while to be mined: an authorization that ends sooner is not sent any more.
SECONDS_LEFT_LEAST = 6
CREDIT_POLL_SECONDS = 0.05


def verify(f: Facilitator, payment: DepositPayment, asked: Requirements, merchant: Merchant) -> Verified:
    """Every check that `settle` will make, with a simulation of the deposit. Raises Refusal, RpcUnavailable."""
    _check_payment(f, payment, asked)
    identity = _identity(f, payment, merchant)
    if settlements.find_under_way(f, identity) is not None:
        raise Refusal(Code.BATCH_DEPOSIT_SIMULATION, "this deposit is under way or made already")
    with f.pool.connection() as connection:
        settlements.check_budget(f, connection, payment.config.payer)
    seen = _check_money(f, payment, asked, merchant)
    return Verified(payment.config.payer, book.chain_view(payment.voucher.channel_id, seen))


def settle(
    f: Facilitator, payment: DepositPayment, asked: Requirements, merchant: Merchant, request: Request
) -> Settled:
    """Send the deposit once, wait for it, credit it, and charge its first voucher if the totals are ours to keep.

    Raises Refusal, RpcUnavailable, ChainLost, BookBusy.
    """
    channels.check_config(f, payment.config, payment.voucher.channel_id, asked)
    channels.check_voucher_signature(f, payment.config, payment.voucher)
    if asked.facilitator_keeps_book:
        require_key(merchant, request, "a channel whose totals we keep")
    identity = _identity(f, payment, merchant)
    settlement = settlements.find_under_way(f, identity)
    if settlement is None:
        _check_payment(f, payment, asked)
        _check_money(f, payment, asked, merchant)
        settlement = settlements.place(f, identity, _order(f, payment), request, _keep_channel(payment))
    if settlement.fingerprint != identity.fingerprint:
        raise Refusal(Code.BATCH_DEPOSIT_SIMULATION, "another deposit was made with this salt", payment.config.payer)
    outcome = settlements.carry_out(f, settlement)
    tx_hash = settlements.require_mined(
        outcome, payment.config.payer, Code.BATCH_DEPOSIT_FAILED, Code.BATCH_DEPOSIT_SIMULATION
    )
    extra = _after_deposit(f, payment, asked, merchant, request, outcome.receipt, tx_hash)
    return Settled(f.network, tx_hash, payment.config.payer, str(payment.amount), extra)


def _check_payment(f: Facilitator, payment: DepositPayment, asked: Requirements) -> None:
    """What can be said without the channel's totals; signatures of contract wallets ask the chain."""
    config, authorization = payment.config, payment.authorization
    channels.check_config(f, config, payment.voucher.channel_id, asked)
    token = read_token_domain(asked, f.contracts.chain_id, Code.BATCH_DOMAIN)
    now = int(f.clock())
    if authorization.valid_before < now + SECONDS_LEFT_LEAST:
        raise Refusal(Code.BATCH_VALID_BEFORE, "the deposit's authorization is over, or nearly")
    if authorization.valid_after > now:
        raise Refusal(Code.BATCH_VALID_AFTER, "the deposit's authorization is not valid yet")
    if payment.amount < f.settings.deposit_least:
        raise Refusal(Code.BATCH_DEPOSIT_BELOW_LEAST, f"a deposit is at least {f.settings.deposit_least}")
    digest = receive_authorization_digest(token, _authorization(f, payment))
    standing = f.onchain.check_signature(config.payer, digest, authorization.signature)
    if standing is WalletSignature.COUNTERFACTUAL:
        raise Refusal(Code.BATCH_FACTORY_NOT_ALLOWED, "no wallet factory is allowed: deploy the wallet first")
    if standing is not WalletSignature.VALID:
        raise Refusal(Code.BATCH_RECEIVE_SIGNATURE, "the deposit is not signed by the payer")
    channels.check_voucher_signature(f, config, payment.voucher)


def _check_money(f: Facilitator, payment: DepositPayment, asked: Requirements, merchant: Merchant) -> ChannelOnChain:
    """Balances, totals, tier, simulation."""
    config, voucher = payment.config, payment.voucher
    seen = f.onchain.channel(voucher.channel_id)
    if f.onchain.token_balance(config.token, config.payer) < payment.amount:
        raise Refusal(Code.BATCH_INSUFFICIENT_BALANCE, "the payer does not have what he wants to deposit")
    with f.pool.connection() as connection:
        channel = book.find_channel(connection, voucher.channel_id)
    facts = channels.channel_facts(f, merchant, 0 if channel is None else channel.channel_no, config)
    check_tier(f, facts, payment.amount)
    if _keeps(asked, channel):
        channels.check_ours(f, config)
        charged = seen.total_claimed if channel is None else channel.charged
        if channel is not None:
            book.require_total(channel, voucher.max_claimable, charged + asked.amount)
        elif voucher.max_claimable != charged + asked.amount:
            raise Refusal(Code.BATCH_MISMATCH, "the voucher's maximum is not the amount of a first payment")
        judge_voucher(f, facts, asked.amount, voucher.max_claimable, voucher.signature)
    vouchers.check_against_chain(voucher, seen, payment.amount)
    order = _order(f, payment)
    why = f.onchain.simulate(order.to, order.data, order.gas_most)
    if why is not None:
        raise Refusal(Code.BATCH_DEPOSIT_SIMULATION, f"the deposit would revert: {why}")
    return seen


def _keeps(asked: Requirements, channel: BookChannel | None) -> bool:
    return asked.facilitator_keeps_book or (channel is not None and channel.kept)


def _authorization(f: Facilitator, payment: DepositPayment) -> TokenAuthorization:
    authorization = payment.authorization
    return TokenAuthorization(
        sender=payment.config.payer,
        recipient=f.contracts.erc3009_collector,
        value=payment.amount,
        valid_after=authorization.valid_after,
        valid_before=authorization.valid_before,
        nonce=deposit_nonce(payment.voucher.channel_id, authorization.salt),
    )


def _identity(f: Facilitator, payment: DepositPayment, merchant: Merchant) -> Identity:
    signed = _authorization(f, payment)
    return Identity(
        merchant.merchant_id,
        settlements.hash_of(b"deposit", payment.config.token, signed.sender, signed.nonce),
        Kind.DEPOSIT,
        settlements.hash_of(signed.value, signed.valid_after, signed.valid_before),
    )


def _order(f: Facilitator, payment: DepositPayment) -> Order:
    signature = sendable_signature(payment.authorization.signature)
    authorization = replace(payment.authorization, signature=signature)
    data = abi.deposit(payment.config, payment.amount, f.contracts.erc3009_collector, authorization)
    return Order(f.contracts.escrow, data, payment.config.payer, valid_until=authorization.valid_before)


def sendable_signature(signature: bytes) -> bytes:
    """As tokens take it: unwrapped, and with v of 27 or 28."""
    unwrapped = abi.unwrap_signature(signature)
    inner = signature if unwrapped is None else unwrapped.signature
    return canonical_signature(inner) if len(inner) == 65 and inner[64] in (0, 1) else inner


def _keep_channel(payment: DepositPayment) -> settlements.Reserve:
    def reserve(connection: psycopg.Connection[Any]) -> None:
        try:
            ensure_channel(connection, payment.config)
        except (EscrowNotRegistered, UnlistedToken) as error:
            raise ChainLost("the book does not follow the chain yet") from error

    return reserve


def _after_deposit(
    f: Facilitator,
    payment: DepositPayment,
    asked: Requirements,
    merchant: Merchant,
    request: Request,
    receipt: Receipt | None,
    tx_hash: str,
) -> dict[str, Any]:
    """The answer's `extra`, once the deposit is in the book."""
    voucher = payment.voucher
    if receipt is not None:
        with f.pool.connection() as connection:
            apply_receipt(connection, receipt)
    channel = _await_credit(f, payment, tx_hash)
    if _keeps(asked, channel):
        return vouchers.charge(f, payment.config, voucher, channel, asked.amount, merchant, request)
    with f.pool.connection() as connection:
        book.remember_voucher(connection, channel, voucher.max_claimable, canonical_signature(voucher.signature))
    state = book.book_view(channel)
    # The server that keeps the total adds it, and takes offence at finding it here already.
    del state["chargedCumulativeAmount"]
    return {"channelState": state}


def _await_credit(f: Facilitator, payment: DepositPayment, tx_hash: str) -> BookChannel:
    """The channel with the deposit in it. Raises Refusal `settlement_pending` when the book is not there in time."""
    deadline = time.monotonic() + f.settings.receipt_wait_seconds
    while True:
        with f.pool.connection() as connection:
            channel = book.find_channel(connection, payment.voucher.channel_id)
        if channel is not None and channel.credited >= payment.voucher.max_claimable:
            return channel
        if time.monotonic() >= deadline:
            raise Refusal(
                Code.SETTLEMENT_PENDING, "mined and not confirmed yet; ask again", payment.config.payer, tx_hash
            )
        time.sleep(CREDIT_POLL_SECONDS)
