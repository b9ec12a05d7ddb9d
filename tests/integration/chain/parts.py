"""Real PostgreSQL, real Anvil and a flaky wire: what the tests of chain, channels, books and work stand on."""

from __future__ import annotations

import http.client
import http.server
import itertools
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from kit.chain.addresses import BASE_SEPOLIA_USDC, ContractAddresses
from kit.chain.anvil import Anvil, ChainError
from kit.chain.artifacts import find_artifacts
from kit.chain.deploy import Plan, deploy
from kit.database.migrate import collect, migrate
from kit.database.pool import connect
from kit.stack import postgres
from kit.stack.launcher import Launcher
from kit.stack.paths import CONTRACTS, native
from kit.stack.ports import free_ports
from tests.support.brake import BRAKE, place_brake

MIGRATED = ("kit.ledger", "kit.chain", "kit.work", "gateway")
TEMPLATE = "template_lockgate"
CHAIN_ID = 31337
_numbers = itertools.count(1)


def account(name: str) -> LocalAccount:
    made: LocalAccount = Account.from_key(keccak(text=f"lockgate chain test {name}"))
    return made


def plan() -> Plan:
    return Plan(
        brake=BRAKE,
        payer=account("payer").address,
        owners=tuple(account(f"owner {number}").address for number in range(3)),
        threshold=2,
        authorizer_owner=account("authorizer owner").address,
        authorizer_signer=account("authorizer signer").address,
        rotation_delay=3600,
        relay=account("relay").address,
        token=BASE_SEPOLIA_USDC,
        payer_tokens=10_000 * 10**6,
        funded=(),
    )


class Databases:
    """One server; each test gets a database of its own, copied from a migrated one."""

    def __init__(self, server: postgres.Server) -> None:
        self.server = server
        server.create_database(TEMPLATE)
        with connect(server.url(TEMPLATE), autocommit=True) as connection:
            migrate(connection, collect(MIGRATED))

    def new(self) -> str:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        self.server.create_database(name, template=TEMPLATE)
        return self.server.url(name)


@contextmanager
def databases(folder: Path) -> Iterator[Databases]:
    with Launcher(folder) as launcher:
        server = postgres.prepare(launcher.run.path / "postgres", free_ports(1)[0])
        launcher.start_all([server.part()])
        yield Databases(server)


class Node:
    """An Anvil that mines each transaction at once, until it is told otherwise."""

    def __init__(self, folder: Path, *, port: int | None = None, chain_id: int = CHAIN_ID) -> None:
        self.port = port or free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = (folder / f"anvil-{self.port}-{next(_numbers)}.log").open("wb")
        words = [str(native("anvil")), "--port", str(self.port), "--hardfork", "prague", "--quiet"]
        words += ["--slots-in-an-epoch", "1", "--chain-id", str(chain_id)]
        self._process = subprocess.Popen(words, stdout=self._log, stderr=subprocess.STDOUT)
        self.anvil = self._await_answer()

    def deploy(self) -> ContractAddresses:
        place_brake(self.anvil)
        return deploy(self.anvil, find_artifacts(CONTRACTS / "artifacts", None), plan())

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.anvil.request("evm_mine")

    def automine(self, on: bool) -> None:
        self.anvil.request("evm_setAutomine", on)

    def stop(self) -> None:
        self.anvil.__exit__(None, None, None)
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _await_answer(self) -> Anvil:
        deadline = time.monotonic() + 20
        while True:
            try:
                return Anvil(self.url)
            except ChainError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


@contextmanager
def node(folder: Path, *, port: int | None = None, chain_id: int = CHAIN_ID) -> Iterator[Node]:
    running = Node(folder, port=port, chain_id=chain_id)
    try:
        yield running
    finally:
        running.stop()


class Proxy:
    """Forwards JSON-RPC; `fails` decides before and after each request whether the answer is lost."""

    def __init__(self, url: str, fails: Callable[[], bool]) -> None:
        target = urlsplit(url)
        self.requests = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests += 1
                lost = fails()
                onward = http.client.HTTPConnection(outer.host, outer.port, timeout=20)
                onward.request("POST", "/", body, {"Content-Type": "application/json"})
                answer = onward.getresponse().read()
                onward.close()
                self.send_response(502 if lost else 200)
                self.send_header("Content-Length", str(0 if lost else len(answer)))
                self.end_headers()
                if not lost:
                    self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                return None

        self.host, self.port = str(target.hostname), int(target.port or 80)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def proxy(url: str, fails: Callable[[], bool]) -> Iterator[Proxy]:
    running = Proxy(url, fails)
    try:
        yield running
    finally:
        running.close()


def wait_until(done: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Look again until it is so; the test fails at the deadline."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)
