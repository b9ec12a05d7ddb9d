"""One campaign: load, kills from a plan, and after each kill proof that nothing acknowledged is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from kit.stack.health import http_answers
from kit.stack.parts import NotReadyError
from tests.faults import checks
from tests.faults.acknowledged import Acknowledged
from tests.faults.loader import Load
from tests.faults.plan import Kill
from tests.faults.victims import FAULTS
from tests.faults.waiting import eventually
from tests.faults.world import World

RECOVERY_SECONDS = 30.0
LAST_ANSWERS = 20
PARTS = ("postgres", "valkey", "anvil", "rpc", "worker", "beat", "api")


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a kill went; times in seconds since it."""

    kill: Kill
    at_its_point: bool
    mended: float
    paid: float
    whole: float

    def __str__(self) -> str:
        missed = "" if self.at_its_point else " (the point did not show)"
        times = f"mended {self.mended:.1f} s, paid {self.paid:.1f} s, whole {self.whole:.1f} s"
        return f"{self.kill}{missed}: {times}"


def strike(world: World, load: Load, kill: Kill) -> Recovery:
    """One kill and its recovery. Raises AssertionError when something is lost or stays down."""
    model, victim = load.model, FAULTS[kill.victim]
    rng = random.Random(kill.seed)  # noqa: S311 - repeatable is what is wanted
    at_its_point = kill.moment.wait(world, model)
    others = {name: world.stack.part(name).pid for name in PARTS if name != victim.part}
    before = model.snapshot()
    struck = time.monotonic()
    victim.strike(world, rng)
    victim.mend(world, rng, model)
    mended = time.monotonic() - struck
    load.await_progress(1, RECOVERY_SECONDS)
    paid = time.monotonic() - struck
    checks.nothing_acknowledged_is_missing(world, before)
    eventually(lambda: _ready(world), "the API is ready")
    http = world.http()
    checks.the_api_shows(http, before[-LAST_ANSWERS:])
    http.close()
    mended_at = time.monotonic()
    eventually(
        lambda: world.mirror_age() < time.monotonic() - mended_at,
        "the deferred work goes on: the chain is followed",
        RECOVERY_SECONDS,
        0.1,
    )
    now = {name: world.stack.part(name).pid for name in PARTS if name != victim.part}
    assert now == others, "another part was restarted"
    return Recovery(kill, at_its_point, mended, paid, time.monotonic() - struck)


def run(world: World, seed: int, kills: Sequence[Kill]) -> list[Recovery]:
    """The whole campaign; ends with every invariant checked."""
    model = Acknowledged()
    recoveries: list[Recovery] = []
    with Load(world, model, seed) as load:
        for kill in kills:
            recoveries.append(strike(world, load, kill))
            print(recoveries[-1], flush=True)
            load.check()
        load.finish()
    print(
        f"{len(model.payments)} payments and {len(model.exact)} transfers acknowledged,"
        f" {model.unknown} requests sent again",
        flush=True,
    )
    checks.everything(world, model, seed)
    return recoveries


def _ready(world: World) -> bool:
    try:
        http_answers(world.url, "/readyz")()
    except NotReadyError:
        return False
    return True
