"""What is killed, and what is started again by hand afterwards: never more than what was killed."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kit.stack.health import postgres_answers
from kit.stack.parts import NotReadyError
from tests.faults.acknowledged import Acknowledged
from tests.faults.waiting import eventually
from tests.faults.world import World
from tests.system.stack.processes import alive, identities

DOWN_ANSWERS_MOST = 40
LATE_MILLIS = (200, 1500)


class Victim(Protocol):
    """Something to kill."""

    @property
    def part(self) -> str:
        """The part whose first process may be another one afterwards."""

    def strike(self, world: World, rng: random.Random) -> None:
        """Kill -9; returns when what was killed is gone."""

    def mend(self, world: World, rng: random.Random, model: Acknowledged) -> None:
        """Start what does not start again by itself."""


@dataclass(frozen=True, slots=True)
class Parent:
    """The first process of a part of ours, alone: its children are orphans, which must not stand in the way."""

    part: str

    def strike(self, world: World, rng: random.Random) -> None:
        running = world.stack.part(self.part)
        pid = running.pid
        assert pid is not None
        orphans = identities(pid)
        running.wanted = False
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not running.alive, f"{self.part} is gone")
        eventually(lambda: not alive(orphans), f"the children of {self.part} end without their parent")

    def mend(self, world: World, rng: random.Random, model: Acknowledged) -> None:
        world.stack.start(self.part)


@dataclass(frozen=True, slots=True)
class Child:
    """One child of a part that replaces its children by itself."""

    part: str

    def strike(self, world: World, rng: random.Random) -> None:
        pids = children_that_work(world, self.part)
        pid = rng.choice(pids)
        parent = world.stack.part(self.part).pid
        assert parent is not None
        before = {one for one in identities(parent) if one[0] == pid}
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not alive(before), f"a child of {self.part} is gone")
        eventually(lambda: len(children_that_work(world, self.part)) >= len(pids), f"{self.part} has a new child")

    def mend(self, world: World, rng: random.Random, model: Acknowledged) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Postmaster:
    """PostgreSQL's first process; its backends notice and end."""

    part: str = "postgres"

    def strike(self, world: World, rng: random.Random) -> None:
        Parent(self.part).strike(world, rng)

    def mend(self, world: World, rng: random.Random, model: Acknowledged) -> None:
        world.stack.start(self.part)


@dataclass(frozen=True, slots=True)
class Backend:
    """One backend that serves the gateway: PostgreSQL ends all of them and recovers by itself."""

    part: str = "postgres"

    def strike(self, world: World, rng: random.Random) -> None:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        pids = sorted(row[0] for row in world.rows(query))
        os.kill(rng.choice(pids), signal.SIGKILL)

    def mend(self, world: World, rng: random.Random, model: Acknowledged) -> None:
        check = postgres_answers(world.stack.env["LOCKGATE_DATABASE_URL"])
        eventually(lambda: _answers(check), "PostgreSQL has recovered")


@dataclass(frozen=True, slots=True)
class Whole:
    """A part with all its processes."""

    part: str

    def strike(self, world: World, rng: random.Random) -> None:
        world.stack.kill(self.part)

    def mend(self, world: World, rng: random.Random, model: Acknowledged) -> None:
        world.stack.start(self.part)


@dataclass(frozen=True, slots=True)
class WayToTheChain:
    """The relay between the services and Anvil: gone while some payments are made."""

    part: str = "rpc"

    def strike(self, world: World, rng: random.Random) -> None:
        world.stack.kill(self.part)

    def mend(self, world: World, rng: random.Random, model: Acknowledged) -> None:
        more = rng.randint(1, DOWN_ANSWERS_MOST)
        assert model.await_count(model.count + more, 20), "payments do not go on without the chain"
        world.stack.start(self.part)


@dataclass(frozen=True, slots=True)
class LateChain:
    """Every answer of the node comes late while some payments are made."""

    part: str = "rpc"

    def strike(self, world: World, rng: random.Random) -> None:
        world.stack.relay_delay_file.write_text(str(rng.randint(*LATE_MILLIS)))

    def mend(self, world: World, rng: random.Random, model: Acknowledged) -> None:
        more = rng.randint(1, DOWN_ANSWERS_MOST)
        try:
            assert model.await_count(model.count + more, 20), "payments do not go on while the chain is late"
        finally:
            world.stack.relay_delay_file.unlink()


VICTIMS: Mapping[str, Victim] = {
    "API worker": Child("api"),
    "API parent": Parent("api"),
    "Celery child": Child("worker"),
    "Celery parent": Parent("worker"),
    "PostgreSQL postmaster": Postmaster(),
    "PostgreSQL backend": Backend(),
    "Valkey": Whole("valkey"),
    "way to the chain": WayToTheChain(),
}
LATE = "late chain"
FAULTS: Mapping[str, Victim] = {**VICTIMS, LATE: LateChain()}


def children_that_work(world: World, part: str) -> list[int]:
    """The children that serve; multiprocessing's own helper processes are none of them."""
    return [pid for pid in world.stack.processes(part)[1:] if "resource_tracker" not in _command(pid)]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return "resource_tracker"


def _answers(check: object) -> bool:
    assert callable(check)
    try:
        check()
    except NotReadyError:
        return False
    return True
