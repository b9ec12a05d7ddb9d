"""A sanctions list is read whole or not at all."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.compliance.sanctions import InvalidSanctionsList, parse_sanctions

ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def test_addresses_comments_and_blank_lines() -> None:
    text = f"# list of today\n\n  {ADDRESS}  # alice\r\n{ADDRESS.lower()}\n0x{'ab' * 20}\n"
    read = parse_sanctions(text)
    assert read.addresses == {bytes.fromhex(ADDRESS[2:]), b"\xab" * 20}
    assert read.sha256 == hashlib.sha256(text.encode()).hexdigest()


@given(st.sets(st.binary(min_size=20, max_size=20)))
def test_every_address_is_found(addresses: set[bytes]) -> None:
    text = "\n".join("0x" + address.hex() for address in addresses)
    assert parse_sanctions(text).addresses == addresses


@pytest.mark.parametrize("text", ["", "\n\n", "# nobody is listed"])
def test_an_empty_list_is_a_list(text: str) -> None:
    assert parse_sanctions(text).addresses == frozenset()


@pytest.mark.parametrize(
    "line",
    [
        ADDRESS[:-1],
        ADDRESS + "0",
        ADDRESS[2:],
        "0X" + ADDRESS[2:],
        "0x" + "g" * 40,
        "0x" + "１" * 40,
        f"{ADDRESS} {ADDRESS}",
        f"{ADDRESS},",
        "alice",
        "\ufeff" + ADDRESS,
    ],
)
def test_one_bad_line_refuses_the_list_and_is_named(line: str) -> None:
    with pytest.raises(InvalidSanctionsList, match="line 3 "):
        parse_sanctions(f"{ADDRESS}\n# fine so far\n{line}\n{ADDRESS}\n")
