"""What may not stand where money is real."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from kit.chain.bounds import DAY, HOUR, PRODUCTION, Bound, refusals
from kit.chain.settlement import NEIGHBOURS, SET
from kit.chain.statement import Plan


def account(number: int) -> str:
    return "0x" + f"{number:040x}"


def production() -> Plan:
    values: dict[str, dict[str, Any]] = {name: {} for name in SET}
    for bound in PRODUCTION:
        put(values[bound.contract], bound.path, bound.least if bound.most is None else bound.most)
    values["Guardians"]["guardians"] = [account(0xA0), account(0xA1)]
    values["StandingRegistry"]["attesters"] = [account(0xA1), account(0xA3)]
    values["ColdVault"]["owners"] = [account(4), account(5)]
    values["EmergencyBrake"]["sentinels"] = [{"key": account(0xA6), "expires": 1}]
    return Plan(bytes(32), values, NEIGHBOURS)


def put(values: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for step in path[:-1]:
        values = values.setdefault(step, {})
    values[path[-1]] = value


def changed(plan: Plan, contract: str, path: tuple[str, ...], value: object) -> Plan:
    values = {name: copied(each) for name, each in plan.values.items()}
    put(values[contract], path, value)
    return replace(plan, values=values)


def copied(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: copied(each) if isinstance(each, dict) else each for name, each in values.items()}


def test_the_protocols_own_values_may_stand() -> None:
    assert refusals(production(), SET) == []


@pytest.mark.parametrize("bound", PRODUCTION, ids=lambda bound: f"{bound.contract}.{'.'.join(bound.path)}")
def test_one_second_beyond_a_bound_is_refused_by_name(bound: Bound) -> None:
    beyond = [value for value in (_below(bound.least), _above(bound.most)) if value is not None]
    assert beyond
    for value in (*beyond, None, "86400", True, 1.5e9):
        [refusal] = refusals(changed(production(), bound.contract, bound.path, value), SET)
        assert refusal.startswith(f"{bound.contract}.{'.'.join(bound.path)} is ")


def _below(least: int | None) -> int | None:
    return None if least is None else least - 1


def _above(most: int | None) -> int | None:
    return None if most is None else most + 1


def test_the_bounds_are_the_protocols() -> None:
    """settlement/PROTOCOL.md and what it refers to; seconds."""
    stated = {(bound.contract, bound.path[-1]): (bound.least, bound.most) for bound in PRODUCTION}
    assert stated == {
        ("TransferGuard", "notice"): (24 * HOUR, None),
        ("TransferGuard", "exit"): (14 * DAY, None),
        ("ValidatorRegistry", "rotation"): (24 * HOUR, None),
        ("ValidatorRegistry", "recovery"): (14 * DAY, None),
        ("Governor", "change"): (48 * HOUR, None),
        ("Governor", "guardians"): (14 * DAY, None),
        ("EmergencyBrake", "sentinelPause"): (1, 6 * HOUR),
        ("EmergencyBrake", "sentinelKey"): (1, 30 * DAY),
        ("EmergencyBrake", "ending"): (HOUR, None),
        ("EmergencyBrake", "reduced"): (24 * HOUR, None),
        ("ColdVault", "owners"): (48 * HOUR, None),
        ("ColdVault", "guardians"): (14 * DAY, None),
        ("ColdVault", "threshold"): (2, None),
        ("StandingRegistry", "maxValidity"): (1, 7 * DAY),
        ("StandingRegistry", "threshold"): (2, None),
        ("PayoutModule", "payeeDelay"): (24 * HOUR, None),
        ("Actions", "window"): (7 * DAY, 7 * DAY),
        ("Guardians", "threshold"): (2, None),
    }


def test_every_contract_of_the_set_is_stated_and_no_other() -> None:
    plan = production()
    values = {name: each for name, each in plan.values.items() if name != "EmergencyBrake"}
    assert refusals(replace(plan, values=values), SET) == ["EmergencyBrake is not stated"]
    values = {**plan.values, "TestUSD": {}}
    assert refusals(replace(plan, values=values), SET) == ["TestUSD is none of the set"]


@pytest.mark.parametrize(
    ("contract", "path", "said"),
    [
        ("TransferGuard", ("neighbours", "vault"), "TransferGuard.vault is stated, but it is the set's ColdVault"),
        ("StandingRegistry", ("governor",), "StandingRegistry.governor is stated, but it is the set's Governor"),
    ],
)
def test_a_neighbour_is_never_another_contract(contract: str, path: tuple[str, ...], said: str) -> None:
    assert refusals(changed(production(), contract, path, account(9)), SET) == [said]


@pytest.mark.parametrize(("owner", "role"), [(0xA0, "a guardian"), (0xA3, "an attester"), (0xA6, "a sentinel")])
def test_the_vaults_owners_hold_no_other_key(owner: int, role: str) -> None:
    plan = changed(production(), "ColdVault", ("owners",), [account(owner).upper().replace("0X", "0x"), account(5)])
    assert refusals(plan, SET)[-1] == f"ColdVault.owners has {account(owner)}, who is {role}"
