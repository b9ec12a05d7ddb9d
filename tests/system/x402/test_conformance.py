"""The public conformance probes find nothing to complain about."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kit.stack import Stack
from tests.system.x402.parts import Merchant

pytestmark = pytest.mark.system
PROGRAM = Path(sys.executable).parent / "x402conf"


def run(*words: str) -> str:
    done = subprocess.run(
        [str(PROGRAM), *words, "--fail-on-error"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_facilitator(stack: Stack) -> None:
    assert "S1" in run("live", stack.info["gateway"]["x402_url"])


def test_paid_resources(merchant: Merchant) -> None:
    assert "P1" in run("resource", f"{merchant.url}/weather", f"{merchant.url}/report")
