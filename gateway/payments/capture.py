"""Group commit: concurrent payments share one statement and one fsync, and an answer leaves only after it.

Each lane has one statement under way; what arrives meanwhile is the next batch. A channel always takes the same
lane, so its vouchers keep their order. One bad payment never fails its neighbours: a batch that the server refuses
as a whole is split until the bad one stands alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from collections import deque
from collections.abc import Sequence
from concurrent import futures
from concurrent.futures import Future

from psycopg_pool import ConnectionPool

from gateway.payments import statement
from gateway.payments.outcomes import (
    BookUnavailable,
    CaptureFailed,
    CaptureRequest,
    CaptureResult,
    Outcome,
    QueueFull,
    Waiter,
)
from kit import metrics
from kit.database.prepared import ConnectionLost, PreparedStatement, StatementFailed
from kit.ids import uuid7
from kit.logging import get_logger

log = get_logger(__name__)

BATCH_MOST = 256
QUEUE_MOST = 4096
ATTEMPTS_MOST = 6
RETRY_SECONDS = 0.2
# Deadlock and serialization failures: the same batch again is the remedy.
_TRANSIENT = frozenset({"40001", "40P01", "55P03", "57014"})
_DATA_EXCEPTION = "22000"
_UNIQUE_VIOLATION = "23505"

_outcomes = metrics.counter("lockgate_captures_total", "Vouchers given to the book, by outcome", ["outcome"])
_captured = _outcomes.labels(Outcome.CAPTURED.name.lower())
_batch_size = metrics.histogram(
    "lockgate_capture_batch_size", "Payments in one statement", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
_commit_seconds = metrics.histogram("lockgate_capture_commit_seconds", "Statement and commit of one batch")
_queue_depth = metrics.gauge("lockgate_capture_queue_depth", "Payments that wait for a batch", mode="livesum")

_Entry = tuple[CaptureRequest, Waiter]


class Captures:
    """The way into the book for every voucher of this process. Start it on the event loop that serves requests."""

    def __init__(
        self, url: str, pool: ConnectionPool, *, shard: int = 0, lanes: int = 1, window_seconds: int = 86_400
    ) -> None:
        self._pool = pool
        self._window_seconds = window_seconds
        self._lanes = [_Lane(self, PreparedStatement(url, statement.SQL), shard) for _ in range(lanes)]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self.waiting = 0

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        for lane in self._lanes:
            lane.start()

    async def stop(self) -> None:
        """Finish what was accepted, then stop. Nothing acknowledged is lost; nothing accepted is left unanswered."""
        self._closed = True
        await asyncio.gather(*(lane.stop() for lane in self._lanes))

    def capture(self, request: CaptureRequest) -> asyncio.Future[CaptureResult]:
        """Queue one voucher, from the event loop. The future raises BookUnavailable or CaptureFailed.

        Raises QueueFull at once when too many wait already.
        """
        if self._closed or self._loop is None or self.waiting >= QUEUE_MOST:
            raise QueueFull("the payment queue is full")
        waiter: asyncio.Future[CaptureResult] = self._loop.create_future()
        self._enqueue(request, waiter)
        return waiter

    def capture_all(self, requests: Sequence[CaptureRequest]) -> list[asyncio.Future[CaptureResult]]:
        """Queue several vouchers in order, all or none. Raises QueueFull."""
        if self.waiting + len(requests) > QUEUE_MOST:
            raise QueueFull("the payment queue is full")
        return [self.capture(request) for request in requests]

    def submit(self, request: CaptureRequest) -> Future[CaptureResult]:
        """Queue one voucher from any other thread; failures, QueueFull too, are the future's."""
        waiter: Future[CaptureResult] = Future()
        if self._loop is None or self._closed:
            waiter.set_exception(QueueFull("the payment queue is closed"))
            return waiter
        try:
            self._loop.call_soon_threadsafe(self._admit, request, waiter)
        except RuntimeError:  # the loop has ended meanwhile
            waiter.set_exception(QueueFull("the payment queue is closed"))
        return waiter

    def _admit(self, request: CaptureRequest, waiter: Future[CaptureResult]) -> None:
        if self._closed or self.waiting >= QUEUE_MOST:
            _set_exception(waiter, QueueFull("the payment queue is full"))
        else:
            self._enqueue(request, waiter)

    def _enqueue(self, request: CaptureRequest, waiter: Waiter) -> None:
        self.waiting += 1
        self._lanes[request.channel_no % len(self._lanes)].put((request, waiter))

    async def explain(
        self, requests: Sequence[CaptureRequest], results: Sequence[CaptureResult]
    ) -> list[CaptureResult]:
        """Explain refusals. When the book cannot be asked, each is unknown: raises BookUnavailable."""

        def ask() -> list[CaptureResult]:
            with self._pool.connection() as connection:
                return statement.explain(connection, requests, results)

        try:
            return await asyncio.to_thread(ask)
        except Exception as error:
            raise BookUnavailable("the book could not be read") from error

    @property
    def window_seconds(self) -> int:
        return self._window_seconds


class _Lane:
    """One connection, one statement under way at a time."""

    def __init__(self, captures: Captures, prepared: PreparedStatement, shard: int) -> None:
        self._captures = captures
        self._prepared = prepared
        self._shard = shard
        self._queue: deque[_Entry] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._explaining: set[asyncio.Task[None]] = set()
        self._stopping = False

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="capture-lane")

    async def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await asyncio.gather(*self._explaining)
        self._prepared.close()

    def put(self, entry: _Entry) -> None:
        self._queue.append(entry)
        self._wake.set()

    async def _run(self) -> None:
        queue = self._queue
        while True:
            if not queue:
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            batch = [queue.popleft() for _ in range(min(len(queue), BATCH_MOST))]
            _queue_depth.set(self._captures.waiting)
            await self._answer(batch)

    async def _answer(self, batch: list[_Entry]) -> None:
        """Execute `batch`. Every waiter is settled, whatever happens; the refused ones once they are explained."""
        try:
            results = await self._execute([request for request, _ in batch])
        except StatementFailed as error:
            await self._split(batch, error)
        except Exception as error:  # noqa: BLE001 - every waiter is answered; what it was is logged
            log.error("capture_batch_unknown", payments=len(batch), error=repr(error))
            self._fail(batch, BookUnavailable("the book could not be reached"))
        else:
            refused = []
            for entry, result in zip(batch, results, strict=True):
                if result.outcome is Outcome.CAPTURED:
                    self._settle(entry, result)
                else:
                    refused.append((entry, result))
            _captured.inc(len(batch) - len(refused))
            self._explain(refused)

    async def _split(self, batch: list[_Entry], error: StatementFailed) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._answer(batch[:middle])
            await self._answer(batch[middle:])
            return
        request = batch[0][0]
        if error.sqlstate == _UNIQUE_VIOLATION:  # another request with this key or voucher won the race
            self._explain([(batch[0], CaptureResult(Outcome.MISMATCH, 0, 0))])
            return
        log.error("capture_refused_by_database", payment_id=str(request.payment_id), sqlstate=error.sqlstate)
        self._fail(batch, CaptureFailed("this payment could not be booked"))

    async def _execute(self, requests: Sequence[CaptureRequest]) -> list[CaptureResult]:
        """One statement, again while the server says that again would help or the connection was lost.

        After a lost connection it is unknown whether the batch stands. Sending it again tells: what was captured is
        then refused, and found by its own payment id when that is explained.
        """
        for attempt in range(1, ATTEMPTS_MOST + 1):
            started = time.perf_counter()
            try:
                answer = await self._prepared.execute(self._pack(requests))
            except ConnectionLost:
                if attempt == ATTEMPTS_MOST:
                    raise
                await asyncio.sleep(RETRY_SECONDS * attempt)
                continue
            except StatementFailed as error:
                if error.sqlstate not in _TRANSIENT or attempt == ATTEMPTS_MOST:
                    raise
                continue
            _commit_seconds.observe(time.perf_counter() - started)
            _batch_size.observe(len(requests))
            return statement.unpack(answer, requests)
        raise AssertionError("the loop above returns or raises")

    def _pack(self, requests: Sequence[CaptureRequest]) -> list[bytes]:
        """Raises StatementFailed: what has no form on the wire is refused as the server would refuse it."""
        try:
            return statement.pack(
                requests, batch_id=uuid7(), shard=self._shard, window_seconds=self._captures.window_seconds
            )
        except (ValueError, TypeError, OverflowError, struct.error) as error:
            raise StatementFailed(_DATA_EXCEPTION, type(error).__name__) from error

    def _explain(self, refused: Sequence[tuple[_Entry, CaptureResult]]) -> None:
        """Explain refusals beside the lane: the next batch does not wait for a connection of the pool."""
        if refused:
            task = asyncio.get_running_loop().create_task(self._told(refused), name="capture-explain")
            self._explaining.add(task)
            task.add_done_callback(self._explaining.discard)

    async def _told(self, refused: Sequence[tuple[_Entry, CaptureResult]]) -> None:
        entries = [entry for entry, _ in refused]
        try:
            told = await self._captures.explain(
                [request for request, _ in entries], [result for _, result in refused]
            )
        except BookUnavailable as error:
            self._fail(entries, error)
            return
        for entry, result in zip(entries, told, strict=True):
            self._settle(entry, result)
            _outcomes.labels(result.outcome.name.lower()).inc()

    def _settle(self, entry: _Entry, result: CaptureResult) -> None:
        self._captures.waiting -= 1
        waiter = entry[1]
        if not waiter.done():
            try:
                waiter.set_result(result)
            except (asyncio.InvalidStateError, futures.InvalidStateError):
                return  # a caller in another thread that went away in this very moment does not undo its payment

    def _fail(self, batch: Sequence[_Entry], error: Exception) -> None:
        self._captures.waiting -= len(batch)
        for _, waiter in batch:
            _set_exception(waiter, error)


def _set_exception(waiter: Waiter, error: Exception) -> None:
    with contextlib.suppress(asyncio.InvalidStateError, futures.InvalidStateError):
        if not waiter.done():
            waiter.set_exception(error)
