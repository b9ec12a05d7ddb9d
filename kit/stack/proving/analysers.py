"""slither over all contracts, and the compiler's own model checker over small ones."""

from __future__ import annotations

import json
import os
import shutil
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kit.stack.paths import ROOT, native, node
from kit.stack.proving.environments import SLITHER
from kit.stack.proving.imports import Graph
from kit.stack.proving.results import Finding, Memory, Verdict
from kit.stack.proving.workshop import Workshop, run

_SECONDS = 900
_IMPACTS = {"High", "Medium", "Low"}
"""slither's remarks below these (style, naming) are the compiler's and the formatter's affair."""
_MODEL_CHECKER = ROOT / "kit" / "stack" / "proving" / "model_checker.cjs"


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding of slither, named by what it is about and not by its line."""

    detector: str
    place: str

    def __str__(self) -> str:
        return f"{self.detector} at {self.place}"


def slither(shop: Workshop, memory: Memory, explained: Path) -> Finding:
    """Every remark is explained in `explained` (with its reason), and every explanation has its remark."""
    sources = sorted((shop.folder / "src").rglob("*.sol"))
    reasons = explained.read_text() if explained.is_file() else ""
    key = memory.key("slither", reasons, Graph(shop.folder).digest(sources))
    known = memory.get(key)
    if known is not None:
        return Finding("analyser", "slither", Verdict.HOLDS, float(known["seconds"]), "", str(known["detail"]), True)
    started = time.monotonic()
    # Reports of earlier builds would be read as well, and without --force there might be none of this one.
    shutil.rmtree(shop.out("quick", "none") / "build-info", ignore_errors=True)
    words = ("build", "src", "--force", "--build-info")
    built = shop.forge(*words, profile="quick", tests="none", seconds=_SECONDS)
    report = shop.folder / "slither.json"
    report.unlink(missing_ok=True)
    env = shop.environment("quick", "none")
    env["PATH"] = os.pathsep.join([str(native("forge").parent), str(SLITHER / "bin"), env.get("PATH", os.defpath)])
    command: list[str | Path] = [SLITHER / "bin" / "slither", ".", "--json", report, "--foundry-ignore-compile"]
    command += ["--foundry-out-directory", shop.out("quick", "none").name, "--filter-paths", "node_modules"]
    done = run(command, shop.folder, env, _SECONDS)
    seconds = time.monotonic() - started
    if built.status != 0 or done.status is None or not report.is_file():
        return Finding("analyser", "slither", Verdict.UNKNOWN, seconds, detail=(built.text + done.text)[-2000:])
    remarks = set(_remarks(json.loads(report.read_text())))
    entries = tomllib.loads(reasons).get("explained", [])
    listed = {Remark(entry["detector"], entry["place"]) for entry in entries if entry["reason"].strip()}
    new, stale = sorted(map(str, remarks - listed)), sorted(map(str, listed - remarks))
    if new or stale:
        detail = "\n".join([*(f"not explained: {one}" for one in new), *(f"no longer there: {one}" for one in stale)])
        return Finding("analyser", "slither", Verdict.FAILS, seconds, detail=detail)
    detail = f"{len(remarks)} remarks, each explained"
    memory.put(key, {"seconds": seconds, "detail": detail})
    return Finding("analyser", "slither", Verdict.HOLDS, seconds, detail=detail)


def _remarks(report: dict[str, object]) -> Iterator[Remark]:
    results = report["results"]
    assert isinstance(results, dict)
    for one in results.get("detectors", []):
        if one["impact"] in _IMPACTS:
            yield Remark(one["check"], _place(one["elements"]))


def _place(elements: list[dict[str, object]]) -> str:
    """Contract and function, or whatever stands first."""
    if not elements:
        return "project"
    first = elements[0]
    fields = first.get("type_specific_fields")
    parent = fields.get("parent") if isinstance(fields, dict) else None
    names = [str(first["name"])]
    while isinstance(parent, dict) and parent.get("type") in {"function", "contract"}:
        names.append(str(parent["name"]))
        deeper = parent.get("type_specific_fields")
        parent = deeper.get("parent") if isinstance(deeper, dict) else None
    if first.get("type") not in {"function", "contract"}:
        names = names[1:] or names
    return ".".join(reversed(names))


def model_check(shop: Workshop, memory: Memory) -> Iterator[Finding]:
    """Files under `proofs/modelChecker`: every assertion and sum proved by the compiler itself, without a bound."""
    graph = Graph(shop.folder)
    for file in sorted((shop.folder / "proofs" / "modelChecker").glob("*.sol")):
        key = memory.key("model checker", graph.digest([file]))
        known = memory.get(key)
        if known is not None:
            seconds, detail = float(known["seconds"]), str(known["detail"])
            yield Finding("model checker", file.stem, Verdict.HOLDS, seconds, "", detail, remembered=True)
            continue
        started = time.monotonic()
        done = run([node(), _MODEL_CHECKER, file, shop.folder], shop.folder, os.environ, _SECONDS)
        seconds = time.monotonic() - started
        verdict, detail = _checked(done.status, done.out, done.err)
        if verdict is Verdict.HOLDS:
            memory.put(key, {"seconds": seconds, "detail": detail})
        yield Finding("model checker", file.stem, verdict, seconds, "", detail)


def _checked(status: int | None, out: str, err: str) -> tuple[Verdict, str]:
    if status != 0:
        return Verdict.UNKNOWN, err[-1500:]
    said = json.loads(out)
    if said["violated"]:
        return Verdict.FAILS, "\n".join(said["violated"])[-2000:]
    if said["unknown"] or not said["safe"]:
        return Verdict.UNKNOWN, "\n".join(said["unknown"])[-2000:] or "nothing to prove"
    return Verdict.HOLDS, f"{said['safe']} conditions"
