"""Awaiting a condition that may fail to be asked while parts are down."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg

from kit.chain.anvil import ChainError

POLL_SECONDS = 0.02
SECONDS = 30.0


def eventually(holds: Callable[[], object], what: str, seconds: float = SECONDS, poll: float = POLL_SECONDS) -> None:
    """Until it holds. Raises AssertionError with the last reason when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        why = ""
        try:
            if holds():
                return
        except (psycopg.Error, ChainError) as error:
            why = f" ({type(error).__name__}: {error})"
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}{why}"
        time.sleep(poll)
