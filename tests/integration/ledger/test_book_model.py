"""The book against a model of it in plain Python: any sequence of postings, replays and refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from uuid import UUID

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kit.database.pool import connect
from kit.ledger.book import BelowFloor, Posted, Transfer, UnequalReplay, balance, post
from tests.integration.ledger.accounts import (
    Accounts,
    debits_equal_credits,
    new_accounts,
    stored_balances,
    stored_legs,
)

AMOUNT = st.one_of(st.integers(1, 60), st.sampled_from([1 << 64, (1 << 127) - 1]))
ACCOUNT = st.integers(0, 4)
# (debited account, credited account, amount), or the number of an earlier transfer to send again, or to change.
ORDER = st.one_of(
    st.tuples(st.just("move"), ACCOUNT, ACCOUNT, AMOUNT),
    st.tuples(st.just("move"), ACCOUNT, ACCOUNT, AMOUNT),
    st.tuples(st.just("again"), st.integers(0, 50), ACCOUNT, AMOUNT),
    st.tuples(st.just("changed"), st.integers(0, 50), ACCOUNT, AMOUNT),
)


class Model:
    """What a book is: legs by transfer, balances by account, floors."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self.floors = {accounts.floored: 0, accounts.overdraft: -50}
        self.legs: dict[UUID, list[tuple[int, int]]] = {}

    def balances(self) -> dict[int, int]:
        totals: dict[int, int] = {}
        for account, amount in (leg for legs in self.legs.values() for leg in legs):
            if account != self.accounts.elsewhere:
                totals[account] = totals.get(account, 0) + amount
        return {account: total for account, total in totals.items() if total}

    def post(self, transfers: list[Transfer]) -> list[Posted]:
        """Raises as the book does, and then has changed nothing."""
        before = dict(self.legs)
        answers = []
        try:
            for transfer in transfers:
                legs = [(leg.account_id, leg.amount) for leg in transfer.legs]
                if self.legs.setdefault(transfer.transfer_id, legs) is legs:
                    answers.append(Posted.NEW)
                elif self.legs[transfer.transfer_id] == legs:
                    answers.append(Posted.REPLAY)
                else:
                    raise UnequalReplay
            balances = self.balances()
            if any(balances.get(account, 0) < floor for account, floor in self.floors.items()):
                raise BelowFloor
        except (UnequalReplay, BelowFloor):
            self.legs = before
            raise
        return answers


class Book(RuleBasedStateMachine):
    connection: ClassVar[psycopg.Connection[Any]]

    @initialize()
    def start(self) -> None:
        self.accounts = new_accounts(self.connection)
        self.model = Model(self.accounts)
        self.sent: list[Transfer] = []

    def transfer(self, order: tuple[str, int, int, int]) -> Transfer:
        kind, first, second, amount = order
        accounts = self.accounts.all
        if kind == "move" or not self.sent:
            return self.accounts.move(accounts[first % 5], accounts[second], amount)
        earlier = self.sent[first % len(self.sent)]
        if kind == "again":
            return earlier
        return self.accounts.move(accounts[second], accounts[(second + 1) % 5], amount, earlier.transfer_id)

    @rule(orders=st.lists(ORDER, min_size=1, max_size=6), shard=st.integers(0, 2))
    def posts(self, orders: list[tuple[str, int, int, int]], shard: int) -> None:
        transfers = [self.transfer(order) for order in orders]
        self.sent += transfers
        with self.same_refusal_as_the_model(transfers) as expected:
            answers = post(self.connection, transfers, shard=shard, held_elsewhere=[self.accounts.elsewhere])
            assert answers == expected

    @contextmanager
    def same_refusal_as_the_model(self, transfers: list[Transfer]) -> Iterator[list[Posted] | None]:
        try:
            expected: list[Posted] | None = self.model.post(transfers)
        except (UnequalReplay, BelowFloor):
            # Both faults at once: the model names the first that it meets, the book may name the other.
            with pytest.raises((UnequalReplay, BelowFloor)):
                yield None
        else:
            yield expected

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        tenant = self.accounts.tenant
        assert stored_legs(self.connection, tenant) == self.model.legs
        assert stored_balances(self.connection, tenant) == self.model.balances()

    def teardown(self) -> None:
        if hasattr(self, "model"):
            assert debits_equal_credits(self.connection)
            for account in self.accounts.all:
                expected = self.model.balances().get(account, 0)
                assert balance(self.connection, self.accounts.tenant, account) == expected


def test_book_and_model_agree(gateway_database_url: str) -> None:
    with connect(gateway_database_url, autocommit=True) as Book.connection:
        Book.TestCase.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
        Book.TestCase().runTest()
