"""The gateway's API: the hot payment routes in front, everything else plain FastAPI behind."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import secrets
from collections.abc import AsyncIterator
from typing import Any

import anyio.to_thread
import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException

from gateway.channels.routes import router as channels_router
from gateway.contracts import read_contracts
from gateway.deps import Gateway
from gateway.migrations import MIGRATIONS
from gateway.payments.capture import Captures
from gateway.payments.facts import Facts
from gateway.payments.hot import HotRoutes
from gateway.payments.routes import router as payments_router
from gateway.payments.service import Payments
from gateway.settings import Settings, load
from gateway.x402.routes import router as x402_router
from kit import logging, metrics
from kit.database.migrate import pending
from kit.database.pool import open_pool
from kit.http.draining import Draining
from kit.http.problems import Problem, answer_problem
from kit.processes import end_with_parent
from verification.signatures.eip712 import escrow_domain

log = logging.get_logger(__name__)
THREADS = 64
SHARDS = 32
# A request's own id: this process's random part and a number. Made for every payment, so it costs no system call.
_PROCESS = secrets.token_hex(6)
_numbers = itertools.count(1)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def create() -> Any:
    """The ASGI application, set up from the environment (a factory for uvicorn)."""
    end_with_parent()
    settings = load()
    logging.configure(settings.log_level)
    return build(settings)


class Application:
    """ASGI: the hot routes in front of FastAPI. They exist once start-up is through."""

    def __init__(self, api: FastAPI, draining: Draining) -> None:
        self.api = api
        self.draining = draining
        self.hot: HotRoutes | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            logging.request_id.set(_request_id(scope))
            if self.draining.active:
                send = self.draining.closing(send)
            if self.hot is not None:
                await self.hot(scope, receive, send)
                return
        await self.api(scope, receive, send)


def build(settings: Settings) -> Application:
    """The application for these settings; connections are opened when it starts."""
    draining = Draining(settings.drain_seconds)

    @contextlib.asynccontextmanager
    async def lifespan(api: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        gateway = _open(settings)
        await gateway.facts.start()
        await gateway.captures.start()
        refreshing = asyncio.create_task(gateway.facts.refresh(), name="facts")
        api.state.gateway = gateway
        payments = Payments(
            gateway.domain, gateway.contracts.receiver_authorizer, gateway.facts, gateway.captures, gateway.pool
        )
        application.hot = HotRoutes(api, payments, gateway.pool)  # type: ignore[arg-type]  # starlette's own aliases
        draining.install()
        log.info("gateway_started", chain_id=gateway.contracts.chain_id)
        try:
            yield
        finally:
            refreshing.cancel()
            await gateway.captures.stop()
            gateway.pool.close()
            log.info("gateway_stopped")

    api = FastAPI(
        title="Lockgate gateway",
        version="1",
        summary="Micro-payments: verified in microseconds, durable before the answer leaves.",
        lifespan=lifespan,
    )
    api.include_router(payments_router)
    api.include_router(channels_router)
    api.include_router(x402_router)
    _add_operations(api, draining)
    _add_errors(api)
    application = Application(api, draining)
    return application


def _open(settings: Settings) -> Gateway:
    contracts = read_contracts(settings.contracts_file)
    if contracts.chain_id != settings.chain_id:
        raise ValueError(
            f"the contracts file is of chain {contracts.chain_id}, LOCKGATE_CHAIN_ID is {settings.chain_id}"
        )
    url = settings.database_url.get_secret_value()
    pool = open_pool(url, max_size=settings.database_pool_size)
    captures = Captures(
        url,
        pool,
        shard=os.getpid() % SHARDS,
        lanes=settings.capture_lanes,
        window_seconds=settings.window_seconds,
    )
    domain = escrow_domain(contracts.chain_id, contracts.escrow)
    return Gateway(settings, contracts, domain, pool, Facts(settings, pool), captures)


def _add_operations(api: FastAPI, draining: Draining) -> None:
    @api.get("/healthz", tags=["operations"])
    async def healthz() -> dict[str, str]:
        """Alive: needs nothing outside this process."""
        return {"status": "alive"}

    @api.get("/readyz", tags=["operations"], responses={503: {"description": "A part that requests need is missing"}})
    def readyz(request: Request) -> Response:
        """Ready: everything that a payment needs is there."""
        gateway: Gateway = request.app.state.gateway
        if draining.active:
            return JSONResponse({"status": "not ready", "reason": "stopping"}, 503)
        try:
            with gateway.pool.connection(timeout=2.0) as connection:
                missing = pending(connection, MIGRATIONS)
        except (psycopg.Error, PoolTimeout):
            return JSONResponse({"status": "not ready", "reason": "database unreachable"}, 503)
        if missing:
            return JSONResponse({"status": "not ready", "reason": "migrations pending", "pending": missing}, 503)
        if gateway.facts.sanctions is None:
            return JSONResponse({"status": "not ready", "reason": "no sanctions list"}, 503)
        return JSONResponse({"status": "ready"})

    @api.get("/metrics", tags=["operations"], response_class=Response)
    def scrape() -> Response:
        """Prometheus metrics, summed over the processes of this service."""
        body, content_type = metrics.exposition()
        return Response(body, media_type=content_type)


def _add_errors(api: FastAPI) -> None:
    api.add_exception_handler(Problem, answer_problem)

    @api.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        member = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        return Problem(400, "invalid_request", f"{member}: {first['msg']}", member=member).response()

    @api.exception_handler(HTTPException)
    async def http_error(_request: Request, error: HTTPException) -> Response:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
        return Problem(error.status_code, code, str(error.detail), headers=error.headers).response()

    @api.exception_handler(Exception)
    async def fault(_request: Request, _error: Exception) -> Response:
        # The server logs what it was; the caller learns only that it was not his request.
        return Problem(
            500, "internal_error", "Something failed here. Try again, or report the request's id."
        ).response()

    @api.exception_handler(psycopg.OperationalError)
    @api.exception_handler(PoolTimeout)
    async def database_gone(_request: Request, error: Exception) -> Response:
        log.warning("database_unreachable", error=repr(error))
        return Problem(
            503, "book_unavailable", "The database cannot be reached. Try again.", headers={"Retry-After": "1"}
        ).response()


def _request_id(scope: dict[str, Any]) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(given):
                return str(given)
    return f"{_PROCESS}-{next(_numbers):x}"
