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

    identity: bytes
    key: str
    total: int = 0
    settled: Answer | None = None
    withheld: Answer | None = None
    at: float = field(default_factory=time.monotonic)

    @property
    def size(self) -> int:
        return sum(answer.size for answer in (self.settled, self.withheld) if answer is not None)


class Replays:
    """The last attempt of each lane, by its request's identity: at most `most`, `bytes_most` in all, `seconds` old.

    Only the last: a client that has gone on has heard the answers before it, and one that starts again from nothing
    is to be told where its channel stands, not served what it was served long ago.
    """

    def __init__(self, *, most: int = 4096, bytes_most: int = 64 * 1024 * 1024, seconds: float = 600.0) -> None:
        self._most, self._bytes_most, self._seconds = most, bytes_most, seconds
        self._attempts: OrderedDict[bytes, Attempt] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._attempts)

    def find(self, lane: bytes, identity: bytes) -> Attempt | None:
        attempt = self._attempts.get(lane)
        if attempt is not None and time.monotonic() - attempt.at > self._seconds:
            self.forget(lane)
            return None
        return attempt if attempt is not None and attempt.identity == identity else None

    def is_past(self, lane: bytes, identity: bytes, total: int) -> bool:
        """Whether the lane has gone on beyond a payment of this cumulative total: it has nothing to wait for."""
        attempt = self._attempts.get(lane)
        return (
            attempt is not None
            and attempt.settled is not None
            and attempt.identity != identity
            and 0 < total <= attempt.total
        )

    def keep(self, lane: bytes, attempt: Attempt) -> None:
        """Keep it in place of the lane's last one, and let go of the oldest lanes as far as that is needed."""
        self.forget(lane)
        if attempt.size > self._bytes_most:
            return
        self._attempts[lane] = attempt
        self._bytes += attempt.size
        while len(self._attempts) > self._most or self._bytes > self._bytes_most:
            self.forget(next(iter(self._attempts)))

    def forget(self, lane: bytes) -> None:
        attempt = self._attempts.pop(lane, None)
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
