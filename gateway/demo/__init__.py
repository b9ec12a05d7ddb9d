"""`lockgate demo`: real money (a test token) moves through every part, and what happened is printed as measured."""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from gateway.demo.guarded import Files, Guarded, Unexpected
from gateway.demo.payer import Paid, Payer
from gateway.demo.watch import Watch
from kit.chain.rpc import RpcError

# Each deposit carries ten payments, so that some of the last one is left to be refunded.
VOUCHERS = 25
EXACT = 3
PRICE = 1_000
SHOP_READY_SECONDS = 20.0
SETTLE_SECONDS = 60.0
T = TypeVar("T")


class DemoFailed(Exception):
    """A step did not do what it should; the text says which and why."""


class _Command:
    """The entry object of the `demo` word."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--run-dir", type=Path, default=None, help="where the demo keeps its stack")

    def run(self, args: argparse.Namespace) -> int:
        from kit.stack import StackError, launch, options_from_environment  # noqa: PLC0415
        from kit.stack.rundir import default_run_dir  # noqa: PLC0415

        run_dir = args.run_dir or default_run_dir() / "demo"
        started = time.monotonic()
        try:
            with launch(run_dir, options_from_environment(report=_say)) as stack:
                _say(f"stack ready in {time.monotonic() - started:.1f} s\n")
                asyncio.run(_Demo(stack).run())
        except (StackError, DemoFailed, Unexpected, RpcError, TimeoutError, RuntimeError, httpx.HTTPError) as error:
            sys.stderr.write(f"demo: {error}\n")
            return 1
        _say(f"done in {time.monotonic() - started:.1f} s; nothing is left running")
        return 0


command = _Command()


@dataclass(frozen=True, slots=True)
class _Shop:
    process: subprocess.Popen[bytes]
    url: str


class _Demo:
    """The main job on a running stack, step by step."""

    def __init__(self, stack: Any) -> None:
        self._stack = stack
        self._info: dict[str, Any] = stack.info
        chain = self._info["chain"]
        self._network = f"eip155:{chain['chain_id']}"
        self._payer = Payer(self._info["accounts"]["payer"]["private_key"], self._network, chain["rpc_url"])
        self._watch = Watch(stack.env["LOCKGATE_DATABASE_URL"], chain["rpc_url"])

    async def run(self) -> None:
        shop = self._open_shop()
        try:
            await self._await_shop(shop)
            await self._vouchers(shop)
            await self._exact(shop)
            self._claims()
            block = self._refund(shop)
            self._books(self._large_transfers() if self._stack.deploys else self._none_large(block))
        finally:
            shop.process.terminate()
            shop.process.wait(timeout=20)
            self._watch.close()

    def _open_shop(self) -> _Shop:
        from kit.stack.ports import free_ports  # noqa: PLC0415

        (port,) = free_ports(1)
        url = f"http://127.0.0.1:{port}"
        chain, gateway = self._info["chain"], self._info["gateway"]
        env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
            "LOCKGATE_SHOP_FACILITATOR_URL": gateway["x402_url"],
            "LOCKGATE_SHOP_PUBLIC_URL": url,
            "LOCKGATE_SHOP_NETWORK": self._network,
            "LOCKGATE_SHOP_ASSET": chain["token"]["address"],
            "LOCKGATE_SHOP_ASSET_NAME": chain["token"]["name"],
            "LOCKGATE_SHOP_ASSET_VERSION": chain["token"]["version"],
            "LOCKGATE_SHOP_PAY_TO": chain["treasury_safe"],
            "LOCKGATE_SHOP_API_KEY": gateway["merchant_api_key"],
            "LOCKGATE_SHOP_PRICE": str(PRICE),
        }
        words = [sys.executable, "-m", "uvicorn", "--factory", "gateway.demo.shop:create", "--port", str(port)]
        log = (self._stack.run.path / "shop.log").open("wb")
        with log:
            process = subprocess.Popen([*words, "--log-level", "warning"], env=env, stdout=log, stderr=log)
        return _Shop(process, url)

    async def _await_shop(self, shop: _Shop) -> None:
        deadline = time.monotonic() + SHOP_READY_SECONDS
        async with httpx.AsyncClient() as http:
            while time.monotonic() < deadline and shop.process.poll() is None:
                try:
                    if (await http.get(f"{shop.url}/free")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
        raise DemoFailed(f"the shop did not start; its log is {self._stack.run.path / 'shop.log'}")

    async def _vouchers(self, shop: _Shop) -> None:
        _say(f"batch-settlement: {VOUCHERS} payments of {_money(PRICE)} by the official x402 client")
        paid = await self._payer.pay_by_voucher(f"{shop.url}/article", VOUCHERS)
        deposits = [each for each in paid if each.transaction]
        vouchers = [each for each in paid if not each.transaction]
        for each in deposits:
            gas = self._watch.gas_used(each.transaction)
            deposited = _money(int(each.receipt["amount"]))
            _say(f"  deposit of {deposited} with a payment: {each.transaction} ({gas:,} gas) in {each.seconds:.2f} s")
        charged = int(paid[-1].receipt["extra"]["channelState"]["chargedCumulativeAmount"])
        if charged != VOUCHERS * PRICE:
            raise DemoFailed(f"the channel is charged {charged}, not {VOUCHERS * PRICE}")
        _say(f"  {len(vouchers)} vouchers, each durable before its answer: {_times(vouchers)} (request to answer)")
        stored = self._watch.payments(scheme=1)
        _say(f"  in the book: {stored.count} payments, {_money(stored.amount)}\n")

    async def _exact(self, shop: _Shop) -> None:
        _say(f"exact: {EXACT} payments of {_money(PRICE)}, one transfer on chain each")
        for paid in await self._payer.pay_exact(f"{shop.url}/article", EXACT):
            gas = self._watch.gas_used(paid.transaction)
            _say(f"  {paid.transaction} ({gas:,} gas) in {paid.seconds:.2f} s")
        _say("")

    def _claims(self) -> None:
        _say("claim and settle, by Celery")
        claimed = self._await("the vouchers to be claimed", lambda: self._watch.transaction_of("claim"))
        _say(f"  claim  {claimed.tx_hash} ({claimed.gas_used:,} gas)")
        settled = self._await("the claim to be settled", lambda: self._watch.transaction_of("settle"))
        _say(f"  settle {settled.tx_hash} ({settled.gas_used:,} gas)")
        self._await("every payment to be settled", lambda: self._watch.all_settled() or None)
        treasury = self._watch.token_balance(
            self._info["chain"]["token"]["address"], self._info["chain"]["treasury_safe"]
        )
        _say(f"  the merchant's treasury Safe holds {_money(treasury)}\n")

    def _refund(self, shop: _Shop) -> int:
        _say("cooperative refund of what is left in the channel")
        token = self._info["chain"]["token"]["address"]
        before = self._watch.token_balance(token, self._payer.address)
        transaction = self._payer.refund(f"{shop.url}/article")
        after = self._watch.token_balance(token, self._payer.address)
        gas = self._watch.gas_used(transaction)
        _say(f"  {transaction} ({gas:,} gas): {_money(after - before)} back to the payer\n")
        if after <= before:
            raise DemoFailed("the refund moved nothing")
        return self._watch.block_of(transaction)

    def _large_transfers(self) -> int:
        from kit.stack.services import ARTIFACTS  # noqa: PLC0415

        files = Files(self._stack.run.settlement_json, self._stack.committee.keys, ARTIFACTS)
        guarded = Guarded(self._info, files, _say, _money)
        try:
            return guarded.show()
        finally:
            guarded.close()

    def _none_large(self, block: int) -> int:
        _say("guarded Safe: left out, since the contracts are not this stack's (LOCKGATE_CONTRACTS_FILE)\n")
        return block

    def _books(self, block: int) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "kit.cli", "books", "check", "--block", str(block), "--wait", "30"],
            env=self._stack.env,
            capture_output=True,
            text=True,
            check=False,
        )
        sys.stdout.write(done.stdout)
        if done.returncode != 0:
            raise DemoFailed(f"the books do not balance\n{done.stdout}{done.stderr}")

    def _await(self, what: str, look: Callable[[], T | None]) -> T:
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            found = look()
            if found is not None:
                return found
            time.sleep(0.1)
        raise DemoFailed(f"waited {SETTLE_SECONDS:.0f} s for {what}")


def _times(paid: list[Paid]) -> str:
    seconds = sorted(each.seconds for each in paid)
    p99 = seconds[min(len(seconds) - 1, int(len(seconds) * 0.99))]
    return f"p50 {statistics.median(seconds) * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms"


def _money(amount: int) -> str:
    """USDC with all its six decimals, by integers only."""
    return f"{amount // 10**6:,}.{amount % 10**6:06d} USDC"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
