"""`python -m tests.benchmarks [NAME...]`: run, print the table, and with --write put it into the README."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module

from kit.stack.paths import ROOT
from tests.benchmarks.figures import BenchmarkFailed, Chapter, Line, table, write_between_markers
from tests.benchmarks.machine import description, load_average
from tests.benchmarks.options import DEFAULT, QUICK, Options

BENCHMARKS = {
    "vouchers": "the whole check of a voucher, beside bare recovery and the official Python facilitator",
    "payments": "one payment a request and 100 a request over HTTP, beside an ordinary handler and pgbench",
    "book": "the book alone in batches of 64, beside pgbench",
    "growth": "rate and p99 with few and with many legs in the book; one hot merchant and many",
    "gas": "gas of a claim, a certificate and a guarded transfer, beside the last commit's",
    "quorum": "verifying a vote and a quorum signature, beside py-ecc",
    "memory": "an API worker's memory over a million payments",
    "profile": "where one payment's time goes",
}

FAILED = "no figure"


def main(words: Sequence[str] | None = None) -> int:
    args = _arguments(words)
    options = QUICK if args.quick else DEFAULT
    given = {name: getattr(args, name) for name in ("rounds", "seconds", "legs_many")}
    options = replace(
        options, write=args.write, **{name: value for name, value in given.items() if value is not None}
    )
    names = args.names or list(BENCHMARKS)
    started, load_before = time.monotonic(), load_average()
    chapters: list[Chapter] = []
    for name in names:
        print(f"{name}: {BENCHMARKS[name]}", file=sys.stderr, flush=True)
        chapters += _run(name, options)
    seconds = time.monotonic() - started
    head = (
        f"`make bench` on {description()}; {options.rounds} rounds of {options.seconds:g} s a contestant, in turn,"
        f" {seconds / 60:.0f} minutes; load average {load_before:.1f} before."
    )
    text = f"{head}\n\n{table(chapters)}"
    print(text)
    failed = any(line.what == FAILED for chapter in chapters for line in chapter.lines)
    if args.write and not args.names and not failed:
        write_between_markers(ROOT / "README.md", text)
    return 1 if failed else 0


def _run(name: str, options: Options) -> list[Chapter]:
    run: Callable[[Options], Chapter | list[Chapter]] = import_module(f"tests.benchmarks.{name}").run
    try:
        told = run(options)
    except BenchmarkFailed as error:
        # The others' figures stand, so they are not thrown away; the run as a whole has failed.
        print(f"{name}: {error}", file=sys.stderr)
        return [Chapter(name, (Line(FAILED, str(error)),))]
    return told if isinstance(told, list) else [told]


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    described = "\n".join(f"  {name:10} {what}" for name, what in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Benchmarks, each beside its peer in one run.",
        epilog=f"benchmarks (all when none is named):\n{described}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="run these only")
    parser.add_argument("--quick", action="store_true", help="see that everything runs; the figures mean nothing")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    parser.add_argument("--rounds", type=int, help=f"default {DEFAULT.rounds}")
    parser.add_argument("--seconds", type=float, help=f"a contestant's turn in a round; default {DEFAULT.seconds:g}")
    parser.add_argument("--legs", type=int, dest="legs_many", help=f"the large book; default {DEFAULT.legs_many:,}")
    args = parser.parse_args(words)
    if unknown := set(args.names) - BENCHMARKS.keys():
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    if args.write and (args.quick or args.names not in ([], ["gas"])):
        parser.error("--write is for whole runs, which the README shows, and for gas alone, whose figures are kept")
    return args


if __name__ == "__main__":
    # A hash that depends on which library is installed would make the official package slower than it is.
    os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")
    sys.exit(main())
