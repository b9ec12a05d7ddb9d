"""Batches of vouchers against the model: outcomes, channels, windows, books and leaves, whatever happens between."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import psycopg
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from psycopg_pool import ConnectionPool

from gateway.merchants.service import issue_key, revoke_key
from gateway.payments.capture import Captures
from gateway.payments.outcomes import CaptureRequest, Outcome
from kit.database.pool import connect
from kit.ids import uuid7
from tests.integration.capture.model import Model, agrees
from tests.integration.capture.stored import (
    check_books,
    check_leaf,
    level_of,
    pass_time,
    payments_of,
    state_of,
)
from tests.support.seed import UNLIMITED, Merchant, SeededChannel, deposit, seed_channel, seed_merchant

WINDOW_MOST = 300
UNIT_SECONDS = 300  # one unit drains in so many seconds
WINDOW_SECONDS = WINDOW_MOST * UNIT_SECONDS


@dataclass(frozen=True, slots=True)
class Order:
    """What to try next on a channel: `kind` says how far it departs from the good voucher of `amount`."""

    channel: int
    kind: str
    amount: int
    pick: int
    key: str | None
    idempotency: int | None


KINDS = ["next"] * 8 + ["again", "again", "other reference", "ahead", "behind", "wrong amount", "stranger", "exposed"]
ORDERS = st.builds(
    Order,
    st.integers(0, 3),
    st.sampled_from(KINDS),
    st.one_of(st.integers(1, 60), st.integers(100, 300)),
    st.integers(0, 30),
    st.sampled_from([None, "first", "second"]),
    st.one_of(st.none(), st.none(), st.integers(0, 5)),
)


class Vouchers(RuleBasedStateMachine):
    connection: ClassVar[psycopg.Connection[Any]]
    captures: ClassVar[Captures]
    runner: ClassVar[asyncio.Runner]

    @initialize()
    def start(self) -> None:
        db = self.connection
        self.merchants: list[Merchant] = [seed_merchant(db), seed_merchant(db)]
        one, two = self.merchants
        shared = f"payer {uuid7()}"
        self.channels: list[SeededChannel] = [
            seed_channel(db, one, payer=shared, credited=400),
            seed_channel(db, one, payer=shared, credited=400, salt=1),
            seed_channel(db, two, payer=shared, credited=400),
            seed_channel(db, one, credited=400),
        ]
        self.model = Model(WINDOW_MOST)
        for channel in self.channels:
            self.model.add(channel, 400)
        self.keys = {(m.merchant_id, "first"): m.key_id for m in self.merchants}
        for m in self.merchants:
            _, self.keys[m.merchant_id, "second"] = issue_key(db, merchant_id=m.merchant_id, label="second")
        self.model.usable_keys = set(self.keys.values())
        self.sent: list[CaptureRequest] = []

    # what merchants and payers do

    def request(self, order: Order, running: dict[int, int]) -> CaptureRequest:
        """The voucher of an order; `running` is what each channel will be charged if all before it are captured."""
        channel = self.channels[order.channel]
        if order.kind in ("again", "other reference") and self.sent:
            earlier = self.sent[order.pick % len(self.sent)]
            if order.kind == "again":
                return replace(earlier, payment_id=uuid7())
            return replace(earlier, payment_id=uuid7(), request_hash=bytes([order.pick]) * 32)
        charged = running.get(channel.channel_no, self.model.channels[channel.channel_no].charged)
        amount, maximum = order.amount, charged + order.amount
        if order.kind == "ahead":
            maximum += 1 + order.pick
        elif order.kind == "behind":
            maximum = max(1, maximum - 1 - order.pick)
        elif order.kind == "wrong amount":
            amount = order.amount + 1
        else:
            running[channel.channel_no] = maximum
        request = channel.request(
            amount,
            maximum,
            idempotency_key=None
            if order.idempotency is None
            else f"{uuid7()}"
            if order.idempotency > 3
            else f"order-{order.idempotency}",
            key_id=None if order.key is None else self.keys[channel.merchant_id, order.key],
            window_most=WINDOW_MOST,
            exposure_most=150 if order.kind == "exposed" else UNLIMITED,
        )
        if order.kind == "stranger":
            request.channel_no += 1_000_000
        return request

    @rule(orders=st.lists(ORDERS, min_size=1, max_size=10))
    def pay(self, orders: list[Order]) -> None:
        running: dict[int, int] = {}
        requests = []
        for order in orders:
            request = self.request(order, running)
            requests.append(request)
            self.sent.append(request)
        results = self.runner.run(self.capture_all(requests))
        expected = [self.model.capture(request) for request in requests]
        for request, outcome, result in zip(requests, expected, results, strict=True):
            assert agrees(self.model, request, outcome, result), f"{outcome.name} expected: {result} of {request}"
            if outcome not in (Outcome.UNKNOWN_CHANNEL, Outcome.KEY_UNUSABLE):
                assert result.credited == self.model.channels[request.channel_no].credited
        self.check_leaves(requests)

    async def capture_all(self, requests: list[CaptureRequest]) -> list[Any]:
        return await asyncio.gather(*self.captures.capture_all(requests))

    def check_leaves(self, requests: list[CaptureRequest]) -> None:
        """Each statement of this call left one leaf over its own captures, in their order."""
        captured = {
            request.payment_id: request
            for request in requests
            if self.model.was_captured(request) == request.payment_id
        }
        batches: dict[Any, list[CaptureRequest]] = {}
        rows = self.connection.execute(
            "SELECT payment_id, batch_id FROM payments WHERE payment_id = ANY (%s)", [list(captured)]
        ).fetchall()
        batch_of = dict(rows)
        for identifier, request in captured.items():
            batches.setdefault(batch_of[identifier], []).append(request)
        for batch_id, members in batches.items():
            check_leaf(self.connection, batch_id, members)

    # what happens around them

    @rule(channel=st.integers(0, 3), amount=st.integers(1, 200))
    def deposits(self, channel: int, amount: int) -> None:
        seeded = self.channels[channel]
        deposit(self.connection, seeded, amount)
        self.model.channels[seeded.channel_no].credited += amount

    @rule(channel=st.integers(0, 3), amount=st.integers(0, 500))
    def withholds(self, channel: int, amount: int) -> None:
        seeded = self.channels[channel]
        self.connection.execute(
            "UPDATE channel_states SET withheld = %s WHERE channel_no = %s", [amount, seeded.channel_no]
        )
        self.model.channels[seeded.channel_no].withheld = amount

    @rule(channel=st.integers(0, 3))
    def claims(self, channel: int) -> None:
        seeded = self.channels[channel]
        self.connection.execute(
            "UPDATE channel_states SET claimed = charged WHERE channel_no = %s", [seeded.channel_no]
        )
        state = self.model.channels[seeded.channel_no]
        state.claimed = state.charged

    @rule(channel=st.integers(0, 3), units=st.one_of(st.integers(1, 40), st.just(2 * WINDOW_MOST)))
    def time_passes(self, channel: int, units: int) -> None:
        seeded = self.channels[channel]
        pass_time(self.connection, seeded, units * UNIT_SECONDS)
        payer = seeded.payer.config.payer
        self.model.levels[payer] = max(0, self.model.levels[payer] - units)

    @rule(merchant=st.integers(0, 1))
    @precondition(lambda self: len(self.sent) > 12)
    def key_is_revoked(self, merchant: int) -> None:
        chosen = self.merchants[merchant].merchant_id
        key = self.keys[chosen, "second"]
        revoke_key(self.connection, merchant_id=chosen, key_id=key)
        self.model.usable_keys.discard(key)

    @rule(merchant=st.integers(0, 1), suspended=st.booleans())
    def merchant_is_suspended(self, merchant: int, suspended: bool) -> None:
        chosen = self.merchants[merchant].merchant_id
        self.connection.execute(
            "UPDATE merchants SET suspended_at = CASE WHEN %s THEN now() END WHERE merchant_id = %s",
            [suspended, chosen],
        )
        for name in ("first", "second"):
            key = self.keys[chosen, name]
            revoked = self.connection.execute(
                "SELECT revoked_at IS NOT NULL FROM api_keys WHERE key_id = %s", [key]
            ).fetchone()
            if suspended or revoked == (True,):
                self.model.usable_keys.discard(key)
            else:
                self.model.usable_keys.add(key)

    # what must be so

    @invariant()
    def channels_are_as_modelled(self) -> None:
        for channel in getattr(self, "channels", []):
            model, state = self.model.channels[channel.channel_no], state_of(self.connection, channel)
            assert (state.credited, state.charged, state.claimed, state.withheld) == (
                model.credited,
                model.charged,
                model.claimed,
                model.withheld,
            )
            assert (state.voucher_max, state.voucher_signature) == (model.charged, model.signature)
            assert state.kept is state.dated is bool(model.payments)
            stored = payments_of(self.connection, channel)
            assert [(p.payment_id, p.amount, p.cumulative, p.request_hash, p.signature) for p in stored] == [
                (p.payment_id, p.amount, p.voucher_max, p.request_hash, p.signature)
                for _, p in sorted(model.payments.items())
            ]
            assert {(p.scheme, p.state, p.payer) for p in stored} <= {(1, 3, channel.payer.config.payer)}

    @invariant()
    def windows_are_as_modelled(self) -> None:
        for channel in getattr(self, "channels", []):
            level = level_of(self.connection, channel, most=WINDOW_MOST, seconds=WINDOW_SECONDS)
            # A test takes a little time, and little drains in it.
            assert abs(level - self.model.levels[channel.payer.config.payer]) < 0.5

    def teardown(self) -> None:
        check_books(self.connection)


def test_vouchers_and_model_agree(gateway_database_url: str, pool: ConnectionPool) -> None:
    with asyncio.Runner() as runner, connect(gateway_database_url, autocommit=True) as connection:
        Vouchers.runner, Vouchers.connection = runner, connection
        Vouchers.captures = Captures(gateway_database_url, pool, window_seconds=WINDOW_SECONDS)
        runner.run(Vouchers.captures.start())
        try:
            Vouchers.TestCase.settings = settings(
                max_examples=60, stateful_step_count=14, deadline=None, phases=[Phase.generate]
            )
            Vouchers.TestCase().runTest()
        finally:
            runner.run(Vouchers.captures.stop())
