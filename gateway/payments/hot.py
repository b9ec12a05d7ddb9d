"""The two hot routes, below FastAPI: POST /v1/payments and POST /v1/payments/batch as bare ASGI."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from gateway.merchants.keys import Caller, find_caller, forbidden, read_bearer, unauthorized
from gateway.payments.service import PaymentRequest, Payments, parse_payment
from kit import metrics
from kit.http.bodies import read_body
from kit.http.idempotency import claim_key, parse_key, release_key
from kit.http.problems import CONTENT_TYPE, Problem
from kit.logging import get_logger

log = get_logger(__name__)
BODY_MOST = 8 * 1024
BATCH_BODY_MOST = 1024 * 1024
BATCH_MOST = 1000
KEYS_MOST = 10_000
# Statuses of refusals that the book was not asked for, and with it not about the API key either.
_BEFORE_THE_BOOK = frozenset({400, 403, 404, 408, 413, 422})
SINGLE_PATH, BATCH_PATH = "/v1/payments", "/v1/payments/batch"

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_requests = metrics.counter("lockgate_payment_requests_total", "Payment requests", ["route", "status"])
_seconds = metrics.histogram("lockgate_payment_request_seconds", "Payment request, whole", ["route"])
_single_seconds, _batch_seconds = _seconds.labels("single"), _seconds.labels("batch")
_created = _requests.labels("single", "201")


class HotRoutes:
    """ASGI in front of `app`: serves the hot routes, passes everything else on.

    A key's owner is remembered by its hash; that the key is still good is checked by the book's own statement, and
    asked of the database where a request does not get as far, so that a revocation holds for the very next request.
    """

    def __init__(self, app: App, payments: Payments, pool: ConnectionPool) -> None:
        self._app = app
        self._payments = payments
        self._pool = pool
        self._callers: dict[bytes, Caller] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path")
        if scope["type"] != "http" or scope["method"] != "POST" or path not in (SINGLE_PATH, BATCH_PATH):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        single = path == SINGLE_PATH
        headers: dict[str, str] = {}
        try:
            if single:
                status, document = await self._single(scope, receive)
                if status == 200:
                    headers["Idempotent-Replay"] = "true"
            else:
                status, document = await self._batch(scope, receive)
            body = orjson.dumps(document)
        except Exception as error:  # noqa: BLE001 - told as an error, never as a payment; what it was is in the log
            problem = _problem_of(error)
            status, body, headers = problem.status, problem.body(), problem.headers
        await _respond(send, status, body, headers)
        if single:
            _single_seconds.observe(time.perf_counter() - started)
            (_created if status == 201 else _requests.labels("single", str(status))).inc()
        else:
            _batch_seconds.observe(time.perf_counter() - started)
            _requests.labels("batch", str(status)).inc()

    async def _single(self, scope: Scope, receive: Receive) -> tuple[int, dict[str, Any]]:
        authorization, idempotency_key, length = _headers(scope)
        key_hash = read_bearer(authorization)
        caller = await self._caller(key_hash)
        try:
            key = parse_key(idempotency_key)
            request = parse_payment(_json(await read_body(receive, most=BODY_MOST, length=length)))
            return await self._payments.pay(caller, request, key)
        except Problem as problem:
            if problem.status == 401:
                self._callers.pop(key_hash, None)
            elif problem.status in _BEFORE_THE_BOOK:
                await self._confirm(key_hash)
            raise

    async def _batch(self, scope: Scope, receive: Receive) -> tuple[int, dict[str, Any]]:
        authorization, idempotency_key, length = _headers(scope)
        key_hash = read_bearer(authorization)
        caller = await self._caller(key_hash)
        if not caller.can_write:
            raise forbidden()
        key = parse_key(idempotency_key)
        body = await read_body(receive, most=BATCH_BODY_MOST, length=length)
        requests = _parse_batch(_json(body))
        if key is not None:
            await self._confirm(key_hash)
            await asyncio.to_thread(self._take_key, caller, key, hashlib.sha256(body).digest())
        answers = await self._payments.pay_many(caller, requests)
        if any(status == 401 for status, _ in answers):
            self._callers.pop(key_hash, None)
            raise unauthorized()
        if all(status in _BEFORE_THE_BOOK for status, _ in answers):
            await self._confirm(key_hash)
        if key is not None and not any(status in (200, 201, 500, 503) for status, _ in answers):
            await asyncio.to_thread(self._give_key_back, caller, key)
        results = [{"status": status, "payment" if status < 300 else "problem": each} for status, each in answers]
        return 200, {"object": "batch", "results": results}

    async def _caller(self, key_hash: bytes) -> Caller:
        return self._callers.get(key_hash) or await self._confirm(key_hash)

    async def _confirm(self, key_hash: bytes) -> Caller:
        """Ask the database whose key it is. Raises Problem 401."""
        self._callers.pop(key_hash, None)
        caller = await asyncio.to_thread(self._find_caller, key_hash)
        if len(self._callers) >= KEYS_MOST:
            self._callers.clear()
        self._callers[key_hash] = caller
        return caller

    def _find_caller(self, key_hash: bytes) -> Caller:
        with self._pool.connection() as connection:
            return find_caller(connection, key_hash)

    def _take_key(self, caller: Caller, key: str, body_hash: bytes) -> None:
        with self._pool.connection() as connection:
            claim_key(connection, tenant_id=caller.merchant_id, route=_BATCH_ROUTE, key=key, body_hash=body_hash)

    def _give_key_back(self, caller: Caller, key: str) -> None:
        with self._pool.connection() as connection:
            release_key(connection, tenant_id=caller.merchant_id, route=_BATCH_ROUTE, key=key)


_BATCH_ROUTE = f"POST {BATCH_PATH}"


def _parse_batch(document: object) -> list[PaymentRequest | Problem]:
    payments = document.get("payments") if isinstance(document, dict) and document.keys() == {"payments"} else None
    if not isinstance(payments, list):
        raise Problem(400, "invalid_request", 'A batch is {"payments": [...]}.', member="payments")
    if not 0 < len(payments) <= BATCH_MOST:
        raise Problem(400, "invalid_request", f"A batch holds 1 to {BATCH_MOST} payments.", member="payments")
    parsed: list[PaymentRequest | Problem] = []
    for payment in payments:
        try:
            parsed.append(parse_payment(payment))
        except Problem as problem:
            parsed.append(problem)
    return parsed


def _headers(scope: Scope) -> tuple[str | None, str | None, int | None]:
    authorization = idempotency_key = None
    length = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization = value.decode("latin-1")
        elif name == b"idempotency-key":
            idempotency_key = value.decode("latin-1")
        elif name == b"content-length":
            length = int(value)
    return authorization, idempotency_key, length


def _json(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "invalid_json", "The body is not JSON.") from error


def _problem_of(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, (psycopg.OperationalError, PoolTimeout)):
        return Problem(
            503,
            "book_unavailable",
            "The database cannot be reached. Nothing was charged.",
            headers={"Retry-After": "1"},
        )
    log.error("payment_request_failed", exc_info=error)
    return Problem(500, "internal_error", "Something failed here. Send the same request again: it is charged once.")


async def _respond(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    content_type = b"application/json" if status < 400 else CONTENT_TYPE.encode()
    fields = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    for name, value in headers.items():
        fields.append((name.lower().encode(), value.encode()))
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
