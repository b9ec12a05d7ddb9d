"""Cursor pagination: an opaque cursor that names the last row in the very order of the list."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from kit.http.problems import Problem

LIMIT_MOST = 100
LIMIT_DEFAULT = 20
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list: newest first unless the list says otherwise."""

    rows: list[Row]
    next_cursor: str | None

    def document(self, show: Callable[[Row], dict[str, Any]]) -> dict[str, Any]:
        return {"data": [show(row) for row in self.rows], "next_cursor": self.next_cursor}


def encode(position: bytes) -> str:
    return base64.urlsafe_b64encode(position).rstrip(b"=").decode()


def decode(cursor: str, *, length: int) -> bytes:
    """The position a cursor names. Raises Problem 400 `invalid_cursor`."""
    try:
        position = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except (binascii.Error, UnicodeEncodeError):
        position = b""
    if len(position) != length or encode(position) != cursor:
        raise invalid()
    return position


def invalid() -> Problem:
    return Problem(400, "invalid_cursor", "Take the cursor as it stands in next_cursor of the page before.")


def page_of(rows: Sequence[Row], limit: int, position: Callable[[Row], bytes]) -> Page[Row]:
    """A page from `limit + 1` rows asked for: the one more tells that there is a next page."""
    shown = list(rows[:limit])
    more = len(rows) > limit
    return Page(shown, encode(position(shown[-1])) if more else None)
