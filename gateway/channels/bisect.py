"""Find what spoils a batch, with few questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Sorted(Generic[Row]):
    """`good` passes as one batch; each of `bad` fails alone, with its reason."""

    good: list[Row]
    bad: list[tuple[Row, str]]


def sort_out(rows: Sequence[Row], objection: Callable[[Sequence[Row]], str | None]) -> Sorted[Row]:
    """Halve what fails until single rows fail; `objection` says why a batch fails, or None.

    A batch whose halves pass and which still fails as a whole is cut to the half that passed first, so that what is
    answered as good has passed as it is; the rest has its turn in a later batch.
    """
    if not rows:
        return Sorted([], [])
    why = objection(rows)
    if why is None:
        return Sorted(list(rows), [])
    if len(rows) == 1:
        return Sorted([], [(rows[0], why)])
    middle = len(rows) // 2
    first, second = sort_out(rows[:middle], objection), sort_out(rows[middle:], objection)
    together, bad = first.good + second.good, first.bad + second.bad
    if first.good and second.good and objection(together) is not None:
        return Sorted(first.good, bad)
    return Sorted(together, bad)
