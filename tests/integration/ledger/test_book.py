"""Posting, transfer by transfer: what stands, what is refused, and that a refusal leaves nothing."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import errors

from kit.ids import uuid7
from kit.ledger.book import (
    BelowFloor,
    Leg,
    Posted,
    Transfer,
    UnequalReplay,
    UnknownAccount,
    balance,
    open_account,
    open_asset,
    post,
)
from tests.integration.ledger.accounts import Accounts, debits_equal_credits, stored_balances, stored_legs

Connection = psycopg.Connection[Any]


def test_posts_legs_and_balances(connection: Connection, accounts: Accounts) -> None:
    a = accounts
    first, second = a.move(a.source, a.sink, 70), a.transfer((a.sink, -30), (a.floored, 10), (a.overdraft, 20))
    assert post(connection, [first, second]) == [Posted.NEW, Posted.NEW]
    assert stored_legs(connection, a.tenant) == {
        first.transfer_id: [(a.source, -70), (a.sink, 70)],
        second.transfer_id: [(a.sink, -30), (a.floored, 10), (a.overdraft, 20)],
    }
    assert [balance(connection, a.tenant, account) for account in a.all] == [-70, 40, 10, 20, 0]


def test_nothing_posts_nothing(connection: Connection) -> None:
    assert post(connection, []) == []


def test_amounts_up_to_uint128(connection: Connection, accounts: Accounts) -> None:
    a, most = accounts, (1 << 128) - 1
    assert post(connection, [a.move(a.source, a.sink, most)]) == [Posted.NEW]
    assert balance(connection, a.tenant, a.sink) == most


def test_the_same_again_is_a_replay_and_moves_nothing(connection: Connection, accounts: Accounts) -> None:
    a = accounts
    transfer = a.move(a.source, a.sink, 5)
    assert post(connection, [transfer]) == [Posted.NEW]
    assert post(connection, [a.move(a.source, a.floored, 1), transfer]) == [Posted.NEW, Posted.REPLAY]
    assert stored_balances(connection, a.tenant) == {a.source: -6, a.sink: 5, a.floored: 1}


def test_the_same_twice_in_one_batch(connection: Connection, accounts: Accounts) -> None:
    a = accounts
    transfer = a.move(a.source, a.sink, 5)
    assert post(connection, [transfer, transfer]) == [Posted.NEW, Posted.REPLAY]
    assert stored_balances(connection, a.tenant) == {a.source: -5, a.sink: 5}


def unequal(a: Accounts) -> dict[str, tuple[tuple[int, int], ...]]:
    """Other legs than source -5, sink +5."""
    return {
        "other amount": ((a.source, -6), (a.sink, 6)),
        "other account": ((a.source, -5), (a.floored, 5)),
        "other order": ((a.sink, 5), (a.source, -5)),
        "more legs": ((a.source, -5), (a.sink, 4), (a.floored, 1)),
        "more legs, the first ones equal": ((a.source, -5), (a.sink, 5), (a.source, -1), (a.sink, 1)),
        "turned round": ((a.source, 5), (a.sink, -5)),
    }


@pytest.mark.parametrize("how", unequal(Accounts(0, 0, 1, 2, 3, 4, 5)))
@pytest.mark.parametrize("together", [False, True])
def test_a_transfer_id_with_other_legs_is_refused_whole(
    connection: Connection, accounts: Accounts, how: str, together: bool
) -> None:
    a = accounts
    transfer = a.move(a.source, a.sink, 5)
    other = a.transfer(*unequal(a)[how], transfer_id=transfer.transfer_id)
    neighbour = a.move(a.source, a.sink, 1)
    if not together:
        post(connection, [transfer])
    before = stored_legs(connection, a.tenant), stored_balances(connection, a.tenant)
    with pytest.raises(UnequalReplay), connection.transaction():
        post(connection, [transfer, neighbour, other] if together else [neighbour, other])
    assert (stored_legs(connection, a.tenant), stored_balances(connection, a.tenant)) == before
    assert debits_equal_credits(connection)


def test_fewer_legs_are_unequal_too(connection: Connection, accounts: Accounts) -> None:
    a = accounts
    whole = a.transfer((a.source, -5), (a.sink, 5), (a.source, -1), (a.sink, 1))
    post(connection, [whole])
    with pytest.raises(UnequalReplay), connection.transaction():
        post(connection, [a.move(a.source, a.sink, 5, whole.transfer_id)])


def test_the_same_id_of_another_tenant_is_another_transfer(connection: Connection, accounts: Accounts) -> None:
    a, other = accounts, accounts.tenant + 1
    x = open_account(connection, other, "test", "x", a.asset)
    y = open_account(connection, other, "test", "y", a.asset)
    transfer = a.move(a.source, a.sink, 5)
    theirs = Transfer(other, transfer.transfer_id, a.asset, (Leg(x, -7), Leg(y, 7)))
    assert post(connection, [transfer, theirs]) == [Posted.NEW, Posted.NEW]
    assert stored_balances(connection, other) == {x: -7, y: 7}


@pytest.mark.parametrize("amount", [51, 1 << 127])
def test_below_its_floor_no_account_goes(connection: Connection, accounts: Accounts, amount: int) -> None:
    a = accounts
    with pytest.raises(BelowFloor), connection.transaction():
        post(connection, [a.move(a.source, a.sink, 3), a.move(a.overdraft, a.sink, amount)])
    assert stored_legs(connection, a.tenant) == {}
    assert stored_balances(connection, a.tenant) == {}


def test_down_to_its_floor_it_may(connection: Connection, accounts: Accounts) -> None:
    a = accounts
    post(connection, [a.move(a.overdraft, a.floored, 50)])
    post(connection, [a.move(a.floored, a.sink, 50)])
    assert stored_balances(connection, a.tenant) == {a.overdraft: -50, a.sink: 50}
    with pytest.raises(BelowFloor), connection.transaction():
        post(connection, [a.move(a.floored, a.sink, 1)])


def test_a_batch_is_judged_by_its_sum(connection: Connection, accounts: Accounts) -> None:
    """One statement, one balance row: what comes in with the batch can go out with it."""
    a = accounts
    post(connection, [a.move(a.floored, a.sink, 5), a.move(a.source, a.floored, 5)])
    assert stored_balances(connection, a.tenant) == {a.source: -5, a.sink: 5}


def test_a_balance_held_elsewhere_is_not_moved_here(connection: Connection, accounts: Accounts) -> None:
    a = accounts
    post(connection, [a.move(a.source, a.elsewhere, 5)], held_elsewhere=[a.elsewhere])
    assert stored_balances(connection, a.tenant) == {a.source: -5}
    assert len(stored_legs(connection, a.tenant)) == 1


def test_shards_sum_up_and_a_floored_account_has_one(connection: Connection, accounts: Accounts) -> None:
    a = accounts
    for shard in (0, 3, 31, 3):
        post(connection, [a.move(a.source, a.floored, 2)], shard=shard)
    rows = connection.execute(
        "SELECT account_id, shard, balance FROM ledger_balances WHERE tenant_id = %s AND balance <> 0 ORDER BY 1, 2",
        [a.tenant],
    ).fetchall()
    assert [(account, shard, int(amount)) for account, shard, amount in rows] == [
        (a.source, 0, -2),
        (a.source, 3, -4),
        (a.source, 31, -2),
        (a.floored, 0, 8),
    ]
    assert balance(connection, a.tenant, a.source) == -8


def test_accounts_that_are_not_there(connection: Connection, accounts: Accounts) -> None:
    a = accounts
    nowhere = max(a.all) + 1000
    with pytest.raises(UnknownAccount), connection.transaction():
        post(connection, [a.move(a.source, nowhere, 5)])
    assert stored_legs(connection, a.tenant) == {}


def test_an_account_of_another_tenant(connection: Connection, accounts: Accounts) -> None:
    a = accounts
    foreign = open_account(connection, a.tenant + 1, "test", "foreign", a.asset)
    with pytest.raises(UnknownAccount), connection.transaction():
        post(connection, [a.move(a.source, foreign, 5)])


def test_an_account_of_another_asset(connection: Connection, accounts: Accounts) -> None:
    a = accounts
    other = open_asset(connection, chain_id=1, address=b"\x02" * 20, symbol="EURC", decimals=6).asset_id
    euros = open_account(connection, a.tenant, "test", "euros", other)
    with pytest.raises(UnknownAccount), connection.transaction():
        post(connection, [a.move(a.source, euros, 5)])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_legs SET amount = amount + 1",
        "UPDATE ledger_legs SET account_id = 1 WHERE false",
        "DELETE FROM ledger_legs",
        "DELETE FROM ledger_legs WHERE false",
        "TRUNCATE ledger_legs",
        "TRUNCATE ledger_legs, audit_leaves",
        "DELETE FROM audit_leaves",
        "TRUNCATE audit_leaves",
        "UPDATE audit_leaves SET leaf_hash = sha256('')",
        "UPDATE audit_leaves SET kind = 'other'",
        "UPDATE audit_leaves SET created_at = now()",
    ],
)
def test_legs_and_leaves_are_append_only(connection: Connection, accounts: Accounts, change: str) -> None:
    post(connection, [accounts.move(accounts.source, accounts.sink, 5)])
    with pytest.raises(errors.IntegrityConstraintViolation, match="append-only"):
        connection.execute(change.encode())


def test_a_leg_of_zero_is_refused_by_the_table_too(connection: Connection, accounts: Accounts) -> None:
    with pytest.raises(errors.CheckViolation):
        connection.execute(
            "INSERT INTO ledger_legs VALUES (%s, %s, 0, %s, %s, 0)",
            [accounts.tenant, uuid7(), accounts.source, accounts.asset],
        )


def test_accounts_open_once(connection: Connection, accounts: Accounts) -> None:
    a = accounts
    assert open_account(connection, a.tenant, "test", "floored", a.asset, 0) == a.floored
    assert open_account(connection, a.tenant, "test", "floored", a.asset, -99) == a.floored
    with pytest.raises(BelowFloor), connection.transaction():
        post(connection, [a.move(a.floored, a.sink, 1)])
    assert open_account(connection, a.tenant, "other", "floored", a.asset) != a.floored


def test_an_asset_keeps_its_decimals(connection: Connection) -> None:
    made = open_asset(connection, chain_id=7, address=b"\x07" * 20, symbol="A", decimals=18)
    assert open_asset(connection, chain_id=7, address=b"\x07" * 20, symbol="B", decimals=18) == made
    with pytest.raises(ValueError, match="18 decimals, not 6"):
        open_asset(connection, chain_id=7, address=b"\x07" * 20, symbol="B", decimals=6)


def test_finding_an_asset_uses_up_no_number(connection: Connection) -> None:
    """Asset numbers are small: looking one up a few ten thousand times must not be the end of them."""
    first = open_asset(connection, chain_id=8, address=b"\x01" * 20, symbol="A", decimals=6)
    for _ in range(5):
        open_asset(connection, chain_id=8, address=b"\x01" * 20, symbol="A", decimals=6)
    second = open_asset(connection, chain_id=8, address=b"\x02" * 20, symbol="B", decimals=6)
    assert second.asset_id == first.asset_id + 1
