"""The unmodified TypeScript clients pay a merchant whose book we keep."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from kit.stack import Stack
from kit.stack.paths import node
from tests.system.x402.parts import PRICE, Merchant, new_payer, token_balance

pytestmark = pytest.mark.system
SCRIPT = Path(__file__).parent / "client.mjs"


def run(stack: Stack, account: LocalAccount, scheme: str, *steps: str, rpc: bool = True) -> list[dict[str, Any]]:
    chain = stack.info["chain"]
    env = os.environ | {"PAYER_KEY": "0x" + account.key.hex().removeprefix("0x"), "CHAIN_ID": str(chain["chain_id"])}
    words = [str(node()), str(SCRIPT), scheme, chain["rpc_url"] if rpc else "-", *steps]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_exact(stack: Stack, merchant: Merchant) -> None:
    account = new_payer(stack)
    before = token_balance(stack, account.address)
    answers = run(stack, account, "exact", f"{merchant.url}/weather", f"{merchant.url}/news")
    assert [answer["status"] for answer in answers] == [200, 200], answers
    assert all(answer["settled"]["success"] for answer in answers)
    assert token_balance(stack, account.address) == before - 2 * PRICE


@pytest.mark.parametrize("rpc", [True, False], ids=["with a chain", "without a chain"])
def test_deposit_and_vouchers(stack: Stack, merchant: Merchant, rpc: bool) -> None:
    urls = [f"{merchant.url}/weather"] * 4
    answers = run(stack, new_payer(stack), "batch-settlement", *urls, rpc=rpc)
    assert [answer["status"] for answer in answers] == [200] * 4, answers
    charged = [answer["settled"]["extra"]["channelState"]["chargedCumulativeAmount"] for answer in answers]
    assert charged == [str(number * PRICE) for number in range(1, 5)]
    assert [bool(answer["settled"]["transaction"]) for answer in answers] == [True, False, False, False]


def test_a_cold_client_finds_back(stack: Stack, merchant: Merchant) -> None:
    account = new_payer(stack)
    run(stack, account, "batch-settlement", *[f"{merchant.url}/weather"] * 3)
    (answer,) = run(stack, account, "batch-settlement", f"{merchant.url}/weather")
    assert answer["status"] == 200, answer
    assert answer["settled"]["extra"]["channelState"]["chargedCumulativeAmount"] == str(4 * PRICE)


def test_a_refund(stack: Stack, merchant: Merchant) -> None:
    account = new_payer(stack)
    before = token_balance(stack, account.address)
    _, refunded = run(
        stack, account, "batch-settlement", f"{merchant.url}/weather", "refund", f"{merchant.url}/weather"
    )
    assert refunded["settled"]["success"], refunded
    assert refunded["settled"]["amount"] == str(9 * PRICE)
    assert token_balance(stack, account.address) == before - PRICE


def test_the_official_server_with_our_facilitator(stack: Stack, official_merchant: Merchant) -> None:
    answers = run(stack, new_payer(stack), "batch-settlement", *[f"{official_merchant.url}/weather"] * 3)
    assert [answer["status"] for answer in answers] == [200] * 3, answers
    (exact,) = run(stack, new_payer(stack), "exact", f"{official_merchant.url}/weather")
    assert exact["settled"]["success"], exact
