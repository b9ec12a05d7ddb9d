"""One signature, every way that takes it, several processes, all at once: charged once, and the books balance."""

from __future__ import annotations

import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from kit.chain.addresses import read_addresses
from kit.chain.anvil import Anvil
from kit.stack import Stack
from kit.stack.services import lockgate
from tests.integration.chain.parts import CHAIN_ID, wait_until
from tests.integration.x402.world import (
    PRICE,
    World,
    deposit_payload,
    exact_payload,
    refund_payload,
    voucher_document,
    voucher_payload,
)

pytestmark = pytest.mark.system
AT_ONCE = 45


class Shopper:
    """Payers and merchant of a whole stack, as the facilitator's tests know them."""

    def __init__(self, stack: Stack) -> None:
        chain, gateway = stack.info["chain"], stack.info["gateway"]
        assert chain["chain_id"] == CHAIN_ID
        contracts = read_addresses(Path(stack.env["LOCKGATE_CONTRACTS_FILE"]))
        node = SimpleNamespace(anvil=Anvil(chain["rpc_url"]))
        self.url: str = gateway["url"]
        self.key = {"Authorization": f"Bearer {gateway['merchant_api_key']}"}
        self.world = World(cast(Any, node), contracts, cast(Any, None), cast(Any, None), gateway["x402_url"], "")

    def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        """Over a connection of its own, so that any process may get it."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.post(self.url + path, json=body, headers=self.key | named, timeout=60)

    def settle(self, payload: dict[str, Any], asked: dict[str, Any], key: str) -> dict[str, Any]:
        payment = {"x402Version": 2, "payload": payload, "accepted": asked}
        body = {"x402Version": 2, "paymentPayload": payment, "paymentRequirements": asked}
        answer: dict[str, Any] = self.post("/x402/settle", body, Idempotency_Key=key).json()
        return answer

    def charged(self, channel: bytes) -> int:
        return int(httpx.get(f"{self.url}/v1/channels/0x{channel.hex()}", headers=self.key).json()["charged"])


@pytest.fixture(scope="module")
def shopper(stack: Stack) -> Shopper:
    return Shopper(stack)


def test_a_voucher_by_every_way(shopper: Shopper) -> None:
    world, asked = shopper.world, shopper.world.requirements()
    channel = world.channel(world.payer())
    assert shopper.settle(deposit_payload(world, channel, 100 * PRICE, PRICE), asked, "open")["success"]
    voucher = voucher_document(channel, 2 * PRICE)

    def pay(number: int) -> list[str]:
        single = {"voucher": voucher, "amount": str(PRICE), "reference": f"order {number % 2}"}
        if number % 3 == 0:
            return [f"v1 {number % 2}"] if shopper.post("/v1/payments", single).status_code < 300 else []
        if number % 3 == 1:
            several = [{**single, "reference": "batch"}] * 3
            results = shopper.post("/v1/payments/batch", {"payments": several}).json()["results"]
            return ["batch" for result in results if result["status"] < 300]
        answer = shopper.settle(voucher_payload(channel, 2 * PRICE), asked, f"request-{number % 4}")
        return [f"x402 {number % 4}"] if answer["success"] else []

    with ThreadPoolExecutor(AT_ONCE) as threads:
        served = Counter(one for answers in threads.map(pay, range(2 * AT_ONCE)) for one in answers)
    assert len(served) == 1, f"one request was paid for, however often it was sent: {served}"
    assert shopper.charged(channel.id) == 2 * PRICE


def test_an_authorization_by_everybody(shopper: Shopper) -> None:
    world, payer = shopper.world, shopper.world.payer()
    payload, asked = exact_payload(world, payer), world.requirements("exact")
    before = world.balance(payer.address)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(
            threads.map(lambda n: (n % 3, shopper.settle(payload, asked, f"exact-{n % 3}")), range(AT_ONCE))
        )
    assert len({key for key, answer in answers if answer.get("success")}) == 1
    assert len({answer["transaction"] for _, answer in answers if answer.get("success")}) == 1
    assert world.balance(payer.address) == before - PRICE


def test_refunds_and_vouchers_at_once(shopper: Shopper) -> None:
    world, asked = shopper.world, shopper.world.requirements()
    channel = world.channel(world.payer())
    before = world.balance(channel.payer.address)
    assert shopper.settle(deposit_payload(world, channel, 50 * PRICE, PRICE), asked, "open-it")["success"]

    def go(number: int) -> None:
        if number % 2:
            amount = 7 if number % 3 else None
            shopper.settle(refund_payload(channel, PRICE, amount), asked, f"refund-{number}")
        else:
            body = {"voucher": voucher_document(channel, 2 * PRICE), "amount": str(PRICE), "reference": str(number)}
            shopper.post("/v1/payments", body)

    with ThreadPoolExecutor(20) as threads:
        list(threads.map(go, range(20)))
    charged = shopper.charged(channel.id)
    assert charged in (PRICE, 2 * PRICE)
    assert world.balance(channel.payer.address) <= before - charged


def test_the_books_balance_after_all_that(shopper: Shopper, stack: Stack) -> None:
    said = ""

    def balance() -> bool:
        nonlocal said
        done = subprocess.run(lockgate("books", "check"), env=stack.env, capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        return done.returncode == 0

    wait_until(balance, "the books balance", 60)
    assert "books balance" in said
