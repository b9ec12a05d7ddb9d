"""The auditor finds nothing in sound books, and every single thing that is wrong by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.books.check import Audit, NotComparable, audit
from gateway.books.cli import command
from tests.integration.channels.world import World
from tests.integration.contracts.channels import Channel


def check(world: World, database_url: str, number: int | None = None) -> Audit:
    return audit(database_url, world.rpc, number=number, wait_seconds=0)


@pytest.fixture
def busy(world: World) -> Channel:
    """A channel with everything behind it, and later blocks that do more."""
    channel = world.channel()
    world.deposit(channel, 1_000)
    world.follow()
    world.charge(channel, 300)
    world.claim((channel, 200))
    world.settle()
    world.claim((channel, 300))
    world.refund(channel, 50, 0)
    world.transfer(25)
    other = world.channel()
    world.deposit(other, 77)
    world.claim((other, 7))
    world.follow()
    return channel


def test_sound_books_balance_at_every_block(world: World, database_url: str, busy: Channel) -> None:
    head = world.rpc.block("latest")
    assert head is not None
    for number in range(world.escrow.start_block, head.number + 1):
        found = check(world, database_url, number)
        assert [str(one) for one in found.differences] == []
    assert check(world, database_url, head.number).chain[0].claimed == 307
    assert check(world, database_url).number < head.number


def test_foreign_channels_are_told_apart(world: World, database_url: str, busy: Channel) -> None:
    from dataclasses import replace

    from tests.integration.chain.parts import account

    world.deposit(replace(world.channel(), receiver=account("stranger").address), 500)
    world.follow()
    head = world.rpc.block("latest")
    assert head is not None
    found = check(world, database_url, head.number)
    assert found.balances and found.chain[0].foreign == 500


def test_deposits_that_wait_for_depth_are_no_difference(chain: Any, pool: Any, database_url: str) -> None:
    from tests.integration.channels.world import build

    world = build(chain, pool, confirmations=3)
    channel = world.channel()
    world.deposit(channel, 300)
    world.node.mine(3)
    world.deposit(channel, 40)
    world.follow()
    assert world.numbers(channel)[0] == 300
    head = world.rpc.block("latest")
    assert head is not None
    for number in range(world.escrow.start_block, head.number + 1):
        assert [str(one) for one in check(world, database_url, number).differences] == []


TAMPERED = {
    "a leg too many": (
        "INSERT INTO ledger_legs SELECT tenant_id, gen_random_uuid(), 0, account_id, asset_id, 5 "
        "FROM ledger_accounts WHERE kind = 'captured' LIMIT 1",
        "debits = credits",
    ),
    "a balance too high": (
        "UPDATE ledger_balances SET balance = balance + 1 WHERE account_id = "
        "(SELECT account_id FROM ledger_accounts WHERE kind = 'treasury' LIMIT 1)",
        "legs = balance",
    ),
    "a credit that the chain does not have": (
        "UPDATE channel_states SET credited = credited + 1",
        "balance at the block",
    ),
    "a claim that the chain does not have": (
        "UPDATE channel_states SET claimed = claimed - 1 WHERE claimed = 300",
        "totalClaimed at the block",
    ),
    "a settle too little": (
        "UPDATE channel_states SET settled = settled - 1 WHERE settled > 0",
        "settled of its channels",
    ),
    "a payment lost": ("DELETE FROM payments WHERE scheme = 1", "sum of payments = charged"),
    "an exact payment lost": ("DELETE FROM payments WHERE scheme = 2", "sum of exact payments"),
}


@pytest.mark.parametrize("name", sorted(TAMPERED))
def test_each_difference_is_named(world: World, database_url: str, busy: Channel, name: str) -> None:
    statement, what = TAMPERED[name]
    with world.pool.connection() as connection:
        connection.execute(statement)
    head = world.rpc.block("latest")
    assert head is not None
    found = check(world, database_url, head.number)
    assert not found.balances
    assert what in {one.what for one in found.differences}


def test_tokens_missing_from_the_escrow_are_noticed(world: World, database_url: str, busy: Channel) -> None:
    from tests.integration.contracts.channels import calldata

    data = calldata("transfer(address,uint256)", ["address", "uint256"], ["0x" + "99" * 20, 100])
    world.node.anvil.fund(world.contracts.escrow, 10**18)
    world.send(world.contracts.escrow, world.contracts.token.address, data)
    world.follow()
    head = world.rpc.block("latest")
    assert head is not None
    found = check(world, database_url, head.number)
    assert {one.what for one in found.differences} == {"token balance covers our channels"}


def test_a_block_that_the_book_has_not_reached_is_not_compared(world: World, database_url: str) -> None:
    world.follow()
    world.node.mine(5)
    head = world.rpc.block("latest")
    assert head is not None
    with pytest.raises(NotComparable, match="not yet to"):
        check(world, database_url, head.number)


def test_the_command(
    world: World,
    database_url: str,
    busy: Channel,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import argparse

    monkeypatch.setenv("LOCKGATE_DATABASE_URL", database_url)
    monkeypatch.setenv("LOCKGATE_CHAIN_RPC_URL", world.node.url)
    parser = argparse.ArgumentParser()
    command.configure(parser)
    world.node.mine(3)
    world.follow()
    assert command.run(parser.parse_args(["check"])) == 0
    assert capsys.readouterr().out.startswith("books balance: ")
    with world.pool.connection() as connection:
        connection.execute("UPDATE channel_states SET credited = credited + 1")
    assert command.run(parser.parse_args(["check", "--json"])) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["balances"] is False and document["differences"]
    world.node._process.kill()
    world.node._process.wait()
    assert command.run(parser.parse_args(["check"])) == 2
    assert "not checked" in capsys.readouterr().err
