"""Messages.sol on a real node gives every digest that the Python side gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.chain.anvil import Anvil
from kit.stack.paths import ROOT
from tests.support.messages import ON_CHAIN, field_values, fields, random_messages
from verification.signatures.messages import settlement_domain

HARNESS = "0x" + "5e" * 20
GUARD = b"\x6a" * 20
TAKES_STRUCT = ("Order", "Unpause", "Return", "Rotate", "Govern", "GrantStanding")


@pytest.fixture(scope="module")
def harness(node_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    """The harness, compiled alone and aside, so that nothing that the programs use is touched."""
    aside = tmp_path_factory.mktemp("forge")
    built = subprocess.run(
        [sys.executable, "-m", "kit.stack.contracts", "build", "test/support/MessagesHarness.sol"],
        cwd=ROOT,
        env=os.environ | {"FOUNDRY_OUT": str(aside / "out"), "FOUNDRY_CACHE_PATH": str(aside / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    with Anvil(node_url) as anvil:
        init_code = creation_code(aside / "out" / "MessagesHarness.sol" / "MessagesHarness.json")
        anvil.place(HARNESS, anvil.runtime_code(init_code + encode(["address"], [GUARD])))
        yield anvil


def creation_code(artifact: Path) -> bytes:
    return bytes.fromhex(json.loads(artifact.read_text())["bytecode"]["object"].removeprefix("0x"))


def function(name: str) -> str:
    kinds = ",".join(kind for kind, _ in fields(name))
    called = "return_" if name == "Return" else name[0].lower() + name[1:]
    return f"{called}(({kinds}))" if name in TAKES_STRUCT else f"{called}({kinds})"


@pytest.mark.parametrize("name", ON_CHAIN)
def test_digests_are_those_of_the_contract(name: str, harness: Anvil) -> None:
    domain = settlement_domain(31337, GUARD)
    selector = keccak(text=function(name))[:4]
    kinds = [kind for kind, _ in fields(name)]

    @settings(max_examples=20, deadline=None)
    @given(st.data())
    def compare(data: st.DataObject) -> None:
        message = data.draw(random_messages(name))
        assert harness.call(HARNESS, selector + encode(kinds, field_values(message))) == message.digest(domain)

    compare()
