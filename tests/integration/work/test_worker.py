"""The real worker and scheduler on the real broker: work gets done, also after each of them was killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from amqp.exceptions import PreconditionFailed
from celery import Celery

from gateway.channels.service import find_channel
from kit.chain.anvil import Anvil
from kit.stack import rabbitmq, services
from kit.stack.launcher import Launcher
from kit.stack.parts import Part
from kit.stack.stack import Options, Stack, launch
from tests.integration.chain.parts import wait_until
from tests.integration.contracts.channels import Channel

PARTS = ("migrate", "worker", "beat")


def start(stack: Stack) -> None:
    assert stack.endpoints is not None
    parts = services.gateway_parts(stack.env, stack.run, stack.endpoints)
    stack.start_all([part for part in parts if part.name in PARTS])


def part_named(stack: Stack, name: str, as_: str) -> Part:
    from dataclasses import replace

    assert stack.endpoints is not None
    parts = services.gateway_parts(stack.env, stack.run, stack.endpoints)
    return replace(next(part for part in parts if part.name == name), name=as_, ready=None)


class Book:
    """What a test sees of the database."""

    def __init__(self, stack: Stack) -> None:
        self._url = stack.env["LOCKGATE_DATABASE_URL"]

    def one(self, query: str, *words: Any) -> Any:
        with psycopg.connect(self._url) as connection:
            row = connection.execute(query, list(words)).fetchone()
        return None if row is None else row[0]

    def merchant(self, treasury: str) -> int:
        from gateway.merchants.service import create_merchant

        with psycopg.connect(self._url) as connection:
            return create_merchant(connection, name="shop", receiver=bytes.fromhex(treasury[2:])).merchant_id

    def charge(self, channel: Channel, total: int) -> None:
        """As a capture leaves a channel; its ledger side is of no matter here."""
        _, signature, _ = channel.row(total, total)
        with psycopg.connect(self._url) as connection:
            found = find_channel(connection, channel.id)
            assert found is not None
            connection.execute(
                "UPDATE channel_states SET charged = %s, voucher_max = %s, voucher_signature = %s, kept = true, "
                "first_unclaimed_at = COALESCE(first_unclaimed_at, now()) WHERE channel_no = %s",
                [total, total, signature, found.channel_no],
            )

    def numbers(self, channel: Channel) -> tuple[int, ...]:
        with psycopg.connect(self._url) as connection:
            row = connection.execute(
                "SELECT credited, charged, claimed, settled FROM channel_states JOIN channels USING "
                "(merchant_id, channel_no) WHERE channel_id = %s",
                [channel.id],
            ).fetchone()
        return () if row is None else tuple(int(value) for value in row)


def open_channel(stack: Stack, amount: int) -> tuple[Channel, Book]:
    from eth_account import Account

    from kit.chain.addresses import read_addresses

    contracts = read_addresses(stack.run.contracts_json)
    book = Book(stack)
    book.merchant(contracts.treasury_safe)
    payer = Account.from_key(stack.keys.payer.private_key)
    channel = Channel(
        contracts.chain_id, payer, contracts.treasury_safe, contracts.receiver_authorizer, contracts.token
    )
    with Anvil(stack.env["LOCKGATE_CHAIN_RPC_URL"]) as anvil:
        anvil.wait_mined(anvil.send_as(stack.keys.payer.address, contracts.escrow, channel.deposit(amount, 1)))
    return channel, book


@pytest.mark.system
def test_deposit_claim_and_settle_without_anybody_asking(servers: Stack) -> None:
    servers.env["LOCKGATE_CLAIM_AGE_SECONDS"] = "0"
    start(servers)
    channel, book = open_channel(servers, 1_000)
    wait_until(lambda: book.numbers(channel)[:1] == (1_000,), "the deposit is in the book", 30)
    book.charge(channel, 300)
    wait_until(lambda: book.numbers(channel) == (1_000, 300, 300, 300), "claimed and settled", 60)
    assert book.one("SELECT count(*) FROM chain_transactions WHERE purpose = 'claim'") == 1
    assert book.one("SELECT count(*) FROM chain_transactions WHERE purpose = 'settle'") == 1

    # A second scheduler and a killed worker change nothing but the speed.
    servers.start_all([part_named(servers, "beat", "beat two"), part_named(servers, "worker", "worker two")])
    servers.kill("worker")
    book.charge(channel, 400)
    wait_until(lambda: book.numbers(channel) == (1_000, 400, 400, 400), "claimed by the other worker", 60)
    assert book.one("SELECT count(*) FROM chain_transactions WHERE purpose = 'claim'") == 2

    # The broker is gone for a while: nothing is lost, and the workers come back by themselves.
    servers.kill("valkey")
    book.charge(channel, 500)
    servers.restart("valkey")
    wait_until(lambda: book.numbers(channel) == (1_000, 500, 500, 500), "caught up after the broker's return", 90)
    assert book.one("SELECT count(*) FROM chain_transactions WHERE purpose = 'claim'") == 3
    wait_until(
        lambda: book.one("SELECT now() - beat_at < interval '15 seconds' FROM work_heartbeats WHERE name = 'worker'"),
        "the heartbeat goes on",
        30,
    )
    wait_until(
        lambda: book.one("SELECT count(*) FROM outbox WHERE delivered_at IS NULL AND parked_at IS NULL") == 0,
        "the outbox is empty",
        60,
    )
    assert book.one("SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL") == 0
    assert (servers.run.path / "beat.alive").exists()


@pytest.mark.system
@pytest.mark.skipif(not rabbitmq.installed(), reason="RabbitMQ is not installed")
def test_the_same_on_rabbitmq_with_quorum_queues(tmp_path: Path) -> None:
    with Launcher(tmp_path / "broker") as brokers:
        broker = rabbitmq.prepare(brokers.run.path / "rabbitmq")
        brokers.start_all([broker.part])
        with launch(tmp_path / "run", Options(gateway=False, broker_url=broker.url)) as stack:
            stack.env["LOCKGATE_CLAIM_AGE_SECONDS"] = "0"
            start(stack)
            channel, book = open_channel(stack, 1_000)
            wait_until(lambda: book.numbers(channel)[:1] == (1_000,), "the deposit is in the book", 60)
            book.charge(channel, 300)
            wait_until(lambda: book.numbers(channel) == (1_000, 300, 300, 300), "claimed and settled", 90)
            with Celery(broker=broker.url).connection_for_read() as connection:
                declare = connection.default_channel.queue_declare
                with pytest.raises(PreconditionFailed, match="x-queue-type"):
                    declare(queue="gateway", durable=True, auto_delete=False, arguments={"x-queue-type": "classic"})
