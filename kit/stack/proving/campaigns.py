"""Foundry's invariant campaigns: random histories of calls, at least as many in all as asked for.

An invariant is one campaign to forge, and two of one contract would take the same steps from the same seed: each has
a seed of its own here, and a long one is cut into parts, each with another, that run side by side. A contract of
tests may say above itself how long its histories are and how much of all calls it gets, in the place of 64 and one
share:

    /// @custom:campaign depth=256 share=12 certified

`certified`: of a hundred calls in all campaigns, at least one is a step of this contract whose name begins so and
that got through, which is a certificate that counted.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from kit.stack.proving.imports import Graph
from kit.stack.proving.results import Finding, Memory, Verdict
from kit.stack.proving.workshop import Finished, Workshop

DEPTH = 64
"""Calls in one history, where a contract says nothing else."""
PART = 40_000
"""Calls in one run of forge at most, about."""
ENOUGH = 100
"""Calls after which a step that never got through is a fault of the campaign: it says nothing of what lies behind."""
_CALLS_A_CERTIFICATE = 100
_INVARIANT = re.compile(r"function\s+(invariant_\w+)")
_WISHES = re.compile(r"///\s*@custom:campaign\s+(.*)")
_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Campaign:
    """One file of tests, its invariants, and what it wishes."""

    file: str
    invariants: tuple[str, ...]
    depth: int = DEPTH
    share: int = 1
    """Of each invariant."""
    certified: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One run of forge: so many histories of one invariant."""

    campaign: Campaign
    invariant: str
    runs: int
    seed: int


@dataclass(slots=True)
class Tally:
    """What the finished parts of one campaign said."""

    calls: int = 0
    tried: Counter[str] = field(default_factory=Counter)
    reverted: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def add(self, part: Part, done: Finished) -> None:
        """Take in the results of one part; `broken` where there is not exactly one."""
        results = test_results(done.out)
        for name, result in results.items():
            if result["status"] != "Success":
                self.wrong.append(f"{name.rpartition('.')[2]}: {result.get('reason')}")
                continue
            kind = result["kind"]["Invariant"]
            self.calls += kind["calls"]
            for step, metric in kind["metrics"].items():
                self.tried[step.rpartition(".")[2]] += metric["calls"]
                self.reverted[step.rpartition(".")[2]] += metric["reverts"]
        if len(results) != 1 or (done.status != 0 and not self.wrong):
            self.broken.append(done.text[-1500:] or f"{part.invariant}: no answer")

    def passed(self, step: str) -> int:
        return self.tried[step] - self.reverted[step]

    @property
    def certificates(self) -> int:
        return sum(self.passed(step) for step in self.tried if step.startswith("certified"))

    @property
    def never(self) -> list[str]:
        """Steps that were tried often enough and never got through."""
        return sorted(step for step, tried in self.tried.items() if tried >= ENOUGH and not self.passed(step))


def campaigns(shop: Workshop) -> list[Campaign]:
    """Every file of tests that states invariants."""
    found = []
    for file in sorted((shop.folder / "test").rglob("*.t.sol")):
        text = file.read_text()
        names = tuple(_INVARIANT.findall(text))
        if names:
            said = _WISHES.search(text)
            found.append(_campaign(str(file.relative_to(shop.folder)), names, said[1].split() if said else []))
    return found


def _campaign(file: str, names: tuple[str, ...], wishes: list[str]) -> Campaign:
    numbers = dict(wish.split("=") for wish in wishes if "=" in wish)
    depth, share = int(numbers.get("depth", DEPTH)), int(numbers.get("share", 1))
    return Campaign(file, names, depth, share, "certified" in wishes)


def parts(every: list[Campaign], calls: int, seed: int) -> list[Part]:
    """What to run so that all together make at least `calls` calls: the longest campaigns first."""
    shares = sum(one.share * len(one.invariants) for one in every)
    planned = []
    for campaign in sorted(every, key=lambda one: -one.share):
        due = -(-calls * campaign.share // shares)
        count = -(-due // PART)
        runs = -(-due // (count * campaign.depth))
        for invariant in campaign.invariants:
            for number in range(count):
                own = hashlib.sha256(f"{seed} {campaign.file} {invariant} {number}".encode()).digest()
                planned.append(Part(campaign, invariant, runs, int.from_bytes(own[:8], "big")))
    return planned


def run_all(shop: Workshop, memory: Memory, calls: int, seed: int, workers: int) -> Iterator[Finding]:
    """Run every campaign, several at once, so that together they make at least `calls` calls."""
    every = campaigns(shop)
    if not every:
        return
    graph = Graph(shop.folder)
    planned = parts(every, calls, seed)
    keys = {
        one: memory.key("campaign", str(calls), str(seed), repr(planned), graph.digest([shop.folder / one.file]))
        for one in every
    }
    unknown = [one for one in every if memory.get(keys[one]) is None]
    for campaign in every:
        known = memory.get(keys[campaign])
        if known is not None:
            seconds, detail = float(known["seconds"]), str(known["detail"])
            bounds = _bounds(campaign, planned)
            yield Finding("campaign", campaign.file, Verdict.HOLDS, seconds, bounds, detail, remembered=True)
    if not unknown:
        return
    built = shop.forge("build", "test", profile="quick", seconds=_SECONDS)
    if built.status != 0:
        yield Finding("campaign", "tests", Verdict.UNKNOWN, 0, detail=built.text[-1500:])
        return
    for campaign, found in _run(shop, [one for one in planned if one.campaign in unknown], calls, workers):
        if found.good:
            memory.put(keys[campaign], {"seconds": found.seconds, "detail": found.detail})
        yield found


def _run(shop: Workshop, planned: list[Part], calls: int, workers: int) -> Iterator[tuple[Campaign, Finding]]:
    """Each campaign's finding when the last of its parts is done; seconds are those of its parts together."""
    tallies = {part.campaign: Tally() for part in planned}
    seconds = dict.fromkeys(tallies, 0.0)
    left = Counter(part.campaign for part in planned)
    with ThreadPoolExecutor(workers) as pool:
        running: dict[Future[tuple[Finished, float]], Part] = {
            pool.submit(_forge, shop, part): part for part in planned
        }
        for future in as_completed(running):
            part = running[future]
            done, took = future.result()
            tallies[part.campaign].add(part, done)
            seconds[part.campaign] += took
            left[part.campaign] -= 1
            if not left[part.campaign]:
                verdict, detail = judge(part.campaign, tallies[part.campaign], calls)
                bounds = _bounds(part.campaign, planned)
                took = seconds[part.campaign]
                yield part.campaign, Finding("campaign", part.campaign.file, verdict, took, bounds, detail)


def _forge(shop: Workshop, part: Part) -> tuple[Finished, float]:
    started = time.monotonic()
    settings = {
        "FOUNDRY_INVARIANT_RUNS": str(part.runs),
        "FOUNDRY_INVARIANT_DEPTH": str(part.campaign.depth),
        "FOUNDRY_FUZZ_SEED": hex(part.seed),
    }
    words = ("test", "--match-path", part.campaign.file, "--match-test", rf"^{part.invariant}\b", "--json")
    done = shop.forge(*words, profile="quick", seconds=_SECONDS, settings=settings)
    return done, time.monotonic() - started


def judge(campaign: Campaign, tally: Tally, calls: int) -> tuple[Verdict, str]:
    """What `tally` means when all campaigns together were to make `calls` calls."""
    if tally.wrong:
        return Verdict.FAILS, "; ".join(tally.wrong)
    if tally.broken:
        return Verdict.UNKNOWN, tally.broken[0]
    if tally.never:
        return Verdict.FAILS, f"steps that never got through: {', '.join(tally.never)}"
    detail = f"{tally.calls} calls"
    if campaign.certified:
        if tally.certificates * _CALLS_A_CERTIFICATE < calls:
            return Verdict.FAILS, f"only {tally.certificates} certificates counted in {detail}"
        detail += f", {tally.certificates} certificates counted"
    rarest = min(tally.tried, key=lambda step: tally.passed(step) / tally.tried[step], default=None)
    if rarest is not None and tally.reverted[rarest]:
        detail += f", {len(tally.tried)} steps; rarest {rarest}: {tally.passed(rarest)} of {tally.tried[rarest]}"
    return Verdict.HOLDS, detail


def _bounds(campaign: Campaign, planned: list[Part]) -> str:
    runs = sum(part.runs for part in planned if part.campaign == campaign) // len(campaign.invariants)
    return f"{runs} histories of {campaign.depth} calls each invariant"


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
