"""Packed parameters are what psycopg's own adapters send: the server reads the same values from both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kit.database import binary
from kit.database.pool import connect

Connection = psycopg.Connection[Any]
RELAXED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
NUMERIC = st.one_of(
    st.integers(-(10**39), 10**39),
    st.sampled_from([0, 1, -1, 9999, 10_000, 10_001, 10**8, 10**38, 1 << 127, (1 << 128) - 1, -(1 << 127)]),
    st.integers(0, 38).map(lambda power: 10**power),
)


@pytest.fixture(scope="module")
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url, autocommit=True) as opened:
        yield opened


def received(connection: Connection, kind: LiteralString, packed: bytes) -> list[Any]:
    """What the server made of a packed array, element by element, sent back by the server's own output."""
    result = connection.pgconn.exec_params(f"SELECT $1::{kind}[]".encode(), [packed], param_formats=[1])
    assert result.status == psycopg.pq.ExecStatus.TUPLES_OK, result.error_message
    text = result.get_value(0, 0)
    assert text is not None
    row = connection.execute(f"SELECT %s::{kind}[]", [text.decode()]).fetchone()
    assert row is not None
    return list(row[0])


def adapted(connection: Connection, kind: LiteralString, values: Sequence[Any]) -> list[Any]:
    row = connection.execute(f"SELECT %b::{kind}[]", [list(values)]).fetchone()
    assert row is not None
    return list(row[0])


@RELAXED
@given(st.lists(NUMERIC, max_size=20))
@example([0, -1, 1 << 127, (1 << 128) - 1, 10_000, 100_000_000])
def test_numeric(connection: Connection, values: list[int]) -> None:
    packed = binary.numeric_array([binary.numeric(value) for value in values])
    assert received(connection, "numeric", packed) == [Decimal(value) for value in values]
    assert received(connection, "numeric", packed) == adapted(connection, "numeric", [Decimal(v) for v in values])


@RELAXED
@given(NUMERIC)
def test_one_numeric_fits_the_column_of_amounts(connection: Connection, value: int) -> None:
    """The typmod of the book's columns is applied to what was packed, without loss."""
    result = connection.pgconn.exec_params(
        b"SELECT (unnest($1::numeric[]))::numeric(40,0)::text",
        [binary.numeric_array([binary.numeric(value)])],
        param_formats=[1],
    )
    assert result.get_value(0, 0) == str(value).encode()


@RELAXED
@given(st.lists(st.one_of(st.none(), st.integers(-(1 << 63), (1 << 63) - 1)), max_size=20))
def test_int8_with_nulls(connection: Connection, values: list[int | None]) -> None:
    assert received(connection, "int8", binary.int8_array(values)) == values == adapted(connection, "int8", values)


@RELAXED
@given(st.lists(st.integers(-(1 << 31), (1 << 31) - 1), max_size=20))
def test_int4(connection: Connection, values: list[int]) -> None:
    assert received(connection, "int4", binary.int4_array(values)) == values == adapted(connection, "int4", values)


@RELAXED
@given(st.lists(st.uuids(), max_size=20))
def test_uuid(connection: Connection, values: list[UUID]) -> None:
    packed = binary.uuid_array([value.bytes for value in values])
    assert received(connection, "uuid", packed) == values == adapted(connection, "uuid", values)


@RELAXED
@given(st.lists(st.binary(max_size=70), max_size=20))
def test_bytea(connection: Connection, values: list[bytes]) -> None:
    assert received(connection, "bytea", binary.bytea_array(values)) == values == adapted(connection, "bytea", values)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


@RELAXED
@given(st.lists(st.one_of(st.none(), TEXT), max_size=20))
@example([None, "", "NULL", "a,b{}", '"\\'])
def test_text_with_nulls(connection: Connection, values: list[str | None]) -> None:
    assert received(connection, "text", binary.text_array(values)) == values == adapted(connection, "text", values)


@pytest.mark.parametrize(
    ("kind", "pack", "edges"),
    [
        ("int2", binary.int2, [-(1 << 15), -1, 0, (1 << 15) - 1]),
        ("int4", binary.int4, [-(1 << 31), -1, 0, (1 << 31) - 1]),
    ],
)
def test_single_integers(connection: Connection, kind: LiteralString, pack: Any, edges: list[int]) -> None:
    for value in edges:
        result = connection.pgconn.exec_params(f"SELECT $1::{kind}".encode(), [pack(value)], param_formats=[1])
        assert result.get_value(0, 0) == str(value).encode()
    with pytest.raises(OverflowError):
        pack(edges[-1] + 1)
