"""A worker whose consumer fails begins anew; one that is asked to stop ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.integration.chain.parts import wait_until

PROGRAM = """
import os, sys
from pathlib import Path
from celery import Celery, bootsteps
from kit.work.running import run_worker

lives = Path(sys.argv[1])

class Breaks(bootsteps.StartStopStep):
    requires = {"celery.worker.components:Pool"}

    def start(self, worker):
        with lives.open("a") as file:
            file.write(f"{os.getpid()}\\n")
        if len(lives.read_text().split()) == 1:
            raise AttributeError("'NoneType' object has no attribute 'hostname'")

app = Celery("breaks", broker="memory://")
app.steps["worker"].add(Breaks)
sys.exit(run_worker(app, "--pool", "solo", "--loglevel", "ERROR"))
"""


def test_a_worker_that_broke_begins_anew_and_stops_when_asked(tmp_path: Path) -> None:
    """Defect: the process ends with the consumer, and nobody works until somebody starts it."""
    program, lives = tmp_path / "program.py", tmp_path / "lives"
    program.write_text(PROGRAM)
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    worker = subprocess.Popen([sys.executable, str(program), str(lives)], env=env)
    try:
        wait_until(lambda: lives.exists() and len(lives.read_text().split()) == 2, "it begins anew", 30.0)
        assert set(lives.read_text().split()) == {str(worker.pid)}, "as the same process"
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
        assert len(lives.read_text().split()) == 2, "and ends when it is asked to"
    finally:
        worker.kill()
        worker.wait()
