"""`lockgate contracts deploy` against a real Anvil."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from eth_abi.abi import decode

from kit.chain import addresses as at
from kit.chain.addresses import AddressFileError, read_addresses
from kit.chain.anvil import Anvil, NotLocalChainError
from kit.chain.artifacts import find_artifacts
from kit.chain.deploy import DEPLOYER, deploy
from kit.cli import main
from tests.integration.contracts.channels import Channel, calldata, claim
from tests.integration.contracts.conftest import PAYER_TOKENS, LocalChain, account, anvil_node, plan


def arguments(url: str, out: Path, artifacts: Path) -> list[str]:
    wanted = plan()
    return [
        "contracts", "deploy", "--rpc", url, "--out", str(out), "--artifacts", str(artifacts),
        "--brake", wanted.brake, "--payer", wanted.payer, "--owners", ",".join(wanted.owners),
        "--relay", wanted.relay, "--authorizer-signer", wanted.authorizer_signer, "--payer-tokens", str(PAYER_TOKENS),
    ]  # fmt: skip


def token_balance(chain: Anvil, holder: str) -> int:
    data = calldata("balanceOf(address)", ["address"], [holder])
    return int.from_bytes(chain.call(at.BASE_SEPOLIA_USDC, data), "big")


@pytest.fixture
def base_sepolia(tmp_path: Path) -> Iterator[str]:
    with anvil_node(tmp_path / "log", "--chain-id", "84532", "--block-time", "1") as url:
        yield url


def test_command_on_a_local_base_sepolia_twice(base_sepolia: str, tmp_path: Path, artifacts_folder: Path) -> None:
    out = tmp_path / "deep" / "contracts.json"
    assert main(arguments(base_sepolia, out, artifacts_folder)) == 0
    first = read_addresses(out)
    assert first.chain_id == 84532
    assert (first.token.name, first.token.version, first.token.decimals) == ("USDC", "2", 6)
    assert first.deployed_at_block >= 1
    assert main(arguments(base_sepolia, out, artifacts_folder)) == 0
    assert read_addresses(out) == first
    with Anvil(base_sepolia) as chain:
        assert token_balance(chain, plan().payer) == PAYER_TOKENS
        sent = int(chain.request("eth_getTransactionCount", DEPLOYER, "latest"), 16)
        assert sent == 3, "the second run sent a transaction"
    assert [file.name for file in out.parent.iterdir()] == ["contracts.json"]


def test_stopped_run_is_finished_by_the_next(node_url: str, artifacts_folder: Path) -> None:
    """Another relay makes another receiver-authorizer; the rest is there already."""
    artifacts = find_artifacts(artifacts_folder, None)
    with Anvil(node_url) as anvil:
        whole = deploy(anvil, artifacts, plan())
        anvil.request("anvil_setCode", at.ERC3009_COLLECTOR, "0x")
        anvil.request("anvil_setCode", at.MULTICALL3, "0x00")
        assert deploy(anvil, artifacts, plan()) == whole
        assert len(anvil.code(at.ERC3009_COLLECTOR)) > 100
        other = deploy(anvil, artifacts, replace(plan(), relay=account("other relay").address))
        assert other.receiver_authorizer != whole.receiver_authorizer
        assert other.treasury_safe == whole.treasury_safe


def test_treasury_is_two_of_three_and_safes_code_is_the_published_one(
    chain: LocalChain, artifacts_folder: Path
) -> None:
    safe = chain.contracts.treasury_safe
    (owners,) = decode(["address[]"], chain.anvil.call(safe, calldata("getOwners()", [], [])))
    assert {owner.lower() for owner in owners} == {owner.lower() for owner in plan().owners}
    assert int.from_bytes(chain.anvil.call(safe, calldata("getThreshold()", [], [])), "big") == 2
    (version,) = decode(["string"], chain.anvil.call(safe, calldata("VERSION()", [], [])))
    assert version == "1.5.0"
    published = find_artifacts(artifacts_folder, None).safe / "Safe.sol" / "Safe.json"
    assert "0x" + chain.anvil.code(at.SAFE_SINGLETON).hex() == json.loads(published.read_text())["deployedBytecode"]
    threshold = chain.anvil.call(at.SAFE_SINGLETON, calldata("getThreshold()", [], []))
    assert int.from_bytes(threshold, "big") == 1, "anybody could set the singleton up"


def test_receiver_authorizer_has_its_roles(chain: LocalChain) -> None:
    rotatable = chain.contracts.receiver_authorizer

    def read(name: str) -> str:
        return "0x" + chain.anvil.call(rotatable, calldata(f"{name}()", [], []))[-20:].hex()

    wanted = plan()
    assert read("escrow") == at.ESCROW.lower()
    assert read("owner") == (wanted.authorizer_owner or "").lower()
    assert read("signer") == wanted.authorizer_signer.lower()
    is_relay = calldata("isRelay(address)", ["address"], [wanted.relay])
    assert int.from_bytes(chain.anvil.call(rotatable, is_relay), "big") == 1


def test_a_payment_goes_through(chain: LocalChain) -> None:
    """Deposit by ERC-3009, claim by the relay through the receiver-authorizer, settle to the treasury."""
    channel = Channel(
        chain_id=chain.contracts.chain_id,
        payer=account("payer"),
        receiver=chain.contracts.treasury_safe,
        receiver_authorizer=chain.contracts.receiver_authorizer,
        token=chain.contracts.token,
    )
    relay = account("relay").address
    types = ["address", "address"]
    settle = calldata("settle(address,address)", types, [channel.receiver, channel.token.address])
    chain.send(relay, at.ESCROW, settle)  # what other tests have claimed
    before = token_balance(chain.anvil, channel.receiver)
    chain.send(relay, at.ESCROW, channel.deposit(5_000_000, salt=0))
    chain.send(relay, chain.contracts.receiver_authorizer, claim([channel.row(ceiling=400_000, total=300_000)]))
    chain.send(relay, at.ESCROW, settle)
    assert token_balance(chain.anvil, channel.receiver) == before + 300_000
    totals = chain.anvil.call(at.ESCROW, calldata("channels(bytes32)", ["bytes32"], [channel.id]))
    assert decode(["uint128", "uint128"], totals) == (5_000_000, 300_000)


def test_foreign_chain_id_is_refused(tmp_path: Path) -> None:
    with anvil_node(tmp_path / "log", "--chain-id", "8453") as url, pytest.raises(NotLocalChainError, match="8453"):
        Anvil(url)


class Geth(BaseHTTPRequestHandler):
    """Answers everything as a real node on Base Sepolia would its version and chain id."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        result = "Geth/v1.16.0" if asked["method"] == "web3_clientVersion" else hex(84532)
        body = json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def test_node_that_is_not_anvil_is_refused(
    tmp_path: Path, artifacts_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = HTTPServer(("127.0.0.1", 0), Geth)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        out = tmp_path / "contracts.json"
        assert main(arguments(f"http://127.0.0.1:{server.server_port}", out, artifacts_folder)) == 1
        assert "not Anvil" in capsys.readouterr().err
        assert not out.exists()
    finally:
        server.shutdown()
        server.server_close()


def test_unreachable_rpc_and_missing_artifacts_say_so(
    node_url: str, tmp_path: Path, artifacts_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments("http://127.0.0.1:1", tmp_path / "c.json", artifacts_folder)) == 1
    assert "no usable answer" in capsys.readouterr().err
    empty = [*arguments(node_url, tmp_path / "c.json", tmp_path), "--safe-artifacts", str(tmp_path)]
    assert main(empty) == 1
    assert "make contracts" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--payer", "0x12"), ("--owners", f"{'0x' + '11' * 20},{'0x' + '11' * 20}"), ("--payer-tokens", "-1"),
     ("--payer-tokens", "1e6"), ("--relay", "0xZZ" + "0" * 38)],
)  # fmt: skip
def test_bad_arguments_are_usage_errors(flag: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([*arguments("http://127.0.0.1:1", tmp_path / "c.json", tmp_path), f"{flag}={value}"])
    assert exit_.value.code == 2


def test_treasury_that_cannot_sign_is_refused(
    tmp_path: Path, artifacts_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*arguments("http://127.0.0.1:1", tmp_path / "c.json", artifacts_folder), "--threshold", "4"]
    assert main(words) == 1
    assert "cannot need 4" in capsys.readouterr().err


def test_addresses_file_with_a_wrong_type_or_field_is_refused(chain: LocalChain, tmp_path: Path) -> None:
    file = tmp_path / "contracts.json"
    at.write_addresses(file, chain.contracts)
    assert read_addresses(file) == chain.contracts
    good = json.loads(file.read_text())
    changes: list[dict[str, object]] = [
        {"chain_id": "31337"},
        {"escrow": None},
        {"extra": 1},
        {"token": {}},
        {"deployed_at_block": True},
    ]
    for change in changes:
        file.write_text(json.dumps({**good, **change}))
        with pytest.raises(AddressFileError):
            read_addresses(file)
    file.write_text("{")
    with pytest.raises(AddressFileError):
        read_addresses(file)
