"""The paywall's own decisions, with a facilitator that says what the test wants."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response, WebSocket

from gateway.x402 import headers
from gateway.x402.offers import PaidRoute, Terms
from gateway.x402.paywall import Paywall, PaywallConfig
from gateway.x402.replays import Lanes, Replays
from tests.support.vouchers import payer_channel
from tests.support.waiting import until
from tests.unit.x402.test_wire import CONFIG, EXACT

PRICE = 1000
AUTHORIZER = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
STATE = {
    "channelId": "0x" + "cd" * 32,
    "balance": "10000",
    "totalClaimed": "0",
    "withdrawRequestedAt": 0,
    "refundNonce": "0",
    "chargedCumulativeAmount": "1000",
}
MISMATCH = "invalid_batch_settlement_evm_cumulative_amount_mismatch"
Answer = dict[str, Any] | int | Exception


@dataclass(slots=True)
class Facilitator:
    """Answers in the order given, the last one again and again. `seen` holds (call, body, idempotency key)."""

    verify: list[Answer] = field(default_factory=lambda: [{"isValid": True, "payer": AUTHORIZER}])
    settle: list[Answer] = field(default_factory=lambda: [settled()])
    seen: list[tuple[str, dict[str, Any], str | None]] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        call = request.url.path.rpartition("/")[2]
        if call == "supported":
            kind = {"x402Version": 2, "network": "eip155:31337", "extra": {"receiverAuthorizer": AUTHORIZER}}
            return httpx.Response(200, json={"kinds": [{**kind, "scheme": "batch-settlement"}]})
        self.seen.append((call, json.loads(request.content), request.headers.get("idempotency-key")))
        await asyncio.sleep(0)
        script = self.verify if call == "verify" else self.settle
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer) if isinstance(answer, int) else httpx.Response(200, json=answer)

    def calls(self, name: str) -> list[str | None]:
        return [key for call, _, key in self.seen if call == name]


def settled(**more: Any) -> dict[str, Any]:
    extra = {"chargedAmount": str(PRICE), "channelState": STATE}
    return {"success": True, "transaction": "", "network": "eip155:31337", "extra": extra, **more}


def failed(reason: str, **more: Any) -> dict[str, Any]:
    return {"success": False, "errorReason": reason, "transaction": "", "network": "eip155:31337", **more}


@dataclass(slots=True)
class Shop:
    facilitator: Facilitator
    paywall: Paywall
    http: httpx.AsyncClient
    runs: list[str]

    def offers(self, response: httpx.Response) -> list[dict[str, Any]]:
        accepts = headers.decode(response.headers["PAYMENT-REQUIRED"])["accepts"]
        assert isinstance(accepts, list)
        return accepts

    async def accepted(self, path: str, scheme: str, method: str = "GET") -> dict[str, Any]:
        offered = self.offers(await self.http.request(method, path))
        return next(entry for entry in offered if entry["scheme"] == scheme)

    async def pay(
        self,
        path: str = "/paid",
        *,
        scheme: str = "batch-settlement",
        method: str = "GET",
        change: Callable[[dict[str, Any]], None] = lambda _: None,
        **more: Any,
    ) -> httpx.Response:
        payment = {
            "x402Version": 2,
            "accepted": await self.accepted(path, scheme, method),
            "payload": json.loads(json.dumps(EXACT if scheme == "exact" else PAYLOAD)),
        }
        change(payment)
        return await self.http.request(method, path, headers={"PAYMENT-SIGNATURE": headers.encode(payment)}, **more)


def voucher_payload(total: int, *, signature: bytes | None = None) -> dict[str, Any]:
    """A voucher of CHANNEL that its payer has signed, unless a signature is given."""
    config = CHANNEL.config
    return {
        "type": "voucher",
        "channelConfig": {
            "payer": "0x" + config.payer.hex(),
            "payerAuthorizer": "0x" + config.payer_authorizer.hex(),
            "receiver": "0x" + config.receiver.hex(),
            "receiverAuthorizer": "0x" + config.receiver_authorizer.hex(),
            "token": "0x" + config.token.hex(),
            "withdrawDelay": config.withdraw_delay,
            "salt": "0x" + config.salt.hex(),
        },
        "voucher": {
            "channelId": "0x" + CHANNEL.channel_id.hex(),
            "maxClaimableAmount": str(total),
            "signature": "0x" + (signature or CHANNEL.sign(total)).hex(),
        },
    }


CHANNEL = payer_channel("payer of the paywall", bytes.fromhex("04" * 20))
PAYLOAD = voucher_payload(PRICE)
TERMS = Terms("eip155:31337", bytes.fromhex("03" * 20), "USDC", "2", bytes.fromhex("04" * 20))
ROUTES = (
    PaidRoute("/paid", PRICE, description="A thing"),
    PaidRoute("/other", PRICE),
    PaidRoute("/items/{name}", PRICE),
    PaidRoute("/post", PRICE, frozenset({"POST"})),
    PaidRoute("/broken", PRICE),
    PaidRoute("/large", PRICE),
    PaidRoute("/ws", PRICE),
)


def app_of(runs: list[str]) -> FastAPI:
    app = FastAPI()

    @app.get("/paid")
    @app.get("/other")
    @app.get("/items/{name}")
    @app.post("/post")
    async def serve(request: Request) -> Response:
        runs.append(request.url.path)
        return Response("the goods", headers={"Cache-Control": "max-age=60, public"})

    @app.get("/broken")
    async def broken() -> Response:
        return Response("out of order", 500)

    @app.get("/large")
    async def large() -> Response:
        return Response(b"x" * 5000)

    @app.get("/free")
    async def free() -> str:
        return "free"

    @app.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()

    return app


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    facilitator, runs = Facilitator(), list[str]()
    config = PaywallConfig(
        "http://facilitator.test/x402",
        "https://shop.example",
        TERMS,
        ROUTES,
        request_bytes_most=1000,
        response_bytes_most=4000,
    )
    paywall = Paywall(
        app_of(runs),
        config,
        transport=httpx.MockTransport(facilitator),
        lanes=Lanes(waiting_most=2, seconds=5),
    )
    transport = httpx.ASGITransport(app=paywall, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://internal.test") as http:
        yield Shop(facilitator, paywall, http, runs)
    await paywall.aclose()


async def test_the_offer(shop: Shop) -> None:
    response = await shop.http.get("/paid")
    assert (response.status_code, response.json()) == (402, {})
    assert response.headers["Cache-Control"] == "no-store"
    assert len(response.headers["PAYMENT-REQUIRED"]) < 8000
    offer = headers.decode(response.headers["PAYMENT-REQUIRED"])
    assert offer["x402Version"] == 2
    assert offer["resource"] == {
        "url": "https://shop.example/paid", "mimeType": "application/json", "description": "A thing",
    }  # fmt: skip
    batch, exact = shop.offers(response)
    assert (batch["scheme"], exact["scheme"]) == ("batch-settlement", "exact")
    assert batch["extra"] == {
        "name": "USDC", "version": "2", "receiverAuthorizer": AUTHORIZER, "withdrawDelay": 86400,
        "minDeposit": "10000", "bookkeeper": "facilitator",
    }  # fmt: skip
    assert (await shop.http.get("/paid")).headers["PAYMENT-REQUIRED"] == response.headers["PAYMENT-REQUIRED"]
    assert shop.facilitator.seen == []


async def test_a_paid_request(shop: Shop) -> None:
    response = await shop.pay()
    assert (response.status_code, response.text) == (200, "the goods")
    assert headers.decode(response.headers["PAYMENT-RESPONSE"]) == settled()
    assert response.headers["Cache-Control"] == "max-age=60, private"
    assert response.headers["Access-Control-Expose-Headers"] == "PAYMENT-REQUIRED, PAYMENT-RESPONSE"
    assert [call for call, _, _ in shop.facilitator.seen] == ["verify", "settle"]


async def test_what_is_free_stays_free(shop: Shop) -> None:
    assert (await shop.http.get("/free")).status_code == 200
    assert (await shop.http.get("/nowhere")).status_code == 404


BROKEN = [
    "garbage",
    base64.b64encode(b"[]").decode(),
    base64.b64encode(b'{"x402Version":1}').decode(),
    base64.b64encode(b'{"x402Version":2,"accepted":{},"payload":{}}').decode(),
    base64.urlsafe_b64encode(b'{"x":"\xc3\xbf\xc3\xbf\xc3\xbf"}').decode().rstrip("="),
    "",
]


@pytest.mark.parametrize("value", BROKEN)
async def test_a_broken_header_is_400_and_never_402_or_500(shop: Shop, value: str) -> None:
    """Lessons A5."""
    response = await shop.http.get("/paid", headers={"PAYMENT-SIGNATURE": value})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_payload")
    assert shop.runs == []


async def test_two_payments_in_one_request_are_400(shop: Shop) -> None:
    response = await shop.http.get("/paid", headers=[("PAYMENT-SIGNATURE", "a"), ("payment-signature", "b")])
    assert response.status_code == 400


async def test_a_payment_that_the_facilitator_cannot_read_is_400(shop: Shop) -> None:
    shop.facilitator.verify = [400]
    assert (await shop.pay()).status_code == 400


@pytest.mark.parametrize("kind", ["claim", "settle"])
async def test_orders_are_not_taken_from_clients(shop: Shop, kind: str) -> None:
    def order(payment: dict[str, Any]) -> None:
        row = {"voucher": {"channel": CONFIG, "maxClaimableAmount": "1"}, "signature": "0x", "totalClaimed": "1"}
        settle = {"type": "settle", "receiver": AUTHORIZER, "token": AUTHORIZER}
        payment["payload"] = {"type": "claim", "claims": [row]} if kind == "claim" else settle

    assert (await shop.pay(change=order)).status_code == 400
    assert shop.facilitator.seen == []


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("amount", "999"), ("amount", "1001"), ("network", "eip155:1"), ("payTo", AUTHORIZER), ("asset", AUTHORIZER),
        ("maxTimeoutSeconds", 301), ("extra", {"name": "USDC", "version": "2"}),
    ],
)  # fmt: skip
async def test_other_terms_than_ours_do_not_match(shop: Shop, member: str, value: object) -> None:
    def change(payment: dict[str, Any]) -> None:
        payment["accepted"][member] = value

    response = await shop.pay(change=change)
    assert response.status_code == 402
    assert headers.decode(response.headers["PAYMENT-REQUIRED"])["error"] == "No matching payment requirements"
    assert (shop.runs, shop.facilitator.seen) == ([], [])


async def test_more_extra_than_ours_matches(shop: Shop) -> None:
    def change(payment: dict[str, Any]) -> None:
        payment["accepted"]["extra"]["more"] = 1

    assert (await shop.pay(change=change)).status_code == 200


async def test_the_corrective_answer(shop: Shop) -> None:
    voucher = {"signedMaxClaimable": "1000", "signature": "0x12"}
    shop.facilitator.verify = [
        {"isValid": False, "invalidReason": MISMATCH, "extra": {"channelState": STATE, "voucherState": voucher}}
    ]
    response = await shop.pay()
    assert response.status_code == 402
    assert "PAYMENT-RESPONSE" not in response.headers
    assert headers.decode(response.headers["PAYMENT-REQUIRED"])["error"] == MISMATCH
    batch, exact = shop.offers(response)
    assert (batch["extra"]["channelState"], batch["extra"]["voucherState"]) == (STATE, voucher)
    assert "channelState" not in exact["extra"]
    assert shop.runs == []


async def test_a_refused_payment_is_told_and_shows_no_state(shop: Shop) -> None:
    shop.facilitator.verify = [{"isValid": False, "invalidReason": "sanctioned", "extra": {"channelState": STATE}}]
    response = await shop.pay()
    assert headers.decode(response.headers["PAYMENT-REQUIRED"])["error"] == "sanctioned"
    assert "channelState" not in shop.offers(response)[0]["extra"]


async def test_the_goods_stay_here_when_settlement_fails(shop: Shop) -> None:
    shop.facilitator.settle = [failed("velocity_exceeded")]
    response = await shop.pay()
    assert (response.status_code, response.json()) == (402, {})
    assert "PAYMENT-REQUIRED" not in response.headers
    assert headers.decode(response.headers["PAYMENT-RESPONSE"])["success"] is False
    assert shop.runs == ["/paid"]


async def test_a_race_lost_at_settlement_is_corrected(shop: Shop) -> None:
    shop.facilitator.settle = [failed(MISMATCH, extra={"channelState": STATE})]
    response = await shop.pay()
    assert (response.status_code, response.json()) == (402, {})
    assert "PAYMENT-RESPONSE" not in response.headers
    assert shop.offers(response)[0]["extra"]["channelState"] == STATE


async def test_a_handler_that_fails_is_passed_on_and_not_settled(shop: Shop) -> None:
    response = await shop.pay("/broken")
    assert (response.status_code, response.text) == (500, "out of order")
    assert "PAYMENT-RESPONSE" not in response.headers
    assert shop.facilitator.calls("settle") == []


async def test_an_answer_too_large_to_hold_back_is_not_charged(shop: Shop) -> None:
    assert (await shop.pay("/large")).status_code == 500
    assert shop.facilitator.calls("settle") == []


async def test_a_body_too_large_is_413(shop: Shop) -> None:
    assert (await shop.pay("/post", method="POST", content=b"x" * 1001)).status_code == 413
    assert shop.facilitator.seen == []


async def test_the_same_request_again_is_answered_from_memory(shop: Shop) -> None:
    first, second = await shop.pay(), await shop.pay()
    assert first.content == second.content
    assert first.headers["PAYMENT-RESPONSE"] == second.headers["PAYMENT-RESPONSE"]
    assert (shop.runs, len(shop.facilitator.seen)) == (["/paid"], 2)


async def test_the_same_voucher_for_something_else_is_another_request(shop: Shop) -> None:
    await shop.pay()
    shop.facilitator.verify = [{"isValid": False, "invalidReason": MISMATCH, "extra": {"channelState": STATE}}]
    for path in ("/other", "/paid?x=1"):
        assert (await shop.pay(path)).status_code == 402
    assert shop.runs == ["/paid"]


async def test_identical_requests_in_parallel_run_once(shop: Shop) -> None:
    answers = await asyncio.gather(shop.pay(), shop.pay(), shop.pay())
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert shop.runs == ["/paid"]


async def test_a_channel_has_a_short_queue(shop: Shop) -> None:
    answers = await asyncio.gather(*(shop.pay(f"/items/{number}") for number in range(8)))
    busy = [answer for answer in answers if answer.status_code == 402]
    assert busy
    error = headers.decode(busy[0].headers["PAYMENT-REQUIRED"])["error"]
    assert error == "invalid_batch_settlement_evm_channel_busy"


async def test_each_run_has_a_key_of_its_own(shop: Shop) -> None:
    await shop.pay("/paid")
    await shop.pay("/other")
    keys = shop.facilitator.calls("settle")
    assert len(set(keys)) == 2 and None not in keys


async def test_a_pending_settlement_is_asked_once_more_and_the_goods_wait_for_the_client(shop: Shop) -> None:
    pending = failed("settlement_pending", transaction="0x12")
    shop.facilitator.settle = [pending, pending, settled(transaction="0x12")]
    first = await shop.pay(scheme="exact")
    assert (first.status_code, first.json()) == (402, {})
    assert headers.decode(first.headers["PAYMENT-RESPONSE"])["transaction"] == "0x12"
    second = await shop.pay(scheme="exact")
    assert (second.status_code, second.text) == (200, "the goods")
    assert shop.runs == ["/paid"]
    assert len(shop.facilitator.calls("settle")) == 3
    assert len(set(shop.facilitator.calls("settle"))) == 1


async def test_an_unknown_outcome_is_asked_for_again_under_the_same_key(shop: Shop) -> None:
    shop.facilitator.settle = [httpx.ReadTimeout("lost"), 503, settled()]
    assert (await shop.pay()).status_code == 200
    assert len(shop.facilitator.calls("settle")) == 3
    assert len(set(shop.facilitator.calls("settle"))) == 1


async def test_an_outcome_that_stays_unknown_waits_for_the_client(shop: Shop) -> None:
    shop.facilitator.settle = [503, 503, 503, settled()]
    first = await shop.pay()
    assert first.status_code == 503
    assert first.headers["Retry-After"]
    assert (await shop.pay()).status_code == 200
    assert shop.runs == ["/paid"]
    assert len(set(shop.facilitator.calls("settle"))) == 1


@pytest.mark.parametrize(("answer", "status"), [(503, 503), (httpx.ConnectError("down"), 502), (500, 502), ({}, 502)])
async def test_a_facilitator_without_a_verdict(shop: Shop, answer: Answer, status: int) -> None:
    shop.facilitator.verify = [answer]
    assert (await shop.pay()).status_code == status
    assert shop.runs == []


async def test_a_refund_is_settled_without_the_app_and_may_be_made_twice(shop: Shop) -> None:
    def refund(payment: dict[str, Any]) -> None:
        payment["payload"] = {**PAYLOAD, "type": "refund", "amount": "5"}

    for path in ("/paid", "/post", "/post"):
        response = await shop.pay(path, change=refund)
        assert (response.status_code, response.json()["channelId"]) == (200, "0x" + CHANNEL.channel_id.hex())
        assert headers.decode(response.headers["PAYMENT-RESPONSE"])["success"]
    assert shop.runs == []
    assert len(shop.facilitator.calls("settle")) == 3


async def test_a_bare_get_of_a_posted_route_takes_refunds_only(shop: Shop) -> None:
    response = await shop.pay("/post", method="GET")
    assert response.status_code == 402
    assert headers.decode(response.headers["PAYMENT-REQUIRED"])["error"].endswith("payload_type")  # type: ignore[attr-defined]
    assert (shop.runs, shop.facilitator.seen) == ([], [])


@pytest.mark.parametrize("path", ["/paid", "/%70aid", "/p%61id", "/paid?x", "/items/a%20b"])
async def test_a_path_is_the_one_that_the_router_sees(shop: Shop, path: str) -> None:
    assert (await shop.http.get(path)).status_code == 402


@pytest.mark.parametrize(
    "path",
    [
        "//paid", "/./paid", "/free/../paid", "/paid/", "/%2Fpaid", "/free/%2e%2e/paid", "/%5Cpaid",
        "/free%5c..%5cpaid", "/paid%2F", "/%252Fpaid", "/items%2Fa", "/items%5Ca",
    ],
)  # fmt: skip
async def test_a_path_that_another_router_might_take_for_a_paid_one_is_not_served(shop: Shop, path: str) -> None:
    scope = {
        "type": "http", "method": "GET", "path": httpx.URL("http://x" + path).path, "raw_path": path.encode(),
        "query_string": b"", "headers": [], "root_path": "", "http_version": "1.1", "scheme": "http",
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await shop.paywall(scope, receive, send)
    assert sent[0]["status"] in (402, 404)
    assert shop.runs == []


async def test_head_is_paid_like_get(shop: Shop) -> None:
    response = await shop.http.head("/paid")
    assert (response.status_code, response.content) == (402, b"")
    assert "PAYMENT-REQUIRED" in response.headers


async def test_browsers_may_ask(shop: Shop) -> None:
    asks = {
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "payment-signature,access-control-expose-headers",
    }
    response = await shop.http.options("/paid", headers=asks)
    assert response.status_code == 204
    allowed = response.headers["Access-Control-Allow-Headers"].lower()
    for name in ("payment-signature", "sign-in-with-x", "access-control-expose-headers"):
        assert name in allowed
    assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_a_socket_is_not_a_way_around(shop: Shop) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": "/ws",
        "headers": [],
        "query_string": b"",
        "root_path": "",
        "subprotocols": [],
    }
    await shop.paywall(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_an_offer_that_no_client_could_read_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="characters"):
        PaidRoute("/x", 1, description="x" * 501)
    with pytest.raises(ValueError, match="at least 1"):
        PaidRoute("/x", 0)


def test_memory_is_bounded() -> None:
    from gateway.x402.replays import Answer as Held
    from gateway.x402.replays import Attempt

    replays = Replays(most=3, bytes_most=1000, seconds=60)
    for number in range(10):
        replays.keep(bytes([number]), Attempt(b"i", "k", settled=Held(200, [], b"x" * 100)))
    assert len(replays) == 3
    replays.keep(b"big", Attempt(b"i", "k", settled=Held(200, [], b"x" * 900)))
    assert len(replays) == 2
    replays.keep(b"huge", Attempt(b"i", "k", settled=Held(200, [], b"x" * 2000)))
    assert replays.find(b"huge", b"i") is None
    assert replays.find(b"big", b"other") is None


def test_memory_forgets() -> None:
    from gateway.x402.replays import Attempt

    replays = Replays(seconds=-1)
    replays.keep(b"lane", Attempt(b"i", "k"))
    assert replays.find(b"lane", b"i") is None
    assert len(replays) == 0


@pytest.mark.parametrize("who", ["a stranger", "an old voucher"])
async def test_nobody_keeps_a_channels_payer_waiting(shop: Shop, who: str) -> None:
    """A channel's id, and the vouchers that were claimed, are on chain for anybody to send."""
    assert (await shop.pay()).status_code == 200  # PRICE is paid: a voucher of so much is an old one now
    released, invalid = asyncio.Event(), {"isValid": False, "invalidReason": "no"}
    total, signature = (2 * PRICE, b"\x11" * 65) if who == "a stranger" else (PRICE, None)
    verify, waiting = shop.paywall._facilitator.verify, 0

    async def stuck(document: Any, asked: Any) -> Any:
        nonlocal waiting
        if document["payload"]["voucher"]["maxClaimableAmount"] == str(total):
            waiting += 1
            await released.wait()
        return await verify(document, asked)

    shop.paywall._facilitator.verify = stuck  # type: ignore[method-assign, assignment]
    shop.facilitator.verify = [{"isValid": True, "payer": AUTHORIZER}, invalid]

    def theirs(payment: dict[str, Any]) -> None:
        payment["payload"] = voucher_payload(total, signature=signature)

    def next_one(payment: dict[str, Any]) -> None:
        payment["payload"] = voucher_payload(3 * PRICE)

    in_the_way = [asyncio.create_task(shop.pay("/other", change=theirs)) for _ in range(20)]
    try:
        lane = CHANNEL.channel_id
        await until(lambda: waiting == 20 or shop.paywall._lanes._users.get(lane, 0) == 17, "all are in the way")
        async with asyncio.timeout(5):
            assert (await shop.pay(change=next_one)).status_code == 200
    finally:
        released.set()
    assert {answer.status_code for answer in await asyncio.gather(*in_the_way)} == {402}
    assert shop.runs.count("/other") == 0


@pytest.mark.parametrize("path", ["/items/{id:int}", "/items/{id", "items", "/a?b", "/a%2Fb"])
def test_a_path_that_no_router_reads_so_is_refused_and_not_left_unpaid(path: str) -> None:
    with pytest.raises(ValueError, match="is not a path"):
        PaidRoute(path, PRICE)


@pytest.mark.parametrize("network", ["base", "eip155:", "eip155:0", "EIP155:1", "eip155:1\n"])
def test_a_network_that_is_none_is_refused_at_the_start(network: str) -> None:
    with pytest.raises(ValueError, match="is not a network"):
        Terms(network, bytes(20), "USDC", "2", bytes(20))
