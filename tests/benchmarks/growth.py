"""Whether payments stay as fast: few and many legs in the book, one hot merchant and a thousand merchants."""

from __future__ import annotations

import time
from collections.abc import Sequence

import psycopg

from tests.benchmarks.book import BATCH, total, writers
from tests.benchmarks.book_writer import Task, Written, write
from tests.benchmarks.figures import Chapter, Line, alternate, number, plain, ratios, within
from tests.benchmarks.load import Report
from tests.benchmarks.options import Options
from tests.benchmarks.payments import turns
from tests.benchmarks.workload import Workload
from tests.benchmarks.world import Contestant, World, world

MOST_CHANGE = 0.05


def run(options: Options) -> list[Chapter]:
    one, many = Workload(options.channels), Workload(options.channels, options.merchants)
    with world() as servers:
        started = time.monotonic()
        large = servers.gateway("large", one, legs=options.legs_many)
        seeding = time.monotonic() - started
        small = servers.gateway("small", one, legs=options.legs_few)
        spread = servers.gateway("spread", many, legs=options.legs_few)
        ways = {
            "small": turns(servers, small, options),
            "large": turns(servers, large, options),
            "spread": turns(servers, spread, options),
        }
        paid = alternate(ways, options.rounds)
        books = _books(options, servers, small, large)
    legs = f"{options.legs_few:,} and {options.legs_many:,} legs in the book"
    return [
        Chapter(
            f"growth: {legs}",
            (*_compared("one payment a request", paid["small"], paid["large"]), *_book_lines(books)),
            (f"seeding the large book took {number(seeding)} s.", "asked is a change of at most 5%, for the worse."),
        ),
        Chapter(
            f"one hot merchant and {options.merchants:,} merchants",
            _compared("one payment a request, hot as a ratio to spread", paid["spread"], paid["small"]),
        ),
    ]


def _compared(what: str, before: Sequence[Report], after: Sequence[Report]) -> tuple[Line, ...]:
    """p99s are compared the other way round, so that above one is better in both lines."""
    return (
        plain(f"{what}: rate of the first", [report.rate for report in before], "payments/s"),
        plain(f"{what}: rate of the second", [report.rate for report in after], "payments/s"),
        within(
            f"{what}: rate, second to first",
            ratios([report.rate for report in after], [report.rate for report in before]),
            MOST_CHANGE,
        ),
        within(
            f"{what}: p99, first to second",
            ratios([report.p99 for report in before], [report.p99 for report in after]),
            MOST_CHANGE,
        ),
    )


def _books(options: Options, servers: World, small: Contestant, large: Contestant) -> dict[str, list[list[Written]]]:
    tasks = {name: _task(options, servers, each) for name, each in (("small", small), ("large", large))}

    def turn(name: str) -> list[Written]:
        servers.checkpoint()
        return write(writers(tasks[name], 2))

    return alternate({"small": lambda: turn("small"), "large": lambda: turn("large")}, options.rounds)


def _task(options: Options, servers: World, contestant: Contestant) -> Task:
    """Postings between the captured account of the hot merchant and the workload's channels' accounts."""
    url = servers.server.url(contestant.database)
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT merchant_id, asset_id, channel_account FROM channels ORDER BY channel_no LIMIT %s",
            [contestant.workload.channels],
        ).fetchall()
    return Task(url, rows[0][0], rows[0][1], [row[2] for row in rows], 0, BATCH, options.seconds)


def _book_lines(books: dict[str, list[list[Written]]]) -> tuple[Line, ...]:
    few, many = books["small"], books["large"]
    return (
        plain("the book alone: rate of the first", [total(each) for each in few], "transfers/s"),
        plain("the book alone: rate of the second", [total(each) for each in many], "transfers/s"),
        within(
            "the book alone: rate, second to first",
            ratios([total(each) for each in many], [total(each) for each in few]),
            MOST_CHANGE,
        ),
        within(
            "the book alone: p99, first to second",
            ratios([_p99(each) for each in few], [_p99(each) for each in many]),
            MOST_CHANGE,
        ),
    )


def _p99(written: list[Written]) -> float:
    return max(each.p99 for each in written)
