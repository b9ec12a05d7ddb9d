"""What words of a command line mean, for argparse's `type`."""

from __future__ import annotations

import argparse

from eth_utils.address import to_checksum_address


def address(text: str) -> str:
    """A checksummed account."""
    try:
        return str(to_checksum_address(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address") from error


def addresses(text: str) -> tuple[str, ...]:
    """Distinct accounts, between commas."""
    found = tuple(address(word.strip()) for word in text.split(","))
    if len(set(found)) != len(found):
        raise argparse.ArgumentTypeError("an address is named twice")
    return found


def natural(text: str) -> int:
    """Digits only."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)
