"""The facilitator's endpoints, at the paths that x402 clients call: verify, settle, supported."""

from __future__ import annotations

import hashlib
from threading import Lock
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from gateway.deps import Gateway, gateway_of
from gateway.merchants.keys import Caller, find_caller, read_bearer
from gateway.x402 import facilitator, service, wire
from gateway.x402.facilitator import ChainLost, Facilitator, NotConfigured
from gateway.x402.messages import BATCH_SETTLEMENT, BODY_BYTES_MOST, EXACT, X402_VERSION
from gateway.x402.service import FacilitatorBusy
from gateway.x402.vouchers import BookBusy
from gateway.x402.wire import InvalidPayload
from kit.chain.signer import KeyFileError
from kit.http.bodies import read_body
from kit.http.idempotency import parse_key
from kit.http.problems import Problem
from kit.logging import get_logger

log = get_logger(__name__)
router = APIRouter(prefix="/x402", tags=["x402"])
RETRY_SECONDS = "2"
_opening = Lock()
_NO_ANSWER = (InvalidPayload, ChainLost, BookBusy, FacilitatorBusy)

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"description": "`invalid_payload`: the body is not what x402 says it is"},
    413: {"description": "`body_too_large`"},
    503: {"description": "`chain_unavailable`, `book_unavailable` or `facilitator_busy`: no verdict; try again"},
}


def facilitator_of(request: Request, gateway: Annotated[Gateway, Depends(gateway_of)]) -> Facilitator:
    """This process's facilitator, opened at its first use. Raises Problem 503 without its keys."""
    state = request.app.state
    with _opening:
        if getattr(state, "facilitator", None) is None:
            try:
                state.facilitator = facilitator.open_facilitator(gateway)
            except (NotConfigured, KeyFileError) as error:
                log.error("facilitator_not_configured", reason=str(error))
                raise Problem(
                    503, "facilitator_not_configured", "This gateway has no key to relay payments with."
                ) from error
    opened = state.facilitator
    assert isinstance(opened, Facilitator)
    return opened


async def bounded_body(request: Request) -> bytes:
    """The request's body. Raises Problem 413, 408, 400."""
    return await read_body(request.receive, most=BODY_BYTES_MOST)


def caller_of(request: Request, gateway: Annotated[Gateway, Depends(gateway_of)]) -> Caller | None:
    """The merchant, if an API key was sent; a key that is not good is an error, not nobody. Raises Problem 401."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    with gateway.pool.connection() as connection:
        return find_caller(connection, read_bearer(header))


_Body = Annotated[bytes, Depends(bounded_body)]
_Facilitator = Annotated[Facilitator, Depends(facilitator_of)]


@router.post("/verify", responses=_PROBLEMS)
def verify(f: _Facilitator, body: _Body) -> JSONResponse:
    """Whether a payment would be accepted. A refused one is 200 with `isValid: false` and its reason."""
    try:
        return JSONResponse(service.verify(f, body))
    except _NO_ANSWER as error:
        raise _problem(error) from error


@router.post("/settle", responses=_PROBLEMS)
def settle(
    f: _Facilitator, body: _Body, request: Request, caller: Annotated[Caller | None, Depends(caller_of)]
) -> JSONResponse:
    """Make a payment happen. A refused one is 200 with `success: false` and its reason.

    `Idempotency-Key` tells one use of a payment from another: the same key gets the same answer, another one with the
    same payment is told that it is used. Without it, the request's bytes stand for it.
    """
    key = parse_key(request.headers.get("idempotency-key"))
    identity = body if key is None else b"key:" + key.encode()
    asking = facilitator.Request(hashlib.sha256(identity).digest(), caller)
    try:
        return JSONResponse(service.settle(f, body, asking))
    except _NO_ANSWER as error:
        raise _problem(error) from error


@router.get("/supported")
def supported(f: _Facilitator) -> dict[str, Any]:
    """Schemes and networks, and the addresses that sign and relay."""
    kind = {"x402Version": X402_VERSION, "network": f.network}
    authorizer = {"receiverAuthorizer": wire.checksum(f.authorizer.address)}
    return {
        "kinds": [{**kind, "scheme": BATCH_SETTLEMENT, "extra": authorizer}, {**kind, "scheme": EXACT}],
        "extensions": [],
        "signers": {"eip155:*": [wire.checksum(f.relay)]},
    }


def _problem(error: Exception) -> Problem:
    if isinstance(error, InvalidPayload):
        return Problem(400, "invalid_payload", f"{error}.")
    codes = {ChainLost: "chain_unavailable", BookBusy: "book_unavailable", FacilitatorBusy: "facilitator_busy"}
    code = codes[type(error)]
    return Problem(503, code, f"{error}. Send the same request again.", headers={"Retry-After": RETRY_SECONDS})
