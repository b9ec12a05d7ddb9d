"""The official middleware, server scheme and channel manager use our facilitator, unmodified."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from kit.chain.anvil import Anvil
from kit.stack import Stack
from tests.integration.contracts.channels import calldata
from tests.system.x402.parts import PRICE, Merchant, new_payer, payer_client, token_balance
from tests.system.x402.test_python_client import paid

pytestmark = pytest.mark.system


def receiver_totals(stack: Stack) -> tuple[int, int]:
    chain = stack.info["chain"]
    words = [chain["treasury_safe"], chain["token"]["address"]]
    with Anvil(chain["rpc_url"]) as anvil:
        answer = anvil.call(chain["escrow"], calldata("receivers(address,address)", ["address", "address"], words))
    return int.from_bytes(answer[:32], "big"), int.from_bytes(answer[32:], "big")


async def test_exact(stack: Stack, official_merchant: Merchant) -> None:
    account = new_payer(stack)
    payer = payer_client(stack, account, scheme="exact")
    before = token_balance(stack, account.address)
    settled = await paid(payer, f"{official_merchant.url}/weather")
    assert settled["success"] and settled["transaction"].startswith("0x")
    assert token_balance(stack, account.address) == before - PRICE


async def test_deposit_vouchers_claim_and_settle(stack: Stack, official_merchant: Merchant) -> None:
    manager = official_merchant.channel_manager(stack)
    payer = payer_client(stack, new_payer(stack), scheme="batch-settlement")
    for number in range(1, 5):
        settled = await paid(payer, f"{official_merchant.url}/weather")
        assert settled["extra"]["channelState"]["chargedCumulativeAmount"] == str(number * PRICE)
    claimed, paid_out = receiver_totals(stack)
    done = await manager.claim_and_settle()
    assert done["claims"] and done["settle"] is not None
    assert receiver_totals(stack)[0] >= claimed + 4 * PRICE
    assert receiver_totals(stack)[1] > paid_out
    settled = await paid(payer, f"{official_merchant.url}/weather")
    assert settled["extra"]["channelState"]["chargedCumulativeAmount"] == str(5 * PRICE)


async def test_what_the_official_server_claims_is_in_our_book(stack: Stack, official_merchant: Merchant) -> None:
    """Its payments reach the book with the claim, as claimed outside."""
    manager = official_merchant.channel_manager(stack)
    account = new_payer(stack)
    payer = payer_client(stack, account, scheme="batch-settlement")
    for _ in range(3):
        await paid(payer, f"{official_merchant.url}/news")
    await manager.claim()
    key = {"Authorization": f"Bearer {stack.info['gateway']['merchant_api_key']}"}
    url = f"{stack.info['gateway']['url']}/v1/payments"
    deadline = asyncio.get_running_loop().time() + 30
    async with httpx.AsyncClient(timeout=30) as http:
        while True:
            listed = (await http.get(url, headers=key, params={"payer": account.address.lower()})).json()["data"]
            if listed:
                break
            assert asyncio.get_running_loop().time() < deadline, "the claim did not reach the book"
            await asyncio.sleep(0.1)
    assert [(payment["scheme"], payment["amount"]) for payment in listed] == [("claimed-outside", str(3 * PRICE))]


async def test_a_server_that_lost_its_state_and_a_client_that_did(stack: Stack, official_merchant: Merchant) -> None:
    scheme = official_merchant.scheme
    assert scheme is not None
    account = new_payer(stack)
    payer = payer_client(stack, account, scheme="batch-settlement")
    for _ in range(2):
        await paid(payer, f"{official_merchant.url}/weather")
    cold = payer_client(stack, account, scheme="batch-settlement")
    settled = await paid(cold, f"{official_merchant.url}/weather")
    assert settled["extra"]["channelState"]["chargedCumulativeAmount"] == str(3 * PRICE)
    for channel in scheme.get_storage().list():
        scheme.get_storage().update_channel(channel.channel_id, lambda _: None)
    again = await paid(cold, f"{official_merchant.url}/weather")
    assert again["success"], json.dumps(again)


async def test_a_refund(stack: Stack, official_merchant: Merchant) -> None:
    account = new_payer(stack)
    payer = payer_client(stack, account, scheme="batch-settlement")
    assert payer.batch is not None
    await paid(payer, f"{official_merchant.url}/weather")
    before = token_balance(stack, account.address)
    refunded = await asyncio.to_thread(payer.batch.refund, f"{official_merchant.url}/weather")
    assert refunded.success and refunded.amount == str(9 * PRICE)
    assert token_balance(stack, account.address) == before + 9 * PRICE
