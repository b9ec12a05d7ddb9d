"""A real Anvil with everything deployed by the program under test."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from kit.chain.addresses import BASE_SEPOLIA_USDC, ContractAddresses
from kit.chain.anvil import Anvil
from kit.chain.artifacts import find_artifacts
from kit.chain.deploy import Plan, deploy
from kit.stack.paths import CONTRACTS, native
from tests.support.brake import BRAKE, place_brake

PAYER_TOKENS = 10_000 * 10**6


def account(name: str) -> LocalAccount:
    made: LocalAccount = Account.from_key(keccak(text=f"lockgate contract test {name}"))
    return made


@dataclass(frozen=True, slots=True)
class LocalChain:
    """A node and what stands on it."""

    url: str
    anvil: Anvil
    contracts: ContractAddresses

    def send(self, sender: str, to: str, data: bytes) -> int:
        """Send from any account and expect success; returns the receipt's gasUsed."""
        self.anvil.fund(sender, 10**20)
        transaction = self.anvil.send_as(sender, to, data)
        self.anvil.wait_mined(transaction)
        return int(self.anvil.request("eth_getTransactionReceipt", transaction)["gasUsed"], 16)


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
        payer_tokens=PAYER_TOKENS,
        funded=(),
    )


@contextmanager
def anvil_node(log_file: Path, *words: str, hardfork: str = "prague") -> Iterator[str]:
    """An Anvil's URL; it mines a block for each transaction unless told otherwise."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(native("anvil")), "--port", str(port), "--hardfork", hardfork, "--slots-in-an-epoch", "1"]
    with log_file.open("wb") as log:
        process = subprocess.Popen([*command, *words], stdout=log, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        await_listening(process, port)
        yield url
    finally:
        process.kill()
        process.wait()


def await_listening(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.fixture(scope="session")
def node_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with anvil_node(tmp_path_factory.mktemp("anvil") / "log") as url:
        yield url


@pytest.fixture(scope="session")
def artifacts_folder() -> Path:
    return CONTRACTS / "artifacts"


@pytest.fixture(scope="session")
def chain(node_url: str, artifacts_folder: Path) -> Iterator[LocalChain]:
    with Anvil(node_url) as anvil:
        place_brake(anvil)
        contracts = deploy(anvil, find_artifacts(artifacts_folder, None), plan())
        yield LocalChain(node_url, anvil, contracts)
