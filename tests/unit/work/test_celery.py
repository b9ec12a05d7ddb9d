"""What Celery is told: a message outlives its worker, and is never handed out while its task may still run."""

from __future__ import annotations

import pytest

from kit.work.celery import HARD_SECONDS, SOFT_SECONDS, VISIBILITY_SECONDS, make_app


@pytest.mark.parametrize("broker", ["redis://127.0.0.1:1/0", "amqp://127.0.0.1:1//"])
def test_a_lost_workers_task_comes_back_and_a_running_one_does_not(broker: str) -> None:
    conf = make_app("test", broker, queue="q", schedule={}, include=[]).conf
    assert conf.task_acks_late and conf.task_reject_on_worker_lost
    assert 0 < SOFT_SECONDS < HARD_SECONDS
    assert (conf.task_soft_time_limit, conf.task_time_limit) == (SOFT_SECONDS, HARD_SECONDS)
    if broker.startswith("redis"):
        assert conf.broker_transport_options["visibility_timeout"] > HARD_SECONDS
    else:
        assert conf.task_default_queue_type == "quorum"
    assert conf.worker_prefetch_multiplier == 1
    assert conf.accept_content == ["json"] and conf.task_serializer == "json"


def test_no_task_of_ours_is_delayed_or_tried_again_by_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ETA or a countdown would be held by a worker beyond the visibility timeout; the next beat tries again."""
    monkeypatch.setenv("LOCKGATE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    from gateway.worker import app

    app.loader.import_default_modules()
    ours = {name: task for name, task in app.tasks.items() if name.startswith("gateway.")}
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= ours.keys()
    assert {task.max_retries for task in ours.values()} == {0}
    for entry in app.conf.beat_schedule.values():
        assert not {"eta", "countdown"} & entry["options"].keys()
        assert 0 < entry["options"]["expires"] < VISIBILITY_SECONDS
