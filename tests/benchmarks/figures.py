"""What a benchmark reports: medians with their spread, what was asked, and the table for the README."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Measure = TypeVar("Measure")

START, END = "<!-- bench:start -->", "<!-- bench:end -->"


class BenchmarkFailed(Exception):
    """A contestant did not do its work, so there is no figure."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of a figure over rounds, and its extremes."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        middle, low, high = (number(value) for value in (self.median, self.low, self.high))
        return middle if low == high else f"{middle} ({low} .. {high})"


@dataclass(frozen=True, slots=True)
class Line:
    """One figure. `met` is None where nothing was asked."""

    what: str
    figure: str
    ask: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        return {None: "", True: "met", False: "NOT MET"}[self.met]


@dataclass(frozen=True, slots=True)
class Chapter:
    """The lines of one benchmark, and what a reader has to know of how they came about."""

    title: str
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()


def number(value: float) -> str:
    """Three digits that count, thousands set apart."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def plain(what: str, values: Sequence[float], unit: str) -> Line:
    """A figure of which nothing was asked."""
    return Line(what, f"{Spread.of(values)} {unit}")


def at_least(what: str, values: Sequence[float], least: float, unit: str = "x") -> Line:
    """A figure whose median has to reach `least`."""
    spread = Spread.of(values)
    return Line(what, f"{spread} {unit}", f">= {number(least)} {unit}", spread.median >= least)


def at_most(what: str, values: Sequence[float], most: float, unit: str = "x") -> Line:
    """A figure whose median may reach `most`."""
    spread = Spread.of(values)
    return Line(what, f"{spread} {unit}", f"<= {number(most)} {unit}", spread.median <= most)


def within(what: str, values: Sequence[float], share: float) -> Line:
    """A ratio whose median lies within `share` of one, or on the better side (`values` are better when higher)."""
    spread = Spread.of(values)
    return Line(what, f"{spread} x", f">= {1 - share:.2f} x", spread.median >= 1 - share)


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Round by round, since a noisy neighbour slows both of one round."""
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def alternate(contestants: Mapping[str, Callable[[], Measure]], rounds: int) -> dict[str, list[Measure]]:
    """A B C, A B C, ...: one figure a round and contestant."""
    measured: dict[str, list[Measure]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, measure in contestants.items():
            measured[name].append(measure())
    return measured


def table(chapters: Sequence[Chapter]) -> str:
    """The chapters as one markdown table, notes below it."""
    rows = ["| what | measured: median (min .. max of rounds) | asked | |", "|---|---|---|---|"]
    notes = []
    for chapter in chapters:
        rows.append(f"| **{chapter.title}** | | | |")
        rows += [f"| {line.what} | {line.figure} | {line.ask} | {line.verdict} |" for line in chapter.lines]
        notes += [f"- {chapter.title}: {note}" for note in chapter.notes]
    return "\n".join([*rows, "", *notes])


def write_between_markers(readme: Path, text: str) -> None:
    """Replace what stands between the markers. Raises BenchmarkFailed when they are not there."""
    whole = readme.read_text("utf-8") if readme.is_file() else ""
    before, start, rest = whole.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise BenchmarkFailed(f"{readme.name} has no {START} ... {END}")
    readme.write_text(f"{before}{START}\n{text}\n{END}{after}", "utf-8")
