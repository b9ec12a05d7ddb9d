"""The README's table of values, made from values.yaml: `python -m tests.unit.helm.values_table` writes it anew.

In values.yaml a comment `# ...` describes the value below it, `## ...` is a remark that the table leaves out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from tests.unit.helm.chart import CHART, Object, walk

README = CHART / "README.md"
BEGIN, END = "<!-- values: begin -->\n", "<!-- values: end -->"
_KEY = re.compile(r"(?P<indent> *)(?P<name>\w+):")


@dataclass(frozen=True, slots=True)
class Row:
    path: tuple[str, ...]
    description: str
    default: object


def rows() -> Iterator[Row]:
    """A row for each described value, in the file's order."""
    text = (CHART / "values.yaml").read_text()
    values: Object = yaml.safe_load(text)
    path: list[str] = []
    description = ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("# "):
            description = stripped[2:]
            continue
        key = _KEY.match(line)
        if key is not None:
            path[len(key["indent"]) // 2 :] = [key["name"]]
            if description:
                yield Row(tuple(path), description, _at(values, path))
        description = ""


def _at(values: Object, path: list[str]) -> object:
    found: object = values
    for name in path:
        assert isinstance(found, dict)
        found = found[name]
    return found


def leaves() -> set[tuple[str, ...]]:
    """Every value that is no map of further values."""
    values: Object = yaml.safe_load((CHART / "values.yaml").read_text())
    found = set()
    for path, item in walk(values):
        if not (isinstance(item, dict) and item) and all(isinstance(name, str) for name in path):
            found.add(tuple(str(name) for name in path))
    return found


def table() -> str:
    """The table in Markdown."""
    lines = ["| value | default | what it is |", "|---|---|---|"]
    lines += [f"| `{'.'.join(row.path)}` | `{json.dumps(row.default)}` | {row.description} |" for row in rows()]
    return "\n".join(lines) + "\n"


def parts_of_readme() -> tuple[str, str, str]:
    """What is before the table, the table, and what is after it."""
    before, _, rest = README.read_text().partition(BEGIN)
    shown, _, after = rest.partition(END)
    return before, shown, after


def main() -> None:
    before, _, after = parts_of_readme()
    README.write_text(before + BEGIN + table() + END + after)


if __name__ == "__main__":
    main()
