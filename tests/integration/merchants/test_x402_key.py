"""Whether the facilitator asks for a merchant's API key: set from the command line, recorded, taken back."""

from __future__ import annotations

import os
import subprocess

import psycopg

from kit.stack.services import lockgate


def _merchant(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = lockgate("gateway", "merchant", *words)
    env = os.environ | {"LOCKGATE_DATABASE_URL": url}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)


def test_the_requirement_is_set_recorded_and_taken_back(gateway_database_url: str) -> None:
    made = _merchant(gateway_database_url, "create", "--name", "m", "--treasury", "0x" + "ab" * 20)
    public_id = made.stdout.splitlines()[0].removeprefix("merchant_id: ")
    for words, expected in ((), True), (("--off",), False):
        done = _merchant(gateway_database_url, "require-x402-key", "--merchant", public_id, *words)
        assert done.returncode == 0, done.stderr
        with psycopg.connect(gateway_database_url) as connection:
            assert connection.execute("SELECT x402_key_required FROM merchants").fetchone() == (expected,)
    with psycopg.connect(gateway_database_url) as connection:
        leaves = connection.execute(
            "SELECT count(*) FROM audit_leaves WHERE kind = 'merchant.x402_key_required'"
        ).fetchone()
    assert leaves == (2,)


def test_an_unknown_merchant_is_an_error(gateway_database_url: str) -> None:
    done = _merchant(gateway_database_url, "require-x402-key", "--merchant", "mer_none")
    assert done.returncode == 1
    assert "mer_none" in done.stderr
