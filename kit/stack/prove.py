"""`make prove`: what is proved of the contracts, within which bounds, and which defects would have been seen.

Five kinds of evidence, each by its own module of `kit.stack.proving`: properties (halmos), campaigns (forge),
slither, the compiler's model checker, and mutants. Exits 1 when anything fails or is unknown, or a mutant survives
that `mutants/survivors.toml` does not list.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kit.stack import bootstrap
from kit.stack.paths import CONTRACTS
from kit.stack.proving import analysers, campaigns, environments, killing, mutants, properties, recompiling, table
from kit.stack.proving.mutations import Mutant
from kit.stack.proving.recompiling import Recompiler
from kit.stack.proving.results import Finding, Memory
from kit.stack.proving.workshop import Workshop

KINDS = ("properties", "campaigns", "slither", "model", "mutants")
FULL_CALLS = 1_000_000
SAMPLE_CALLS = 60_000
PROGRAM = Path(__file__).resolve().parent
_FAILURES = (
    bootstrap.SetupError,
    properties.BrokenBuildError,
    mutants.StaleMutantError,
    recompiling.BrokenSourcesError,
    recompiling.UnknownCompilationError,
    killing.BaselineError,
)


@dataclass(frozen=True, slots=True)
class Options:
    contracts: Path
    sample: int
    """Generated mutants to try, and of those by hand that are not mandatory; zero for all."""
    calls: int
    seed: int
    kinds: tuple[str, ...]
    match: str
    workers: int
    only_tests: bool
    folder: Path


def main(words: Sequence[str]) -> int:
    options = _options(words)
    started = time.monotonic()
    try:
        environments.install()
        with _alone(options.folder):
            memory = Memory(options.folder / "memory.json", _tools(options.contracts))
            findings = list(_findings(options, memory))
            killed = _kill(options, memory) if "mutants" in options.kinds else None
    except _FAILURES as error:
        print(f"prove: {error}", file=sys.stderr)
        return 1
    return 0 if table.show(findings, killed, time.monotonic() - started) else 1


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One run at a time: they share the scratch copies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _options(words: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument(
        "--sample", type=int, help="try so many mutants beside the mandatory ones, and shorter campaigns"
    )
    parser.add_argument("--seed", type=int, default=1, help="chooses the sample and the campaigns' histories")
    parser.add_argument("--only", choices=KINDS, action="append", help="one kind of evidence (may be repeated)")
    parser.add_argument("--match", default="", help="a regular expression: only properties and mutants of such names")
    parser.add_argument("--contracts", type=Path, default=CONTRACTS, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="how many at once")
    parser.add_argument(
        "--only-tests", action="store_true", help="mutants: leave proofs out, which take minutes each"
    )
    given = parser.parse_args(words)
    short = given.sample is not None
    contracts = given.contracts.resolve()
    return Options(
        contracts=contracts,
        sample=given.sample or 0,
        calls=SAMPLE_CALLS if short else FULL_CALLS,
        seed=given.seed,
        kinds=tuple(given.only or KINDS),
        match=given.match,
        workers=given.workers,
        only_tests=given.only_tests,
        folder=bootstrap.BOOT / "proving" if contracts == CONTRACTS else contracts / ".proving",
    )


def _tools(contracts: Path) -> str:
    """Hash of everything but the contracts that a finding depends on."""
    programs = [PROGRAM / "solc", PROGRAM / "solc.cjs", *sorted((PROGRAM / "proving").glob("*.[pc]*"))]
    parts = [*environments.locks(), contracts / "foundry.toml", *(one for one in programs if one.is_file())]
    return bootstrap.digest(sys.version, *parts)


def _findings(options: Options, memory: Memory) -> Iterator[Finding]:
    shop = Workshop.lay(options.contracts, options.folder / "true")
    explained = options.contracts / "proofs" / "slither.toml"
    sources: dict[str, Callable[[], Iterator[Finding]]] = {
        "model": lambda: analysers.model_check(shop, memory),
        "slither": lambda: iter([analysers.slither(shop, memory, explained)]),
        "properties": lambda: properties.prove_all(shop, memory, options.match, options.workers),
        "campaigns": lambda: campaigns.run_all(shop, memory, options.calls, options.seed, options.workers),
    }
    for kind, find in sources.items():
        if kind in options.kinds:
            for finding in find():
                table.progress(finding)
                yield finding


def _kill(options: Options, memory: Memory) -> table.Killed:
    shop = Workshop.lay(options.contracts, options.folder / "mutated")
    every = mutants.generated(shop)
    books = options.contracts / "mutants"
    by_hand = mutants.by_hand(shop, books)
    listed = mutants.survivors(books / "survivors.toml", [*every, *by_hand])
    recompiler = Recompiler.prepared(shop, _tools(options.contracts))
    wanted = mutants.chosen(every, by_hand, options.sample, options.seed)
    chosen = [one for one in wanted if _matches(options.match, one)]
    outcomes = []
    by_tests = {one.key for one in chosen} if options.only_tests else listed
    for outcome in killing.kill_all(shop, recompiler, memory, chosen, by_tests, options.workers):
        outcomes.append(outcome)
        table.tried(outcome, shop, len(outcomes), len(chosen))
    return table.Killed(tuple(outcomes), listed, len(every), len(by_hand), options.seed)


def _matches(pattern: str, one: Mutant) -> bool:
    return re.search(pattern, f"{one.file} {one.where}") is not None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
