"""The whole stack with our own processes: what it tells clients, what it keeps to itself, kills in place."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from kit.stack import Options, Stack, launch
from kit.stack.launcher import RunningPart
from kit.stack.parts import NotReadyError
from tests.system.stack.processes import eventually

pytestmark = pytest.mark.system

PARTS = ("postgres", "valkey", "anvil", "rpc", "worker", "beat", "api")


@pytest.fixture(scope="module")
def whole(run_dirs: Path) -> Iterator[Stack]:
    with launch(run_dirs / "whole", Options(chain_relay=True)) as running:
        yield running


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
    assert set(whole.info["chain"]) == {"rpc_url", "chain_id", "token", "escrow", "treasury_safe"}
    assert set(whole.info["chain"]["token"]) == {"address", "name", "version"}
    assert set(whole.info["gateway"]) >= {"url", "x402_url", "merchant_id", "merchant_api_key"}
    assert httpx.get(whole.info["gateway"]["x402_url"] + "/supported").status_code == httpx.codes.OK
    assert get(whole, "/v1/payments") == httpx.codes.OK


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
    told = {str(log): log.read_text(errors="replace") for log in whole.run.logs.iterdir()}
    told |= {
        f"{name} {pid}": Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        for name in whole.names
        for pid in whole.processes(name)
    }
    assert [where for where, text in told.items() for secret in secrets if secret in text] == []
