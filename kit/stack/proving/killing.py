"""Tries each mutant against the tests, then the proofs, that reach its file.

A mutant is killed when a test that passes on the true sources fails, or a property that is proved of them has a
counterexample. One that does not compile is no mutant; one whose optimized bytecode is the original's is the
original. A first round makes few runs of random tests.
"""

from __future__ import annotations

import contextlib
import queue
import shutil
import time
from collections.abc import Container, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from kit.stack.proving import properties
from kit.stack.proving.campaigns import test_results
from kit.stack.proving.imports import Graph
from kit.stack.proving.mutations import Mutant
from kit.stack.proving.recompiling import PROFILE, Recompiler, forge
from kit.stack.proving.results import Memory, Verdict
from kit.stack.proving.workshop import Workshop

_TEST_SECONDS = 300
_BASELINE_SECONDS = 1800
_PROOF_SECONDS = 90
_PROOFS_SECONDS = 300
_MANY = {"FOUNDRY_FUZZ_SEED": "0x1"}
_FEW = _MANY | {"FOUNDRY_FUZZ_RUNS": "24", "FOUNDRY_INVARIANT_RUNS": "4", "FOUNDRY_INVARIANT_DEPTH": "32"}


class Fate(StrEnum):
    BY_TEST = "killed by a test"
    BY_PROOF = "killed by a proof"
    SURVIVED = "SURVIVED"
    STILLBORN = "does not compile"
    SAME = "same bytecode"
    UNTESTED = "NO TEST REACHES IT"

    @property
    def killed(self) -> bool:
        return self in {Fate.BY_TEST, Fate.BY_PROOF}

    @property
    def lives(self) -> bool:
        return self in {Fate.SURVIVED, Fate.UNTESTED}

    @property
    def counts(self) -> bool:
        """Whether it is a mutant at all."""
        return self not in {Fate.STILLBORN, Fate.SAME}


@dataclass(frozen=True, slots=True)
class Outcome:
    mutant: Mutant
    fate: Fate
    by: str
    seconds: float
    remembered: bool = False


class BaselineError(Exception):
    """A test fails on the true sources, or none runs, so nothing can be said of mutants."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What can kill a mutant of one file: paths of tests and of proofs, nearest first."""

    tests: tuple[str, ...]
    proofs: tuple[str, ...]
    digest: str


def reach(shop: Workshop, graph: Graph, file: str) -> Reach:
    """The tests and proofs that are made of `file`."""
    source = shop.folder / file
    room = Path(file).parent.name

    def reaching(folder: str, pattern: str) -> list[Path]:
        found = [one for one in sorted((shop.folder / folder).rglob(pattern)) if source in graph.closure(one)]
        return sorted(found, key=lambda one: one.parent.name != room)

    tests = reaching("test", "*.t.sol")
    proofs = [one for one in reaching("proofs", "*.sol") if _states(one)]
    names = [tuple(str(one.relative_to(shop.folder)) for one in many) for many in (tests, proofs)]
    return Reach(names[0], names[1], graph.digest([source, *tests, *proofs]))


def _states(file: Path) -> bool:
    return "function check_" in file.read_text()


class Bench:
    """One workshop of a worker; at any time one contract of it at most is changed."""

    def __init__(self, shop: Workshop, recompiler: Recompiler) -> None:
        self._shop = shop
        self._recompiler = recompiler

    def fate(self, mutant: Mutant, reached: Reach, by_proofs: bool) -> tuple[Fate, str]:
        """What becomes of one mutant, and the name of what killed it. Raises BaselineError."""
        if not reached.tests:
            return Fate.UNTESTED, ""
        artifacts = self._recompiler.artifacts(mutant)
        if artifacts is None:
            return Fate.STILLBORN, ""
        killer = self._killing_test(artifacts, reached.tests) if artifacts else ""
        if killer:
            return Fate.BY_TEST, killer
        if self._recompiler.is_same(mutant):
            return Fate.SAME, ""
        killer = self._failing_proof(mutant, reached.proofs) if by_proofs else ""
        return (Fate.BY_PROOF, killer) if killer else (Fate.SURVIVED, "")

    @contextlib.contextmanager
    def _changed(self, contents: Mapping[str, bytes]) -> Iterator[None]:
        true_contents = {path: (self._shop.folder / path).read_bytes() for path in contents}
        try:
            for path, content in contents.items():
                (self._shop.folder / path).write_bytes(content)
            yield
        finally:
            for path, content in true_contents.items():
                (self._shop.folder / path).write_bytes(content)

    def _killing_test(self, artifacts: Mapping[str, bytes], tests: tuple[str, ...]) -> str:
        with self._changed(artifacts):
            return self._failing_test(tests, _FEW) or self._failing_test(tests, _MANY)

    def _failing_test(self, tests: tuple[str, ...], settings: Mapping[str, str]) -> str:
        """The first test that failed. Tests without an end kill nothing."""
        for room in _rooms(tests):
            results = tested(self._shop, room, settings, "--fail-fast")
            failed = [name for name, result in results.items() if result["status"] == "Failure"]
            if failed:
                return failed[0].partition(":")[2]
        return ""

    def _failing_proof(self, mutant: Mutant, proofs: tuple[str, ...]) -> str:
        """The first property that has a counterexample; one without an answer in time kills nothing."""
        if not proofs:
            return ""
        text = (self._shop.folder / mutant.file).read_bytes()
        with self._changed({mutant.file: mutant.applied(text)}):
            properties.build(self._shop, PROFILE, proofs)
        files = {self._shop.folder / name for name in proofs}
        end = time.monotonic() + _PROOFS_SECONDS
        for one in properties.properties(self._shop, PROFILE):
            if one.file in files and time.monotonic() < end:
                found = properties.prove(self._shop, one, PROFILE, _PROOF_SECONDS)
                if found.verdict is Verdict.FAILS:
                    return one.name
        return ""


def _rooms(tests: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The tests folder by folder, in their order: those of the contract's own come first, and mostly suffice."""
    rooms: dict[str, list[str]] = {}
    for test in tests:
        rooms.setdefault(str(Path(test).parent), []).append(test)
    first, *others = rooms.values()
    return [tuple(first), *([tuple(test for room in others for test in room)] if others else [])]


def tested(
    shop: Workshop, tests: Iterable[str], settings: Mapping[str, str], *words: str, seconds: float = _TEST_SECONDS
) -> dict[str, Any]:
    """Results of these tests by name, empty when they had no end in time. Raises BaselineError when none runs."""
    for remembered in ("fuzz", "invariant", "test-failures"):  # another mutant's counterexamples
        path = shop.cache(PROFILE, "test") / remembered
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    pattern = "{" + ",".join(tests) + "}"
    done = forge(shop, "test", "--match-path", pattern, "--json", *words, seconds=seconds, settings=settings)
    results = test_results(done.out)
    if done.status is not None and not results:
        raise BaselineError(f"no test ran: {done.text[-3000:]}")
    return results


def benches(shop: Workshop, recompiler: Recompiler, count: int, tests: Iterable[str]) -> list[Bench]:
    """Run the tests once on the true sources, then lay that many copies. Raises BaselineError."""
    results = tested(shop, tests, _MANY, seconds=_BASELINE_SECONDS)
    failed = [name for name, result in results.items() if result["status"] == "Failure"]
    if failed or not results:
        raise BaselineError(f"before any mutation: {', '.join(failed) or 'the tests have no end'}")
    copies = []
    for number in range(count):
        folder = shop.folder.with_name(f"{shop.folder.name}-{number}")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(shop.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("solc", "reports"))
        copies.append(Bench(Workshop(folder), recompiler))
    return copies


def kill_all(
    shop: Workshop,
    recompiler: Recompiler,
    memory: Memory,
    wanted: list[Mutant],
    by_tests: Container[str],
    workers: int,
) -> Iterator[Outcome]:
    """The fate of each, several at once; what did not change is remembered. Raises BaselineError.

    Those whose keys are in `by_tests` are not tried against proofs, which take minutes to find nothing.
    """
    graph = Graph(shop.folder)
    reached = {file: reach(shop, graph, file) for file in {one.file for one in wanted}}
    keys = {one: memory.key("mutant", one.key, reached[one.file].digest) for one in wanted}
    known = {one: _remembered(one, memory.get(keys[one]), one.key not in by_tests) for one in wanted}
    yield from (outcome for outcome in known.values() if outcome is not None)
    unknown = [one for one in wanted if known[one] is None]
    if not unknown:
        return
    free: queue.SimpleQueue[Bench] = queue.SimpleQueue()
    tests = {test for one in unknown for test in reached[one.file].tests}
    for bench in benches(shop, recompiler, workers, sorted(tests)):
        free.put(bench)

    def work(one: Mutant) -> Outcome:
        bench, started, by_proofs = free.get(), time.monotonic(), one.key not in by_tests
        try:
            fate, by = bench.fate(one, reached[one.file], by_proofs)
        finally:
            free.put(bench)
        seconds = time.monotonic() - started
        if fate is not Fate.UNTESTED:
            memory.put(keys[one], {"fate": fate, "by": by, "seconds": seconds, "by_proofs": by_proofs})
        return Outcome(one, fate, by, seconds)

    with ThreadPoolExecutor(workers) as pool:
        for done in as_completed([pool.submit(work, one) for one in unknown]):
            yield done.result()


def _remembered(one: Mutant, known: Mapping[str, str | float] | None, by_proofs: bool) -> Outcome | None:
    """What is known of a mutant; nothing when it survived the tests and proofs were not asked."""
    if known is None:
        return None
    fate = Fate(str(known["fate"]))
    if fate.lives and by_proofs and not known["by_proofs"]:
        return None
    return Outcome(one, fate, str(known["by"]), float(known["seconds"]), remembered=True)
