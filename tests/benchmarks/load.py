"""The load generator: one process, raw sockets on uvloop, everything signed before the clock starts.

It reads one JSON order from standard input, says `ready` once the requests are made, waits for a line, sends, and
prints one JSON report. Closed loop: each connection sends its next request when the answer to the last is whole.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import cast

import uvloop

from tests.benchmarks.figures import BenchmarkFailed
from tests.benchmarks.workload import Workload


@dataclass(frozen=True, slots=True)
class Order:
    """What to send: payments `start` .. `start + payments`, `batch` a request (1: the single route)."""

    port: int
    api_keys: list[str]
    channels: int
    merchants: int
    start: int
    payments: int
    batch: int
    connections: int
    seconds: float
    """No request is sent later than this; whole requests may be left over then."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came back. `payments` is the number captured; latencies are those of requests, in milliseconds."""

    payments: int
    seconds: float
    p50: float
    p99: float
    most: float
    failures: dict[str, int]
    example: str

    @property
    def rate(self) -> float:
        """Payments a second."""
        return self.payments / self.seconds

    @property
    def tail(self) -> float:
        return self.p99 / self.p50


class LoadGenerator:
    """The process of one order; `run` may be called once."""

    def __init__(self, order: Order) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self._input.write(json.dumps(asdict(order)) + "\n")
        self._input.flush()

    def await_ready(self) -> None:
        if self._output.readline() != "ready\n":
            raise BenchmarkFailed("the load generator could not make its requests")

    def run(self) -> Report:
        """Send it all. Raises BenchmarkFailed when any payment was not captured."""
        self._input.write("go\n")
        self._input.flush()
        answer = self._output.readline()
        if self._process.wait() != 0:
            raise BenchmarkFailed("the load generator failed")
        report = Report(**json.loads(answer))
        if report.failures:
            raise BenchmarkFailed(f"not every payment was captured: {report.failures}, such as {report.example}")
        return report


def offer(order: Order) -> Report:
    """Sign, then send. Raises BenchmarkFailed."""
    generator = LoadGenerator(order)
    generator.await_ready()
    return generator.run()


class _Connection(asyncio.Protocol):
    def __init__(self, load: _Load) -> None:
        self._load = load
        self._buffer = b""
        self._started = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def begin(self) -> None:
        """Send the next request, or end when there is none or the time is over."""
        request = self._load.next()
        if request is None:
            self._transport.close()
            self._finish()
            return
        self._started = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer = self._buffer + data if self._buffer else data
        head = buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = buffer.find(b"content-length: ", 0, head)
        body = head + 4
        if len(buffer) < body + int(buffer[at + 16 : buffer.index(b"\r", at)]):
            return
        self._buffer = b""
        self._load.note(time.perf_counter() - self._started, buffer[9:12], buffer[body:])
        self.begin()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self._load.failures["connection lost"] += 1
            self._finish()

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


class _Load:
    def __init__(self, order: Order) -> None:
        self._order = order
        self._requests = iter(_requests(order))
        self._until = 0.0
        self.latencies: list[float] = []
        self.captured = 0
        self.failures: Counter[str] = Counter()
        self.example = ""

    def next(self) -> bytes | None:
        return next(self._requests, None) if time.perf_counter() < self._until else None

    def note(self, latency: float, status: bytes, body: bytes) -> None:
        self.latencies.append(latency)
        batch = self._order.batch
        captured = body.count(b'"status":201') if batch > 1 else int(status == b"201")
        self.captured += captured
        if captured != batch:
            self.failures[status.decode()] += 1
            self.example = self.example or body[:500].decode(errors="replace")

    async def run(self) -> Report:
        loop = asyncio.get_running_loop()
        order = self._order
        connections = [
            (await loop.create_connection(lambda: _Connection(self), "127.0.0.1", order.port))[1]
            for _ in range(order.connections)
        ]
        started = time.perf_counter()
        self._until = started + order.seconds
        for connection in connections:
            connection.begin()
        await asyncio.gather(*(connection.done for connection in connections))
        seconds = time.perf_counter() - started
        milliseconds = sorted(latency * 1e3 for latency in self.latencies) or [0.0]
        middle, tail = (milliseconds[int(len(milliseconds) * share)] for share in (0.5, 0.99))
        return Report(self.captured, seconds, middle, tail, milliseconds[-1], dict(self.failures), self.example)


def _requests(order: Order) -> list[bytes]:
    bodies = Workload(order.channels, order.merchants).bodies(order.start, order.payments)
    if order.batch == 1:
        return [_message(b"/v1/payments", order.api_keys[merchant], body) for merchant, body in bodies]
    return list(_batches(order, [body for _, body in bodies]))


def _batches(order: Order, bodies: list[bytes]) -> Iterator[bytes]:
    for first in range(0, len(bodies) - order.batch + 1, order.batch):
        body = b'{"payments":[' + b",".join(bodies[first : first + order.batch]) + b"]}"
        yield _message(b"/v1/payments/batch", order.api_keys[0], body)


def _message(path: bytes, api_key: str, body: bytes) -> bytes:
    return (
        b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s" % (path, api_key.encode(), len(body), body)
    )


def main() -> None:
    load = _Load(Order(**json.loads(sys.stdin.readline())))
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(asdict(uvloop.run(load.run()))), flush=True)


if __name__ == "__main__":
    main()
