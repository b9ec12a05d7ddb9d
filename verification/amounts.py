"""Amounts on the wire: decimal strings of integers in the token's smallest unit."""

from __future__ import annotations

import re

UINT128_MAX = (1 << 128) - 1
UINT256_MAX = (1 << 256) - 1
# ASCII digits only: str.isdigit would let other scripts' digits through.
_UINT = re.compile(r"(?:0|[1-9][0-9]{0,77})", re.ASCII)


class InvalidAmount(ValueError):
    """A text is not a whole number in the range asked for, spelt the one way that we accept."""


def parse_uint(text: object, *, most: int = UINT128_MAX) -> int:
    """The integer that a decimal string spells; no sign, exponent, point, space or leading zero.

    Raises InvalidAmount for anything else and for values above `most`.
    """
    if not isinstance(text, str) or _UINT.fullmatch(text) is None:
        raise InvalidAmount("an amount is a string of decimal digits without sign or leading zeros")
    value = int(text)
    if value > most:
        raise InvalidAmount(f"an amount is at most {most}")
    return value


def parse_positive(text: object, *, most: int = UINT128_MAX) -> int:
    """As `parse_uint`, but zero is refused as well."""
    value = parse_uint(text, most=most)
    if value == 0:
        raise InvalidAmount("an amount is at least 1")
    return value
