"""The API stopped under load: a rollout fails no request."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.faults.http import Answer
from tests.faults.stage import Stage, Till, stage
from tests.faults.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

PAYING, READING = 16, 48
STOP_SECONDS = 35.0


class Client(threading.Thread):
    """One connection, one request after the other, until the server says that it closes it."""

    def __init__(self, ask: Callable[[], Answer | None]) -> None:
        super().__init__(daemon=True)
        self._ask = ask
        self.answers = 0
        self.failures: list[str] = []
        self.told_to_leave = False

    def run(self) -> None:
        while not self.told_to_leave and not self.failures:
            answer = self._ask()
            if answer is None:
                self.failures.append(f"no answer after {self.answers}")
            elif answer.status not in (200, 201):
                self.failures.append(str(answer))
            else:
                self.answers += 1
                self.told_to_leave = answer.closes


def test_a_stop_under_64_connections_fails_no_request(run_dirs: Path) -> None:
    """I4: each connection gets its answer and is told to close; the process ends; all that was told is kept.

    Defect: stop as the server does by itself, closing idle connections at once (drain_seconds=0).
    """
    with stage(run_dirs / "stop") as here:
        tills = _open_tills(here)
        paid = tills[0].pay(1).document["id"]
        http = [here.world.http() for _ in range(READING)]
        clients = [Client(partial(till.pay, 1)) for till in tills]
        clients += [Client(partial(one.get, f"/v1/payments/{paid}")) for one in http]
        for client in clients:
            client.start()
        eventually(lambda: all(client.answers >= 5 for client in clients), "every connection is in use")
        api = here.world.stack.part("api")
        assert api.pid is not None
        api.wanted = False
        os.kill(api.pid, signal.SIGTERM)
        for client in clients:
            client.join(STOP_SECONDS)
        assert [failure for client in clients for failure in client.failures] == []
        assert all(client.told_to_leave for client in clients)
        eventually(lambda: not api.alive, "the API has ended", STOP_SECONDS)
        here.world.stack.start("api")
        here.check()


def _open_tills(here: Stage) -> list[Till]:
    tills = [here.till() for _ in range(PAYING)]
    with ThreadPoolExecutor(PAYING) as threads:
        list(threads.map(Till.open, tills))
    return tills
