"""The paywall of a merchant whose book this gateway keeps: ASGI before any app, speaking HTTP to the facilitator.

    unpaid          -> 402 with the offer
    paid            -> verify, run the app, settle, and only then let its answer go
    out of step     -> 402 that tells the client where its channel stands
    asked again     -> the stored answer, without running the app
    bare GET refund -> settle, without the app

One run of the app is one settlement: its key makes the facilitator charge it once and tells any other run that the
payment is used, also when several processes serve the same routes.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from gateway.x402 import exchange, headers, offers, wire
from gateway.x402.codes import CORRECTIVE, Code
from gateway.x402.exchange import App, Receive, Scope, Send, json_answer, problem_answer, with_headers
from gateway.x402.facilitator_client import (
    FacilitatorBusy,
    FacilitatorClient,
    FacilitatorUnavailable,
    PaymentMalformed,
    SettleAnswer,
)
from gateway.x402.messages import Refusal, Requirements
from gateway.x402.offers import PaidRoute, Terms
from gateway.x402.payment import Payment, read_payment
from gateway.x402.replays import Answer, Attempt, Busy, Lanes, Replays
from gateway.x402.wire import InvalidPayload
from verification.signatures.eip712 import escrow_domain

NO_MATCH = "No matching payment requirements"
PAYMENT_MISSING = "Payment required"
RETRY_AFTER = (b"retry-after", b"2")
# Both clients send the last one as a request header, so browsers ask for it.
_ALLOWED_HEADERS = f"{headers.PAYMENT_SIGNATURE}, SIGN-IN-WITH-X, Content-Type, Access-Control-Expose-Headers"
_EXPOSED_HEADERS = f"{headers.PAYMENT_REQUIRED}, {headers.PAYMENT_RESPONSE}"


@dataclass(frozen=True, slots=True)
class PaywallConfig:
    """`public_url` is where clients reach the app (scheme and host; never taken from a request).

    `cors_origin` None leaves CORS to the app.
    """

    facilitator_url: str
    public_url: str
    terms: Terms
    routes: Sequence[PaidRoute]
    api_key: str | None = field(default=None, repr=False)
    cors_origin: str | None = "*"
    request_bytes_most: int = 1024 * 1024
    response_bytes_most: int = 16 * 1024 * 1024


class Paywall:
    """ASGI middleware. Close it with `aclose`, or let the app's lifespan do it."""

    def __init__(
        self,
        app: App,
        config: PaywallConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        replays: Replays | None = None,
        lanes: Lanes | None = None,
    ) -> None:
        self._app = app
        self._config = config
        self._facilitator = FacilitatorClient(config.facilitator_url, api_key=config.api_key, transport=transport)
        self._replays = replays or Replays()
        self._lanes = lanes or Lanes()
        self._bystanders = Lanes()
        self._escrow = escrow_domain(config.terms.chain_id, config.terms.escrow)
        authorizer = config.terms.receiver_authorizer
        self._authorizer = None if authorizer is None else wire.checksum(authorizer)

    async def aclose(self) -> None:
        await self._facilitator.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            try:
                await self._app(scope, receive, send)
            finally:
                await self.aclose()
            return
        if scope["type"] == "websocket" and self._is_paid_path(scope):
            await send({"type": "websocket.close", "code": 1008, "reason": PAYMENT_MISSING})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._serve(scope, receive, send)

    def _is_paid_path(self, scope: Scope) -> bool:
        path = exchange.routed_path(scope)
        return any(route.pattern.match(path) for route in self._config.routes) or offers.is_ambiguous(
            self._config.routes, path
        )

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = exchange.routed_path(scope), scope["method"]
        if offers.is_ambiguous(self._config.routes, path):
            await exchange.respond(send, problem_answer(404, "ambiguous_path", "Write the path as it is published."))
            return
        if method == "OPTIONS" and self._config.cors_origin is not None and self._is_preflight(scope):
            await exchange.respond(send, self._with_cors(self._preflight()))
            return
        route = offers.find_route(self._config.routes, path, method)
        if route is None:
            await self._app(scope, receive, send)
            return
        try:
            answer = await self._answer(scope, receive, route)
        except ConnectionError:
            return
        await exchange.respond(send, self._with_cors(answer), head=method == "HEAD")

    def _is_preflight(self, scope: Scope) -> bool:
        asks = exchange.header_values(scope, "access-control-request-method")
        return bool(asks) and self._is_paid_path(scope)

    def _preflight(self) -> Answer:
        return with_headers(
            Answer(204, []),
            ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"),
            ("Access-Control-Allow-Headers", _ALLOWED_HEADERS),
            ("Access-Control-Max-Age", "600"),
        )

    def _with_cors(self, answer: Answer) -> Answer:
        origin = self._config.cors_origin
        if origin is None:
            return answer
        ours = (b"access-control-allow-origin", b"access-control-expose-headers")
        plain = Answer(answer.status, [(k, v) for k, v in answer.headers if k.lower() not in ours], answer.body)
        allowed = with_headers(
            plain, ("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", _EXPOSED_HEADERS)
        )
        return allowed if origin == "*" else with_headers(allowed, ("Vary", "Origin"))

    async def _answer(self, scope: Scope, receive: Receive, route: PaidRoute) -> Answer:
        try:
            run = _Run(self, scope, route, await self._offer(route))
            values = exchange.header_values(scope, headers.PAYMENT_SIGNATURE)
            if len(values) > 1:
                raise InvalidPayload("PAYMENT-SIGNATURE was sent more than once")
            return await self._paid(run, values[0], receive) if values else run.payment_required(PAYMENT_MISSING)
        except (InvalidPayload, PaymentMalformed) as error:
            return problem_answer(400, Code.INVALID_PAYLOAD, f"The payment cannot be read: {error}.")
        except exchange.TooLarge:
            return problem_answer(413, "body_too_large", "The body is larger than this resource takes.")
        except exchange.AnswerTooLarge:
            return problem_answer(500, "answer_too_large", "The answer is too large to be sold. Nothing was charged.")
        except FacilitatorUnavailable as error:
            return unavailable(error)

    async def _paid(self, run: _Run, header: str, receive: Receive) -> Answer:
        try:
            payment = read_payment(header)
            body = await exchange.read_body(receive, self._config.request_bytes_most)
            return await run.paid(payment, body)
        except Refusal as refusal:
            return run.payment_required(str(refusal.code))

    async def _offer(self, route: PaidRoute) -> tuple[Requirements, ...]:
        if self._authorizer is None:
            self._authorizer = await self._facilitator.receiver_authorizer(self._config.terms.network)
        return offers.offer(self._config.terms, self._authorizer, route)


class _Run:
    """One request to one paid route."""

    def __init__(self, paywall: Paywall, scope: Scope, route: PaidRoute, offered: tuple[Requirements, ...]) -> None:
        self._paywall = paywall
        self._config = paywall._config
        self._facilitator = paywall._facilitator
        self._scope = scope
        self._route = route
        self._offered = offered

    def payment_required(self, error: str, correction: Mapping[str, object] | None = None) -> Answer:
        url = self._config.public_url.rstrip("/") + self._scope["path"]
        value = offers.payment_required(self._offered, url=url, route=self._route, error=error, correction=correction)
        return with_headers(json_answer(402, {}), (headers.PAYMENT_REQUIRED, value))

    async def paid(self, payment: Payment, body: bytes) -> Answer:
        """Raises Refusal, InvalidPayload, PaymentMalformed, FacilitatorUnavailable, TooLarge."""
        asked = offers.choose(self._offered, payment.accepted)
        if asked is None:
            return self.payment_required(NO_MATCH)
        if self._route.refunds(self._scope["method"]) and not payment.is_refund:
            return self.payment_required(Code.BATCH_PAYLOAD_TYPE)
        identity = payment.identity(self._scope["method"], exchange.target(self._scope), body)
        refused = await self._stand_aside(payment, asked, identity)
        if refused is not None:
            return refused
        try:
            async with self._paywall._lanes.hold(payment.lane):
                known = self._paywall._replays.find(payment.lane, identity)
                if known is not None:
                    return await self._again(payment, asked, known)
                return await self._first(payment, asked, identity, body)
        except Busy:
            return self.payment_required(Code.BATCH_CHANNEL_BUSY)

    async def _stand_aside(self, payment: Payment, asked: Requirements, identity: bytes) -> Answer | None:
        """The refusal of a payment that nobody has to wait for: a stranger's, or one whose total is spent already."""
        if not payment.may_hold_lane(self._paywall._escrow):
            return await self._refused(payment, asked)
        if not self._paywall._replays.is_past(payment.lane, identity, payment.total):
            return None
        # It can ask only once more: so a client that is behind is told its place when those before it are served.
        with contextlib.suppress(Busy):
            async with self._paywall._bystanders.hold(payment.lane), self._paywall._lanes.hold(payment.lane):
                pass
        return await self._refused(payment, asked)

    async def _again(self, payment: Payment, asked: Requirements, known: Attempt) -> Answer:
        """This request was here before: its answer, or the settlement that it still waits for."""
        if known.settled is not None:
            return known.settled
        return await self._settle(payment, asked, known)

    async def _refused(self, payment: Payment, asked: Requirements) -> Answer | None:
        """What the facilitator has against the payment; None when it is good."""
        verdict = await self._facilitator.verify(payment.document, asked)
        if verdict.is_valid:
            return None
        return self.payment_required(verdict.reason, _correction(verdict.reason, verdict.extra))

    async def _first(self, payment: Payment, asked: Requirements, identity: bytes, body: bytes) -> Answer:
        refused = await self._refused(payment, asked)
        if refused is not None:
            return refused
        if payment.is_refund:
            withheld = json_answer(200, {"message": "Refund made", "channelId": wire.hexadecimal(payment.lane)})
        else:
            withheld = await exchange.run_app(self._paywall._app, self._scope, body, self._config.response_bytes_most)
            if withheld.status >= 400:
                return withheld
        key = f"{identity.hex()}-{secrets.token_hex(8)}"
        attempt = Attempt(identity, key, payment.total, withheld=withheld)
        return await self._settle(payment, asked, attempt)

    async def _settle(self, payment: Payment, asked: Requirements, attempt: Attempt) -> Answer:
        """Settle this attempt; while the outcome is open, the app's answer waits for whoever asks again."""
        replays = self._paywall._replays
        replays.keep(payment.lane, attempt)
        settled = await self._facilitator.settle(payment.document, asked, attempt.key)
        if settled.reason == Code.SETTLEMENT_PENDING and not settled.success and settled.transaction:
            settled = await self._facilitator.settle(payment.document, asked, attempt.key)
        assert attempt.withheld is not None
        if settled.success:
            answer = exchange.as_private(_with_response(attempt.withheld, settled))
            replays.forget(payment.lane)
            if not payment.is_refund:
                # A part may be refunded twice by equal requests; of a whole the facilitator finds the answer again.
                replays.keep(payment.lane, Attempt(attempt.identity, attempt.key, attempt.total, settled=answer))
            return answer
        if settled.reason != Code.SETTLEMENT_PENDING:
            replays.forget(payment.lane)
        correction = _correction(settled.reason, settled.extra)
        if correction is not None:
            # With a PAYMENT-RESPONSE the client would not look at the correction.
            return self.payment_required(settled.reason, correction)
        return _with_response(json_answer(402, {}), settled)


def _with_response(answer: Answer, settled: SettleAnswer) -> Answer:
    return with_headers(answer, (headers.PAYMENT_RESPONSE, headers.encode(settled.document)))


def _correction(reason: str, extra: Mapping[str, Any]) -> Mapping[str, object] | None:
    if reason not in CORRECTIVE or "channelState" not in extra:
        return None
    return {name: extra[name] for name in ("channelState", "voucherState") if name in extra}


def unavailable(error: FacilitatorUnavailable) -> Answer:
    """Nothing is known of the payment: the same request may be sent again, and is charged once."""
    if isinstance(error, FacilitatorBusy):
        return problem_answer(503, "facilitator_busy", "Send the same request again.", [RETRY_AFTER])
    return problem_answer(502, "facilitator_unavailable", "Send the same request again.")
