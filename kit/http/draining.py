"""A stop that fails no request: first every answer says that its connection closes, then the listener goes."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

Send = Callable[[dict[str, Any]], Awaitable[None]]
_CLOSE = (b"connection", b"close")


class Draining:
    """What SIGTERM means to one API process.

    A server that closes idle keep-alive connections at once fails the requests that are on their way over them
    (RFC 9112, 9.3.1). So for `seconds` after SIGTERM it goes on serving, says `Connection: close` in each answer and
    that it is not ready; load balancers and clients leave by then. Then the server's own handler stops it.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: Any = None
        self.active = False

    def install(self) -> None:
        """Stand before the SIGTERM handler that is there; nothing happens outside the main thread."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._loop = asyncio.get_running_loop()
        self._stop = signal.signal(signal.SIGTERM, self._asked)

    def closing(self, send: Send) -> Send:
        """`send` of an ASGI application, with the header added to the answer."""

        async def closing(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
            await send(message)

        return closing

    def _asked(self, number: int, frame: FrameType | None) -> None:
        parent = multiprocessing.parent_process()
        if parent is not None and os.getppid() != parent.pid:
            self._go_on(number, frame)  # an orphan would keep the port from its successor
        elif not self.active:  # a second signal changes nothing: both the group and its first process may be told
            self.active = True
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._loop.call_later, self._seconds, self._go_on, number, frame)

    def _go_on(self, number: int, frame: FrameType | None) -> None:
        if callable(self._stop):
            self._stop(number, frame)
        else:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
