"""Wait for a condition with a deadline, never for a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


def wait_until(done: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Look again until it is so; the test fails at the deadline."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)


async def until(done: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """`wait_until` for a coroutine: the loop goes on meanwhile. `done` is asked in a thread."""
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(done):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(0.02)
