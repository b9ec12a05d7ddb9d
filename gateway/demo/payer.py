"""The payer of the demo: the official x402 client, unmodified."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from typing import Any

import httpx
from eth_account import Account

ROUTE_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Paid:
    """One paid request as the client saw it."""

    seconds: float
    transaction: str
    receipt: dict[str, Any]


class Payer:
    """Pays for `url` with one key, by the scheme that it is asked for."""

    def __init__(self, private_key: str, network: str, rpc_url: str) -> None:
        try:
            from x402 import x402Client  # noqa: PLC0415 - a development dependency
            from x402.mechanisms.evm.batch_settlement.client import BatchSettlementEvmScheme  # noqa: PLC0415
            from x402.mechanisms.evm.exact import ExactEvmScheme  # noqa: PLC0415
            from x402.mechanisms.evm.signers import EthAccountSignerWithRPC  # noqa: PLC0415
        except ImportError as error:
            raise RuntimeError("the demo needs the official client: pip install 'x402[evm,httpx]'") from error
        signer = EthAccountSignerWithRPC(Account.from_key(private_key), rpc_url)
        self.address: str = signer.address
        self.channel_scheme = BatchSettlementEvmScheme(signer)
        self._vouchers, self._exact = x402Client(), x402Client()
        self._vouchers.register(network, self.channel_scheme)
        self._exact.register(network, ExactEvmScheme(signer))
        for client in (self._vouchers, self._exact):
            # The client's own table of assets knows public chains only.
            client.set_spend_controls(False)

    async def pay_by_voucher(self, url: str, times: int) -> list[Paid]:
        """The first request opens the channel with a deposit; the others carry a voucher only."""
        return await self._pay(self._vouchers, url, times)

    async def pay_exact(self, url: str, times: int) -> list[Paid]:
        """One transfer on chain a request."""
        return await self._pay(self._exact, url, times)

    def refund(self, url: str) -> str:
        """Give back what is left in the channel, by agreement; the transaction's hash."""
        response = self.channel_scheme.refund(url)
        if not response.success:
            raise RuntimeError(f"the refund was refused: {response.error_reason}")
        return str(response.transaction)

    async def _pay(self, client: Any, url: str, times: int) -> list[Paid]:
        from x402.http.clients import x402HttpxClient  # noqa: PLC0415

        paid = []
        async with x402HttpxClient(client, timeout=ROUTE_TIMEOUT_SECONDS) as http:
            for _ in range(times):
                started = time.perf_counter()
                response = await http.get(url)
                paid.append(_read(response, time.perf_counter() - started))
        return paid


def _read(response: httpx.Response, seconds: float) -> Paid:
    header = response.headers.get("PAYMENT-RESPONSE")
    if response.status_code != 200 or header is None:
        raise RuntimeError(f"a paid request was answered {response.status_code}: {response.text[:200]}")
    receipt = json.loads(base64.b64decode(header))
    if not receipt.get("success"):
        raise RuntimeError(f"a payment was not settled: {receipt}")
    return Paid(seconds, receipt["transaction"], receipt)
