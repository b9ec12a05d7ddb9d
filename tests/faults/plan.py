"""What a campaign does, fixed by its seed: which victim is struck at which moment."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.acknowledged import Acknowledged
from tests.faults.victims import LATE, VICTIMS
from tests.faults.world import World

ANSWERS_MOST = 80
POINT_SECONDS = 4.0
POINT_POLL_SECONDS = 0.001

_LEASED = "EXISTS (SELECT FROM work_leases WHERE name = '{}' AND leased_until > now())"
_STATE = "EXISTS (SELECT FROM chain_transactions WHERE state = {})"
POINTS: Mapping[str, str] = {
    "a batch of payments is being written": """EXISTS (SELECT FROM pg_stat_activity
        WHERE state = 'active' AND query LIKE '-- One statement, one fsync, many payments.%'
        AND pid <> pg_backend_pid())""",
    "a transaction is asked for": _STATE.format(1),
    "a transaction is signed and not sent": _STATE.format(2),
    "a transaction is sent and not mined": _STATE.format(3),
    "a claim is under way": "EXISTS (SELECT FROM claim_rows JOIN chain_transactions USING (transaction_id)"
    " WHERE state IN (1, 2, 3))",
    "a deposit or transfer is under way": "EXISTS (SELECT FROM x402_settlements JOIN chain_transactions"
    " USING (transaction_id) WHERE state IN (1, 2, 3))",
    "the chain is being followed": _LEASED.format("follow_chain"),
    "claims are being made": _LEASED.format("claim_due"),
    "the lane is being tended": _LEASED.format("push_transactions"),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """After so many more answers, then, if `point` is given, as soon as the database shows it."""

    answers: int
    point: str | None

    def __str__(self) -> str:
        return f"after {self.answers} answers" + (f", when {self.point}" if self.point else "")

    def wait(self, world: World, model: Acknowledged) -> bool:
        """Whether the moment came; a point that does not show itself in time is passed over."""
        assert model.await_count(model.count + self.answers, 60), "no payments are made"
        if self.point is None:
            return True
        query = f"SELECT {POINTS[self.point]}".encode()
        deadline = time.monotonic() + POINT_SECONDS
        with world.database() as connection:
            connection.prepare_threshold = 0
            while time.monotonic() < deadline:
                found = connection.execute(query).fetchone()
                if found is not None and found[0]:
                    return True
                time.sleep(POINT_POLL_SECONDS)
        return False


@dataclass(frozen=True, slots=True)
class Kill:
    number: int
    victim: str
    moment: Moment
    seed: str

    def __str__(self) -> str:
        return f"kill {self.number}: {self.victim} {self.moment}"


def plan(seed: int, kills: int, late: int = 2) -> list[Kill]:
    """So many kills, every victim about equally often, in random order at random moments; between them the chain is
    late a few times, which is no kill.
    """
    rng = random.Random(f"plan {seed}")  # noqa: S311 - repeatable is what is wanted
    names = list(VICTIMS)
    rng.shuffle(names)
    victims = [names[number % len(names)] for number in range(kills)] + [LATE] * late
    rng.shuffle(victims)
    made = []
    for number, victim in enumerate(victims, 1):
        point = rng.choice(sorted(POINTS)) if rng.random() < 0.7 else None
        made.append(Kill(number, victim, Moment(rng.randint(1, ANSWERS_MOST), point), f"{seed} kill {number}"))
    return made
