"""Bad rows are found alone, and what is called good passes as one batch."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from gateway.channels.bisect import sort_out


@given(st.lists(st.integers(0, 5), max_size=60))
def test_exactly_the_bad_rows_are_left_out(rows: list[int]) -> None:
    result = sort_out(rows, lambda some: "zero" if 0 in some else None)
    assert result.good == [row for row in rows if row]
    assert result.bad == [(0, "zero")] * rows.count(0)


@given(st.lists(st.integers(1, 100), max_size=40), st.integers(1, 300))
def test_what_is_good_passes_as_a_whole(rows: list[int], limit: int) -> None:
    def too_heavy(some: Sequence[int]) -> str | None:
        return "too heavy" if sum(some) > limit else None

    result = sort_out(rows, too_heavy)
    assert not result.good or sum(result.good) <= limit
    assert all(row > limit for row, _ in result.bad)
    assert bool(result.good) == any(row <= limit for row in rows)


def test_one_bad_row_of_a_hundred_costs_few_questions() -> None:
    asked: list[int] = []

    def objection(some: Sequence[int]) -> str | None:
        asked.append(len(some))
        return "bad" if 57 in some else None

    assert sort_out(range(100), objection).bad == [(57, "bad")]
    assert len(asked) < 30
