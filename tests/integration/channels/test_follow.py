"""The book follows the chain: every event, whoever sent it, and every event taken back when its block goes."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from gateway.channels.chain_events import ChannelEvents
from gateway.channels.service import apply_receipt
from kit.chain.follower import Follower, ReorgTooDeep, find_mirror
from kit.chain.guard import ChainMismatch
from kit.chain.rpc import Block, Log, Rpc, RpcUnavailable
from tests.integration.chain.parts import CHAIN_ID, Node, account, node, proxy
from tests.integration.channels.world import World, build


def test_a_channels_whole_life(world: World) -> None:
    channel = world.channel()
    world.deposit(channel, 1_000)
    world.follow()
    assert world.numbers(channel) == (1_000, 0, 0, 0)
    world.charge(channel, 300)
    world.claim((channel, 300))
    world.follow()
    assert world.numbers(channel) == (1_000, 300, 300, 0)
    world.settle()
    world.follow()
    assert world.numbers(channel) == (1_000, 300, 300, 300)
    world.refund(channel, 200, 0)
    world.follow()
    assert world.numbers(channel) == (800, 300, 300, 300)
    assert world.state(channel)["refund_nonce"] == 1
    assert world.balances() == {
        "escrow": -500, "channel": 500, "captured": 0, "claimed": 0, "treasury": -300, "settled": 300,
    }  # fmt: skip


def test_a_withdrawal_is_withheld_and_then_gone(world: World) -> None:
    channel = world.channel()
    world.deposit(channel, 1_000)
    world.initiate_withdraw(channel, 400)
    world.follow()
    state = world.state(channel)
    assert (state["withheld"], state["withdraw_amount"]) == (400, 400)
    head = world.rpc.block("latest")
    assert head is not None and abs(state["withdraw_requested_at"] - head.time) < 60
    world.node.anvil.request("evm_increaseTime", 3601)
    world.finalize_withdraw(channel)
    world.follow()
    state = world.state(channel)
    assert (state["credited"], state["withheld"], state["withdraw_requested_at"]) == (600, 0, 0)


def test_a_drained_channel_that_is_funded_again_goes_on(world: World) -> None:
    """A8."""
    channel = world.channel()
    world.deposit(channel, 500)
    world.claim((channel, 100))
    world.refund(channel, 400, 0)
    world.follow()
    assert world.numbers(channel)[:3] == (100, 100, 100)
    world.deposit(channel, 700)
    world.follow()
    assert world.numbers(channel)[:3] == (800, 100, 100)
    emptied = world.channel()
    world.deposit(emptied, 50)
    world.refund(emptied, 50, 0)
    world.deposit(emptied, 60)
    world.follow()
    assert world.numbers(emptied)[:3] == (60, 0, 0)
    assert len(world.fetch("SELECT 1 FROM channels")) == 2


def test_what_the_merchants_own_server_claims_is_booked_as_a_payment(world: World) -> None:
    channel = world.channel()
    world.deposit(channel, 500)
    world.claim((channel, 120))
    world.claim((channel, 200))
    world.follow()
    assert world.numbers(channel) == (500, 200, 200, 0)
    rows = world.fetch("SELECT scheme, state, amount::int, cumulative::int FROM payments ORDER BY payment_id")
    assert rows == [(3, 3, 120, 120), (3, 3, 80, 200)]


def test_transfers_to_the_receiver_are_payments_settled_when_final(world: World) -> None:
    world.follow()
    world.transfer(25)
    world.transfer(25, to=account("owner 1").address)
    world.follow()
    assert world.fetch("SELECT scheme, state, amount::int FROM payments") == [(2, 3, 25)]
    world.node.mine(3)
    world.follow()
    assert world.fetch("SELECT scheme, state, amount::int FROM payments") == [(2, 4, 25)]
    assert world.balances() == {"treasury": -25, "income": 25}


def test_foreign_channels_and_receivers_are_nobodys(world: World) -> None:
    foreign = replace(world.channel(), receiver=account("stranger").address)
    world.deposit(foreign, 500)
    world.follow()
    assert world.fetch("SELECT 1 FROM channels") == []
    assert world.fetch("SELECT 1 FROM ledger_legs") == []


def test_a_receiver_registered_late_brings_its_history(chain: Node, pool: ConnectionPool) -> None:
    world = build(chain, pool, merchants=())
    channel = world.channel()
    world.deposit(channel, 500)
    world.claim((channel, 120))
    world.settle()
    world.claim((channel, 150))
    world.follow()
    from gateway.merchants.service import create_merchant

    with pool.connection() as connection:
        create_merchant(connection, name="late", receiver=bytes.fromhex(world.contracts.treasury_safe[2:]))
    world.deposit(channel, 10)
    world.follow()
    assert world.numbers(channel) == (510, 150, 150, 120)


@pytest.mark.parametrize("depth", [1, 3])
def test_a_reorganisation_over_a_deposit_and_a_claim(world: World, depth: int) -> None:
    """E2: taken back, and booked again when it comes again."""
    channel = world.channel()
    world.deposit(channel, 1_000)
    world.node.mine(2)
    world.follow()
    before, legs_before = world.state(channel), world.balances()
    world.charge(channel, 100)
    charged = world.state(channel)
    deposit = world.deposit(channel, 500)
    if depth == 3:
        world.claim((channel, 100))
        world.transfer(7)
    world.follow()
    assert world.numbers(channel)[0] == 1_500
    world.node.anvil.request("anvil_reorg", depth, [])
    world.node.anvil.request("anvil_dropAllTransactions")
    progress = world.follow()
    assert progress.undone == depth
    assert world.rpc.receipt(deposit) is None
    assert world.state(channel) == charged
    assert world.balances()["escrow"] == legs_before["escrow"]
    assert before["credited"] == 1_000
    if depth == 3:
        assert world.fetch("SELECT state FROM payments WHERE scheme = 2") == [(2,)]
    world.deposit(channel, 500)
    if depth == 3:
        world.claim((channel, 100))
    world.follow()
    assert world.numbers(channel)[:2] == (1_500, 100)
    assert world.balances()["escrow"] == -1_500


class Forked(Rpc):
    """A node that can pretend that from some block on the chain is another, empty one."""

    fork_at: int | None = None

    def block(self, at: int | str | bytes) -> Block | None:
        found = super().block(at)
        if found is None or self.fork_at is None or found.number < self.fork_at:
            return found
        parent = found.parent_hash if found.number == self.fork_at else other(found.parent_hash)
        return replace(found, hash=other(found.hash), parent_hash=parent, bloom=bytes(256))

    def logs_of(self, block_hash: bytes, addresses: Sequence[bytes], topics: Sequence[Any] = ()) -> list[Log]:
        real = super().block(block_hash)
        return [] if real is None else super().logs_of(block_hash, addresses, topics)


def other(block_hash: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in block_hash)


def test_a_branch_that_leaves_and_returns_is_booked_once_each_time(world: World) -> None:
    """The very same logs, applied, taken back, and applied again."""
    channel = world.channel()
    world.deposit(channel, 100)
    first = world.rpc.block("latest")
    world.deposit(channel, 200)
    world.claim((channel, 50))
    world.settle()
    world.transfer(9)
    assert first is not None
    wire = Forked(world.node.url)
    follower = Follower(wire, CHAIN_ID, ChannelEvents(world.escrow), start_block=world.escrow.start_block)
    seen = []
    for fork_at in (None, first.number + 1, None, first.number + 1, None):
        wire.fork_at = fork_at
        while not follower.step(world.pool).caught_up:
            pass
        seen.append((world.numbers(channel), world.balances()["escrow"]))
    whole, cut = ((300, 50, 50, 50), -250), ((100, 0, 0, 0), -100)
    assert seen == [whole, cut, whole, cut, whole]
    assert world.fetch("SELECT state, amount::int FROM payments WHERE scheme = 2") == [(3, 9)]


def test_a_deposit_under_captured_payments_leaves_a_deficit_until_it_returns(world: World) -> None:
    channel = world.channel()
    world.follow()
    world.deposit(channel, 300)
    world.follow()
    world.charge(channel, 200)
    world.node.anvil.request("anvil_reorg", 1, [])
    world.node.anvil.request("anvil_dropAllTransactions")
    world.follow()
    assert world.numbers(channel)[:2] == (0, 200)
    assert world.state(channel)["deficit"] == 200
    world.deposit(channel, 300)
    world.follow()
    assert world.state(channel)["deficit"] == 0


def test_a_receipt_is_booked_at_once_and_only_once(world: World) -> None:
    channel = world.channel()
    world.follow()
    receipt = world.receipt(world.deposit(channel, 300))
    for _ in range(2):
        with world.pool.connection() as connection:
            apply_receipt(connection, receipt)
        assert world.numbers(channel)[0] == 300
    world.follow()
    assert world.numbers(channel)[0] == 300
    with world.pool.connection() as connection:
        assert apply_receipt(connection, receipt) == []
    assert world.balances() == {"escrow": -300, "channel": 300}


def test_a_receipt_booked_early_on_a_dead_branch_is_taken_back(world: World) -> None:
    channel = world.channel()
    world.follow()
    receipt = world.receipt(world.deposit(channel, 300))
    with world.pool.connection() as connection:
        apply_receipt(connection, receipt)
    assert world.numbers(channel)[0] == 300
    world.node.anvil.request("anvil_reorg", 1, [])
    world.node.anvil.request("anvil_dropAllTransactions")
    world.node.mine()
    world.follow()
    assert world.numbers(channel)[0] == 0
    with world.pool.connection() as connection:
        apply_receipt(connection, receipt)
    assert world.numbers(channel)[0] == 0, "its block is not in the chain that we follow"


def test_deposits_count_from_a_depth(chain: Node, pool: ConnectionPool) -> None:
    world = build(chain, pool, confirmations=3)
    channel = world.channel()
    world.deposit(channel, 300)
    world.follow()
    assert world.numbers(channel)[0] == 0
    world.node.mine()
    world.follow()
    assert world.numbers(channel)[0] == 0
    world.node.mine()
    world.follow()
    assert world.numbers(channel)[0] == 300
    # Gone before it counted: nothing was ever credited.
    world.deposit(channel, 50)
    world.follow()
    world.node.anvil.request("anvil_reorg", 1, [])
    world.node.anvil.request("anvil_dropAllTransactions")
    world.node.mine(5)
    world.follow()
    assert world.numbers(channel)[0] == 300
    assert world.fetch("SELECT 1 FROM pending_deposits") == []


def test_one_rpc_call_in_fifty_lost_loses_no_event(world: World) -> None:
    """E3."""
    chance = random.Random(7)  # noqa: S311
    with proxy(world.node.url, lambda: chance.random() < 1 / 50) as wire:
        flaky = Follower(Rpc(wire.url), CHAIN_ID, ChannelEvents(world.escrow), start_block=world.escrow.start_block)
        channels = [world.channel() for _ in range(10)]
        for round_ in range(6):
            for channel in channels:
                world.deposit(channel, 10 + round_)
            with contextlib.suppress(RpcUnavailable):
                flaky.step(world.pool)
        while True:
            try:
                if flaky.step(world.pool).caught_up:
                    break
            except RpcUnavailable:
                continue
        assert wire.requests > 200
    assert [world.numbers(channel)[0] for channel in channels] == [75] * 10


def test_a_block_that_cannot_be_read_stops_the_cursor_and_says_so(world: World) -> None:
    world.follow()
    down = {"now": False}
    with proxy(world.node.url, lambda: down["now"]) as wire:
        follower = Follower(Rpc(wire.url), CHAIN_ID, ChannelEvents(world.escrow))
        follower.step(world.pool)
        channel = world.channel()
        world.deposit(channel, 10)
        down["now"] = True
        with pytest.raises(RpcUnavailable):
            follower.step(world.pool)
        with world.pool.connection() as connection:
            mirror = find_mirror(connection, CHAIN_ID)
        assert mirror is not None and mirror.trouble is not None and "RpcUnavailable" in mirror.trouble
        down["now"] = False
        follower.step(world.pool)
        with world.pool.connection() as connection:
            mirror = find_mirror(connection, CHAIN_ID)
        assert mirror is not None and mirror.trouble is None
    assert world.numbers(channel)[0] == 10


def test_a_reorganisation_deeper_than_allowed_stops(world: World) -> None:
    world.node.mine(6)
    shallow = Follower(
        world.rpc, CHAIN_ID, ChannelEvents(world.escrow), start_block=world.escrow.start_block, max_depth=2
    )
    while not shallow.step(world.pool).caught_up:
        pass
    world.node.anvil.request("anvil_reorg", 4, [])
    world.node.mine()
    with pytest.raises(ReorgTooDeep):
        shallow.step(world.pool)


def test_a_fresh_node_behind_the_same_url_is_not_followed(world: World, tmp_path: object) -> None:
    from pathlib import Path

    world.node.anvil.request("anvil_mine", "0x64")
    world.follow()
    world.node._process.kill()
    world.node._process.wait()
    with node(Path(str(tmp_path)), port=world.node.port) as other:
        other.mine(30)
        with pytest.raises(ChainMismatch):
            world.follower.step(world.pool)


def test_two_followers_book_each_event_once(world: World) -> None:
    from concurrent.futures import ThreadPoolExecutor

    channels = [world.channel() for _ in range(5)]
    for _ in range(4):
        for channel in channels:
            world.deposit(channel, 10)
    others = [
        Follower(world.rpc, CHAIN_ID, ChannelEvents(world.escrow), start_block=world.escrow.start_block)
        for _ in range(3)
    ]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda one: one.step(world.pool), others))
    world.follow()
    assert [world.numbers(channel)[0] for channel in channels] == [40] * 5
