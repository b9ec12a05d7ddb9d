"""What a claim of ten channels costs on chain: gasUsed of real receipts, second claim of channels that exist."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp

from kit.chain.anvil import Anvil
from kit.chain.artifacts import find_artifacts
from kit.chain.deploy import deploy
from kit.stack.paths import CONTRACTS
from tests.benchmarks.figures import Chapter, Line
from tests.benchmarks.options import Options
from tests.integration.contracts.conftest import LocalChain, anvil_node, plan
from tests.integration.contracts.test_claim_gas import CHANNELS, MOST_GAS_A_CHANNEL, gas_of_second_claim
from tests.support.brake import place_brake

ASKED = "claim by the key itself"
WAYS = (
    ASKED,
    "claim through the receiver-authorizer",
    "claimWithSignature of a key",
    "claimWithSignature of the receiver-authorizer",
)


def run(_options: Options) -> Chapter:
    folder = Path(mkdtemp(prefix="lockgate-bench-"))
    try:
        lines = _lines(folder)
    finally:
        shutil.rmtree(folder)
    return Chapter(f"claim of {CHANNELS} channels", lines, ("receipt's gasUsed / 10; gas is exact, so no rounds.",))


def _lines(folder: Path) -> tuple[Line, ...]:
    lines = []
    with anvil_node(folder / "anvil.log") as url, Anvil(url) as anvil:
        place_brake(anvil)
        chain = LocalChain(url, anvil, deploy(anvil, find_artifacts(CONTRACTS / "artifacts", None), plan()))
        for way in WAYS:
            gas = gas_of_second_claim(chain, way)
            ask, met = (f"<= {MOST_GAS_A_CHANNEL:,}", gas <= MOST_GAS_A_CHANNEL) if way == ASKED else ("", None)
            lines.append(Line(way, f"{gas:,} gas a channel", ask, met))
    return tuple(lines)
