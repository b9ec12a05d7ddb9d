"""Requests made to break the API rather than to pay: each is answered by a problem, and nothing else happens."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.merchants.service import create_merchant, revoke_key
from kit.http import bodies
from tests.integration.chain.parts import wait_until
from tests.integration.x402.world import (
    PRICE,
    World,
    deposit_payload,
    exact_payload,
    voucher_document,
)


@dataclass(frozen=True, slots=True)
class Api:
    url: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=self.headers, timeout=30)

    def post(self, path: str, body: object) -> httpx.Response:
        return httpx.post(self.url + path, headers=self.headers, json=body, timeout=30)

    def raw(self, data: bytes, seconds: float) -> bytes:
        """What comes back until the server closes or `seconds` are over."""
        place = urlsplit(self.url)
        with socket.create_connection((place.hostname, place.port), timeout=seconds) as connection:
            connection.sendall(data)
            return connection.recv(65536)


@pytest.fixture
def api(world: World) -> Api:
    return Api(world.x402.removesuffix("/x402"), world.merchant_key)


def cursor(position: bytes) -> str:
    return base64.urlsafe_b64encode(position).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/channels?cursor={cursor(bytes([255]) * 8)}",
        "/v1/payments?reference=%00",
        "/v1/payments?reference=a%00b",
    ],
)
def test_a_value_that_the_database_cannot_hold_is_the_callers_error(api: Api, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 400, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.fixture
def revoked(world: World, api: Api) -> Iterator[Api]:
    """A key that this process has seen to be good before it was revoked."""
    with world.pool.connection() as connection:
        made = create_merchant(connection, name="revoked", receiver=bytes(19) + b"\x77")
    known = Api(api.url, made.api_key)
    assert known.post("/v1/payments", {}).status_code == 400
    with world.pool.connection() as connection:
        revoke_key(connection, merchant_id=made.merchant_id, key_id=made.key_id)
    yield known
    with world.pool.connection() as connection:
        connection.execute("DELETE FROM api_keys WHERE merchant_id = %s", [made.merchant_id])
        connection.execute("DELETE FROM merchant_receivers WHERE merchant_id = %s", [made.merchant_id])


def test_a_revoked_key_is_told_nothing_any_more(world: World, revoked: Api) -> None:
    """Not even what is wrong with a request that never gets as far as the book."""
    channel, _ = world.opened()
    payment = {"voucher": voucher_document(channel, PRICE), "amount": str(PRICE)}
    assert revoked.post("/v1/payments", {}).status_code == 401
    assert revoked.post("/v1/payments", payment).status_code == 401
    assert revoked.post("/v1/payments/batch", {"payments": [{}]}).status_code == 401
    assert revoked.post("/v1/payments/batch", {"payments": [payment]}).status_code == 401


@pytest.mark.parametrize("path", ["/v1/payments", "/v1/payments/batch", "/x402/settle"])
def test_a_body_that_never_comes_does_not_keep_the_connection(
    api: Api, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.3)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\nContent-Length: 100\r\n\r\n"
    answer = api.raw(head.encode() + b"{", seconds=10)
    assert answer.startswith(b"HTTP/1.1 408"), answer
    assert b"connection: close" in answer.lower()


def test_settlements_that_wait_leave_threads_to_everybody_else(world: World, api: Api) -> None:
    """With blocks that do not come, one authorization sent again and again is enough to make many threads wait."""
    payload, asked = deposit_payload(world, world.channel(world.payer()), 10 * PRICE, PRICE), world.requirements()
    exact = exact_payload(world, world.payer()), world.requirements("exact")
    body = {
        "x402Version": 2,
        "paymentPayload": {"x402Version": 2, "payload": payload, "accepted": asked},
        "paymentRequirements": asked,
    }
    world.node.automine(False)
    try:
        with (
            ThreadPoolExecutor(100) as pool,
            httpx.Client(timeout=60, limits=httpx.Limits(max_connections=100)) as http,
        ):
            waiting = [pool.submit(http.post, f"{world.x402}/settle", json=body) for _ in range(100)]
            wait_until(lambda: any(one.done() for one in waiting), "one is told that too many wait")
            started = time.monotonic()
            assert api.get("/v1/payments").status_code == 200
            assert api.get("/readyz").status_code == 200
            assert time.monotonic() - started < 5
            world.node.automine(True)
            world.node.mine()
            answers = [one.result() for one in waiting]
    finally:
        world.node.automine(True)
    busy = [answer for answer in answers if answer.status_code == 503]
    assert busy and all(answer.headers["Retry-After"] for answer in busy)
    assert {answer.json()["success"] for answer in answers if answer.status_code == 200} == {True}
    assert world.settle(*exact)["success"]


@pytest.mark.parametrize("spelling", ["EIP155:31337", "eip155:031337", "eip155: 31337", "eip155:31337 ", "31337"])
def test_a_network_has_one_spelling(world: World, api: Api, spelling: str) -> None:
    """That of `/supported`, in what is offered, accepted and asked for."""
    kinds = httpx.get(f"{world.x402}/supported").json()["kinds"]
    assert {kind["network"] for kind in kinds} == {world.requirements()["network"]}
    asked = {**world.requirements("exact"), "network": spelling}
    payload, sent = exact_payload(world, world.payer()), world.relayed()
    assert world.settle(payload, asked)["errorReason"] == "invalid_network"
    ours = world.requirements("exact")
    assert world.settle(payload, ours, accepted=asked)["errorReason"] == "network_mismatch"
    assert world.relayed() == sent


def test_a_fault_of_ours_is_a_problem_document_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.payments.routes.cursors.page_of", None)
    answer = api.get("/v1/payments")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "NoneType" not in json.dumps(answer.json())
