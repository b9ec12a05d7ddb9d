"""A merchant's service for demos and tests: two paid pages behind the paywall, the book kept by the gateway.

Run it with `uvicorn --factory gateway.demo.shop:create`; its settings are LOCKGATE_SHOP_* variables.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.x402.offers import PaidRoute, Terms
from gateway.x402.paywall import Paywall, PaywallConfig


class ShopSettings(BaseSettings):
    """Addresses are 0x text, the price is in the token's smallest unit."""

    model_config = SettingsConfigDict(env_prefix="LOCKGATE_SHOP_", extra="ignore", frozen=True)

    facilitator_url: str
    public_url: str
    network: str
    asset: str
    asset_name: str
    asset_version: str
    pay_to: str
    api_key: SecretStr | None = None
    price: int = 1000
    withdraw_delay: int = 86_400


def create() -> Any:
    """The shop's application, set up from the environment."""
    settings = ShopSettings()  # type: ignore[call-arg]  # the environment supplies the rest
    return build(settings)


def build(settings: ShopSettings) -> Any:
    """A FastAPI application that knows nothing of payments, and the paywall in front of it."""
    shop = FastAPI(title="A shop", docs_url=None, redoc_url=None)

    @shop.get("/article")
    def article() -> dict[str, str]:
        return {"article": "What a lock does for a canal, in 1,200 words."}

    @shop.post("/echo")
    def echo(message: dict[str, Any]) -> dict[str, Any]:
        return message

    @shop.get("/free")
    def free() -> dict[str, str]:
        return {"article": "The table of contents costs nothing."}

    terms = Terms(
        network=settings.network,
        asset=bytes.fromhex(settings.asset.removeprefix("0x")),
        asset_name=settings.asset_name,
        asset_version=settings.asset_version,
        pay_to=bytes.fromhex(settings.pay_to.removeprefix("0x")),
        withdraw_delay=settings.withdraw_delay,
    )
    routes = (
        PaidRoute("/article", settings.price, description="One article"),
        PaidRoute("/echo", settings.price, methods=frozenset({"POST"}), description="Your message again"),
    )
    api_key = None if settings.api_key is None else settings.api_key.get_secret_value()
    return Paywall(shop, PaywallConfig(settings.facilitator_url, settings.public_url, terms, routes, api_key))


class _Command:
    """The entry object of the `shop` word: the shop for the running stack."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.description = "A merchant's service behind the paywall: GET /article and POST /echo are paid."
        parser.add_argument("--port", type=int, default=8402)
        parser.add_argument("--price", type=int, default=1000, help="in the token's smallest unit")
        parser.add_argument("--stack", type=Path, default=Path(".run/stack.json"), help="what `make up` wrote")

    def run(self, args: argparse.Namespace) -> int:
        import uvicorn  # noqa: PLC0415 - only a running shop needs a server

        try:
            stack = json.loads(args.stack.read_text("utf-8"))
        except OSError as error:
            sys.stderr.write(f"shop: {error}; is the stack up?\n")
            return 1
        chain, gateway = stack["chain"], stack["gateway"]
        settings = ShopSettings(
            facilitator_url=gateway["x402_url"],
            public_url=f"http://127.0.0.1:{args.port}",
            network=f"eip155:{chain['chain_id']}",
            asset=chain["token"]["address"],
            asset_name=chain["token"]["name"],
            asset_version=chain["token"]["version"],
            pay_to=chain["treasury_safe"],
            api_key=SecretStr(gateway["merchant_api_key"]),
            price=args.price,
        )
        uvicorn.run(build(settings), host="127.0.0.1", port=args.port, log_level="warning")
        return 0


command = _Command()
