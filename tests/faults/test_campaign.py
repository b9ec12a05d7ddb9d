"""Kill -9 of every part at random points under load: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults import campaign
from tests.faults.plan import plan
from tests.faults.world import world

KILLS = 20
BATCHES = 10
SEED = "LOCKGATE_FAULT_SEED"


def _seeds() -> list[object]:
    given = os.environ.get(SEED)
    if given is not None:
        return [int(given)]
    rest = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, BATCHES + 1)]
    return [1, *rest]


@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", _seeds())
def test_no_kill_loses_or_doubles_a_payment(run_dirs: Path, seed: int) -> None:
    """Twenty kills on one stack.

    Defects that make it fail: commits that are not awaited (synchronous_commit off: acknowledged and gone); a voucher
    sent again that is not recognised as the one that stands (refused); API workers that outlive their parent (it
    does not come back).
    """
    kills = plan(seed, KILLS)
    print(f"replay: {SEED}={seed} make faults ARGS='-k test_no_kill'", *kills, sep="\n", flush=True)
    with world(run_dirs / f"campaign-{seed}") as hurt:
        campaign.run(hurt, seed, kills)
