"""The whole stack with our own processes: what it tells clients, what it keeps to itself, kills in place."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from eth_abi.abi import decode

from kit.chain.abi import calldata
from kit.chain.rpc import Rpc
from kit.stack import Options, Stack, launch
from kit.stack.launcher import RunningPart
from kit.stack.parts import NotReadyError
from kit.stack.services import lockgate
from tests.system.stack.processes import eventually
from verification.quorum import ValidatorSet

pytestmark = pytest.mark.system

PARTS = ("postgres", "valkey", "anvil", "rpc", "worker", "beat", "api")


@pytest.fixture(scope="module")
def whole(run_dirs: Path) -> Iterator[Stack]:
    with launch(run_dirs / "whole", Options(chain_relay=True)) as running:
        yield running


def raw(address: str) -> bytes:
    return bytes.fromhex(address.removeprefix("0x"))


def serves(running: RunningPart) -> bool:
    assert running.part.ready is not None
    try:
        running.part.ready()
    except NotReadyError:
        return False
    return True


def get(stack: Stack, path: str) -> int:
    key = stack.info["gateway"]["merchant_api_key"]
    return httpx.get(stack.info["gateway"]["url"] + path, headers={"Authorization": f"Bearer {key}"}).status_code


def test_stack_json_is_all_that_a_client_needs(whole: Stack) -> None:
    chain = {"rpc_url", "chain_id", "token", "escrow", "guard", "operator_safe", "treasury_safe"}
    assert set(whole.info["chain"]) == chain
    assert set(whole.info["chain"]["token"]) == {"address", "name", "version"}
    assert set(whole.info["gateway"]) >= {"url", "x402_url", "merchant_id", "merchant_api_key"}
    assert httpx.get(whole.info["gateway"]["x402_url"] + "/supported").status_code == httpx.codes.OK
    assert get(whole, "/v1/payments") == httpx.codes.OK


def test_the_guard_and_the_treasury_are_what_their_files_state(whole: Stack) -> None:
    url, plan = whole.info["chain"]["rpc_url"], str(whole.committee.plan)
    done = subprocess.run(
        lockgate("contracts", "verify", "--rpc", url, "--plan", plan), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    chain = whole.info["chain"]
    guard, treasury, operators = (raw(chain[name]) for name in ("guard", "treasury_safe", "operator_safe"))
    rpc = Rpc(url)
    group = rpc.call(guard, calldata("groupOf(address)", treasury))
    assert group[-20:] == treasury, "the treasury is guarded, in a group of its own"
    assert not any(rpc.call(guard, calldata("groupOf(address)", operators))), "the operators' Safe is a plain one"
    owners = {raw(owner["address"]) for owner in whole.info["accounts"]["owners"]}
    for safe in (treasury, operators):
        (found,) = decode(["address[]"], rpc.call(safe, calldata("getOwners()")))
        assert {raw(owner) for owner in found} == owners
        assert int.from_bytes(rpc.call(safe, calldata("getThreshold()")), "big") == 2
    contracts = json.loads(whole.run.contracts_json.read_text())
    authorizer = raw(contracts["receiver_authorizer"])
    assert rpc.call(authorizer, calldata("owner()"))[-20:] == operators, "a guarded owner could rotate no key"
    brake = raw(json.loads(whole.run.settlement_json.read_text())["EmergencyBrake"])
    assert rpc.call(raw(chain["escrow"]), calldata("brake()"))[-20:] == brake
    assert contracts["treasury_safe"] == chain["treasury_safe"]
    rpc.close()


def test_everybody_who_signs_is_told_of_and_validators_without_their_secrets(whole: Stack) -> None:
    accounts = whole.info["accounts"]
    assert [len(accounts[role]) for role in ("guardians", "attesters", "vault_owners")] == [5, 3, 3]
    assert {"address", "private_key"} == set(accounts["sentinel"]) == set(accounts["payout"])
    assert [validator["index"] for validator in whole.info["validators"]] == [0, 1, 2, 3]
    registry = raw(json.loads(whole.run.settlement_json.read_text())["ValidatorRegistry"])
    rpc = Rpc(whole.info["chain"]["rpc_url"])
    (keys,) = decode(["bytes"], rpc.call(registry, calldata("keysOf(uint64)", 1)))
    rpc.close()
    told = [bytes.fromhex(validator["bls_public_key"][2:]) for validator in whole.info["validators"]]
    assert list(ValidatorSet.from_evm(1, keys).keys) == told
    assert not [secret for secret in validator_secrets(whole) if secret in whole.run.stack_json.read_text()]
    for secret_file in (whole.run.stack_json, whole.committee.keys):
        assert stat.S_IMODE(secret_file.stat().st_mode) == 0o600


def validator_secrets(stack: Stack) -> list[str]:
    validators = json.loads(stack.committee.keys.read_text())["validators"]
    return [validator["bls_secret_key"].removeprefix("0x") for validator in validators]


def test_the_api_has_more_than_one_worker_process(whole: Stack) -> None:
    assert len(whole.processes("api")) >= 3, "a parent and two workers"


@pytest.mark.parametrize("name", PARTS)
def test_a_killed_part_comes_back_and_the_others_with_it(whole: Stack, name: str) -> None:
    whole.kill(name)
    assert whole.processes(name) == []
    whole.restart(name)
    for other in PARTS:
        eventually(partial(serves, whole.part(other)), f"{other} serves after the kill of {name}")
    assert not whole.failed.is_set()
    assert get(whole, "/v1/payments") == httpx.codes.OK


def test_a_killed_api_worker_is_replaced_by_its_parent(whole: Stack) -> None:
    parent, *children = whole.processes("api")
    os.kill(children[-1], signal.SIGKILL)
    eventually(lambda: children[-1] not in whole.processes("api"), "the child is gone")
    eventually(lambda: len(whole.processes("api")) > len(children), "another takes its place")
    assert whole.processes("api")[0] == parent


def test_no_log_and_no_argument_holds_a_secret(whole: Stack) -> None:
    secrets = [key.private_key.removeprefix("0x") for key in whole.keys.all()]
    secrets.append(whole.info["gateway"]["merchant_api_key"])
    accounts = whole.info["accounts"]
    signers = [member for role in ("guardians", "attesters", "vault_owners") for member in accounts[role]]
    signers += [accounts["sentinel"], accounts["payout"]]
    secrets += [each["private_key"].removeprefix("0x") for each in signers] + validator_secrets(whole)
    told = {str(log): log.read_text(errors="replace") for log in whole.run.logs.iterdir()}
    told |= {
        f"{name} {pid}": Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        for name in whole.names
        for pid in whole.processes(name)
    }
    assert [where for where, text in told.items() for secret in secrets if secret in text] == []
