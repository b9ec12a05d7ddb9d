"""Strict readers of JSON members: each says what was expected and where, and lets nothing else through."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import orjson

from verification.amounts import InvalidAmount, parse_uint
from verification.signatures.eip712 import keccak

SIGNATURE_BYTES_MOST = 4096
TEXT_MOST = 2048
UINT40_MAX = (1 << 40) - 1
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)

Members = Mapping[str, object]
Value = TypeVar("Value")


class InvalidPayload(ValueError):
    """A message is not what x402 says it is; the text names the member and what was expected there."""


def load_object(body: bytes) -> dict[str, object]:
    """The JSON object in `body`. Raises InvalidPayload."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidPayload("the body is not JSON") from error
    if not isinstance(value, dict):
        raise InvalidPayload("the body is not a JSON object")
    return value


def member(source: Members, name: str) -> object:
    """A member that must be there. Raises InvalidPayload."""
    if name not in source:
        raise InvalidPayload(f"{name} is missing")
    return source[name]


def optional(source: Members, name: str, read: Callable[[Members, str], Value]) -> Value | None:
    """A member that may be missing or null."""
    return None if source.get(name) is None else read(source, name)


def read_object(source: Members, name: str) -> dict[str, object]:
    value = member(source, name)
    if not isinstance(value, dict):
        raise InvalidPayload(f"{name} is not an object")
    return value


def read_list(source: Members, name: str, *, most: int) -> list[object]:
    value = member(source, name)
    if not isinstance(value, list):
        raise InvalidPayload(f"{name} is not a list")
    if len(value) > most:
        raise InvalidPayload(f"{name} has more than {most} entries")
    return value


def read_text(source: Members, name: str) -> str:
    value = member(source, name)
    if not isinstance(value, str) or len(value) > TEXT_MOST:
        raise InvalidPayload(f"{name} is not a text of at most {TEXT_MOST} characters")
    return value


def read_integer(source: Members, name: str, *, most: int = UINT40_MAX) -> int:
    """A JSON number without fraction, sign or exponent."""
    value = member(source, name)
    if type(value) is not int or not 0 <= value <= most:
        raise InvalidPayload(f"{name} is not a whole number from 0 to {most}")
    return value


def read_amount(source: Members, name: str, *, most: int) -> int:
    """A decimal string."""
    try:
        return parse_uint(member(source, name), most=most)
    except InvalidAmount as error:
        raise InvalidPayload(f"{name}: {error}") from error


def read_address(source: Members, name: str) -> bytes:
    """20 bytes from an address in lower case or with its EIP-55 checksum."""
    value = member(source, name)
    if not isinstance(value, str) or _ADDRESS.fullmatch(value) is None:
        raise InvalidPayload(f"{name} is not an address")
    address = bytes.fromhex(value[2:])
    if value[2:] != value[2:].lower() and value != checksum(address):
        raise InvalidPayload(f"{name} has a wrong checksum: write it in lower case or as EIP-55 says")
    return address


def read_bytes32(source: Members, name: str) -> bytes:
    value = read_hex(source, name, most=32)
    if len(value) != 32:
        raise InvalidPayload(f"{name} is not 32 bytes in hexadecimal")
    return value


def read_hex(source: Members, name: str, *, most: int = SIGNATURE_BYTES_MOST) -> bytes:
    """Bytes from 0x and an even number of hexadecimal digits."""
    value = member(source, name)
    if not isinstance(value, str) or len(value) > 2 + 2 * most or _HEX.fullmatch(value) is None:
        raise InvalidPayload(f"{name} is not at most {most} bytes in hexadecimal")
    return bytes.fromhex(value[2:])


def read_uint_or_hex(source: Members, name: str, *, most: int) -> int:
    """A uint256 that clients write as 32 bytes in hexadecimal and the specification as a decimal string."""
    value = member(source, name)
    if isinstance(value, str) and value.startswith("0x"):
        return int.from_bytes(read_bytes32(source, name), "big")
    return read_amount(source, name, most=most)


def checksum(address: bytes) -> str:
    """EIP-55."""
    digits = address.hex()
    nibbles = keccak(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(nibble, 16) >= 8 else digit for digit, nibble in zip(digits, nibbles, strict=False)
    )


def hexadecimal(value: bytes) -> str:
    """0x and lower-case digits."""
    return "0x" + value.hex()
