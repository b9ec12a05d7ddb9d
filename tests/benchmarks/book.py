"""The book alone: kit.ledger.book.post in batches of 64 transfers, from one writer and from two, beside pgbench."""

from __future__ import annotations

import psycopg

from kit.database.migrate import collect, migrate
from kit.ledger.book import open_account, open_asset
from tests.benchmarks.book_writer import Task, Written, write
from tests.benchmarks.figures import Chapter, alternate, at_least, plain, ratios
from tests.benchmarks.options import Options
from tests.benchmarks.workload import CHAIN_ID, TOKEN
from tests.benchmarks.world import World, world

BATCH = 64
ACCOUNTS = 1_000
TENANT = 1
LEAST = 25_000


def run(options: Options) -> Chapter:
    with world() as servers:
        task = new_book(servers, options)
        pgbench: list[float] = []

        def peer() -> float:
            pgbench.append(servers.pgbench(options.seconds))
            return pgbench[-1]

        rates = alternate(
            {"one": lambda: _rate(servers, [task]), "two": lambda: _rate(servers, writers(task, 2)), "peer": peer},
            options.rounds,
        )
    best = [max(pair) for pair in zip(rates["one"], rates["two"], strict=True)]
    return Chapter(
        "the book alone, batches of 64 transfers of two legs",
        (
            plain("one writer", rates["one"], "transfers/s"),
            plain("two writers", rates["two"], "transfers/s"),
            plain("`pgbench -N`", pgbench, "transactions/s"),
            at_least("the better of one and two writers", best, LEAST, "transfers/s"),
            plain("as a ratio to `pgbench -N`", ratios(best, pgbench), "x"),
        ),
        (
            "TigerBeetle's server is in no registry (PyPI `tigerbeetle` and npm `tigerbeetle-node` 0.17.9 hold the"
            " client library only), so the fixed figure is asked.",
        ),
    )


def new_book(servers: World, options: Options) -> Task:
    """An empty book with accounts, and a task on it."""
    servers.server.create_database("book")
    url = servers.server.url("book")
    with psycopg.connect(url, autocommit=True) as connection:
        migrate(connection, collect(["kit.ledger"]))
        asset = open_asset(connection, chain_id=CHAIN_ID, address=TOKEN, symbol="USDC", decimals=6)
        accounts = [open_account(connection, TENANT, "bench", str(n), asset.asset_id) for n in range(ACCOUNTS)]
    return Task(url, TENANT, asset.asset_id, accounts, 0, BATCH, options.seconds)


def writers(task: Task, count: int) -> list[Task]:
    """The same work for several writers, a shard each."""
    return [
        Task(task.database_url, task.tenant_id, task.asset_id, task.accounts, shard, task.transfers, task.seconds)
        for shard in range(count)
    ]


def _rate(servers: World, tasks: list[Task]) -> float:
    servers.checkpoint()
    return total(write(tasks))


def total(written: list[Written]) -> float:
    return sum(each.rate for each in written)
