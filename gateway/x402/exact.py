"""`exact` on EVM by EIP-3009: one signed transfer from the payer to the merchant, sent by our relay."""

from __future__ import annotations

from typing import Any

import psycopg

from gateway.channels.service import apply_receipt
from gateway.payments.facts import ChannelFacts
from gateway.x402 import abi, settlements
from gateway.x402.codes import Code
from gateway.x402.deposits import SECONDS_LEFT_LEAST, sendable_signature
from gateway.x402.facilitator import (
    QUERIES,
    Facilitator,
    Merchant,
    Request,
    TermCodes,
    check_tier,
    read_token_domain,
)
from gateway.x402.messages import Refusal, Requirements, Settled, Verified
from gateway.x402.onchain import WalletSignature
from gateway.x402.payloads import ExactPayment
from gateway.x402.settlements import Identity, Kind, Order, Settlement
from kit.chain.rpc import Receipt
from verification.signatures.eip712 import Domain, transfer_authorization_digest

TERM_CODES = TermCodes(
    receiver=Code.EXACT_RECIPIENT_MISMATCH,
    asset=Code.INVALID_PAYMENT_REQUIREMENTS,
    amount=Code.EXACT_VALUE_MISMATCH,
    may_ask_less=False,
)


def verify(f: Facilitator, payment: ExactPayment, asked: Requirements, merchant: Merchant) -> Verified:
    """Every check that `settle` will make, with a simulation. Raises Refusal, RpcUnavailable."""
    identity = _identity(payment, asked, merchant)
    token = _check_payment(f, payment, asked, merchant)
    if settlements.find_under_way(f, identity) is not None:
        raise Refusal(Code.EXACT_NONCE_USED, "this authorization is being settled or was settled")
    with f.pool.connection() as connection:
        settlements.check_budget(f, connection, payment.authorization.sender)
    _simulate(f, payment, asked, token)
    return Verified(payment.authorization.sender)


def settle(
    f: Facilitator, payment: ExactPayment, asked: Requirements, merchant: Merchant, request: Request
) -> Settled:
    """Send the transfer once and wait for it. The same request again gets the same success.

    Raises Refusal, RpcUnavailable, ChainLost.
    """
    payer = payment.authorization.sender
    _check_terms(f, payment, asked)
    identity = _identity(payment, asked, merchant)
    settlement = settlements.find_under_way(f, identity)
    if settlement is None:
        token = _check_payment(f, payment, asked, merchant)
        _simulate(f, payment, asked, token)
        settlement = settlements.place(f, identity, _order(payment, asked), request, _reserve(f, payment, merchant))
    _require_same(settlement, identity, request)
    outcome = settlements.carry_out(f, settlement)
    tx_hash = settlements.require_mined(outcome, payer, Code.TRANSACTION_FAILED, Code.EXACT_SIMULATION_FAILED)
    if outcome.receipt is not None:
        _require_transfer(outcome.receipt, payment, asked, tx_hash)
        with f.pool.connection() as connection:
            apply_receipt(connection, outcome.receipt)
    return Settled(f.network, tx_hash, payer, str(payment.authorization.value))


def _require_same(settlement: Settlement, identity: Identity, request: Request) -> None:
    """One authorization pays for one request: another request with it is told that it is used."""
    same = settlement.fingerprint == identity.fingerprint and settlement.request_hash == request.request_hash
    if not same:
        raise Refusal(Code.EXACT_NONCE_USED, "this authorization was used for another request")


def _check_terms(f: Facilitator, payment: ExactPayment, asked: Requirements) -> None:
    if payment.authorization.recipient != asked.pay_to:
        raise Refusal(Code.EXACT_RECIPIENT_MISMATCH, "authorization.to is not payTo")
    if payment.authorization.value != asked.amount:
        raise Refusal(Code.EXACT_VALUE_MISMATCH, "authorization.value is not the amount")
    if asked.asset != f.contracts.token:
        _refuse_asset(f, payment, asked)


def _check_payment(f: Facilitator, payment: ExactPayment, asked: Requirements, merchant: Merchant) -> Domain:
    signed = payment.authorization
    token = read_token_domain(asked, f.contracts.chain_id, Code.MISSING_EIP712_DOMAIN)
    if asked.extra.get("assetTransferMethod", "eip3009") != "eip3009":
        raise Refusal(Code.PERMIT2_NOT_SUPPORTED, "pay by EIP-3009: other transfer methods are not offered here")
    _check_terms(f, payment, asked)
    now = int(f.clock())
    if signed.valid_before < now + SECONDS_LEFT_LEAST:
        raise Refusal(Code.EXACT_VALID_BEFORE, "the authorization is over, or nearly")
    if signed.valid_after > now:
        raise Refusal(Code.EXACT_VALID_AFTER, "the authorization is not valid yet")
    _check_signature(f, payment, token)
    check_tier(f, _facts(f, payment, merchant), asked.amount)
    return token


def _check_signature(f: Facilitator, payment: ExactPayment, token: Domain) -> None:
    digest = transfer_authorization_digest(token, payment.authorization)
    standing = f.onchain.check_signature(payment.authorization.sender, digest, payment.signature)
    if standing is WalletSignature.COUNTERFACTUAL:
        raise Refusal(Code.FACTORY_NOT_ALLOWED, "no wallet factory is allowed: deploy the wallet first")
    if standing is WalletSignature.UNDEPLOYED:
        raise Refusal(Code.EXACT_UNDEPLOYED_WALLET, "a wallet's signature, but the payer has no code")
    if standing is not WalletSignature.VALID:
        _diagnose_domain(f, payment, token)
        raise Refusal(Code.EXACT_SIGNATURE, "the authorization is not signed by the payer")


def _diagnose_domain(f: Facilitator, payment: ExactPayment, named: Domain) -> None:
    """A signature over the token's real domain, where the requirements name another, is told apart from a bad one."""
    real = Domain(f.contracts.token_name, f.contracts.token_version, named.chain_id, named.verifying_contract)
    digest = transfer_authorization_digest(real, payment.authorization)
    signer = payment.authorization.sender
    if real != named and f.onchain.check_signature(signer, digest, payment.signature) is WalletSignature.VALID:
        _refuse_domain(named, real.name, real.version)


def _refuse_domain(named: Domain, name: str | None, version: str | None) -> None:
    if name is not None and named.name != name:
        raise Refusal(Code.EXACT_NAME, f"the token calls itself {name[:64]!r}")
    if version is not None and named.version != version:
        raise Refusal(Code.EXACT_VERSION, f"the token's version is {version[:64]!r}")


def _refuse_asset(f: Facilitator, payment: ExactPayment, asked: Requirements) -> None:
    """Not our token: say what it is not, as far as the chain tells."""
    if not f.onchain.has_code(asked.asset):
        raise Refusal(Code.ASSET_NOT_DEPLOYED, "the asset is no contract")
    facts = f.onchain.token_facts(asked.asset, payment.authorization.sender, payment.authorization.nonce)
    if facts.nonce_used is None:
        raise Refusal(Code.EXACT_NOT_EIP3009, "the asset does not know EIP-3009")
    raise Refusal(Code.ASSET_NOT_SUPPORTED, "this token is not accepted here")


def _simulate(f: Facilitator, payment: ExactPayment, asked: Requirements, token: Domain) -> None:
    order = _order(payment, asked)
    why = f.onchain.simulate(order.to, order.data, order.gas_most)
    if why is None:
        return
    signed = payment.authorization
    facts = f.onchain.token_facts(asked.asset, signed.sender, signed.nonce)
    if facts.nonce_used:
        raise Refusal(Code.EXACT_NONCE_USED, "the token has seen this nonce already")
    _refuse_domain(token, facts.name, facts.version)
    if facts.balance is not None and facts.balance < signed.value:
        raise Refusal(Code.EXACT_INSUFFICIENT_BALANCE, "the payer does not have the amount")
    raise Refusal(Code.EXACT_SIMULATION_FAILED, f"the transfer would revert: {why}")


def _identity(payment: ExactPayment, asked: Requirements, merchant: Merchant) -> Identity:
    signed = payment.authorization
    return Identity(
        merchant.merchant_id,
        settlements.hash_of(b"exact", asked.asset, signed.sender, signed.nonce),
        Kind.EXACT,
        settlements.hash_of(signed.recipient, signed.value, signed.valid_after, signed.valid_before),
    )


def _order(payment: ExactPayment, asked: Requirements) -> Order:
    signed = payment.authorization
    data = abi.transfer_with_authorization(signed, sendable_signature(payment.signature))
    return Order(asked.asset, data, signed.sender, valid_until=signed.valid_before)


def _reserve(f: Facilitator, payment: ExactPayment, merchant: Merchant) -> settlements.Reserve:
    """The payer's velocity window takes the amount in the transaction that orders the transfer."""
    facts = _facts(f, payment, merchant)

    def reserve(connection: psycopg.Connection[Any]) -> None:
        asset = connection.execute(
            QUERIES.sql("find_asset"), {"chain_id": f.contracts.chain_id, "token": f.contracts.token}
        ).fetchone()
        if asset is None:
            raise Refusal(Code.ASSET_NOT_SUPPORTED, "this token has no account in the book yet")
        window = {
            "payer": payment.authorization.sender,
            "asset_id": asset[0],
            "amount": payment.authorization.value,
            "window_most": facts.policy.window_most,
            "window_seconds": facts.policy.window_seconds,
        }
        if connection.execute(QUERIES.sql("reserve_window"), window).fetchone() is None:
            raise Refusal("velocity_exceeded", "the payer has reached what may be paid within one window")

    return reserve


def _facts(f: Facilitator, payment: ExactPayment, merchant: Merchant) -> ChannelFacts:
    signed = payment.authorization
    return ChannelFacts(
        merchant_id=merchant.merchant_id,
        channel_no=0,
        channel_id=bytes(32),
        payer=signed.sender,
        payer_authorizer=signed.sender,
        receiver=signed.recipient,
        receiver_authorizer=bytes(20),
        token=f.contracts.token,
        chain_id=f.contracts.chain_id,
        withdraw_delay=0,
        policy=f.facts.policy(f.contracts.token_decimals),
    )


def _require_transfer(receipt: Receipt, payment: ExactPayment, asked: Requirements, tx_hash: str) -> None:
    """The token itself says that the money moved. Raises Refusal."""
    signed = payment.authorization
    topics = (abi.TRANSFER_TOPIC, bytes(12) + signed.sender, bytes(12) + signed.recipient)
    moved = signed.value.to_bytes(32, "big")
    if not any(log.address == asked.asset and log.topics == topics and log.data == moved for log in receipt.logs):
        raise Refusal(
            Code.EXACT_TRANSFER_EVENT, "the transaction did not move the money", signed.sender, transaction=tx_hash
        )
