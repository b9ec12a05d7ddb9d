"""What the contracts cost: gasUsed of real receipts, beside the figures that were committed last.

The committed ones are in gas.json; `--write` puts the new ones there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from kit.chain.anvil import Anvil
from kit.chain.artifacts import Artifacts, find_artifacts
from kit.chain.deploy import deploy
from kit.stack.paths import CONTRACTS
from tests.benchmarks.figures import Chapter, Line
from tests.benchmarks.options import Options
from tests.integration.contracts.conftest import LocalChain, anvil_node, plan
from tests.integration.contracts.test_claim_gas import CHANNELS, MOST_GAS_A_CHANNEL, gas_of_second_claim
from tests.integration.contracts.test_quorum_gas import (
    MOST_GAS_A_FURTHER_VALIDATOR,
    MOST_GAS_AT_SEVEN,
    SIZES,
    gas_by_size,
)
from tests.support.brake import place_brake
from tests.system.theft.gas import MOST_CERTIFIED, MOST_UNCERTIFIED, TransferGas, transfer_gas

COMMITTED = Path(__file__).with_name("gas.json")
PAIRING_FLOOR = 102_900
CLAIMS = {
    "claim by the key itself": MOST_GAS_A_CHANNEL,
    "claim through the receiver-authorizer": None,
    "claimWithSignature of a key": None,
    "claimWithSignature of the receiver-authorizer": None,
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Gas, and the most that was asked for."""

    gas: int
    most: int | None = None


def run(options: Options) -> list[Chapter]:
    artifacts = find_artifacts(CONTRACTS / "artifacts", None)
    folder = Path(mkdtemp(prefix="lockgate-bench-"))
    try:
        costs = {
            f"claim of {CHANNELS} channels, a channel": _claims(folder, artifacts),
            "verification of a certificate": _certificates(folder, artifacts),
            "guarded transfer, above a plain Safe's": _transfers(folder, artifacts),
        }
    finally:
        shutil.rmtree(folder)
    before: dict[str, int] = json.loads(COMMITTED.read_text()) if COMMITTED.is_file() else {}
    if options.write:
        after = {what: cost.gas for lines in costs.values() for what, cost in lines.items()}
        COMMITTED.write_text(json.dumps(after, indent=2) + "\n")
    note = "receipts' gasUsed; gas is exact, so no rounds. In brackets what the last commit says."
    return [Chapter(title, _lines(lines, before), (note,)) for title, lines in costs.items()]


def _lines(costs: Mapping[str, Cost], before: Mapping[str, int]) -> tuple[Line, ...]:
    return tuple(_line(what, cost, before.get(what)) for what, cost in costs.items())


def _line(what: str, cost: Cost, before: int | None) -> Line:
    changed = "new" if before is None else "unchanged" if before == cost.gas else f"{cost.gas - before:+,}"
    figure = f"{cost.gas:,} gas ({changed})"
    if cost.most is None:
        return Line(what, figure)
    return Line(what, figure, f"<= {cost.most:,}", cost.gas <= cost.most)


def _claims(folder: Path, artifacts: Artifacts) -> dict[str, Cost]:
    with anvil_node(folder / "claims.log") as url, Anvil(url) as anvil:
        place_brake(anvil)
        chain = LocalChain(url, anvil, deploy(anvil, artifacts, plan()))
        return {way: Cost(gas_of_second_claim(chain, way), most) for way, most in CLAIMS.items()}


def _certificates(folder: Path, artifacts: Artifacts) -> dict[str, Cost]:
    with anvil_node(folder / "certificates.log") as url, Anvil(url) as anvil:
        gas = gas_by_size(anvil, artifacts)
    costs = {f"certificate of a quorum of N = {size}": Cost(gas[size]) for size in SIZES}
    costs["certificate of a quorum of N = 7"] = Cost(gas[7], MOST_GAS_AT_SEVEN)
    further = -(-(gas[SIZES[-1]] - gas[SIZES[0]]) // (SIZES[-1] - SIZES[0]))
    costs["each further validator"] = Cost(further, MOST_GAS_A_FURTHER_VALIDATOR)
    costs["of it the pairing itself (EIP-2537)"] = Cost(PAIRING_FLOOR)
    return costs


def _transfers(folder: Path, artifacts: Artifacts) -> dict[str, Cost]:
    with anvil_node(folder / "transfers.log") as url, Anvil(url) as anvil:
        gas: TransferGas = transfer_gas(anvil, artifacts)
    return {
        "plain Safe, two of three owners": Cost(gas.plain),
        "uncertified, inside the bucket": Cost(gas.uncertified - gas.plain, MOST_UNCERTIFIED),
        "certified by a quorum of 7": Cost(gas.certified - gas.plain, MOST_CERTIFIED),
    }
