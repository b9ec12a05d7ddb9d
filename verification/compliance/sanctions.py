"""A sanctions list as a set of addresses, with the stamp of the list it came from."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


class InvalidSanctionsList(ValueError):
    """The text holds a line that is neither an address nor a comment."""


@dataclass(frozen=True, slots=True)
class SanctionsList:
    """20-byte addresses and the SHA-256 of the text they were read from."""

    addresses: frozenset[bytes]
    sha256: str


def parse_sanctions(text: str) -> SanctionsList:
    """One 0x address a line; `#` starts a comment. An empty list is data too, if it is given as one.

    Raises InvalidSanctionsList naming the line: a list that is half read is not a list.
    """
    addresses = set()
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        if _ADDRESS.fullmatch(entry) is None:
            raise InvalidSanctionsList(f"line {number} of the sanctions list is not an address")
        addresses.add(bytes.fromhex(entry[2:]))
    return SanctionsList(frozenset(addresses), hashlib.sha256(text.encode()).hexdigest())
