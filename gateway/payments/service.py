"""One voucher from the wire to the book: parse, check, capture, answer. The way of a payment, top-down."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, NamedTuple

from psycopg_pool import ConnectionPool

from gateway.merchants.keys import Caller, forbidden, unauthorized
from gateway.payments import views
from gateway.payments.capture import Captures
from gateway.payments.facts import ChannelFacts, Facts
from gateway.payments.outcomes import (
    BookUnavailable,
    CaptureFailed,
    CaptureRequest,
    CaptureResult,
    Outcome,
    QueueFull,
)
from gateway.payments.states import PaymentState, Scheme
from kit.http.idempotency import conflict
from kit.http.problems import Problem
from kit.ids import uuid7
from verification.amounts import InvalidAmount, parse_positive
from verification.check import Verdict, decide
from verification.signatures.eip712 import Domain
from verification.signatures.recovery import SIGNATURE_LENGTH, canonical_signature
from verification.tiers import checks_for
from verification.vouchers import VoucherFacts

REFERENCE_MOST = 128
RETRY_AFTER = {"Retry-After": "1"}


_PAYMENT_MEMBERS = frozenset({"voucher", "amount", "reference"})
_VOUCHER_MEMBERS = frozenset({"channelId", "maxClaimableAmount", "signature"})


class PaymentRequest(NamedTuple):
    """One voucher as it came. Amounts in the token's smallest unit."""

    channel_id: bytes
    max_claimable: int
    signature: bytes
    amount: int
    reference: str | None

    def request_hash(self) -> bytes:
        """What tells a retry from another request with the same voucher."""
        reference = b"\x00" if self.reference is None else b"\x01" + self.reference.encode()
        return hashlib.sha256(
            self.channel_id + self.max_claimable.to_bytes(16, "big") + self.amount.to_bytes(16, "big") + reference
        ).digest()


def parse_payment(document: object) -> PaymentRequest:
    """`{"voucher": {"channelId", "maxClaimableAmount", "signature"}, "amount", "reference"?}`, voucher as in x402.

    Raises Problem 400 `invalid_request` naming the member that is wrong.
    """
    payment = _members(document, "the payment", _PAYMENT_MEMBERS)
    voucher = _members(payment.get("voucher"), "voucher", _VOUCHER_MEMBERS)
    reference = payment.get("reference")
    if reference is not None and (
        not isinstance(reference, str) or not 0 < len(reference) <= REFERENCE_MOST or "\x00" in reference
    ):
        raise _invalid("reference", f"is a text of 1 to {REFERENCE_MOST} characters")
    return PaymentRequest(
        _hex(voucher.get("channelId"), "voucher.channelId", 32),
        _amount(voucher.get("maxClaimableAmount"), "voucher.maxClaimableAmount"),
        _hex(voucher.get("signature"), "voucher.signature", SIGNATURE_LENGTH),
        _amount(payment.get("amount"), "amount"),
        reference,
    )


class Payments:
    """The service behind the payment routes."""

    def __init__(
        self, domain: Domain, receiver_authorizer: bytes, facts: Facts, captures: Captures, pool: ConnectionPool
    ) -> None:
        self._domain = domain
        self._receiver_authorizer = receiver_authorizer
        self._facts = facts
        self._captures = captures
        self._pool = pool

    async def channel_of(self, caller: Caller, channel_id: bytes) -> ChannelFacts:
        """The caller's channel. Raises Problem 404: a foreign channel and none at all look the same."""
        channel = self._facts.known_channel(channel_id)
        if channel is None:
            channel = await asyncio.to_thread(self._load, channel_id)
        if channel is None or channel.merchant_id != caller.merchant_id:
            raise Problem(
                404,
                "channel_not_found",
                "No channel of yours has this id. A channel is known once its first deposit is confirmed on chain.",
            )
        return channel

    def _load(self, channel_id: bytes) -> ChannelFacts | None:
        with self._pool.connection() as connection:
            return self._facts.load_channel(connection, channel_id)

    def prepare(
        self, caller: Caller, channel: ChannelFacts, request: PaymentRequest, idempotency_key: str | None
    ) -> CaptureRequest:
        """Run the tier's checks. Raises Problem with the code of the first that does not approve."""
        if not caller.can_write:
            raise forbidden()
        if channel.receiver_authorizer != self._receiver_authorizer:
            raise Problem(
                422,
                "receiver_authorizer_foreign",
                "The channel names another receiverAuthorizer than this gateway's: we could not claim what it pays, "
                "and whom it names could refund it.",
            )
        verdict = self.judge(channel, request)
        if not verdict.approves:
            raise refusal(verdict)
        exposure = self._facts.exposure_most(channel)
        if exposure is None:
            raise Problem(
                503,
                "chain_mirror_stale",
                "The chain has not been seen for too long to accept vouchers on this channel. Try again later.",
                headers={"Retry-After": "5"},
            )
        return CaptureRequest(
            payment_id=uuid7(),
            merchant_id=channel.merchant_id,
            channel_no=channel.channel_no,
            channel_id=channel.channel_id,
            amount=request.amount,
            voucher_max=request.max_claimable,
            signature=canonical_signature(request.signature),
            request_hash=request.request_hash(),
            window_most=channel.policy.window_most,
            exposure_most=exposure,
            key_id=caller.key_id,
            idempotency_key=idempotency_key,
            reference=request.reference,
        )

    def judge(self, channel: ChannelFacts, request: PaymentRequest) -> Verdict:
        """The verdict of the amount's tier on one voucher."""
        facts = VoucherFacts(
            domain=self._domain,
            channel_id=channel.channel_id,
            payer=channel.payer,
            payer_authorizer=channel.payer_authorizer,
            receiver=channel.receiver,
            amount=request.amount,
            max_claimable=request.max_claimable,
            signature=request.signature,
            window_most=channel.policy.window_most,
            sanctions=self._facts.sanctions,
            risk=self._facts.risk(channel),
        )
        return decide(checks_for(request.amount, channel.policy), facts)

    async def pay(
        self, caller: Caller, request: PaymentRequest, idempotency_key: str | None
    ) -> tuple[int, dict[str, Any]]:
        """Capture one voucher: (201, payment), or (200, payment) for a request that was captured before.

        Raises Problem.
        """
        channel = await self.channel_of(caller, request.channel_id)
        capture = self.prepare(caller, channel, request, idempotency_key)
        try:
            result = await self._captures.capture(capture)
        except (QueueFull, BookUnavailable, CaptureFailed) as error:
            raise failure(error) from error
        return answer(channel, request, result)

    async def pay_many(
        self, caller: Caller, requests: list[PaymentRequest | Problem]
    ) -> list[tuple[int, dict[str, Any]]]:
        """Capture many vouchers; one answer each, in order. One that is refused changes nothing for the others.

        Raises Problem 503 when the queue has no room for all of them.
        """
        answers: list[tuple[int, dict[str, Any]] | None] = [None] * len(requests)
        ready: list[tuple[int, ChannelFacts, PaymentRequest, CaptureRequest]] = []
        for index, request in enumerate(requests):
            try:
                if isinstance(request, Problem):
                    raise request
                channel = await self.channel_of(caller, request.channel_id)
                ready.append((index, channel, request, self.prepare(caller, channel, request, None)))
            except Problem as problem:
                answers[index] = (problem.status, problem.document())
        try:
            waiting = self._captures.capture_all([capture for _, _, _, capture in ready])
        except QueueFull as error:
            raise failure(error) from error
        for (index, channel, request, _), waiter in zip(ready, waiting, strict=True):
            answers[index] = await _answer_or_problem(channel, request, waiter)
        return [each for each in answers if each is not None]


async def _answer_or_problem(
    channel: ChannelFacts, request: PaymentRequest, waiter: asyncio.Future[CaptureResult]
) -> tuple[int, dict[str, Any]]:
    # One after the other: whole batches are settled together, so most are done already when their turn comes.
    try:
        return answer(channel, request, await waiter)
    except (QueueFull, BookUnavailable, CaptureFailed) as error:
        problem = failure(error)
    except Problem as refused:
        problem = refused
    return problem.status, problem.document()


def answer(channel: ChannelFacts, request: PaymentRequest, result: CaptureResult) -> tuple[int, dict[str, Any]]:
    """What the caller is told of an outcome. Raises Problem unless it was captured, now or before."""
    if result.outcome is Outcome.CAPTURED or result.outcome is Outcome.REPLAY:
        assert result.payment_id is not None
        document = views.document(
            result.payment_id,
            scheme=Scheme.VOUCHER,
            state=PaymentState.CAPTURED,
            amount=request.amount,
            chain_id=channel.chain_id,
            token=channel.token,
            payer=channel.payer,
            channel_id=channel.channel_id,
            cumulative=request.max_claimable,
            reference=request.reference,
        )
        return 201 if result.outcome is Outcome.CAPTURED else 200, document
    raise _refused_by_book(result)


def _refused_by_book(result: CaptureResult) -> Problem:
    if result.outcome is Outcome.KEY_UNUSABLE:
        return unauthorized()
    if result.outcome is Outcome.IDEMPOTENCY_CONFLICT:
        return conflict()
    channel_state: dict[str, Any] = {
        "charged_cumulative_amount": str(result.charged),
        "balance": str(result.credited),
    }
    if result.voucher_signature is not None:
        channel_state["signed_max_claimable"] = str(result.voucher_max)
        channel_state["voucher_signature"] = "0x" + result.voucher_signature.hex()
    code, detail = _BOOK_REFUSALS[result.outcome]
    return Problem(409, code, detail, channel_state=channel_state)


_BOOK_REFUSALS = {
    Outcome.MISMATCH: (
        "cumulative_amount_mismatch",
        "maxClaimableAmount has to be what is charged so far plus the amount. Sign again from channel_state.",
    ),
    Outcome.EXCEEDS_BALANCE: (
        "cumulative_exceeds_balance",
        "The voucher goes beyond what the channel can still pay. The payer has to deposit more.",
    ),
    Outcome.EXCEEDS_EXPOSURE: (
        "exposure_limit_reached",
        "The chain is not in sight and the channel's unclaimed total is at its limit. Try again when it is back.",
    ),
    Outcome.VELOCITY: (
        "velocity_exceeded",
        "The payer has reached what may be paid within one window in this tier.",
    ),
    Outcome.UNKNOWN_CHANNEL: ("channel_not_found", "No channel has this id."),
}


def refusal(verdict: Verdict) -> Problem:
    """A verdict as the caller sees it."""
    detail = _VERDICT_DETAILS.get(verdict.code, "The payment was refused by a check.")
    return Problem(422, verdict.code, detail, evidence=dict(verdict.evidence))


_VERDICT_DETAILS = {
    "voucher_signature": "The voucher is not signed by the channel's payer authorizer (EIP-712, 65 bytes, low s).",
    "payer_authorizer_missing": "The channel has no payer authorizer, so nobody can be held to its vouchers.",
    "amount_out_of_range": "The amount is above what the voucher allows.",
    "payer_is_receiver": "Payer and receiver are the same address.",
    "sanctioned": "A party to this payment is on the sanctions list.",
    "check_not_available": "A check that this amount needs is not available; without it nothing is approved.",
    "velocity_exceeded": "The amount is above what may be paid within one window in this tier.",
    "risk_score": "The channel's risk score is too high.",
    "amount_requires_settlement": "An amount this high goes through the settlement service.",
}


def failure(error: BaseException) -> Problem:
    """What the caller is told when the book could not answer."""
    if isinstance(error, QueueFull):
        return Problem(
            503, "queue_full", "Too many payments wait. Nothing was charged; try again.", headers=RETRY_AFTER
        )
    if isinstance(error, BookUnavailable):
        return Problem(
            503,
            "book_unavailable",
            "Whether this payment was booked is not known yet. Send the same request again: it is charged once.",
            headers=RETRY_AFTER,
        )
    return Problem(500, "payment_not_booked", "The payment could not be booked. Nothing was charged.")


def _members(value: object, name: str, allowed: frozenset[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _invalid(name, "is an object")
    if not value.keys() <= allowed:
        raise _invalid(name, f"has only the members {', '.join(sorted(allowed))}")
    return value


def _amount(value: object, name: str) -> int:
    try:
        return parse_positive(value)
    except InvalidAmount as error:
        raise _invalid(name, str(error)) from None


def _hex(value: object, name: str, length: int) -> bytes:
    if isinstance(value, str) and len(value) == 2 + 2 * length and value.startswith("0x") and value.isascii():
        try:
            parsed = bytes.fromhex(value[2:])
        except ValueError:
            parsed = b""
        if len(parsed) == length:
            return parsed
    raise _invalid(name, f"is 0x and {2 * length} hexadecimal digits")


def _invalid(name: str, rule: str) -> Problem:
    return Problem(400, "invalid_request", f"{name}: {rule}", member=name)
