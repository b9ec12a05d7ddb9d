"""The file of a set of contracts: what it may state, and once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kit.chain.statement import PlanError, plain, read_plan

SALT = "0x" + "00" * 32
DEPLOYER = "0x52908400098527886E0F7030069857D2E4169EE7"


def written(folder: Path, text: str) -> Path:
    path = folder / "plan.json"
    path.write_text(text)
    return path


def test_a_file_is_read_with_its_deployer_and_groups(tmp_path: Path) -> None:
    members = {"salt": SALT, "deployer": DEPLOYER.lower(), "contracts": {"A": {"x": 1}}, "groups": {"g": {}}}
    members["changed"] = {"A": {"x": 2}}
    plan = read_plan(written(tmp_path, json.dumps(members)), {"a": "A"})
    assert (plan.salt, plan.names, plan.deployer) == (bytes(32), ("A",), DEPLOYER)
    assert plan.groups == {"g": {}}
    assert plan.changed == {"A": {"x": 2}}
    bare = read_plan(written(tmp_path, json.dumps({"salt": SALT, "contracts": {}})), {})
    assert (bare.deployer, dict(bare.groups)) == (None, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'{{"salt": "{SALT}", "contracts": {{"A": {{"x": 1, "x": 2}}}}}}', "x is stated twice"),
        (f'{{"salt": "{SALT}", "contracts": {{"A": {{}}, "A": {{}}}}}}', "A is stated twice"),
        (f'{{"salt": "{SALT}", "contracts": {{}}, "contract": {{}}}}', "contract is nothing that"),
        (f'{{"salt": "{SALT}", "contracts": {{}}, "deployer": "0x12"}}', "deployer is not an address"),
        (f'{{"salt": "{SALT}", "contracts": {{}}, "deployer": 7}}', "deployer is not an address"),
        ('{"salt": "0x00", "contracts": {}}', "the salt has 32 bytes, not 1"),
        (f'{{"salt": "{SALT}", "contracts": {{}}, "groups": 7}}', "is not a deployment file"),
    ],
)
def test_a_file_that_states_something_else_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        read_plan(written(tmp_path, text), {})


def test_a_struct_has_its_members_and_no_other() -> None:
    sentinel = {"name": "sentinels", "type": "tuple[]", "components": [{"name": "key", "type": "bytes20"}]}
    assert plain(sentinel, [{"key": "0x" + "11" * 20}]) == [(b"\x11" * 20,)]
    with pytest.raises(ValueError, match="expire is no member of sentinels"):
        plain(sentinel, [{"key": "0x", "expire": 1}])
