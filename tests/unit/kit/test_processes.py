"""Children that end with their parent."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PARENT = """
import multiprocessing, time
from kit.processes import end_with_parent

def child(told, asks):
    if asks:
        end_with_parent()
    told.put(multiprocessing.current_process().pid)
    time.sleep({seconds})

if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    told = spawn.Queue()
    spawn.Process(target=child, args=(told, {asks})).start()
    print(told.get(), flush=True)
    time.sleep({seconds})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2)")
@pytest.mark.parametrize("asks", [True, False])
def test_a_child_that_asks_for_it_ends_with_its_killed_parent(tmp_path: Path, asks: bool) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(seconds=4, asks=asks))
    env = {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=env)
    assert parent.stdout is not None
    assert int(parent.stdout.readline()) > 0
    parent.send_signal(signal.SIGKILL)
    assert parent.wait() == -signal.SIGKILL
    # The child holds the other end of standard output: the end of the file tells that it has ended.
    ended_early = _reads_end_within(parent.stdout.fileno(), 2.0)
    assert ended_early is asks
    parent.stdout.read()


def _reads_end_within(descriptor: int, seconds: float) -> bool:
    readable, _, _ = select.select([descriptor], [], [], seconds)
    return bool(readable)
