"""Foundry's invariant campaigns: random histories of calls, at least as many in all as asked for."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from kit.stack.proving.imports import Graph
from kit.stack.proving.results import Finding, Memory, Verdict
from kit.stack.proving.workshop import Workshop

DEPTH = 64
"""Calls in one history."""
_INVARIANT = re.compile(r"function\s+(invariant_\w+)")
_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Campaign:
    """One test contract's file and how many invariants it states; each is a campaign of its own to forge."""

    file: str
    invariants: int


def campaigns(shop: Workshop) -> list[Campaign]:
    """Every file of tests that states invariants."""
    found = []
    for file in sorted((shop.folder / "test").rglob("*.t.sol")):
        count = len(_INVARIANT.findall(file.read_text()))
        if count:
            found.append(Campaign(str(file.relative_to(shop.folder)), count))
    return found


def run_all(shop: Workshop, memory: Memory, calls: int, seed: int, workers: int) -> Iterator[Finding]:
    """Run every campaign, several at once, so that together they make at least `calls` calls."""
    every = campaigns(shop)
    total = sum(campaign.invariants for campaign in every)
    if not total:
        return
    runs = -(-calls // (total * DEPTH))
    graph = Graph(shop.folder)
    built = shop.forge("build", "test", profile="quick", seconds=_SECONDS)
    if built.status != 0:
        yield Finding("campaign", "tests", Verdict.UNKNOWN, 0, detail=built.text[-1500:])
        return

    def work(campaign: Campaign) -> Finding:
        key = memory.key("campaign", str(runs), str(seed), graph.digest([shop.folder / campaign.file]))
        known = memory.get(key)
        if known is not None:
            seconds, detail = float(known["seconds"]), str(known["detail"])
            return Finding("campaign", campaign.file, Verdict.HOLDS, seconds, _bounds(runs), detail, remembered=True)
        found = _run(shop, campaign, runs, seed)
        if found.good:
            memory.put(key, {"seconds": found.seconds, "detail": found.detail})
        return found

    with ThreadPoolExecutor(workers) as pool:
        for done in as_completed([pool.submit(work, campaign) for campaign in every]):
            yield done.result()


def _bounds(runs: int) -> str:
    return f"{runs} histories of {DEPTH} calls each invariant"


def _run(shop: Workshop, campaign: Campaign, runs: int, seed: int) -> Finding:
    started = time.monotonic()
    settings = {
        "FOUNDRY_INVARIANT_RUNS": str(runs),
        "FOUNDRY_INVARIANT_DEPTH": str(DEPTH),
        "FOUNDRY_FUZZ_SEED": hex(seed),
    }
    words = ("test", "--match-path", campaign.file, "--match-test", "^invariant_", "--json")
    done = shop.forge(*words, profile="quick", seconds=_SECONDS, settings=settings)
    results = test_results(done.out)
    wrong = [f"{name}: {result.get('reason')}" for name, result in results.items() if result["status"] != "Success"]
    calls = sum(result["kind"]["Invariant"]["calls"] for result in results.values() if "Invariant" in result["kind"])
    if done.status == 0 and len(results) == campaign.invariants and not wrong:
        verdict, detail = Verdict.HOLDS, f"{calls} calls"
    elif wrong:
        verdict, detail = Verdict.FAILS, "; ".join(wrong)
    else:
        verdict, detail = Verdict.UNKNOWN, done.text[-1500:]
    return Finding("campaign", campaign.file, verdict, time.monotonic() - started, _bounds(runs), detail)


def test_results(said: str) -> dict[str, Any]:
    """`{file:contract.test: result}` of `forge test --json`; empty when it never came to the tests."""
    for line in said.splitlines():
        if not line.startswith("{"):
            continue
        try:
            suites = json.loads(line)
        except json.JSONDecodeError:
            return {}
        if "event" not in suites:  # what an invariant's failure is told by, before the results
            return {
                f"{suite}.{test}": result
                for suite, body in suites.items()
                for test, result in body["test_results"].items()
            }
    return {}
