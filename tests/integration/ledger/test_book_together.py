"""Many writers at once: nothing lost, nothing doubled, no floor broken, nobody deadlocked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg

from kit.database.pool import connect
from kit.ledger.book import BelowFloor, Posted, Transfer, balance, post
from tests.integration.ledger.accounts import Accounts, debits_equal_credits, stored_balances, stored_legs

WRITERS = 6


def together(url: str, work: Callable[[psycopg.Connection[Any], int], None]) -> None:
    """Run `work` in WRITERS threads from one start; what one of them raises fails the test."""
    ready = threading.Barrier(WRITERS)
    failures: list[BaseException] = []

    def run(number: int) -> None:
        with connect(url, autocommit=True) as connection:
            ready.wait()
            try:
                work(connection, number)
            except BaseException as error:
                failures.append(error)
                raise

    threads = [threading.Thread(target=run, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures, failures


def test_hot_accounts(gateway_database_url: str, accounts: Accounts, connection: psycopg.Connection[Any]) -> None:
    a = accounts

    def work(mine: psycopg.Connection[Any], number: int) -> None:
        for _ in range(40):
            batch = [a.move(a.source, a.sink, 1) for _ in range(5)]
            assert post(mine, batch, shard=number) == [Posted.NEW] * 5

    together(gateway_database_url, work)
    assert stored_balances(connection, a.tenant) == {a.source: -WRITERS * 200, a.sink: WRITERS * 200}
    assert len(stored_legs(connection, a.tenant)) == WRITERS * 200


def test_one_shard_for_all_is_slower_but_right(
    gateway_database_url: str, accounts: Accounts, connection: psycopg.Connection[Any]
) -> None:
    a = accounts

    def work(mine: psycopg.Connection[Any], number: int) -> None:
        for _ in range(25):
            pairs = [(a.source, a.sink), (a.sink, a.source)]
            batch = [a.move(*pairs[(number + turn) % 2], 1 + turn) for turn in range(4)]
            post(mine, batch)

    together(gateway_database_url, work)
    totals: dict[int, int] = {}
    for legs in stored_legs(connection, a.tenant).values():
        for account, amount in legs:
            totals[account] = totals.get(account, 0) + amount
    assert stored_balances(connection, a.tenant) == {key: value for key, value in totals.items() if value}


def test_one_floored_account_is_emptied_once(
    gateway_database_url: str, accounts: Accounts, connection: psycopg.Connection[Any]
) -> None:
    a = accounts
    post(connection, [a.move(a.source, a.floored, 100)])
    taken: list[int] = []
    refused: list[int] = []

    def work(mine: psycopg.Connection[Any], number: int) -> None:
        for turn in range(40):
            amount = 1 + (number + turn) % 3
            try:
                post(mine, [a.move(a.floored, a.sink, amount)], shard=number)
                taken.append(amount)
            except BelowFloor:
                refused.append(amount)

    together(gateway_database_url, work)
    left = balance(connection, a.tenant, a.floored)
    assert left == 100 - sum(taken)
    assert 0 <= left < 3
    assert refused
    assert len(stored_legs(connection, a.tenant)) == 1 + len(taken)


def test_several_floored_accounts_in_any_order(
    gateway_database_url: str, accounts: Accounts, connection: psycopg.Connection[Any]
) -> None:
    """Two batches that touch the same floored accounts in opposite orders lock them in one order."""
    a = accounts
    post(connection, [a.move(a.source, a.floored, 1000), a.move(a.source, a.overdraft, 1000)])

    def work(mine: psycopg.Connection[Any], number: int) -> None:
        for _ in range(40):
            batch = [
                a.move(a.floored, a.overdraft, 1),
                a.move(a.overdraft, a.sink, 1),
                a.move(a.source, a.floored, 1),
            ]
            post(mine, batch if number % 2 else batch[::-1], shard=number)

    together(gateway_database_url, work)
    assert stored_balances(connection, a.tenant)[a.floored] == 1000
    assert debits_equal_credits(connection)


def test_the_same_transfers_from_everybody(
    gateway_database_url: str, accounts: Accounts, connection: psycopg.Connection[Any]
) -> None:
    a = accounts
    transfers: list[Transfer] = [a.move(a.source, a.sink, 1) for _ in range(60)]
    answers: list[Posted] = []

    def work(mine: psycopg.Connection[Any], number: int) -> None:
        for start in range(0, 60, 6):
            answers.extend(post(mine, transfers[start : start + 6], shard=number))

    together(gateway_database_url, work)
    assert answers.count(Posted.NEW) == 60
    assert answers.count(Posted.REPLAY) == 60 * (WRITERS - 1)
    assert stored_balances(connection, a.tenant) == {a.source: -60, a.sink: 60}
