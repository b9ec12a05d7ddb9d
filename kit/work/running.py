"""Running a Celery worker that does not stay away when Celery or its transport fails in a way of their own."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, NoReturn

from celery import Celery, signals
from celery.worker import state

from kit.logging import get_logger

_log = get_logger(__name__)
PAUSE_SECONDS = 1.0


def run_worker(app: Celery, *arguments: str) -> int:
    """The worker's exit status, once somebody asked it to stop.

    When the consumer ends by an error (kombu's Redis transport raises AttributeError when a connection breaks while
    its channel gives messages back), this process begins anew: it loses nothing, since work is acknowledged late
    and stands in the database.
    """
    workers: list[Any] = []

    def keep(sender: Any, **_: Any) -> None:
        workers.append(sender)

    signals.worker_init.connect(keep)
    app.start(argv=["worker", *arguments])
    status = int(workers[-1].exitcode or 0) if workers else 0  # `start` itself says nothing of it
    asked = state.should_stop is not None or state.should_terminate is not None
    if status != 0 and not asked:
        _log.error("the worker ended by an error of its own and begins anew", status=status)
        _begin_anew()
    return status


def _begin_anew() -> NoReturn:
    time.sleep(PAUSE_SECONDS)  # a fault that lasts does not make a busy loop
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - this very program
