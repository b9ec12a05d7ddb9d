"""Tries each mutant against the tests, then the proofs, that reach its file.

A mutant is killed when a test that passes on the true sources fails, or a property that is proved of them has a
counterexample. One that does not compile is no mutant; one whose bytecode is the original's is the original. Tests
are linked dynamically, so only what changed is compiled, and a first round makes few runs of random tests.
"""

from __future__ import annotations

import hashlib
import json
import queue
import shutil
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kit.stack.proving import properties
from kit.stack.proving.campaigns import test_results
from kit.stack.proving.imports import Graph
from kit.stack.proving.mutations import Mutant
from kit.stack.proving.results import Memory, Verdict
from kit.stack.proving.workshop import Workshop

_TEST_SECONDS = 300
_PROOF_SECONDS = 90
_PROOFS_SECONDS = 300
_LINKED = {"FOUNDRY_DYNAMIC_TEST_LINKING": "true"}
FEW = _LINKED | {"FOUNDRY_FUZZ_RUNS": "24", "FOUNDRY_INVARIANT_RUNS": "4", "FOUNDRY_INVARIANT_DEPTH": "32"}


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
    """A test fails on the true sources, so nothing can be said of mutants."""


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

    tests, proofs = reaching("test", "*.t.sol"), [one for one in reaching("proofs", "*.sol") if _states(one)]
    names = [tuple(str(one.relative_to(shop.folder)) for one in many) for many in (tests, proofs)]
    return Reach(names[0], names[1], graph.digest([source, *tests, *proofs]))


def _states(file: Path) -> bool:
    return "function check_" in file.read_text()


class Bench:
    """One workshop of a worker; at any time one file of it at most is changed."""

    def __init__(self, shop: Workshop, originals: dict[str, str]) -> None:
        self._shop = shop
        self._originals = originals

    def fate(self, mutant: Mutant, reached: Reach) -> tuple[Fate, str]:
        """What becomes of one mutant, and the name of what killed it."""
        path = self._shop.folder / mutant.file
        true_text = path.read_bytes()
        path.write_bytes(mutant.applied(true_text))
        try:
            return self._judge(reached)
        finally:
            path.write_bytes(true_text)

    def _judge(self, reached: Reach) -> tuple[Fate, str]:
        if not reached.tests:
            return Fate.UNTESTED, ""
        compiled, killer = self._failing_test(reached.tests, FEW)
        if not compiled:
            return Fate.STILLBORN, ""
        if killer:
            return Fate.BY_TEST, killer
        built = self._shop.forge("build", "src", profile="quick", settings=_LINKED, seconds=_TEST_SECONDS)
        if built.status == 0 and bytecodes(self._shop) == self._originals:
            return Fate.SAME, ""
        killer = self._failing_test(reached.tests, _LINKED)[1]
        if killer:
            return Fate.BY_TEST, killer
        killer = self._failing_proof(reached.proofs)
        return (Fate.BY_PROOF, killer) if killer else (Fate.SURVIVED, "")

    def _failing_test(self, tests: tuple[str, ...], settings: dict[str, str]) -> tuple[bool, str]:
        """Whether it compiled, and the first test that failed."""
        words = ("test", "--match-path", match(tests), "--fail-fast", "--json")
        done = self._shop.forge(*words, profile="quick", seconds=_TEST_SECONDS, settings=settings)
        if done.status is None:
            return True, f"tests without an end within {_TEST_SECONDS} s"
        results = test_results(done.out)
        failed = [name for name, result in results.items() if result["status"] == "Failure"]
        return bool(results), failed[0].partition(":")[2] if failed else ""

    def _failing_proof(self, proofs: tuple[str, ...]) -> str:
        """The first property that has a counterexample; one without an answer in time kills nothing."""
        if not proofs:
            return ""
        properties.build(self._shop, "quick", proofs)
        files = {self._shop.folder / name for name in proofs}
        end = time.monotonic() + _PROOFS_SECONDS
        for one in properties.properties(self._shop, "quick"):
            if one.file in files and time.monotonic() < end:
                found = properties.prove(self._shop, one, "quick", _PROOF_SECONDS)
                if found.verdict is Verdict.FAILS:
                    return one.name
        return ""


def match(paths: Iterable[str]) -> str:
    """The pattern of forge that takes exactly these paths."""
    return "{" + ",".join(paths) + "}"


def bytecodes(shop: Workshop) -> dict[str, str]:
    """Hash of the code of every contract under `src`, as compiled last."""
    found = {}
    for file in sorted((shop.folder / "src").rglob("*.sol")):
        for artifact in sorted((shop.out("quick", "test") / file.name).glob("*.json")):
            output = json.loads(artifact.read_text())
            code = output["bytecode"]["object"] + output["deployedBytecode"]["object"]
            found[f"{file.name}:{artifact.stem}"] = hashlib.sha256(code.encode()).hexdigest()
    return found


def benches(shop: Workshop, count: int, tests: Iterable[str]) -> list[Bench]:
    """Run the tests once on the true sources, then lay that many copies. Raises BaselineError."""
    built = shop.forge("build", "src", profile="quick", settings=_LINKED)
    words = ("test", "--match-path", match(tests), "--json")
    tested = shop.forge(*words, profile="quick", settings=FEW, seconds=1800)
    results = test_results(tested.out)
    failed = [name for name, result in results.items() if result["status"] == "Failure"]
    if built.status != 0 or tested.status != 0 or failed or not results:
        raise BaselineError(f"before any mutation: {', '.join(failed) or tested.text[-3000:]}")
    originals = bytecodes(shop)
    copies = []
    for number in range(count):
        folder = shop.folder.with_name(f"{shop.folder.name}-{number}")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(shop.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("out-default*", "reports"))
        copies.append(Bench(Workshop(folder), originals))
    return copies


def kill_all(shop: Workshop, memory: Memory, wanted: list[Mutant], workers: int) -> Iterator[Outcome]:
    """The fate of each, several at once; what did not change is remembered. Raises BaselineError."""
    graph = Graph(shop.folder)
    reached = {file: reach(shop, graph, file) for file in {one.file for one in wanted}}
    keys = {one: memory.key("mutant", one.key, reached[one.file].digest) for one in wanted}
    unknown = []
    for one in wanted:
        known = memory.get(keys[one])
        if known is None:
            unknown.append(one)
        else:
            yield Outcome(one, Fate(str(known["fate"])), str(known["by"]), float(known["seconds"]), remembered=True)
    if not unknown:
        return
    free: queue.SimpleQueue[Bench] = queue.SimpleQueue()
    tests = {test for one in unknown for test in reached[one.file].tests}
    for bench in benches(shop, workers, sorted(tests)):
        free.put(bench)

    def work(one: Mutant) -> Outcome:
        bench, started = free.get(), time.monotonic()
        try:
            fate, by = bench.fate(one, reached[one.file])
        finally:
            free.put(bench)
        seconds = time.monotonic() - started
        if fate is not Fate.UNTESTED:
            memory.put(keys[one], {"fate": fate, "by": by, "seconds": seconds})
        return Outcome(one, fate, by, seconds)

    with ThreadPoolExecutor(workers) as pool:
        for done in as_completed([pool.submit(work, one) for one in unknown]):
            yield done.result()
