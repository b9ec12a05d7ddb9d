"""The unmodified official Python client pays a merchant whose book we keep."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest
from x402.mechanisms.evm.batch_settlement.client.refund import RefundOptions

from kit.stack import Stack
from tests.system.x402.parts import PRICE, Merchant, Payer, new_payer, payer_client, token_balance

pytestmark = pytest.mark.system


def payment_response(response: httpx.Response) -> dict[str, Any]:
    """What the client was told of its payment."""
    return dict(json.loads(base64.b64decode(response.headers["PAYMENT-RESPONSE"])))


async def paid(payer: Payer, url: str) -> dict[str, Any]:
    response = await payer.get(url)
    assert response.status_code == 200, (response.status_code, response.headers)
    assert "private" in response.headers["Cache-Control"]
    return payment_response(response)


async def test_exact(stack: Stack, merchant: Merchant) -> None:
    account = new_payer(stack)
    payer = payer_client(stack, account, scheme="exact")
    treasury = stack.info["chain"]["treasury_safe"]
    before = token_balance(stack, account.address)
    for _ in range(3):
        settled = await paid(payer, f"{merchant.url}/weather")
        assert settled["success"] and settled["transaction"].startswith("0x")
    assert token_balance(stack, account.address) == before - 3 * PRICE
    assert token_balance(stack, treasury) >= 3 * PRICE


async def test_a_deposit_and_twenty_vouchers(stack: Stack, merchant: Merchant) -> None:
    payer = payer_client(stack, new_payer(stack), scheme="batch-settlement")
    first = await paid(payer, f"{merchant.url}/weather")
    assert first["amount"] == str(10 * PRICE)
    transactions = [first["transaction"]]
    for number in range(2, 21):
        settled = await paid(payer, f"{merchant.url}/weather")
        assert settled["extra"]["chargedAmount"] == str(PRICE)
        assert settled["extra"]["channelState"]["chargedCumulativeAmount"] == str(number * PRICE)
        transactions.append(settled["transaction"])
    # The second deposit comes when the first is used up; everything else is a voucher.
    assert [number for number, transaction in enumerate(transactions, 1) if transaction] == [1, 11]


async def test_a_post_is_paid_and_its_body_arrives(stack: Stack, merchant: Merchant) -> None:
    payer = payer_client(stack, new_payer(stack), scheme="batch-settlement")
    response = await payer.http.post(f"{merchant.url}/report", content=b"the body")
    assert (response.status_code, response.json()) == (200, {"sent": "the body"})


async def test_a_handler_that_fails_is_not_paid(stack: Stack, merchant: Merchant) -> None:
    account = new_payer(stack)
    before = token_balance(stack, account.address)
    response = await payer_client(stack, account, scheme="exact").get(f"{merchant.url}/broken")
    assert (response.status_code, response.text) == (500, "out of order")
    assert token_balance(stack, account.address) == before


async def test_a_client_that_lost_its_records_finds_back_by_the_corrective_answer(
    stack: Stack, merchant: Merchant
) -> None:
    account = new_payer(stack)
    old = payer_client(stack, account, scheme="batch-settlement")
    for _ in range(3):
        await paid(old, f"{merchant.url}/weather")
    cold = payer_client(stack, account, scheme="batch-settlement")
    settled = await paid(cold, f"{merchant.url}/weather")
    assert settled["extra"]["channelState"]["chargedCumulativeAmount"] == str(4 * PRICE)
    assert settled["transaction"] == ""


async def test_a_cold_client_without_a_chain_is_told_and_charged_nothing(stack: Stack, merchant: Merchant) -> None:
    account = new_payer(stack)
    await paid(payer_client(stack, account, scheme="batch-settlement", rpc=False), f"{merchant.url}/weather")
    cold = payer_client(stack, account, scheme="batch-settlement", rpc=False)
    before = token_balance(stack, account.address)
    response = await cold.get(f"{merchant.url}/news")
    assert response.status_code == 402
    offer = json.loads(base64.b64decode(response.headers["PAYMENT-REQUIRED"]))
    assert offer["error"] == "invalid_batch_settlement_evm_cumulative_amount_mismatch"
    assert token_balance(stack, account.address) == before


async def test_a_cold_client_without_a_chain_gets_its_last_answer_again(stack: Stack, merchant: Merchant) -> None:
    """It asks for the very same thing with the very same voucher, and goes on from there."""
    account = new_payer(stack)
    await paid(payer_client(stack, account, scheme="batch-settlement", rpc=False), f"{merchant.url}/weather")
    before, runs = token_balance(stack, account.address), len(merchant.runs)
    cold = payer_client(stack, account, scheme="batch-settlement", rpc=False)
    await paid(cold, f"{merchant.url}/weather")
    assert (token_balance(stack, account.address), len(merchant.runs)) == (before, runs)
    settled = await paid(cold, f"{merchant.url}/weather")
    assert settled["extra"]["channelState"]["chargedCumulativeAmount"] == str(2 * PRICE)


async def test_two_clients_of_one_channel_take_turns(stack: Stack, merchant: Merchant) -> None:
    """Parallel requests sign the same total: one is served, the others are corrected and served after it."""
    account = new_payer(stack)
    first, second = (payer_client(stack, account, scheme="batch-settlement") for _ in range(2))
    await paid(first, f"{merchant.url}/weather")
    await paid(second, f"{merchant.url}/weather")
    await paid(first, f"{merchant.url}/weather")
    runs = len(merchant.runs)
    answers = await asyncio.gather(first.get(f"{merchant.url}/slow"), second.get(f"{merchant.url}/news"))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(merchant.runs) == runs + 2


async def test_a_partial_and_a_full_refund(stack: Stack, merchant: Merchant) -> None:
    account = new_payer(stack)
    payer = payer_client(stack, account, scheme="batch-settlement")
    assert payer.batch is not None
    await paid(payer, f"{merchant.url}/weather")
    before = token_balance(stack, account.address)
    part = await asyncio.to_thread(payer.batch.refund, f"{merchant.url}/weather", RefundOptions(amount="2000"))
    assert part.success and part.transaction
    assert token_balance(stack, account.address) == before + 2 * PRICE
    settled = await paid(payer, f"{merchant.url}/weather")
    assert settled["transaction"] == ""
    whole = await asyncio.to_thread(payer.batch.refund, f"{merchant.url}/weather")
    assert whole.success and whole.amount == str(6 * PRICE)
    assert token_balance(stack, account.address) == before + 8 * PRICE
    again = await paid(payer, f"{merchant.url}/weather")
    assert again["extra"]["channelState"]["chargedCumulativeAmount"] == str(3 * PRICE)


async def test_a_refund_of_a_route_that_is_posted_to(stack: Stack, merchant: Merchant) -> None:
    payer = payer_client(stack, new_payer(stack), scheme="batch-settlement")
    assert payer.batch is not None
    assert (await payer.http.post(f"{merchant.url}/report", content=b"x")).status_code == 200
    runs = len(merchant.runs)
    refunded = await asyncio.to_thread(payer.batch.refund, f"{merchant.url}/report")
    assert refunded.success and refunded.amount == str(9 * PRICE)
    assert len(merchant.runs) == runs


async def test_a_lost_answer_is_given_again_and_paid_once(stack: Stack, merchant: Merchant) -> None:
    payer = payer_client(stack, new_payer(stack), scheme="batch-settlement")
    await paid(payer, f"{merchant.url}/weather")
    transport = payer.http._transport._transport  # type: ignore[attr-defined]
    sent: list[httpx.Request] = []
    original = transport.handle_async_request

    async def spy(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        answer: httpx.Response = await original(request)
        return answer

    transport.handle_async_request = spy
    first = await payer.get(f"{merchant.url}/weather")
    header = next(r.headers["PAYMENT-SIGNATURE"] for r in sent if "PAYMENT-SIGNATURE" in r.headers)
    runs = len(merchant.runs)
    async with httpx.AsyncClient(timeout=30) as plain:
        again = await plain.get(f"{merchant.url}/weather", headers={"PAYMENT-SIGNATURE": header})
        elsewhere = await plain.get(f"{merchant.url}/news", headers={"PAYMENT-SIGNATURE": header})
    assert (again.status_code, again.content) == (200, first.content)
    assert payment_response(again) == payment_response(first)
    assert elsewhere.status_code == 402
    assert len(merchant.runs) == runs
