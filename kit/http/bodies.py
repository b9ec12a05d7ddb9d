"""A request's body, read within limits of size and time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from kit.http.problems import Problem

BODY_SECONDS = 10.0

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


async def read_body(receive: Receive, *, most: int, length: int | None = None) -> bytes:
    """The whole body of an ASGI request; `length` is what Content-Length says, if it says anything.

    Raises Problem 413 before more than `most` bytes are held, 408 when it is not there after BODY_SECONDS, 400 when
    the client goes away.
    """
    if length is not None and length > most:
        raise _too_large(most)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(receive, most)
    except TimeoutError:
        raise Problem(
            408,
            "body_too_slow",
            f"The whole body has to be here within {BODY_SECONDS:.0f} seconds.",
            headers={"Connection": "close"},
        ) from None


async def _read(receive: Receive, most: int) -> bytes:
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "invalid_request", "The request's body ended early.")
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > most:
            raise _too_large(most)
        parts.append(part)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(most: int) -> Problem:
    return Problem(413, "body_too_large", f"The body may have {most} bytes at the most.")
