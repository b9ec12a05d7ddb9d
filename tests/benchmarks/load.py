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
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import cast

import uvloop

from tests.benchmarks.figures import BenchmarkFailed
from tests.benchmarks.workload import Workload


@dataclass(frozen=True, slots=True)
class Order:
    """What to send: about `payments` in all, `batch` a request (1: the single route).

    `steps` says how many payments each channel has made already. Each connection pays from channels of its own, so
    that the order of a channel's vouchers is that of the connection, whichever worker is slow.
    """

    port: int
    api_keys: list[str]
    channels: int
    merchants: int
    payments: int
    steps: list[int]
    batch: int
    connections: int
    seconds: float
    """No request is sent later than this; whole requests may be left over then."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came back: `payments` captured, `steps` of channels afterwards, latencies of requests in milliseconds."""

    payments: int
    seconds: float
    p50: float
    p99: float
    most: float
    steps: list[int]
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
    """Sends its own requests one after the other; each is (the channels it pays from, the bytes)."""

    def __init__(self, load: _Load, requests: list[_Request]) -> None:
        self._load = load
        self._requests = iter(requests)
        self._buffer = b""
        self._started = 0.0
        self._sent: list[int] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def begin(self) -> None:
        """Send the next request, or end when there is none or the time is over."""
        self._started = time.perf_counter()
        request = next(self._requests, None) if self._started < self._load.until else None
        if request is None:
            self._transport.close()
            self._finish()
            return
        self._sent = request[0]
        self._transport.write(request[1])

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
        self._load.note(time.perf_counter() - self._started, self._sent, buffer[9:12], buffer[body:])
        self.begin()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self._load.failures["connection lost"] += 1
            self._finish()

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


_Request = tuple[list[int], bytes]


class _Load:
    def __init__(self, order: Order) -> None:
        self._order = order
        self._requests = [_requests(order, connection) for connection in range(order.connections)]
        self._steps = list(order.steps)
        self.until = 0.0
        self.latencies: list[float] = []
        self.captured = 0
        self.failures: Counter[str] = Counter()
        self.example = ""

    def note(self, latency: float, channels: list[int], status: bytes, body: bytes) -> None:
        self.latencies.append(latency)
        captured = body.count(b'"status":201') if self._order.batch > 1 else int(status == b"201")
        self.captured += captured
        for channel in channels:
            self._steps[channel] += 1
        if captured != len(channels):
            self.failures[status.decode()] += 1
            self.example = self.example or body[:500].decode(errors="replace")

    async def run(self) -> Report:
        loop = asyncio.get_running_loop()
        connections = []
        for requests in self._requests:
            made = await loop.create_connection(partial(_Connection, self, requests), "127.0.0.1", self._order.port)
            connections.append(made[1])
        started = time.perf_counter()
        self.until = started + self._order.seconds
        for connection in connections:
            connection.begin()
        await asyncio.gather(*(connection.done for connection in connections))
        seconds = time.perf_counter() - started
        milliseconds = sorted(latency * 1e3 for latency in self.latencies) or [0.0]
        p50, p99 = (milliseconds[int(len(milliseconds) * share)] for share in (0.5, 0.99))
        return Report(
            self.captured, seconds, p50, p99, milliseconds[-1], self._steps, dict(self.failures), self.example
        )


def _requests(order: Order, connection: int) -> list[_Request]:
    """The requests of one connection, which pays in turn from every channel that is its own."""
    workload = _workload(order.channels, order.merchants)
    own = range(connection, order.channels, order.connections)
    steps = {channel: order.steps[channel] for channel in own}
    made = []
    for first in range(0, order.payments // order.connections, order.batch):
        channels, bodies = [], []
        for position in range(first, first + order.batch):
            channel = own[position % len(own)]
            steps[channel] += 1
            channels.append(channel)
            bodies.append(workload.body(channel, steps[channel]))
        api_key = order.api_keys[workload.payers[channels[0]].merchant]
        made.append((channels, _message(api_key, bodies)))
    return made


_workload = lru_cache(Workload)


def _message(api_key: str, bodies: list[bytes]) -> bytes:
    path, body = b"/v1/payments", bodies[0]
    if len(bodies) > 1:
        path, body = path + b"/batch", b'{"payments":[' + b",".join(bodies) + b"]}"
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
