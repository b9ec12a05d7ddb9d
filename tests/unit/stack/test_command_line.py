"""`lockgate`: which command is loaded, and what is said when one is missing."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from kit import cli


def entry(value: str) -> EntryPoint:
    return EntryPoint(name="thing", value=value, group=cli.GROUP)


def test_loads_the_object_that_the_entry_point_names() -> None:
    from kit.stack.cli import up

    assert cli.load(entry("kit.stack.cli:up")) is up


@pytest.mark.parametrize("value", ["kit.absent:command", "absent:command", "kit.stack.cli:absent"])
def test_a_missing_command_is_said_plainly(value: str) -> None:
    with pytest.raises(cli.CommandUnavailableError, match="lockgate thing: not part of this installation"):
        cli.load(entry(value))


def test_a_broken_dependency_is_not_taken_for_a_missing_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "breaks.py").write_text("import no_such_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency"):
        cli.load(entry("breaks:command"))


def test_unknown_and_no_command_are_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["nonsense"]) == cli.USAGE_ERROR
    assert "no command 'nonsense'" in capsys.readouterr().err
    assert cli.main([]) == cli.USAGE_ERROR
    assert cli.main(["--help"]) == 0
    assert "up" in capsys.readouterr().out
