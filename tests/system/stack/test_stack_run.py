"""`lockgate stack run`: one more command with a running stack's settings."""

from __future__ import annotations

import os
import stat
import subprocess

import pytest

from kit.stack import Stack
from kit.stack.services import lockgate

pytestmark = pytest.mark.system


def _run(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("LOCKGATE_")}
    env["LOCKGATE_RUN_DIR"] = str(stack.run.path)
    command = lockgate("stack", "run", *words)
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=90)


def test_a_command_gets_the_settings_of_the_stack(stack: Stack) -> None:
    done = _run(stack, "gateway", "merchant", "create", "--name", "second", "--treasury", "0x" + "5e" * 20)
    assert done.returncode == 0, done.stderr
    assert "api_key: lg_live_" in done.stdout


def test_its_exit_status_is_the_commands(stack: Stack) -> None:
    done = _run(stack, "gateway", "merchant", "revoke-key", "--merchant", "mer_none", "--key-id", "1")
    assert done.returncode == 1
    assert "mer_none" in done.stderr


def test_the_settings_are_for_their_owner_only(stack: Stack) -> None:
    assert stat.S_IMODE(stack.run.environment.stat().st_mode) == 0o600
