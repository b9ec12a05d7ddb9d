"""SQL files: named statements, and placeholders as the server numbers them."""

from __future__ import annotations

import re
from typing import LiteralString

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.database import binary
from kit.database.queries import load, parse

FILE = """-- what this file is about
-- name: first
SELECT 1;

-- name: second
-- its comment stays with it
SELECT '-- name: not_a_query', %(a)s
FROM t;
"""


def test_statements_by_name() -> None:
    queries = parse(FILE, "room/queries.sql")
    assert set(queries.statements) == {"first", "second"}
    assert queries.sql("first") == "SELECT 1"
    assert queries.sql("second").startswith("-- its comment stays with it\nSELECT")
    assert not queries.sql("second").endswith(";")


def test_a_missing_name_names_the_file() -> None:
    with pytest.raises(KeyError, match=r"room/queries\.sql has no query named 'third'"):
        parse(FILE, "room/queries.sql").sql("third")


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="'first' twice"):
        parse("-- name: first\nSELECT 1\n-- name: first\nSELECT 2\n", "room/queries.sql")


def test_an_empty_file_has_no_queries() -> None:
    assert parse("", "room/queries.sql").statements == {}


@pytest.mark.parametrize("package", ["kit.ledger", "gateway.payments", "gateway.merchants", "gateway.channels"])
def test_every_file_of_ours_parses(package: str) -> None:
    assert load(package).statements
    assert load(package) is load(package)


def test_placeholders_become_numbers_and_a_name_has_one_number() -> None:
    sql, names = binary.positional("SELECT %(b)b::int4, %(a)s, %(b)s, 5 %% 2")
    assert (sql, names) == ("SELECT $1::int4, $2, $1, 5 % 2", ["b", "a"])


NAME: list[LiteralString] = ["a", "b", "c_1", "d"]
NAMES = st.lists(st.sampled_from(NAME), max_size=12)


@given(NAMES)
def test_numbers_and_names_belong_together(names: list[LiteralString]) -> None:
    sql, order = binary.positional(" ".join([f"%({name})b" for name in names]))
    assert len(order) == len(set(order))
    assert [order[int(number) - 1] for number in re.findall(r"\$(\d+)", sql)] == names
