"""What the README and the image say is so."""

from __future__ import annotations

import json
import re

import yaml

from kit.stack.paths import ROOT
from tests.unit.helm.chart import CHART, rendered
from tests.unit.helm.values_table import leaves, parts_of_readme, rows, table

DOCKERFILE = ROOT / "helm" / "Dockerfile"


def test_the_table_of_values_is_true() -> None:
    assert parts_of_readme()[1] == table(), "run `python -m tests.unit.helm.values_table`"


def test_every_value_is_described() -> None:
    described = {row.path for row in rows()}
    missing = [leaf for leaf in leaves() if not any(leaf[: len(path)] == path for path in described)]
    assert not missing


def test_the_schema_knows_every_value() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())

    def missing(values: object, known: dict[str, object], path: str) -> list[str]:
        while "$ref" in known:
            known = schema["$defs"][str(known["$ref"]).rpartition("/")[2]]
        properties = known.get("properties")
        if not isinstance(values, dict) or not isinstance(properties, dict):
            return []
        assert known["additionalProperties"] is False, path
        absent = [f"{path}.{name}" for name in values.keys() ^ properties.keys() if name != "global"]
        return absent + [
            found
            for name, value in values.items()
            if name in properties
            for found in missing(value, properties[name], f"{path}.{name}")
        ]

    values = yaml.safe_load((CHART / "values.yaml").read_text())
    # A resources map is open to either half.
    assert [name for name in missing(values, schema, "") if not re.search(r"resources\.\w+$", name)] == []


def test_the_readme_s_least_values_render() -> None:
    (block,) = re.findall(r"```yaml\n(# least\.yaml\n.*?)```", parts_of_readme()[0] + parts_of_readme()[2], re.S)
    least = yaml.safe_load(block)
    ours = yaml.safe_load((ROOT / "tests" / "unit" / "helm" / "values" / "required.yaml").read_text())
    assert least == ours, "the values that the tests render are the ones that the README shows"


def test_the_image_starts_our_program_and_nobody_as_root() -> None:
    lines = DOCKERFILE.read_text().splitlines()
    assert [line for line in lines if line.startswith(("ENTRYPOINT", "CMD"))] == ['ENTRYPOINT ["lockgate"]']
    (user,) = (line.split()[1] for line in lines if line.startswith("USER"))
    confined = rendered("required").workload("api").pod["securityContext"]
    assert user == f"{confined['runAsUser']}:{confined['runAsGroup']}"
    assert "STOPSIGNAL SIGTERM" in lines


def test_the_image_is_made_of_the_hashed_lock_and_of_what_exists() -> None:
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    assert re.search(r"pip install [^\n]*--require-hashes[^\n]*--requirement app\.txt", text)
    for words in re.findall(r"^COPY (?!--from)(.*)$", text, re.M):
        for source in words.split()[:-1]:
            assert (ROOT / source).exists(), source
