"""Answers kept for whoever did not hear them, and one request at a time for each channel. All of it bounded."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, whole."""

    status: int
    headers: Headers
    body: bytes = b""

    @property
    def size(self) -> int:
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers)


@dataclass(slots=True)
class Attempt:
    """One run of the app for one payment. `settled` is the answer that may leave, `withheld` the one that waits."""

    key: str
    settled: Answer | None = None
    withheld: Answer | None = None
    at: float = field(default_factory=time.monotonic)

    @property
    def size(self) -> int:
        return sum(answer.size for answer in (self.settled, self.withheld) if answer is not None)


class Replays:
    """The last attempts by their request's identity: at most `most` of them, `bytes_most` in all, `seconds` old."""

    def __init__(self, *, most: int = 4096, bytes_most: int = 64 * 1024 * 1024, seconds: float = 600.0) -> None:
        self._most, self._bytes_most, self._seconds = most, bytes_most, seconds
        self._attempts: OrderedDict[bytes, Attempt] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._attempts)

    def find(self, identity: bytes) -> Attempt | None:
        attempt = self._attempts.get(identity)
        if attempt is not None and time.monotonic() - attempt.at > self._seconds:
            self.forget(identity)
            return None
        return attempt

    def keep(self, identity: bytes, attempt: Attempt) -> None:
        """Keep it, and let go of the oldest as far as that is needed."""
        self.forget(identity)
        if attempt.size > self._bytes_most:
            return
        self._attempts[identity] = attempt
        self._bytes += attempt.size
        while len(self._attempts) > self._most or self._bytes > self._bytes_most:
            self.forget(next(iter(self._attempts)))

    def forget(self, identity: bytes) -> None:
        attempt = self._attempts.pop(identity, None)
        if attempt is not None:
            self._bytes -= attempt.size


class Busy(Exception):
    """Too many requests wait for the channel, or one has waited too long."""


class Lanes:
    """A short queue for each key: one holds it, at most `waiting_most` wait, none longer than `seconds`."""

    def __init__(self, *, waiting_most: int = 16, seconds: float = 20.0) -> None:
        self._waiting_most, self._seconds = waiting_most, seconds
        self._locks: dict[bytes, asyncio.Lock] = {}
        self._users: dict[bytes, int] = {}

    @asynccontextmanager
    async def hold(self, key: bytes) -> AsyncIterator[None]:
        """Raises Busy."""
        users = self._users.get(key, 0)
        if users > self._waiting_most:
            raise Busy
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] = users + 1
        try:
            try:
                await asyncio.wait_for(lock.acquire(), self._seconds)
            except TimeoutError as error:
                raise Busy from error
            try:
                yield
            finally:
                lock.release()
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]
