"""Celery as we use it: late acknowledgement, JSON, bounded times, the same on Valkey and on RabbitMQ quorum queues.

A task carries at most a row's id. Whether a message is lost or comes twice changes nothing: what is to be done stands
in the database, and is done under a lease or a row lock there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from celery import Celery, signals

from kit.metrics import counter, forget_process, gauge, histogram

TASKS = counter("lockgate_tasks_total", "Tasks by how they ended.", ["task", "outcome"])
TASK_SECONDS = histogram("lockgate_task_seconds", "Time of one task.", ["task"])
QUEUE_DEPTH = gauge("lockgate_queue_depth", "Messages that wait in the broker.", ["queue"])

SOFT_SECONDS, HARD_SECONDS = 60, 90
# Longer than the longest task may take, so that a message is never handed out while its task still runs.
VISIBILITY_SECONDS = 300
UNKNOWN_TASK = "unknown"
NOT_FOUND = 404
_PUBLISH_RETRIES = {"max_retries": 3, "interval_start": 0.0, "interval_step": 0.2, "interval_max": 0.5}
_started: dict[str, float] = {}


def make_app(
    name: str,
    broker_url: str,
    *,
    queue: str,
    schedule: Mapping[str, Any],
    include: Sequence[str],
    beat_liveness_file: Path | None = None,
    worker_liveness_file: Path | None = None,
) -> Celery:
    """A Celery application; `schedule` as in `beat_schedule`.

    The scheduler touches its liveness file at every turn, a worker its own after every task: life is work done.
    """
    app = Celery(name, broker=broker_url, include=list(include))
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_soft_time_limit=SOFT_SECONDS,
        task_time_limit=HARD_SECONDS,
        task_default_queue=queue,
        task_publish_retry_policy={
            "max_retries": 3,
            "interval_start": 0.0,
            "interval_step": 0.2,
            "interval_max": 0.5,
        },
        worker_prefetch_multiplier=1,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport_options(broker_url),
        beat_schedule=dict(schedule),
        beat_scheduler="kit.work.beat:LivenessScheduler",
        beat_max_loop_interval=1,
        timezone="UTC",
    )
    app.conf.lockgate_beat_liveness_file = beat_liveness_file
    app.conf.lockgate_worker_liveness_file = worker_liveness_file
    if broker_url.startswith(("amqp", "pyamqp")):
        app.conf.task_default_queue_type = "quorum"
    return app


def _transport_options(broker_url: str) -> dict[str, Any]:
    if broker_url.startswith(("amqp", "pyamqp")):
        return {"confirm_publish": True}
    # Without the last two, what a killed worker held comes back after a hundred seconds only.
    return {
        "visibility_timeout": VISIBILITY_SECONDS,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "socket_timeout": 10.0,
        "socket_connect_timeout": 5.0,
        "health_check_interval": 10,
    }


def measure_queue(app: Celery, queue: str) -> None:
    """How many messages wait; none in a queue that the broker does not know. Raises the broker's own errors."""
    with app.connection_for_read() as connection:
        try:
            waiting = connection.default_channel.queue_declare(queue=queue, passive=True).message_count
        except connection.channel_errors as error:
            if int(error.reply_code or 0) != NOT_FOUND:
                raise
            waiting = 0  # Valkey forgets a queue with its last message
    QUEUE_DEPTH.labels(queue).set(waiting)


def _task_starts(task_id: str, **_: Any) -> None:
    _started[task_id] = time.perf_counter()


def _task_ends(task_id: str, task: Any, state: str | None, retval: Any = None, **_: Any) -> None:
    """A task that ends well may name its outcome, from a closed set of its own."""
    began = _started.pop(task_id, None)
    outcome = retval if state == "SUCCESS" and isinstance(retval, str) else (state or "unknown").lower()
    TASKS.labels(task.name, outcome).inc()
    if began is not None:
        TASK_SECONDS.labels(task.name).observe(time.perf_counter() - began)
    alive = task.app.conf.get("lockgate_worker_liveness_file")
    if alive is not None:
        alive.touch()


def _task_unknown(**_: Any) -> None:
    TASKS.labels(UNKNOWN_TASK, "refused").inc()


def _child_ends(pid: int, **_: Any) -> None:
    forget_process(pid)


signals.task_prerun.connect(_task_starts)
signals.task_postrun.connect(_task_ends)
signals.task_unknown.connect(_task_unknown)
signals.worker_process_shutdown.connect(_child_ends)
