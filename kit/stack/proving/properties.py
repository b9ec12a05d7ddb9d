"""Properties proved by symbolic execution, by halmos: every `check_` function of a contract under `proofs`.

A property holds when halmos has followed every path to its end and the solver has refuted every violation. A time
limit, a path that halmos cannot follow, a loop cut short and a check of which every path reverts are all `UNKNOWN`,
which fails the run.

A `reaches_` function asserts the contrary of what can happen, so it must have a counterexample. It is the witness
that the properties beside it speak of something: when it holds, they are vacuous and the run fails.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from kit.stack.proving.environments import HALMOS
from kit.stack.proving.imports import Graph
from kit.stack.proving.results import Finding, Memory, Verdict
from kit.stack.proving.workshop import Workshop, run

SECONDS = 420
"""For one property, solver and all."""
SOLVER_SECONDS = 300
_BOUND = re.compile(r"@custom:bound\s+(.+)")
_EXIT = {0: Verdict.HOLDS, 1: Verdict.FAILS}
_EVERY_PATH_REVERTS = 4
_WHY = {
    2: "the solver gave up",
    3: "a path could not be followed",
    _EVERY_PATH_REVERTS: "every path reverts",
    5: "halmos broke",
}
_CHECK, _WITNESS = "check_", "reaches_"


class BrokenBuildError(Exception):
    """The proofs do not compile; the text is the compiler's."""


@dataclass(frozen=True, slots=True)
class Property:
    """One `check_` or `reaches_` function."""

    file: Path
    contract: str
    function: str
    bounds: str
    """What the `@custom:bound` lines of its file and of the proofs' files that it is made of say."""

    @property
    def name(self) -> str:
        return f"{self.contract}.{self.function.removeprefix(_CHECK).partition('(')[0]}"

    @property
    def is_witness(self) -> bool:
        return self.function.startswith(_WITNESS)

    @property
    def kind(self) -> str:
        return "witness" if self.is_witness else "property"


def build(shop: Workshop, profile: str = "default", only: tuple[str, ...] = ("proofs",)) -> None:
    """Compile the proofs as halmos wants them. Raises BrokenBuildError."""
    words = ("build", *only, "--ast", "--extra-output", "storageLayout", "metadata")
    done = shop.forge(*words, profile=profile, tests="proofs", seconds=900)
    if done.status != 0:
        raise BrokenBuildError(done.text[-4000:])


def properties(shop: Workshop, profile: str = "default") -> Iterator[Property]:
    """All of them, as compiled, in the order of their names."""
    out = shop.out(profile, "proofs")
    graph = Graph(shop.folder)
    for file in sorted((shop.folder / "proofs").rglob("*.sol")):
        for artifact in sorted((out / file.name).glob("*.json")):
            output = json.loads(artifact.read_text())
            if output.get("ast", {}).get("absolutePath") != str(file.relative_to(shop.folder)):
                continue
            if output["bytecode"]["object"] in {"", "0x"}:
                continue
            for function in sorted(output["methodIdentifiers"]):
                if function.startswith((_CHECK, _WITNESS)):
                    bounds = _bounds(graph.closure(file), shop.folder / "proofs")
                    yield Property(file, artifact.stem, function, bounds)


def _bounds(files: Iterable[Path], proofs: Path) -> str:
    texts = [file.read_text() for file in sorted(files) if file.is_relative_to(proofs)]
    return "; ".join(" ".join(bound.split()) for text in texts for bound in _BOUND.findall(text))


def prove(shop: Workshop, wanted: Property, profile: str = "default", seconds: float = SECONDS) -> Finding:
    """Run halmos on one property or witness."""
    started = time.monotonic()
    out = shop.out(profile, "proofs")
    report = shop.folder / "reports" / f"{wanted.contract}-{wanted.function.partition('(')[0]}.json"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    env = shop.environment(profile, "proofs") | {"PATH": f"{_shim(shop)}{os.pathsep}{os.environ['PATH']}"}
    exact = f"^{re.escape(wanted.function)}$"
    command: list[str | Path] = [HALMOS / "bin" / "halmos", "--root", shop.folder, "--forge-build-out", out.name]
    command += ["--contract", wanted.contract, "--match-test", exact, "--json-output", report, "--no-status"]
    command += ["--solver-command", str(HALMOS / "bin" / "yices-smt2"), "--solver-threads", "1"]
    command += ["--solver-timeout-assertion", f"{SOLVER_SECONDS}s"]
    command += ["--early-exit"] if wanted.is_witness else []
    done = run(command, shop.folder, env, seconds)
    verdict, detail = _read(report, wanted, done.text) if done.status is not None else (Verdict.UNKNOWN, "time limit")
    return Finding(wanted.kind, wanted.name, verdict, time.monotonic() - started, wanted.bounds, detail)


def _read(report: Path, wanted: Property, said: str) -> tuple[Verdict, str]:
    if not report.is_file():
        return Verdict.UNKNOWN, said[-2000:]
    results = [one for many in json.loads(report.read_text())["test_results"].values() for one in many]
    mine = [one for one in results if one["name"] == wanted.function]
    if len(mine) != 1:
        return Verdict.UNKNOWN, said[-2000:]
    if wanted.is_witness:
        return _witnessed(mine[0]["exitcode"])
    verdict = _EXIT.get(mine[0]["exitcode"], Verdict.UNKNOWN)
    if verdict is Verdict.HOLDS and mine[0]["num_bounded_loops"]:
        return Verdict.UNKNOWN, "a loop was cut short"
    if verdict is Verdict.HOLDS:
        return verdict, f"{mine[0]['num_paths']} paths"
    return verdict, _WHY.get(mine[0]["exitcode"], _counterexample(said))


def _witnessed(status: int) -> tuple[Verdict, str]:
    """A counterexample is what a witness is for; without one the file proves nothing."""
    if _EXIT.get(status) is Verdict.FAILS:
        return Verdict.HOLDS, "reached"
    if _EXIT.get(status) is Verdict.HOLDS or status == _EVERY_PATH_REVERTS:
        return Verdict.FAILS, "vacuous: no execution gets there"
    return Verdict.UNKNOWN, _WHY.get(status, "")


def _counterexample(said: str) -> str:
    start = said.find("Counterexample")
    return said[start : start + 1500] if start >= 0 else said[-1500:]


def _shim(shop: Workshop) -> Path:
    """halmos calls `forge build` by itself; what it needs is built already."""
    folder = shop.folder / "shim"
    folder.mkdir(exist_ok=True)
    program = folder / "forge"
    if not program.exists():
        program.write_text("#!/bin/sh\nexit 0\n")
        program.chmod(0o755)
    return folder


def prove_all(shop: Workshop, memory: Memory, match: str, workers: int) -> Iterator[Finding]:
    """Every property whose name matches, several at once, or as remembered. Raises BrokenBuildError."""
    graph = Graph(shop.folder)
    build(shop)
    wanted = [one for one in properties(shop) if re.search(match, one.name)]

    def work(one: Property) -> Finding:
        key = memory.key(one.kind, one.contract, one.function, graph.digest([one.file]))
        known = memory.get(key)
        if known is not None:
            seconds, detail = float(known["seconds"]), str(known["detail"])
            return Finding(one.kind, one.name, Verdict.HOLDS, seconds, one.bounds, detail, remembered=True)
        found = prove(shop, one)
        if found.good:
            memory.put(key, {"seconds": found.seconds, "detail": found.detail})
        return found

    with ThreadPoolExecutor(workers) as pool:
        for done in as_completed([pool.submit(work, one) for one in wanted]):
            yield done.result()
