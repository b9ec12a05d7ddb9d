"""What `make prove` prints: a line for each thing as it is found, then the table."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.stack.proving.killing import Fate, Outcome
from kit.stack.proving.mutants import Survivor
from kit.stack.proving.results import Finding
from kit.stack.proving.workshop import Workshop

_NEEDED = 0.95
"""Of the mutants so many must be killed, those that are listed as equivalent counted as alive."""


@dataclass(frozen=True, slots=True)
class Killed:
    """What became of the mutants that were tried."""

    outcomes: tuple[Outcome, ...]
    listed: Mapping[str, Survivor]
    generated: int
    by_hand: int
    """How many there are of each, tried or not."""
    seed: int

    @property
    def unlisted(self) -> list[Outcome]:
        """Survivors that nobody has explained."""
        return [one for one in self.outcomes if one.fate.lives and one.mutant.key not in self.listed]

    @property
    def wrongly_listed(self) -> list[Outcome]:
        """Listed as impossible to kill, and killed."""
        return [one for one in self.outcomes if one.fate.killed and one.mutant.key in self.listed]


def progress(finding: Finding) -> None:
    mark = " (unchanged, from an earlier run)" if finding.remembered else ""
    detail = finding.detail if finding.good else ""
    print(f"{finding.kind}: {finding.name} {finding.verdict} {finding.seconds:.1f} s {detail}{mark}", flush=True)


def tried(outcome: Outcome, shop: Workshop, number: int, total: int) -> None:
    mutant = outcome.mutant
    line = mutant.line((shop.folder / mutant.file).read_bytes())
    mark = " (unchanged)" if outcome.remembered else ""
    by = f" {outcome.by}" if outcome.by else ""
    place = f"{mutant.file}:{line} {mutant.where}"
    print(f"mutant {number}/{total}: {mutant.key} {place}: {outcome.fate}{by}{mark}", flush=True)


def show(findings: Iterable[Finding], killed: Killed | None, seconds: float) -> bool:
    """Print the table; returns whether all is well."""
    every = list(findings)
    print()
    for kind, many in _by_kind(every).items():
        _show_kind(kind, many)
    good = all(one.good for one in every)
    if killed is not None:
        good = _show_mutants(killed) and good
    _show_failures(every, killed)
    results: list[Finding | Outcome] = [*every, *(killed.outcomes if killed else ())]
    remembered = sum(one.remembered for one in results)
    word = "all is well" if good else "NOT WELL"
    print(f"\n{word}: {seconds:.0f} s, {remembered} of {len(results)} results unchanged from earlier runs")
    return good


def _by_kind(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    kinds: dict[str, list[Finding]] = defaultdict(list)
    for one in findings:
        kinds[one.kind].append(one)
    return kinds


def _show_kind(kind: str, many: list[Finding]) -> None:
    good = sum(one.good for one in many)
    print(f"{kind}: {good} of {len(many)} hold, {sum(one.seconds for one in many):.0f} s of work")
    for one in sorted(many, key=lambda each: each.name):
        print(f"  {one.verdict:8} {one.seconds:7.1f} s  {one.name}")
    bounds = sorted({bound for one in many if one.bounds for bound in one.bounds.split("; ")})
    for bound in bounds:
        print(f"  bound: {bound}")


def _show_mutants(killed: Killed) -> bool:
    """By contract; the share that was killed is of those that are mutants at all, the equivalent ones with them."""
    by_file: dict[str, Counter[Fate]] = defaultdict(Counter)
    for one in killed.outcomes:
        by_file[Path(one.mutant.file).stem][one.fate] += 1
    hand = sum(one.mutant.by_hand for one in killed.outcomes)
    generated = f"{len(killed.outcomes) - hand} of {killed.generated} generated"
    print(f"mutants: {generated} and {hand} of {killed.by_hand} by hand (seed {killed.seed})")
    print(f"  {'contract':24} killed / total   tests proofs   not mutants")
    for name, fates in sorted(by_file.items()):
        _show_contract(name, fates)
    total: Counter[Fate] = sum(by_file.values(), Counter())
    _show_contract("all", total)
    count = sum(number for fate, number in total.items() if fate.counts)
    share = sum(number for fate, number in total.items() if fate.killed) / count if count else 1.0
    print(f"  killed: {share:.1%} (at least {_NEEDED:.0%} asked)")
    return share >= _NEEDED and not killed.unlisted and not killed.wrongly_listed


def _show_contract(name: str, fates: Counter[Fate]) -> None:
    dead = fates[Fate.BY_TEST] + fates[Fate.BY_PROOF]
    count = sum(number for fate, number in fates.items() if fate.counts)
    others = fates[Fate.STILLBORN] + fates[Fate.SAME]
    print(f"  {name:24} {dead:6} / {count:<5} {fates[Fate.BY_TEST]:8} {fates[Fate.BY_PROOF]:6} {others:13}")


def _show_failures(findings: Iterable[Finding], killed: Killed | None) -> None:
    for one in findings:
        if not one.good:
            print(f"\n{one.verdict}: {one.kind} {one.name}\n{one.detail}")
    for outcome in killed.outcomes if killed else ():
        mutant = outcome.mutant
        if outcome.fate.lives:
            known = killed.listed.get(mutant.key) if killed else None
            why = f"listed: {known.reason}" if known else "NOT LISTED"
            change = f"{mutant.old!r} becomes {mutant.new!r}"
            print(f"\nsurvived: {mutant.key} {mutant.file}, {mutant.where}, {change}: {why}")
    for outcome in killed.wrongly_listed if killed else ():
        print(f"\nlisted as equivalent, but {outcome.fate} {outcome.by}: {outcome.mutant.key} {outcome.mutant.file}")
