"""The three payment headers: UTF-8 JSON in standard base64 with padding, both ways."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import orjson

from gateway.x402.wire import InvalidPayload, load_object

PAYMENT_REQUIRED = "PAYMENT-REQUIRED"
PAYMENT_SIGNATURE = "PAYMENT-SIGNATURE"
PAYMENT_RESPONSE = "PAYMENT-RESPONSE"
# Clients' HTTP libraries give up on longer ones (aiohttp at 8 KB).
HEADER_BYTES_MOST = 8 * 1024 - 256
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)


def encode(message: Mapping[str, Any]) -> str:
    """A header's value."""
    return base64.b64encode(orjson.dumps(message)).decode()


def decode(value: str) -> dict[str, object]:
    """The JSON object in a header's value. Raises InvalidPayload."""
    if len(value) > 8 * HEADER_BYTES_MOST or _BASE64.fullmatch(value) is None:
        raise InvalidPayload("the header is not standard base64")
    try:
        return load_object(base64.b64decode(value, validate=True))
    except binascii.Error as error:
        raise InvalidPayload("the header is not standard base64") from error
