"""Leases: one holder, later holders have higher fences, and a lost lease commits nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from psycopg_pool import ConnectionPool

from kit.work import heartbeat
from kit.work.leases import Lease, LeaseLost, confirm, leased, release, take
from tests.integration.chain.parts import wait_until


def test_of_many_one_gets_it(pool: ConnectionPool) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: take(pool, "job", 60), range(16)))
    assert len([lease for lease in found if lease is not None]) == 1


def test_a_later_holder_has_a_higher_fence_and_the_earlier_cannot_commit(pool: ConnectionPool) -> None:
    first = take(pool, "job", 0.1)
    assert first is not None
    taken: list[Lease] = []

    def taken_over() -> bool:
        lease = take(pool, "job", 60)
        if lease is not None:
            taken.append(lease)
        return bool(taken)

    wait_until(taken_over, "the lease ran out")
    (second,) = taken
    assert second.fence > first.fence
    with pytest.raises(LeaseLost), pool.connection() as connection:
        connection.execute("INSERT INTO work_heartbeats VALUES (0, 'x', now(), 'late')")
        confirm(connection, first)
    with pool.connection() as connection:
        assert heartbeat.age(connection, "x") is None
        confirm(connection, second)
    release(pool, first)
    assert take(pool, "job", 60) is None, "an old holder cannot give away what it has lost"


def test_a_block_gives_it_back_also_after_an_error(pool: ConnectionPool) -> None:
    with pytest.raises(RuntimeError), leased(pool, "job", 60) as lease:
        assert lease is not None
        raise RuntimeError
    with leased(pool, "job", 60) as lease, leased(pool, "job", 60) as other:
        assert lease is not None and other is None
