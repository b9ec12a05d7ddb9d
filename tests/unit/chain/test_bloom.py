"""The bloom's "no" is certain."""

from __future__ import annotations

from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from kit.chain.bloom import BITS, BYTES, may_contain


def bloom_of(items: list[bytes]) -> bytes:
    number = 0
    for item in items:
        digest = keccak(item)
        for at in (0, 2, 4):
            number |= 1 << (int.from_bytes(digest[at : at + 2], "big") % BITS)
    return number.to_bytes(BYTES, "big")


@given(st.lists(st.binary(min_size=20, max_size=20), max_size=20))
def test_what_is_in_is_never_denied(items: list[bytes]) -> None:
    bloom = bloom_of(items)
    assert all(may_contain(bloom, item) for item in items)


def test_what_is_not_in_is_denied() -> None:
    assert not may_contain(bytes(BYTES), b"\1" * 20)
    assert not may_contain(bloom_of([b"\1" * 20]), b"\2" * 20)


def test_no_bloom_proves_nothing() -> None:
    assert may_contain(b"", b"\1" * 20)
