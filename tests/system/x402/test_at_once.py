"""Many settlements at once, through several worker processes: one relay, one nonce after the other (lessons A2)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from kit.chain.anvil import Anvil
from kit.stack import Stack
from tests.integration.contracts.channels import domain_separator, sign, typed_digest
from tests.system.x402.parts import PRICE, new_payer, token_balance

pytestmark = pytest.mark.system
PAYMENTS = 50


def body_of(stack: Stack, payer: LocalAccount, number: int) -> dict[str, Any]:
    chain = stack.info["chain"]
    token, treasury, chain_id = chain["token"], chain["treasury_safe"], chain["chain_id"]
    before, nonce = int(time.time()) + 600, keccak(text=f"{payer.address} {number}")
    kind = keccak(
        text="TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,"
        "uint256 validBefore,bytes32 nonce)"
    )
    types = ["bytes32", "address", "address", "uint256", "uint256", "uint256", "bytes32"]
    struct_hash = keccak(encode(types, [kind, payer.address, treasury, PRICE, 0, before, nonce]))
    domain = domain_separator(token["name"], token["version"], chain_id, token["address"])
    asked = {
        "scheme": "exact",
        "network": f"eip155:{chain_id}",
        "asset": token["address"],
        "amount": str(PRICE),
        "payTo": treasury,
        "maxTimeoutSeconds": 300,
        "extra": {"name": token["name"], "version": token["version"]},
    }
    authorization = {
        "from": payer.address,
        "to": treasury,
        "value": str(PRICE),
        "validAfter": "0",
        "validBefore": str(before),
        "nonce": "0x" + nonce.hex(),
    }
    payload = {
        "authorization": authorization,
        "signature": "0x" + sign(payer, typed_digest(domain, struct_hash)).hex(),
    }
    return {
        "x402Version": 2,
        "paymentPayload": {"x402Version": 2, "payload": payload, "accepted": asked},
        "paymentRequirements": asked,
    }


def test_fifty_settlements_at_once_are_fifty_transfers(stack: Stack) -> None:
    payer = new_payer(stack)
    before = token_balance(stack, payer.address)
    bodies = [body_of(stack, payer, number) for number in range(PAYMENTS)]
    url = f"{stack.info['gateway']['x402_url']}/settle"

    def settle(body: dict[str, Any]) -> dict[str, Any]:
        # A connection of its own each, so that both API processes take part.
        response = httpx.post(url, json=body, timeout=90)
        assert response.status_code == 200, response.text
        return dict(response.json())

    with ThreadPoolExecutor(PAYMENTS) as threads:
        answers = list(threads.map(settle, bodies))
    assert [answer for answer in answers if not answer["success"]] == []
    assert token_balance(stack, payer.address) == before - PAYMENTS * PRICE
    with Anvil(stack.info["chain"]["rpc_url"]) as anvil:
        sent = [anvil.request("eth_getTransactionByHash", answer["transaction"]) for answer in answers]
    assert len({transaction["from"] for transaction in sent}) == 1
    nonces = sorted(int(transaction["nonce"], 16) for transaction in sent)
    assert nonces == list(range(nonces[0], nonces[0] + PAYMENTS))
