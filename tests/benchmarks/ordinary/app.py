"""The ordinary service's routes: a session and a transaction a request."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

import anyio.to_thread
from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from tests.benchmarks.ordinary import schemas
from tests.benchmarks.ordinary.checks import Refused
from tests.benchmarks.ordinary.models import Channel
from tests.benchmarks.ordinary.service import authenticate, capture

POOL = 20


def session_of(request: Request) -> Iterator[Session]:
    sessions: sessionmaker[Session] = request.app.state.sessions
    with sessions() as opened:
        yield opened


InSession = Annotated[Session, Depends(session_of)]


def create() -> FastAPI:
    """The application (a factory for uvicorn); ORDINARY_DATABASE_URL names the database.

    ORDINARY_THREADS limits the threads that requests run in; without it FastAPI's own limit of 40 holds.
    """
    url = os.environ["ORDINARY_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, pool_size=POOL, max_overflow=0)
    api = FastAPI(title="ordinary", lifespan=_limited)
    api.state.sessions = sessionmaker(engine, expire_on_commit=False)
    _add_errors(api)

    @api.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @api.post("/v1/payments", status_code=201)
    def create_payment(
        body: schemas.VoucherPayment,
        response: Response,
        session: InSession,
        authorization: Annotated[str | None, Header()] = None,
        idempotency_key: Annotated[str | None, Header()] = None,
    ) -> schemas.Payment:
        merchant_id = authenticate(session, authorization).merchant_id
        captured = capture(session, merchant_id, body, idempotency_key)
        session.commit()
        if not captured.is_new:
            response.status_code = 200
        return captured.payment

    @api.post("/v1/payments/batch")
    def create_payments(
        body: schemas.Batch, session: InSession, authorization: Annotated[str | None, Header()] = None
    ) -> schemas.BatchAnswer:
        """One commit a request, a savepoint a payment, so that a refused one changes nothing for its neighbours."""
        merchant_id = authenticate(session, authorization).merchant_id
        _lock_in_order(session, body)
        results = []
        for payment in body.payments:
            try:
                with session.begin_nested():
                    captured = capture(session, merchant_id, payment, None)
                results.append(schemas.BatchResult(status=201 if captured.is_new else 200, payment=captured.payment))
            except Refused as refused:
                results.append(schemas.BatchResult(status=refused.status, problem=refused.document()))
        session.commit()
        return schemas.BatchAnswer(results=results)

    return api


@asynccontextmanager
async def _limited(_api: FastAPI) -> AsyncIterator[None]:
    if threads := os.environ.get("ORDINARY_THREADS"):
        anyio.to_thread.current_default_thread_limiter().total_tokens = int(threads)
    yield


def _lock_in_order(session: Session, body: schemas.Batch) -> None:
    """All channels of a batch by one look-up, in one order, so that two batches cannot deadlock."""
    identifiers = {bytes.fromhex(payment.voucher.channelId[2:]) for payment in body.payments}
    session.scalars(
        select(Channel).where(Channel.channel_id.in_(identifiers)).order_by(Channel.id).with_for_update()
    ).all()


def _add_errors(api: FastAPI) -> None:
    @api.exception_handler(Refused)
    async def refused(_request: Request, error: Refused) -> Response:
        return JSONResponse(error.document(), error.status, media_type="application/problem+json")

    @api.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        code = "invalid_json" if error.errors()[0]["type"] == "json_invalid" else "invalid_request"
        return JSONResponse(Refused(400, code).document(), 400, media_type="application/problem+json")
