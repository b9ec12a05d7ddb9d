"""The depth of the queue, on a real broker."""

from __future__ import annotations

from pathlib import Path

from kit.stack.launcher import Launcher
from kit.stack.local import valkey_part, valkey_url
from kit.stack.ports import free_ports
from kit.work.celery import QUEUE_DEPTH, make_app, measure_queue


def test_an_empty_queue_has_no_depth_and_is_no_error(tmp_path: Path) -> None:
    """Valkey does not know a queue in which nothing waits."""
    (port,) = free_ports(1)
    with Launcher(tmp_path / "run") as launcher:
        launcher.start_all([valkey_part(launcher.run.path / "valkey", port, "secret")])
        app = make_app("depth", valkey_url(port, "secret"), queue="depth", schedule={}, include=[])
        measure_queue(app, "depth")
        assert _depth() == 0
        app.send_task("nobody.takes.it")
        measure_queue(app, "depth")
        assert _depth() == 1
        app.close()


def _depth() -> float:
    return float(QUEUE_DEPTH.labels("depth")._value.get())
