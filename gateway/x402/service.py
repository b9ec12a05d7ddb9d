"""`/verify` and `/settle`: from a request's bytes to the answer's document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from gateway.x402 import deposits, exact, orders, refunds, vouchers
from gateway.x402.abi import UnexpectedAnswer
from gateway.x402.channels import TERM_CODES
from gateway.x402.codes import Code
from gateway.x402.facilitator import (
    ChainLost,
    Facilitator,
    Merchant,
    Request,
    TermCodes,
    check_network,
    check_same_terms,
    find_merchant,
)
from gateway.x402.messages import (
    BATCH_SETTLEMENT,
    EXACT,
    X402_VERSION,
    Envelope,
    Refusal,
    Requirements,
    Settled,
    Verified,
    read_envelope,
    read_requirements,
)
from gateway.x402.payloads import (
    ClaimOrder,
    DepositPayment,
    RefundOrder,
    RefundPayment,
    SettleOrder,
    VoucherPayment,
    read_batch,
    read_exact,
)
from kit import metrics
from kit.chain.guard import ChainMismatch
from kit.chain.rpc import RpcError

_answers = metrics.counter("lockgate_x402_answers_total", "Facilitator answers", ["call", "scheme", "outcome"])

# Without a usable answer of the right chain there is no verdict.
_NO_CHAIN = (RpcError, ChainMismatch, UnexpectedAnswer)

# Of the threads that all plain routes share (gateway.app.THREADS), so many may wait for the chain. Vouchers need none
# of it, so they are never kept waiting by payments that do.
CHAIN_WAITERS_MOST = 48
_chain_waiters = BoundedSemaphore(CHAIN_WAITERS_MOST)


class FacilitatorBusy(Exception):
    """Too many payments wait for the chain already: nothing was done."""


@contextmanager
def _room_to_wait() -> Iterator[None]:
    """One of the places for payments that wait for the chain. Raises FacilitatorBusy when all are taken."""
    if not _chain_waiters.acquire(blocking=False):
        raise FacilitatorBusy("too many payments wait for the chain")
    try:
        yield
    finally:
        _chain_waiters.release()


def verify(f: Facilitator, body: bytes) -> dict[str, Any]:
    """The VerifyResponse. Raises InvalidPayload, ChainLost, FacilitatorBusy."""
    envelope = read_envelope(body)
    try:
        verified = _verify(f, envelope)
    except Refusal as refusal:
        _count("verify", envelope, "refused")
        return refusal.verify_document()
    except _NO_CHAIN as error:
        _count("verify", envelope, "chain_lost")
        raise ChainLost("the chain does not answer") from error
    _count("verify", envelope, "valid")
    return verified.document()


def settle(f: Facilitator, body: bytes, request: Request) -> dict[str, Any]:
    """The SettleResponse. Raises InvalidPayload, ChainLost, BookBusy, FacilitatorBusy."""
    envelope = read_envelope(body)
    try:
        settled = _settle(f, envelope, request)
    except Refusal as refusal:
        _count("settle", envelope, "pending" if refusal.code == Code.SETTLEMENT_PENDING else "refused")
        return refusal.settle_document(envelope.network)
    except _NO_CHAIN as error:
        _count("settle", envelope, "chain_lost")
        raise ChainLost("the chain does not answer") from error
    _count("settle", envelope, "settled")
    return settled.document()


def _count(call: str, envelope: Envelope, outcome: str) -> None:
    scheme = envelope.scheme if envelope.scheme in (EXACT, BATCH_SETTLEMENT) else "other"
    _answers.labels(call, scheme, outcome).inc()


def _verify(f: Facilitator, envelope: Envelope) -> Verified:
    if _scheme_of(envelope) == EXACT:
        payment = read_exact(envelope.payload)
        with _naming(payment.authorization.sender):
            asked, merchant = _terms(f, envelope, exact.TERM_CODES)
            with _room_to_wait():
                return exact.verify(f, payment, asked, merchant)
    payload = read_batch(envelope.payload)
    if isinstance(payload, (ClaimOrder, SettleOrder)):
        raise Refusal(Code.BATCH_PAYLOAD_TYPE, "claims and settlements are settled, not verified")
    with _naming(payload.config.payer):
        asked, merchant = _terms(f, envelope, TERM_CODES)
        if isinstance(payload, VoucherPayment):
            _require_amount(asked)
            return vouchers.verify(f, payload, asked, merchant)
        with _room_to_wait():
            return _verify_batch(f, payload, asked, merchant)


def _verify_batch(
    f: Facilitator,
    payload: DepositPayment | RefundPayment | RefundOrder,
    asked: Requirements,
    merchant: Merchant,
) -> Verified:
    if isinstance(payload, (RefundPayment, RefundOrder)):
        return refunds.verify(f, payload, asked, merchant)
    _require_amount(asked)
    return deposits.verify(f, payload, asked, merchant)


def _settle(f: Facilitator, envelope: Envelope, request: Request) -> Settled:
    if _scheme_of(envelope) == EXACT:
        payment = read_exact(envelope.payload)
        with _naming(payment.authorization.sender):
            asked, merchant = _terms(f, envelope, exact.TERM_CODES)
            with _room_to_wait():
                return exact.settle(f, payment, asked, merchant, request)
    payload = read_batch(envelope.payload)
    with _naming(None if isinstance(payload, (ClaimOrder, SettleOrder)) else payload.config.payer):
        asked, merchant = _terms(f, envelope, TERM_CODES)
        if isinstance(payload, VoucherPayment):
            _require_amount(asked)
            return vouchers.settle(f, payload, asked, merchant, request)
        with _room_to_wait():
            return _settle_batch(f, payload, asked, merchant, request)


def _settle_batch(
    f: Facilitator,
    payload: DepositPayment | RefundPayment | RefundOrder | ClaimOrder | SettleOrder,
    asked: Requirements,
    merchant: Merchant,
    request: Request,
) -> Settled:
    match payload:
        case DepositPayment():
            _require_amount(asked)
            return deposits.settle(f, payload, asked, merchant, request)
        case RefundPayment():
            return refunds.settle(f, payload, asked, merchant, request)
        case RefundOrder():
            return refunds.execute(f, payload, asked, merchant, request)
        case ClaimOrder():
            return orders.claim(f, payload, merchant, request)
        case SettleOrder():
            return orders.settle(f, payload, merchant, request)


def _scheme_of(envelope: Envelope) -> str:
    if envelope.version != X402_VERSION:
        raise Refusal(Code.INVALID_X402_VERSION, f"this facilitator speaks version {X402_VERSION}")
    scheme = envelope.scheme
    if scheme not in (EXACT, BATCH_SETTLEMENT):
        raise Refusal(Code.UNSUPPORTED_SCHEME, f"this facilitator knows {EXACT} and {BATCH_SETTLEMENT}")
    if envelope.accepted["scheme"] != scheme:
        raise Refusal(
            Code.UNSUPPORTED_SCHEME if scheme == EXACT else Code.BATCH_SCHEME, "accepted.scheme is another one"
        )
    if envelope.accepted["network"] != envelope.network:
        raise Refusal(
            Code.NETWORK_MISMATCH if scheme == EXACT else Code.BATCH_NETWORK, "accepted.network is another one"
        )
    return scheme


def _terms(f: Facilitator, envelope: Envelope, codes: TermCodes) -> tuple[Requirements, Merchant]:
    """What is asked, once it is known to be what was accepted and to be of a merchant of ours."""
    check_network(f, envelope.network)
    accepted, asked = read_requirements(envelope.accepted), read_requirements(envelope.requirements)
    check_same_terms(accepted, asked, codes)
    with f.pool.connection() as connection:
        return asked, find_merchant(connection, asked.pay_to)


def _require_amount(asked: Requirements) -> None:
    if asked.amount == 0:
        raise Refusal(Code.INVALID_PAYMENT_REQUIREMENTS, "an amount is at least 1")


class _naming:  # noqa: N801 - reads as a statement
    """Refusals inside name the payer."""

    def __init__(self, payer: bytes | None) -> None:
        self._payer = payer

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Refusal) and error.payer is None:
            error.payer = self._payer
