"""The run folder belongs to one stack at a time, and its secrets to one user."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kit.stack import keys, reaper, rundir, unprivileged
from kit.stack.rundir import AlreadyRunningError, RunDir


def test_a_second_stack_is_told_who_runs_and_where(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    with rundir.acquire(run):
        rundir.write_json(run.stack_json, {"gateway": {"url": "http://127.0.0.1:1"}})
        with pytest.raises(AlreadyRunningError, match=f"pid {os.getpid()} at http://127.0.0.1:1"):
            rundir.acquire(run)
        assert not rundir.is_free(run)
    assert rundir.is_free(run)


def test_secrets_are_for_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keys.save(keys.new_keys(), tmp_path)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"keys.json": 0o600, "relay.key": 0o600, "receiver-authorizer.key": 0o600}


def test_a_key_does_not_show_itself() -> None:
    key = keys.new_key()
    assert key.private_key not in repr(keys.Keys(key, key, (key,), key, key))


def test_every_role_has_a_key_of_its_own() -> None:
    made = keys.new_keys().all()
    assert len({key.private_key for key in made}) == len(made) == 7


def test_wiping_leaves_what_is_not_the_stacks(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    run.committee.mkdir()
    for path in (run.stack_json, run.settlement_json, run.committee / "committee.json", tmp_path / "mine.txt"):
        path.write_text("x")
    rundir.wipe(run)
    assert not [path for path in (run.stack_json, run.settlement_json, run.committee) if path.exists()]
    assert (tmp_path / "mine.txt").exists()
    assert run.logs.is_dir()


def test_removing_a_linked_home_touches_only_what_the_stack_made(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    link = tmp_path / "postgres"
    link.symlink_to(foreign)
    reaper.remove(link)
    assert foreign.is_dir()
    assert not link.is_symlink()


def test_a_folder_below_a_private_one_is_not_reachable(tmp_path: Path) -> None:
    inner = tmp_path / "private" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "private").chmod(0o700)
    assert not unprivileged.reachable(inner)
    assert unprivileged.reachable(Path("/usr/bin"))
