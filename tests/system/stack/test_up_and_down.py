"""`lockgate up` and `down` as a person runs them: stops, kills, second starts, and what is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kit.stack.reaper import family
from kit.stack.rundir import RunDir, is_free
from tests.system.stack.processes import alive, eventually, identities

pytestmark = pytest.mark.system

SERVERS = 3
STOP_SECONDS = 60


def lockgate(run_dir: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "kit.cli", *words],
        env=os.environ | {"LOCKGATE_RUN_DIR": str(run_dir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextmanager
def running(run_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """A stack of the servers alone, ready; whatever the test does, it is ended."""
    up = lockgate(run_dir, "up", "--without", "contracts")
    try:
        eventually((run_dir / "stack.json").exists, "stack.json is written")
        yield up
    finally:
        up.kill()
        up.communicate()
        eventually(lambda: is_free(RunDir(run_dir)), "the reaper is gone")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_it_clean(run_dirs: Path, number: signal.Signals) -> None:
    run_dir = run_dirs / f"up-{number.name}"
    with running(run_dir) as up:
        everyone = identities(up.pid)
        assert len(everyone) > SERVERS
        os.killpg(up.pid, number)  # as a terminal does: to the whole foreground group
        said, complaints = up.communicate(timeout=STOP_SECONDS)
        assert (up.returncode, complaints) == (0, "")
        assert said.endswith("stack: stopped\n")
        assert not alive(everyone)
        assert not (run_dir / "stack.json").exists()
    assert "database system is shut down" in (run_dir / "logs" / "postgres.log").read_text()


def test_a_killed_launcher_leaves_no_process_and_a_free_folder(run_dirs: Path) -> None:
    run_dir = run_dirs / "up-killed"
    with running(run_dir) as up:
        everyone = identities(up.pid)
        up.kill()
        up.wait()
        eventually(lambda: not alive(everyone), "every process is gone")
        assert not (run_dir / "stack.json").exists()
    with running(run_dir) as up:
        assert len(identities(up.pid)) > SERVERS


def test_a_killed_reaper_takes_everything_along(run_dirs: Path) -> None:
    with running(run_dirs / "up-no-reaper") as up:
        everyone = identities(up.pid)
        reaper = family(up.pid)[0]
        os.kill(reaper, signal.SIGKILL)
        _, complaints = up.communicate(timeout=STOP_SECONDS)
        assert up.returncode == 1
        assert "ended by itself with signal SIGKILL" in complaints
        eventually(lambda: not alive(everyone), "every process is gone")


def test_a_part_that_dies_stops_the_stack_with_its_name_and_log(run_dirs: Path) -> None:
    run_dir = run_dirs / "up-dying"
    with running(run_dir) as up:
        everyone = identities(up.pid)
        (anvil,) = (pid for pid, _ in everyone if "anvil" in Path(f"/proc/{pid}/comm").read_text())
        os.kill(anvil, signal.SIGKILL)
        _, complaints = up.communicate(timeout=STOP_SECONDS)
        assert up.returncode == 1
        assert "lockgate up: anvil: ended by itself with signal SIGKILL" in complaints
        assert f"its log is {run_dir / 'logs' / 'anvil.log'}" in complaints
        assert not alive(everyone)


def test_down_stops_it_and_a_second_up_says_who_runs(run_dirs: Path) -> None:
    run_dir = run_dirs / "up-down"
    with running(run_dir) as up:
        second = lockgate(run_dir, "up")
        _, complaints = second.communicate(timeout=STOP_SECONDS)
        assert second.returncode == 1
        assert f"already running here: pid {up.pid}" in complaints
        assert up.poll() is None
        down = lockgate(run_dir, "down")
        assert down.communicate(timeout=STOP_SECONDS) == ("stack: stopped\n", "")
        assert up.wait(STOP_SECONDS) == 0
    again = lockgate(run_dir, "down")
    assert again.communicate(timeout=STOP_SECONDS) == ("stack: none is running here\n", "")


def test_two_stacks_side_by_side_share_no_port_and_no_file(run_dirs: Path) -> None:
    with running(run_dirs / "left"), running(run_dirs / "right"):
        left, right = (json.loads((run_dirs / side / "stack.json").read_text()) for side in ("left", "right"))
        assert left["chain"]["rpc_url"] != right["chain"]["rpc_url"]
        assert left["accounts"]["payer"]["address"] != right["accounts"]["payer"]["address"]


def test_status_shows_addresses_but_no_key(run_dirs: Path) -> None:
    run_dir = run_dirs / "status"
    with running(run_dir) as up:
        status = lockgate(run_dir, "stack")
        said, _ = status.communicate(timeout=STOP_SECONDS)
        assert status.returncode == 0
        assert f"pid {up.pid}" in said
        info = json.loads((run_dir / "stack.json").read_text())
        assert info["chain"]["rpc_url"] in said
        assert info["accounts"]["payer"]["private_key"] not in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that the server's user cannot reach")
def test_a_killed_launcher_leaves_no_state_elsewhere(run_dirs: Path) -> None:
    private = run_dirs / "up-private"
    private.mkdir(mode=0o700)
    with running(private / "run") as up:
        home = (private / "run" / "postgres").readlink()
        assert home.is_dir()
        up.kill()
    assert not home.exists()
