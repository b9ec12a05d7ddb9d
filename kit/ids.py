"""Identifiers: UUIDv7 (RFC 9562), monotone within a process, so that keys grow to the right."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_COUNTER_BITS = 12
_COUNTER_MAX = (1 << _COUNTER_BITS) - 1


class Uuid7Source:
    """Makes UUIDs that never go backwards: 48 bits of milliseconds, a 12-bit counter, 62 random bits."""

    __slots__ = ("_counter", "_lock", "_millis")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._millis = 0
        self._counter = 0

    def next(self) -> UUID:
        return self.many(1)[0]

    def many(self, count: int) -> list[UUID]:
        """`count` identifiers in ascending order."""
        noise = os.urandom(8 * count)
        made = []
        with self._lock:
            for index in range(count):
                millis, counter = self._advance()
                low = int.from_bytes(noise[8 * index : 8 * index + 8], "big") & ((1 << 62) - 1)
                made.append(UUID(int=(millis << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | low))
        return made

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
