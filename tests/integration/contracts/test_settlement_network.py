"""The high-value contracts on a network that is not local: by a key, with production delays, nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from kit.chain.addresses import CREATE2_DEPLOYER
from kit.chain.circle import Circle, read_plan
from kit.chain.fees import GWEI
from kit.chain.keyed import KeyCarrier, Patience
from kit.chain.node import Node
from kit.chain.rpc import Rpc, hexed
from kit.chain.settlement import LAPSING, NEIGHBOURS, differences_of
from kit.chain.signer import LocalSigner
from tests.integration.contracts.conftest import account, anvil_node
from tests.integration.contracts.settlement_set import ARTIFACTS, STEPS, Network, run, stated_set
from tests.support.committee import Committee

CHAIN_ID = 10
RICH = 10**20
SALT = bytes(32)
STRANGER = account("a stranger")


def make_network(url: str, folder: Path, wei: int = RICH) -> Network:
    """A key with money, Safe's singleton, and a file with production delays."""
    key = LocalSigner(account("network deployer"))
    node = Node(url)
    node.request("anvil_setBalance", hexed(key.address), hex(wei))
    singleton = place_singleton(node)
    contracts = stated_set(node, ARTIFACTS, Committee.of(4, chain_id=CHAIN_ID), singleton)
    deployer = str(to_checksum_address(key.address))
    return Network(url, node, folder, {"salt": hexed(SALT), "deployer": deployer, "contracts": contracts}, key)


def place_singleton(node: Node) -> str:
    """Safe v1.5.0, by somebody who has money."""
    code = ARTIFACTS.safe_creation("Safe")
    somebody = node.request("eth_accounts")[0]
    digest = keccak(b"\xff" + bytes.fromhex(CREATE2_DEPLOYER[2:]) + SALT + keccak(code))
    sent = {"from": somebody, "to": CREATE2_DEPLOYER, "data": hexed(SALT + code), "gas": hex(8_000_000)}
    transaction = str(node.request("eth_sendTransaction", sent))
    node.request("evm_mine")
    node.wait_mined(transaction)
    return str(to_checksum_address(digest[12:]))


@contextmanager
def mining(node: Node) -> Iterator[None]:
    """Blocks as they come, whether there are transactions or not."""
    stop = threading.Event()

    def mine() -> None:
        while not stop.wait(0.05):
            node.request("evm_mine")

    thread = threading.Thread(target=mine)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def await_that(told: str, condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, told
        time.sleep(0.02)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """It mines only when told to."""
    with anvil_node(tmp_path / "log", "--chain-id", str(CHAIN_ID), "--no-mining") as url:
        yield make_network(url, tmp_path)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """A network on which the set stands; for tests that change nothing."""
    folder = tmp_path_factory.mktemp("network")
    with anvil_node(folder / "log", "--chain-id", str(CHAIN_ID), "--no-mining") as url:
        made = make_network(url, folder)
        with mining(made.node):
            subprocess.run([*LOCKGATE, *made.words()], check=True, capture_output=True, timeout=120)
        yield made


LOCKGATE = (sys.executable, "-m", "kit.cli", "contracts")


def pending(network: Network) -> int:
    return int(network.node.request("txpool_status")["pending"], 16)


def test_it_stands_as_stated_and_again_changes_nothing(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    with mining(network.node):
        first = network.deploy(capsys)
        assert (first.code, first.err) == (0, "")
        assert f"created: {', '.join(network.plan['contracts'])}\n" in first.out
        addresses = json.loads(network.out.read_text())
        assert network.nonce() == STEPS
        again = network.deploy(capsys)
    assert (again.code, again.err) == (0, "")
    assert again.out.endswith("nothing was created: all were there\n")
    assert network.nonce() == STEPS
    assert json.loads(network.out.read_text()) == addresses
    assert network.verify(capsys).code == 0
    registry = network.node.call(addresses["CertificateVerifier"], keccak(text="registry()")[:4])
    assert hexed(registry[12:]) == addresses["ValidatorRegistry"].lower()


def test_a_run_that_is_killed_with_a_transaction_on_its_way_is_finished_by_the_next(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    with subprocess.Popen([*LOCKGATE, *network.words()], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        for nonce in range(5):
            await_that("a transaction", lambda: pending(network) == 1)
            network.node.request("evm_mine")
            assert network.nonce() == nonce + 1
        await_that("the sixth transaction", lambda: pending(network) == 1)
        os.kill(process.pid, signal.SIGKILL)
    assert not network.out.exists()
    assert "is not mined after 1 s" in network.deploy(capsys, "--wait", "1").err
    assert network.nonce("pending") == 6, "the next run takes the same nonce for the same step"
    with mining(network.node):
        last = network.deploy(capsys)
    assert (last.code, last.err) == (0, "")
    assert network.nonce() == STEPS, "nothing was sent twice"
    assert "ValidatorRegistry" not in last.out.splitlines()[-1], "the first run's was kept"


def test_a_transaction_that_is_not_mined_is_told_and_taken_up_by_the_next_run(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    stuck = network.deploy(capsys, "--wait", "1")
    assert stuck.code == 1
    assert "Create3Deployer: transaction 0x" in stuck.err
    assert "is not mined after 1 s" in stuck.err
    assert pending(network) == 1
    with mining(network.node):
        assert network.deploy(capsys).code == 0
    assert network.nonce() == STEPS


def test_what_the_network_passes_over_is_replaced_at_higher_fees(network: Network) -> None:
    answer: list[BaseException | None] = []

    def is_there() -> bool:
        return network.node.code(TARGET) != b""

    def carry() -> None:
        try:
            network.carrier(bump_after=0.3, cap=500 * GWEI).carry("it", CREATE2_DEPLOYER, SALT + ONE_BYTE, is_there)
            answer.append(None)
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            answer.append(error)

    thread = threading.Thread(target=carry)
    thread.start()
    await_that("the first attempt", lambda: pending(network) == 1)
    network.node.request("anvil_setNextBlockBaseFeePerGas", hex(20 * GWEI))
    network.node.request("evm_mine")
    assert not is_there(), "its fee was too low for that block"
    while thread.is_alive():
        network.node.request("anvil_setNextBlockBaseFeePerGas", hex(20 * GWEI))
        network.node.request("evm_mine")
        thread.join(0.1)
    assert answer == [None]
    assert is_there()
    assert network.nonce() == 1


ONE_BYTE = bytes.fromhex("60015f5360015ff3")
TARGET = str(
    to_checksum_address(keccak(b"\xff" + bytes.fromhex(CREATE2_DEPLOYER[2:]) + SALT + keccak(ONE_BYTE))[12:])
)


def test_too_little_money_is_named_and_more_goes_on(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    deployer = hexed(network.key.address)
    network.node.request("anvil_setBalance", deployer, hex(5 * 10**15))
    with mining(network.node):
        poor = network.deploy(capsys)
        assert poor.code == 1
        assert "insufficient funds" in poor.err and f"{deployer} has " in poor.err
        spent = network.nonce()
        assert 0 < spent < STEPS, "it should have begun"
        network.node.request("anvil_setBalance", deployer, hex(RICH))
        assert network.deploy(capsys).code == 0
    assert network.nonce() == STEPS


def test_a_price_above_the_cap_is_told_before_anything_is_sent(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    network.node.request("anvil_setNextBlockBaseFeePerGas", hex(3 * GWEI))
    network.node.request("evm_mine")
    dear = network.deploy(capsys, "--max-fee-gwei", "2")
    assert dear.code == 1
    assert "above the cap of 2" in dear.err
    assert (network.nonce(), pending(network)) == (0, 0)


def test_nobody_takes_an_address_by_using_the_salts_first(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stranger makes the deployer contract, and uses each of our salts with code of its own."""
    plan = read_plan(network.plan_file, NEIGHBOURS, LAPSING)
    circle = Circle(network.node, ARTIFACTS, plan, str(plan.deployer))
    somebody = network.node.request("eth_accounts")[1]
    factory = SALT + ARTIFACTS.creation("Create3Deployer")
    calls = [(CREATE2_DEPLOYER, factory)]
    for name in plan.names:
        arguments = encode(["bytes32", "bytes"], [circle.salt_of(name), ONE_BYTE])
        calls.append((circle.factory, keccak(text="deploy(bytes32,bytes)")[:4] + arguments))
    for to, data in calls:
        sent = {"from": somebody, "to": to, "data": hexed(data), "gas": hex(3_000_000)}
        transaction = str(network.node.request("eth_sendTransaction", sent))
        network.node.request("evm_mine")
        network.node.wait_mined(transaction)
    with mining(network.node):
        assert network.deploy(capsys).code == 0
    assert network.nonce() == STEPS - 1, "the deployer contract was there, all else was ours to make"


class Reorganised(KeyCarrier):
    """The chain loses its last two blocks before they are deep, once."""

    lost = 0

    def await_depth(self, stands_at: Callable[[str], bool]) -> bool:
        if self.lost:
            self._rpc.submit("evm_mine")
        else:
            self._rpc.submit("anvil_rollback", 2)
        self.lost += 1
        return super().await_depth(stands_at)


def test_what_a_reorganisation_takes_away_is_made_again(network: Network) -> None:
    plan = read_plan(network.plan_file, NEIGHBOURS, LAPSING)
    network.node.request("evm_setAutomine", True)
    patience = Patience(mined_within=20, confirmations=1)
    carrier = Reorganised(Rpc(network.url), CHAIN_ID, network.key, patience=patience)
    circle = Circle(network.node, ARTIFACTS, plan, str(plan.deployer), carrier)
    assert circle.deploy() == list(plan.names)
    assert carrier.lost == 2, "it has to be asked again after the loss"
    assert differences_of(circle) == []
    assert network.nonce() == STEPS


def test_another_chain_than_stated_gets_nothing(deployed: Network, capsys: pytest.CaptureFixture[str]) -> None:
    nonce = deployed.nonce("pending")
    other = deployed.deploy(capsys, "--chain-id", "8453")
    assert (other.code, "serves chain 10, not 8453" in other.err) == (1, True)
    assert deployed.nonce("pending") == nonce
    assert "serves chain 10, not 8453" in deployed.verify(capsys, "--chain-id", "8453").err


def test_a_network_has_to_be_stated(deployed: Network, capsys: pytest.CaptureFixture[str]) -> None:
    words = deployed.words()
    at = words.index("--chain-id")
    assert "--chain-id" in run(capsys, *words[:at], *words[at + 2 :]).err
    silent = deployed.verify(capsys, "--from-block", "0")
    assert (silent.code, "--chain-id" in silent.err) == (1, True)


@pytest.mark.parametrize(
    ("contract", "name", "value", "said"),
    [
        ("TransferGuard", "delays", {"notice": 15, "exit": 14 * 86_400}, "TransferGuard.delays.notice is 15"),
        ("Actions", "window", 7 * 86_400 + 1, "Actions.window is 604801"),
        ("ColdVault", "threshold", 1, "ColdVault.threshold is 1"),
        ("TransferGuard", "neighbours", {"vault": "0x" + "11" * 20}, "TransferGuard.vault is stated"),
        ("GuardedSafeFactory", "safeSingleton", CREATE2_DEPLOYER, "safeSingleton are not the same"),
        ("GuardedSafeFactory", "proxyCreationCode", "0x00", "is not that of Safe v1.5.0's proxy"),
    ],
)
def test_what_may_stand_on_local_chains_only_is_refused_by_both_verbs(
    deployed: Network, capsys: pytest.CaptureFixture[str], contract: str, name: str, value: object, said: str
) -> None:
    nonce = deployed.nonce("pending")
    wrong = deployed.with_value(contract, name, value)
    for verb in (wrong.deploy, wrong.verify):
        answer = verb(capsys)
        assert answer.code == 1
        assert said in answer.err
    assert deployed.nonce("pending") == nonce


def test_what_has_changed_since_is_held_to_the_same_bounds(
    deployed: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    members = deployed.plan["contracts"]
    changed = {"Guardians": {"guardians": members["ColdVault"]["owners"], "threshold": 2}}
    answer = replace(deployed, plan={**deployed.plan, "changed": changed}).verify(capsys)
    assert (answer.code, "who is a guardian" in answer.err) == (1, True)


def test_a_key_that_others_may_read_or_that_is_another_is_refused(
    deployed: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    words = deployed.words()
    deployed.key_file(0o640)
    open_to_all = run(capsys, *words)
    assert (open_to_all.code, "open to others (mode 640)" in open_to_all.err) == (1, True)
    deployed.key_file().write_text(hexed(bytes(STRANGER.key)))
    another = run(capsys, *deployed.words())
    deployed.key_file().unlink()
    assert (another.code, f"the key is {STRANGER.address}'s" in another.err) == (1, True)
    assert hexed(bytes(STRANGER.key))[2:] not in open_to_all.err + another.err


def test_without_a_key_a_network_is_none_of_ours(deployed: Network, capsys: pytest.CaptureFixture[str]) -> None:
    words = deployed.words()
    at = words.index("--key-file")
    refused = run(capsys, *words[:at], *words[at + 2 :])
    assert (refused.code, "chain id 10 is not a local one" in refused.err) == (1, True)


def test_a_network_without_the_create2_deployer_says_so(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    network.node.request("anvil_setCode", CREATE2_DEPLOYER, "0x")
    refused = network.deploy(capsys)
    assert refused.code == 1
    assert f"no CREATE2 deployer at {CREATE2_DEPLOYER} on chain 10" in refused.err
    assert (network.nonce(), pending(network)) == (0, 0)


def test_a_constructor_that_would_revert_is_named_before_anything_is_sent(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    proofs = list(network.plan["contracts"]["ValidatorRegistry"]["proofs"])
    proofs[0], proofs[1] = proofs[1], proofs[0]
    refused = network.with_value("ValidatorRegistry", "proofs", proofs).deploy(capsys)
    assert refused.code == 1
    assert "ValidatorRegistry could not be created: InvalidProof; nothing was sent" in refused.err
    assert (network.nonce(), pending(network)) == (0, 0)
