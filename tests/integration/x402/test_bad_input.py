"""Whatever arrives, the answer is a clear error, and nothing has changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eth_account import Account
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.x402.messages import BODY_BYTES_MOST
from tests.integration.x402.world import PRICE, World, deposit_payload, exact_payload, voucher_payload
from tests.unit.x402.test_wire import ANYTHING, BODIES

_PAYER = Account.from_key("0x" + "17" * 32)  # without money, so that nothing can succeed


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:40]))
@pytest.mark.parametrize("call", ["verify", "settle"])
def test_a_body_that_is_none_is_400(world: World, call: str, body: bytes) -> None:
    response = world.http.post(f"{world.x402}/{call}", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.json()["code"], response.json()["type"]) == (
        "invalid_payload", "urn:lockgate:problem:invalid_payload",
    )  # fmt: skip


@pytest.mark.parametrize("call", ["verify", "settle"])
def test_a_huge_body_is_not_read(world: World, call: str) -> None:
    response = world.http.post(f"{world.x402}/{call}", content=b" " * (BODY_BYTES_MOST + 1))
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("amount", ["-1", "+1", "1e3", "01", "0.0000001", "NaN", "", str(2**128), 1000, None])
def test_an_amount_that_is_none_is_400(world: World, amount: Any) -> None:
    asked = {**world.requirements("exact"), "amount": amount}
    response = world.post("settle", exact_payload(world, world.payer(0)), asked)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_payload"), response.text


def test_the_largest_amount_is_read_and_refused_for_what_it_is(world: World) -> None:
    most = 2**128 - 1
    asked = {**world.requirements("exact"), "amount": str(most)}
    answer = world.verify(exact_payload(world, world.payer(0), most), asked)
    assert answer["invalidReason"] == "amount_requires_settlement"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), value=ANYTHING)
def test_no_member_can_make_it_stumble(world: World, data: st.DataObject, value: object) -> None:
    kind = data.draw(st.sampled_from(["exact", "voucher", "deposit"]))
    channel = world.channel(_PAYER)
    payload: dict[str, Any] = {
        "exact": lambda: exact_payload(world, _PAYER),
        "voucher": lambda: voucher_payload(channel, PRICE),
        "deposit": lambda: deposit_payload(world, channel, PRICE, PRICE),
    }[kind]()
    asked = world.requirements("exact" if kind == "exact" else "batch-settlement")
    body = {
        "x402Version": 2,
        "paymentPayload": {"x402Version": 2, "payload": payload, "accepted": json.loads(json.dumps(asked))},
        "paymentRequirements": asked,
    }
    at: Any = body
    while True:
        name = data.draw(st.sampled_from(sorted(at)))
        if not isinstance(at[name], dict) or not at[name] or data.draw(st.booleans()):
            at[name] = value
            break
        at = at[name]
    try:
        content = json.dumps(body).encode("utf-8", "surrogatepass")
    except ValueError:
        return
    for call in ("verify", "settle"):
        response = world.http.post(f"{world.x402}/{call}", content=content)
        assert response.status_code in (200, 400), (response.status_code, response.text)
        if response.status_code == 200:
            assert response.json()["isValid" if call == "verify" else "success"] is False
