"""The paywall's side of the facilitator's HTTP interface."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from gateway.x402.messages import BATCH_SETTLEMENT, X402_VERSION, Requirements

TIMEOUT_SECONDS = 90.0
SETTLE_TRIES = 3
PAUSE_SECONDS_MOST = 2.0


class FacilitatorUnavailable(Exception):
    """No answer that means anything. After a settle call the outcome is unknown."""


class FacilitatorBusy(FacilitatorUnavailable):
    """The facilitator said itself that it cannot answer now."""


class PaymentMalformed(Exception):
    """The facilitator could not read the payment."""


@dataclass(frozen=True, slots=True)
class VerifyAnswer:
    is_valid: bool
    reason: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SettleAnswer:
    success: bool
    reason: str
    transaction: str
    document: Mapping[str, Any]

    @property
    def extra(self) -> Mapping[str, Any]:
        extra = self.document.get("extra")
        return extra if isinstance(extra, dict) else {}


class FacilitatorClient:
    """`url` is the base with /verify, /settle and /supported under it; `api_key` is the merchant's, if needed."""

    def __init__(
        self, url: str, *, api_key: str | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        self._http = httpx.AsyncClient(headers=headers, timeout=TIMEOUT_SECONDS, transport=transport)
        self._url = url.rstrip("/")

    async def aclose(self) -> None:
        await self._http.aclose()

    async def verify(self, payment: Mapping[str, Any], asked: Requirements) -> VerifyAnswer:
        """Raises FacilitatorUnavailable, PaymentMalformed."""
        answer = await self._post("verify", payment, asked, {})
        is_valid = answer.get("isValid")
        if not isinstance(is_valid, bool):
            raise FacilitatorUnavailable("the facilitator's verdict is none")
        extra = answer.get("extra")
        return VerifyAnswer(
            is_valid,
            str(answer.get("invalidReason") or "unexpected_verify_error"),
            extra if isinstance(extra, dict) else {},
        )

    async def settle(self, payment: Mapping[str, Any], asked: Requirements, key: str) -> SettleAnswer:
        """Settle under `key`, again while the outcome is unknown: under the same key it happens once.

        Raises FacilitatorUnavailable when it stays unknown, PaymentMalformed.
        """
        for attempt in range(1, SETTLE_TRIES + 1):
            try:
                answer = await self._post("settle", payment, asked, {"Idempotency-Key": key})
                break
            except FacilitatorUnavailable:
                if attempt == SETTLE_TRIES:
                    raise
                await asyncio.sleep(PAUSE_SECONDS_MOST * attempt / SETTLE_TRIES)
        success = answer.get("success")
        if not isinstance(success, bool):
            raise FacilitatorUnavailable("the facilitator's settlement is none")
        reason = str(answer.get("errorReason") or "unexpected_settle_error")
        return SettleAnswer(success, reason, str(answer.get("transaction") or ""), answer)

    async def receiver_authorizer(self, network: str) -> str:
        """What the facilitator publishes for batch-settlement. Raises FacilitatorUnavailable."""
        answer = await self._send("GET", "supported")
        kinds = answer.get("kinds")
        for kind in kinds if isinstance(kinds, list) else []:
            if isinstance(kind, dict) and (kind.get("scheme"), kind.get("network")) == (BATCH_SETTLEMENT, network):
                authorizer = (kind.get("extra") or {}).get("receiverAuthorizer")
                if isinstance(authorizer, str):
                    return authorizer
        raise FacilitatorUnavailable(f"the facilitator does not serve {BATCH_SETTLEMENT} on {network}")

    async def _post(
        self, call: str, payment: Mapping[str, Any], asked: Requirements, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        body = {
            "x402Version": X402_VERSION,
            "paymentPayload": payment,
            "paymentRequirements": asked.document(),
        }
        return await self._send("POST", call, body, headers)

    async def _send(
        self, method: str, call: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            response = await self._http.request(method, f"{self._url}/{call}", json=body, headers=headers)
        except httpx.HTTPError as error:
            raise FacilitatorUnavailable(f"{call}: {type(error).__name__}") from error
        if response.status_code in (429, 503):
            raise FacilitatorBusy(f"{call}: {response.status_code}")
        if response.status_code in (400, 413):
            raise PaymentMalformed(call)
        try:
            document = response.json()
        except ValueError as error:
            raise FacilitatorUnavailable(f"{call}: no JSON") from error
        if response.status_code != httpx.codes.OK or not isinstance(document, dict):
            raise FacilitatorUnavailable(f"{call}: {response.status_code}")
        return document
