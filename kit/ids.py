"""Identifiers: UUIDv7 (RFC 9562), monotone within a process, so that keys grow to the right."""

from __future__ import annotations

import os
import threading
import time
from struct import Struct
from uuid import UUID

_POOL = Struct("!256Q")
_COUNTER_BITS = 12
_COUNTER_MAX = (1 << _COUNTER_BITS) - 1
_LOW = (1 << 62) - 1


class Uuid7Source:
    """Makes UUIDs that never go backwards: 48 bits of milliseconds, a 12-bit counter, 62 random bits."""

    __slots__ = ("_counter", "_lock", "_millis", "_pool", "_process")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._millis = 0
        self._counter = 0
        self._pool: list[int] = []
        self._process = os.getpid()

    def next(self) -> UUID:
        with self._lock:
            return self._make()

    def many(self, count: int) -> list[UUID]:
        """`count` identifiers in ascending order."""
        with self._lock:
            return [self._make() for _ in range(count)]

    def _make(self) -> UUID:
        millis, counter = self._advance()
        low = self._noise() & _LOW
        return UUID(int=(millis << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | low)

    def _noise(self) -> int:
        """64 bits of the system's randomness, fetched many at a time, since a system call costs more than the id."""
        process = os.getpid()
        # A forked child must not draw what its parent and siblings draw.
        if not self._pool or process != self._process:
            self._pool, self._process = list(_POOL.unpack(os.urandom(_POOL.size))), process
        return self._pool.pop()

    def _advance(self) -> tuple[int, int]:
        now = time.time_ns() // 1_000_000
        if now > self._millis:
            self._millis, self._counter = now, 0
        elif self._counter < _COUNTER_MAX:
            self._counter += 1
        else:
            # 4,096 in one millisecond: borrow from the next, as RFC 9562 section 6.2 allows.
            self._millis, self._counter = self._millis + 1, 0
        return self._millis, self._counter


_source = Uuid7Source()
uuid7 = _source.next
uuid7s = _source.many


def made_at_millis(identifier: UUID) -> int:
    """Unix milliseconds at which a UUIDv7 was made."""
    return identifier.int >> 80
