"""SQL as SQL: named statements in a `queries.sql` beside the code that runs them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

_HEADER = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Queries:
    """The named statements of one file."""

    source: str
    statements: dict[str, LiteralString]

    def sql(self, name: str) -> LiteralString:
        """The statement called `name`. Raises KeyError naming the file when there is none."""
        try:
            return self.statements[name]
        except KeyError:
            raise KeyError(f"{self.source} has no query named {name!r}") from None


def parse(text: str, source: str) -> Queries:
    """Split `text` at its `-- name: NAME` lines. Raises ValueError when a name stands twice."""
    statements: dict[str, LiteralString] = {}
    parts = _HEADER.split(text)
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        if name in statements:
            raise ValueError(f"{source} names query {name!r} twice")
        # Statements come from files of this distribution, never from input, which is what LiteralString asserts.
        statements[name] = cast(LiteralString, body.strip().rstrip(";"))
    return Queries(source, statements)


@cache
def load(package: str, file: str = "queries.sql") -> Queries:
    """The named statements in `file` of `package`, read once a process."""
    return parse((files(package) / file).read_text("utf-8"), f"{package}/{file}")
