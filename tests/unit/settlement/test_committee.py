"""`lockgate committee`: keys are made once, for local chains only, for their owner's eyes only."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from kit.cli import main
from kit.stack.paths import CONTRACTS
from settlement.committee.files import CommitteeError, write_once
from settlement.committee.members import load
from verification.quorum import ValidatorSet
from verification.signatures.bls import BLS

OWNERS = [f"0x00000000000000000000000000000000000000A{number}" for number in (1, 2, 3)]
FILES = {"committee.json", "plan.json", "treasury.json"}


def run(folder: Path, *, chain_id: int = 31337, owners: list[str] | None = None, words: tuple[str, ...] = ()) -> int:
    given = ["--out", str(folder), "--chain-id", str(chain_id), "--owners", ",".join(owners or OWNERS)]
    return main(["committee", *given, "--artifacts", str(CONTRACTS / "artifacts"), *words])


def told(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name).read_text())
    return found


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_ino, path.read_bytes()) for path in folder.iterdir()}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "deep" / "committee"
    assert run(folder) == 0
    return folder


def secrets_of(folder: Path) -> list[str]:
    keys = told(folder, "committee.json")
    people = [member for name in ("guardians", "attesters", "vault_owners") for member in keys[name]["members"]]
    people += [keys["sentinel"], keys["payout"]]
    return [each["private_key"] for each in people] + [each["bls_secret_key"] for each in keys["validators"]]


def test_everybody_has_a_key_of_their_own_and_the_registrys_order(made: Path) -> None:
    keys = told(made, "committee.json")
    assert len(set(secrets_of(made))) == 4 + 5 + 3 + 3 + 1 + 1
    assert [keys[name]["threshold"] for name in ("guardians", "attesters", "vault_owners")] == [3, 2, 2]
    committee = load(made / "committee.json")
    ValidatorSet(1, tuple(validator.public_key for validator in committee.validators))  # refuses another order
    assert [each["bls_public_key"] for each in keys["validators"]] == [
        "0x" + BLS.public_key(validator.secret).hex() for validator in committee.validators
    ]
    for name in ("guardians", "attesters", "vault_owners"):
        addresses = [int(member["address"], 16) for member in keys[name]["members"]]
        assert addresses == sorted(addresses)
    assert committee.sentinel.address == keys["sentinel"]["address"]


def test_two_folders_share_no_key(made: Path, tmp_path: Path) -> None:
    assert run(tmp_path / "other") == 0
    assert not set(secrets_of(made)) & set(secrets_of(tmp_path / "other"))


def test_plan_states_public_keys_only(made: Path) -> None:
    told_to_all = (made / "plan.json").read_text() + (made / "treasury.json").read_text()
    assert [secret for secret in secrets_of(made) if secret.removeprefix("0x") in told_to_all] == []
    treasury = told(made, "treasury.json")
    assert (treasury["owners"], treasury["threshold"]) == (OWNERS, 2)


def test_secrets_are_for_their_owner_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert run(tmp_path / "new") == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()}
    assert modes == dict.fromkeys(FILES, 0o600)


def test_a_second_run_writes_nothing(made: Path) -> None:
    before = contents(made)
    assert set(before) == FILES
    assert run(made) == 0
    assert contents(made) == before


@pytest.mark.parametrize("lost", ["plan.json", "treasury.json"])
def test_a_stopped_run_is_finished_with_the_same_keys(made: Path, lost: str) -> None:
    before = {name: content for name, (_, content) in contents(made).items()}
    (made / lost).unlink()
    assert run(made) == 0
    assert {name: content for name, (_, content) in contents(made).items()} == before


def test_a_plan_that_was_edited_stays(made: Path) -> None:
    plan = told(made, "plan.json")
    plan["contracts"]["PayoutModule"]["payeeDelay"] = 86_400
    (made / "plan.json").write_text(json.dumps(plan))
    assert run(made) == 0
    assert told(made, "plan.json") == plan


@pytest.mark.parametrize("chain_id", [1, 8453, 0])
def test_a_public_chain_is_refused_and_nothing_made(
    tmp_path: Path, chain_id: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "none", chain_id=chain_id) == 1
    assert f"not {chain_id}" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [({"chain_id": 84532}, "of chain 31337"), ({"owners": OWNERS[:2]}, "for other owners")],
)
def test_keys_of_something_else_are_refused(
    made: Path, changed: dict[str, Any], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(made)
    assert run(made, **changed) == 1
    assert complaint in capsys.readouterr().err
    assert contents(made) == before


def test_a_plan_whose_keys_are_lost_gets_no_others(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (made / "committee.json").unlink()
    assert run(made) == 1
    assert "keys are lost" in capsys.readouterr().err
    assert not (made / "committee.json").exists()


def test_keys_that_others_may_read_are_refused(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (made / "committee.json").chmod(0o640)
    assert run(made) == 1
    assert "chmod 600" in capsys.readouterr().err


def test_a_broken_file_is_named_and_not_shown(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = told(made, "committee.json")
    keys["sentinel"]["private_key"] = "0xsecret"
    (made / "committee.json").write_text(json.dumps(keys))
    assert run(made) == 1
    complaint = capsys.readouterr().err
    assert "holds no committee" in complaint
    assert "secret" not in complaint


def test_the_first_of_two_writers_wins(tmp_path: Path) -> None:
    write_once(tmp_path / "keys.json", {"first": True})
    with pytest.raises(CommitteeError, match="another run"):
        write_once(tmp_path / "keys.json", {"second": True})
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]
    assert told(tmp_path, "keys.json") == {"first": True}


def test_a_key_does_not_show_itself(made: Path) -> None:
    shown = repr(load(made / "committee.json"))
    numbers = [str(int(secret, 16)) for secret in secrets_of(made)]
    texts = [secret.removeprefix("0x") for secret in secrets_of(made)]
    assert [secret for secret in numbers + texts if secret in shown] == []


@pytest.mark.parametrize("words", [("--threshold", "4"), ("--threshold", "0")])
def test_a_safe_that_cannot_sign_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run(tmp_path / "none", words=words) == 1
    assert not (tmp_path / "none").exists()


def test_an_owner_of_the_vault_owns_no_safe_of_it(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vault_owner = told(made, "committee.json")["vault_owners"]["members"][0]["address"]
    (made / "treasury.json").unlink()
    assert run(made, owners=[*OWNERS[:2], vault_owner]) == 1
    assert "cannot own the Safe" in capsys.readouterr().err
    assert not (made / "treasury.json").exists()


@pytest.mark.parametrize("owners", [["0x12"], [OWNERS[0], OWNERS[0]]])
def test_owners_that_are_none_are_a_usage_error(tmp_path: Path, owners: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(tmp_path / "none", owners=owners)
    assert ended.value.code == 2
