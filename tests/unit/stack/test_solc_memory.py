"""The compiler that remembers what it was asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kit.stack.proving import solc_memory

COUNTING = """#!/bin/sh
echo asked >> "{log}"
case "$*" in *broken*) exit 3;; esac
cat
"""


class Compiler:
    def __init__(self, folder: Path) -> None:
        self.memory = folder / "memory"
        self.memory.mkdir()
        self.log = folder / "log"
        self.program = folder / "solc"
        self.program.write_text(COUNTING.format(log=self.log))
        self.program.chmod(0o755)

    def ask(self, question: str, *arguments: str) -> tuple[int, str]:
        command = [sys.executable, solc_memory.__file__, str(self.memory), str(self.program), *arguments]
        done = subprocess.run(command, input=question, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    def asked(self) -> int:
        return self.log.read_text().count("asked") if self.log.exists() else 0


@pytest.fixture
def compiler(tmp_path: Path) -> Compiler:
    return Compiler(tmp_path)


def test_a_question_is_asked_once_wherever_it_comes_from(compiler: Compiler) -> None:
    assert compiler.ask("one", "--base-path", "a", "--standard-json") == (0, "one")
    assert compiler.ask("one", "--base-path", "b", "--standard-json") == (0, "one")
    assert compiler.asked() == 1
    assert compiler.ask("two", "--standard-json") == (0, "two")
    assert compiler.asked() == 2
    kept = sorted(path.read_text() for path in compiler.memory.glob("*.question"))
    assert kept == ["one", "two"]


def test_the_version_is_not_an_answer_to_an_empty_question(compiler: Compiler) -> None:
    compiler.ask("", "--version")
    compiler.ask("", "--version")
    assert compiler.asked() == 1
    compiler.ask("", "--standard-json")
    assert compiler.asked() == 2


def test_a_failure_is_not_remembered(compiler: Compiler) -> None:
    assert compiler.ask("one", "--standard-json", "broken")[0] == 3
    assert compiler.ask("one", "--standard-json", "broken")[0] == 3
    assert compiler.asked() == 2
    assert list(compiler.memory.iterdir()) == []
