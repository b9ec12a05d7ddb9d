"""Merchants and payers: an app behind our paywall, one behind the official middleware, and official clients."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from eth_account import Account
from eth_account.signers.local import LocalAccount
from fastapi import FastAPI, Request, Response
from x402 import x402Client, x402ResourceServer
from x402.http import FacilitatorConfig, HTTPFacilitatorClient
from x402.http.clients.httpx import x402HttpxClient
from x402.http.middleware.fastapi import payment_middleware
from x402.http.types import PaymentOption, RouteConfig
from x402.mechanisms.evm import EthAccountSigner, EthAccountSignerWithRPC
from x402.mechanisms.evm.batch_settlement.client import BatchSettlementEvmScheme
from x402.mechanisms.evm.batch_settlement.server import BatchSettlementChannelManager, ChannelManagerConfig
from x402.mechanisms.evm.batch_settlement.server import BatchSettlementEvmScheme as ServerScheme
from x402.mechanisms.evm.exact.client import ExactEvmScheme
from x402.mechanisms.evm.exact.server import ExactEvmScheme as ExactServerScheme
from x402.schemas import AssetAmount

from gateway.x402.offers import PaidRoute, Terms
from gateway.x402.paywall import Paywall, PaywallConfig
from kit.chain.anvil import Anvil
from kit.chain.deploy import DEPLOYER
from kit.stack import Stack
from kit.stack.ports import free_ports
from tests.integration.contracts.channels import calldata

PRICE = 1000
DELAY = 3600


def raw(address: str) -> bytes:
    return bytes.fromhex(address[2:])


@dataclass(slots=True)
class Merchant:
    """A running app. `runs` holds the paths that its handlers have served."""

    url: str
    runs: list[str] = field(default_factory=list)
    scheme: ServerScheme | None = None

    def channel_manager(self, stack: Stack) -> BatchSettlementChannelManager:
        """A new one, since its connections belong to the caller's event loop."""
        assert self.scheme is not None
        chain = stack.info["chain"]
        facilitator = HTTPFacilitatorClient(FacilitatorConfig(url=stack.info["gateway"]["x402_url"]))
        network, receiver, token = f"eip155:{chain['chain_id']}", chain["treasury_safe"], chain["token"]["address"]
        return BatchSettlementChannelManager(ChannelManagerConfig(self.scheme, facilitator, receiver, token, network))


def app_of(merchant: Merchant) -> FastAPI:
    app = FastAPI()

    @app.get("/weather")
    @app.get("/news")
    async def read(request: Request) -> dict[str, str]:
        merchant.runs.append(request.url.path)
        return {"path": request.url.path}

    @app.post("/report")
    async def report(request: Request) -> dict[str, str]:
        merchant.runs.append(request.url.path)
        return {"sent": (await request.body()).decode()}

    @app.get("/slow")
    async def slow(request: Request) -> dict[str, str]:
        merchant.runs.append(request.url.path)
        await asyncio.sleep(0.3)
        return {"path": request.url.path}

    @app.get("/broken")
    async def broken() -> Response:
        return Response("out of order", 500)

    @app.get("/free")
    async def free() -> dict[str, str]:
        return {"path": "free"}

    return app


@contextmanager
def serving(app: Any, port: int) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline and thread.is_alive(), "the merchant's server did not start"
        time.sleep(0.02)
    yield
    server.should_exit = True
    thread.join(20)


def terms_of(stack: Stack) -> Terms:
    chain = stack.info["chain"]
    return Terms(
        network=f"eip155:{chain['chain_id']}",
        asset=raw(chain["token"]["address"]),
        asset_name=chain["token"]["name"],
        asset_version=chain["token"]["version"],
        pay_to=raw(chain["treasury_safe"]),
        withdraw_delay=DELAY,
    )


ROUTES = (
    *(
        PaidRoute(path, PRICE, description="Paid by the request")
        for path in ("/weather", "/news", "/slow", "/broken")
    ),
    PaidRoute("/report", PRICE, frozenset({"POST"})),
)


@contextmanager
def paywalled(stack: Stack) -> Iterator[Merchant]:
    """A merchant whose book the gateway keeps."""
    port = free_ports(1)[0]
    merchant = Merchant(f"http://127.0.0.1:{port}")
    config = PaywallConfig(stack.info["gateway"]["x402_url"], merchant.url, terms_of(stack), ROUTES)
    with serving(Paywall(app_of(merchant), config), port):
        yield merchant


@contextmanager
def official(stack: Stack) -> Iterator[Merchant]:
    """A merchant with the official middleware, scheme and channel manager, and our facilitator."""
    port = free_ports(1)[0]
    chain = stack.info["chain"]
    network, receiver, token = f"eip155:{chain['chain_id']}", chain["treasury_safe"], chain["token"]
    facilitator = HTTPFacilitatorClient(FacilitatorConfig(url=stack.info["gateway"]["x402_url"]))
    scheme = ServerScheme(receiver)
    server = x402ResourceServer(facilitator)
    server.register(network, ExactServerScheme())  # type: ignore[no-untyped-call, arg-type]  # its own types disagree
    server.register(network, scheme)  # type: ignore[arg-type]
    extra = {"name": token["name"], "version": token["version"]}
    price = AssetAmount(amount=str(PRICE), asset=token["address"], extra=extra)
    options = [
        PaymentOption(scheme=name, pay_to=receiver, price=price, network=network)
        for name in ("batch-settlement", "exact")
    ]
    merchant = Merchant(f"http://127.0.0.1:{port}", scheme=scheme)
    app = app_of(merchant)
    routes = {f"GET {path}": RouteConfig(accepts=options) for path in ("/weather", "/news")}
    app.middleware("http")(payment_middleware(routes, server))
    with serving(app, port):
        yield merchant


def new_payer(stack: Stack, tokens: int = 50 * 10**6) -> LocalAccount:
    payer: LocalAccount = Account.create()
    chain = stack.info["chain"]
    data = calldata("mint(address,uint256)", ["address", "uint256"], [payer.address, tokens])
    with Anvil(chain["rpc_url"]) as anvil:
        anvil.wait_mined(anvil.send_as(DEPLOYER, chain["token"]["address"], data))
    return payer


def token_balance(stack: Stack, address: str) -> int:
    chain = stack.info["chain"]
    with Anvil(chain["rpc_url"]) as anvil:
        data = calldata("balanceOf(address)", ["address"], [address])
        return int.from_bytes(anvil.call(chain["token"]["address"], data), "big")


@dataclass(slots=True)
class Payer:
    """An official Python client with its schemes."""

    http: x402HttpxClient
    batch: BatchSettlementEvmScheme | None

    async def get(self, url: str) -> httpx.Response:
        return await self.http.get(url)


def payer_client(
    stack: Stack, account: LocalAccount, *, scheme: str, rpc: bool = True, as_it_comes: bool = False
) -> Payer:
    """Spend controls off, since they know no token on chain 31337, unless the client is to stay `as_it_comes`."""
    chain = stack.info["chain"]
    signer = EthAccountSignerWithRPC(account, chain["rpc_url"]) if rpc else EthAccountSigner(account)
    client = x402Client()
    if not as_it_comes:
        client.set_spend_controls(False)
    batch = BatchSettlementEvmScheme(signer) if scheme == "batch-settlement" else None
    client.register(f"eip155:{chain['chain_id']}", batch or ExactEvmScheme(signer))
    return Payer(x402HttpxClient(client, timeout=60), batch)
