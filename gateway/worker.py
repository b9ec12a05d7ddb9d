"""The gateway's Celery application: `app`. Which job runs how often, on any broker that Celery speaks to."""

from __future__ import annotations

from typing import Any

from celery import Celery, signals

from gateway.channels.runtime import runtime
from gateway.settings import Settings, load
from kit import logging
from kit.work.celery import make_app

QUEUE = "gateway"
# A message that waits longer than a few turns has been overtaken by the next one.
_STALE_TURNS = 5


def _every(seconds: float, task: str) -> dict[str, Any]:
    return {
        "task": f"gateway.channels.{task}",
        "schedule": seconds,
        "options": {"expires": max(5.0, seconds * _STALE_TURNS)},
    }


def schedule(settings: Settings) -> dict[str, Any]:
    """Seconds between runs; each job finds for itself whether there is anything to do."""
    return {
        "follow the chain": _every(settings.follow_seconds, "follow_chain"),
        "push transactions": _every(1.0, "push_transactions"),
        "claim what is due": _every(2.0, "claim_due"),
        "settle what is claimed": _every(2.0, "settle_due"),
        "deliver the outbox": _every(2.0, "deliver_outbox"),
        "show life": _every(5.0, "heartbeat"),
        "expire": _every(5.0, "expire"),
        "sweep": _every(10.0, "sweep"),
    }


def make(settings: Settings) -> Celery:
    """The application for these settings."""
    app = make_app(
        "gateway",
        settings.broker_url.get_secret_value(),
        queue=QUEUE,
        schedule=schedule(settings),
        include=["gateway.channels.tasks"],
        beat_liveness_file=settings.beat_liveness_file,
        worker_liveness_file=settings.worker_liveness_file,
    )
    app.conf.worker_concurrency = settings.worker_processes
    return app


def _set_up_logging(**_: Any) -> None:
    logging.configure(load().log_level)


def _close(**_: Any) -> None:
    if runtime.cache_info().currsize:
        runtime().close()


signals.setup_logging.connect(_set_up_logging)
signals.worker_process_shutdown.connect(_close)
app = make(load())
