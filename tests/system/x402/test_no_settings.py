"""On a local chain with Base Sepolia's id, official clients need no setting at all: their spend controls stay on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kit.stack import Stack, launch, options_from_environment
from tests.system.x402.parts import PRICE, Merchant, new_payer, payer_client, paywalled, token_balance
from tests.system.x402.test_python_client import paid

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def sepolia(run_dirs: Path) -> Iterator[Stack]:
    with launch(run_dirs / "sepolia", replace(options_from_environment(), chain_id=84532)) as running:
        yield running


@pytest.fixture(scope="module")
def shop(sepolia: Stack) -> Iterator[Merchant]:
    with paywalled(sepolia) as running:
        yield running


@pytest.mark.parametrize("scheme", ["exact", "batch-settlement"])
async def test_a_client_as_it_comes(sepolia: Stack, shop: Merchant, scheme: str) -> None:
    assert sepolia.info["chain"]["chain_id"] == 84532
    account = new_payer(sepolia)
    before = token_balance(sepolia, account.address)
    payer = payer_client(sepolia, account, scheme=scheme, as_it_comes=True)
    settled = await paid(payer, f"{shop.url}/weather")
    assert settled["success"]
    assert token_balance(sepolia, account.address) == before - (PRICE if scheme == "exact" else 10 * PRICE)
