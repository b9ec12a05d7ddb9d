"""Cursors: opaque, exact, and refused when they are not ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.http import cursors
from kit.http.problems import Problem


@given(st.binary(min_size=1, max_size=32))
def test_there_and_back(position: bytes) -> None:
    assert cursors.decode(cursors.encode(position), length=len(position)) == position


@given(st.binary(min_size=1, max_size=32))
def test_a_position_of_another_list_is_refused(position: bytes) -> None:
    with pytest.raises(Problem) as refused:
        cursors.decode(cursors.encode(position), length=len(position) + 1)
    assert (refused.value.status, refused.value.code) == (400, "invalid_cursor")


@given(st.text(max_size=30))
def test_any_text_is_a_cursor_or_a_problem(text: str) -> None:
    try:
        position = cursors.decode(text, length=16)
    except Problem as problem:
        assert problem.code == "invalid_cursor"
    else:
        assert cursors.encode(position) == text


@pytest.mark.parametrize("change", ["=", "\n", " ", "*"])
def test_a_cursor_has_one_spelling(change: str) -> None:
    good = cursors.encode(bytes(16))
    for bad in (good + change, change + good, good[:5] + change + good[5:]):
        with pytest.raises(Problem):
            cursors.decode(bad, length=16)


def test_bits_that_a_decoder_would_drop_are_refused() -> None:
    good = cursors.encode(bytes(16))
    assert good[-1] == "A"
    with pytest.raises(Problem):
        cursors.decode(good[:-1] + "B", length=16)


@given(st.integers(0, 40), st.integers(1, 12))
def test_pages_hold_each_row_once_and_end(total: int, limit: int) -> None:
    rows = list(range(total, 0, -1))
    seen: list[int] = []
    before = total + 1
    for _ in range(total + 2):
        asked = [row for row in rows if row < before][: limit + 1]
        page = cursors.page_of(asked, limit, lambda row: row.to_bytes(4, "big"))
        seen += page.rows
        assert len(page.rows) <= limit
        assert page.rows or not total, "a page after the last one"
        if page.next_cursor is None:
            break
        before = int.from_bytes(cursors.decode(page.next_cursor, length=4), "big")
    assert page.next_cursor is None
    assert seen == rows


def test_document() -> None:
    page = cursors.Page([1, 2], "next")
    assert page.document(lambda row: {"n": row}) == {"data": [{"n": 1}, {"n": 2}], "next_cursor": "next"}
