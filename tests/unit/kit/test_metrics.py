"""One scrape over several processes, some of them dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

WORKER = """
import signal
from kit.metrics import counter, gauge
counter("worked_total", "Work done").inc(3)
gauge("waiting", "Work that waits", mode="livesum").set(5)
gauge("age", "Of what was seen", mode="livemax").set(7)
print("ready", flush=True)
signal.pause()
"""
SCRAPE = "from kit.metrics import exposition; print(exposition()[0].decode())"


def scraped(env: dict[str, str]) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", SCRAPE], env=env, capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def test_a_killed_process_leaves_its_counts_and_nothing_that_was_only_true_while_it_lived(tmp_path: Path) -> None:
    env = os.environ | {"LOCKGATE_METRICS_DIR": str(tmp_path)}
    env.pop("PROMETHEUS_MULTIPROC_DIR", None)
    workers = [subprocess.Popen([sys.executable, "-c", WORKER], env=env, stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for worker in workers:
            assert worker.stdout is not None and worker.stdout.readline() == b"ready\n"
        assert scraped(env) == {"worked_total": 6, "waiting": 10, "age": 7}
        workers[0].kill()
        workers[0].wait()
        assert scraped(env) == {"worked_total": 6, "waiting": 5, "age": 7}
        workers[1].send_signal(signal.SIGKILL)
        workers[1].wait()
        assert scraped(env) == {"worked_total": 6}
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
            assert worker.stdout is not None
            worker.stdout.close()
