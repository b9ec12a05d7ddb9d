"""UUIDv7: ordered within a process, whatever its clock and threads do."""

from __future__ import annotations

import os
import threading
import time
from uuid import RFC_4122, UUID

import pytest

from kit.ids import Uuid7Source, made_at_millis, uuid7, uuid7s


def test_is_a_uuid_of_version_7_made_now() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    assert (made.version, made.variant) == (7, RFC_4122)
    # The counter may borrow a few milliseconds from the future, never from the past.
    assert before <= made_at_millis(made) <= time.time_ns() // 1_000_000 + 1000


def test_many_are_in_order_and_distinct() -> None:
    made = uuid7s(20_000)
    assert made == sorted(made)
    assert len(set(made)) == 20_000
    assert all(each.version == 7 and each.variant == RFC_4122 for each in made)
    assert uuid7s(0) == []


class _Interrupted(Uuid7Source):
    """Lets another thread in right after its counter was read, the worst moment there is."""

    def __init__(self) -> None:
        self.held = 0
        super().__init__()

    @property
    def _counter(self) -> int:
        read = self.held
        time.sleep(0)
        return read

    @_counter.setter
    def _counter(self, value: int) -> None:
        self.held = value


def test_threads_never_see_one_go_back() -> None:
    """And no two ids share time and counter, however the threads are interleaved."""
    source = _Interrupted()
    made: list[list[UUID]] = [[] for _ in range(8)]
    ready = threading.Barrier(8)

    def run(mine: list[UUID]) -> None:
        ready.wait()
        for _ in range(500):
            mine.append(source.next())

    threads = [threading.Thread(target=run, args=(each,)) for each in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(mine == sorted(mine) for mine in made)
    assert len({each.int >> 64 for mine in made for each in mine}) == 4_000


def test_a_clock_that_goes_back_or_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([5_000, 5_000, 4_000, 1, 5_001, 5_000])
    monkeypatch.setattr("kit.ids.time.time_ns", lambda: next(clock) * 1_000_000)
    source = Uuid7Source()
    made = [source.next() for _ in range(6)]
    assert made == sorted(made)
    assert [made_at_millis(each) for each in made] == [5_000, 5_000, 5_000, 5_000, 5_001, 5_001]


def test_a_full_millisecond_borrows_from_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit.ids.time.time_ns", lambda: 5_000 * 1_000_000)
    made = Uuid7Source().many(4096 * 2 + 1)
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert made_at_millis(made[-1]) == 5_002


def test_the_low_bits_are_random(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes at the same millisecond must not make the same ids."""
    monkeypatch.setattr("kit.ids.time.time_ns", lambda: 5_000 * 1_000_000)
    assert not {*Uuid7Source().many(100)} & {*Uuid7Source().many(100)}


def test_a_forked_child_draws_other_noise_than_its_parent() -> None:
    source = Uuid7Source()
    source.next()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"".join(identifier.bytes[8:] for identifier in source.many(50)))
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(reader, 50 * 8)
    os.close(reader)
    os.close(writer)
    theirs = {told[at : at + 8] for at in range(0, len(told), 8)}
    ours = {identifier.bytes[8:] for identifier in source.many(50)}
    assert len(theirs) == 50
    assert not theirs & ours
