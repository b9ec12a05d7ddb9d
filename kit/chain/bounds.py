"""What the high-value contracts have to be on a network where money is real: every contract, and no short delay.

Source: settlement/PROTOCOL.md; on local chains any delay may be stated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kit.chain.statement import Plan

HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Bound:
    """Limits of one stated number, both included."""

    contract: str
    path: tuple[str, ...]
    least: int | None = None
    most: int | None = None

    def refusal(self, stated: object) -> str | None:
        name = f"{self.contract}.{'.'.join(self.path)}"
        if type(stated) is not int:
            return f"{name} is not a whole number"
        if self.least is not None and stated < self.least:
            return f"{name} is {stated}, at least {self.least} is wanted"
        if self.most is not None and stated > self.most:
            return f"{name} is {stated}, at most {self.most} is wanted"
        return None


PRODUCTION = (
    Bound("TransferGuard", ("delays", "notice"), least=DAY),
    Bound("TransferGuard", ("delays", "exit"), least=14 * DAY),
    Bound("ValidatorRegistry", ("delays", "rotation"), least=DAY),
    Bound("ValidatorRegistry", ("delays", "recovery"), least=14 * DAY),
    Bound("Governor", ("delays", "change"), least=2 * DAY),
    Bound("Governor", ("delays", "guardians"), least=14 * DAY),
    Bound("EmergencyBrake", ("delays", "sentinelPause"), least=1, most=6 * HOUR),
    Bound("EmergencyBrake", ("delays", "sentinelKey"), least=1, most=30 * DAY),
    Bound("EmergencyBrake", ("delays", "ending"), least=HOUR),
    Bound("EmergencyBrake", ("delays", "reduced"), least=DAY),
    Bound("ColdVault", ("delays", "owners"), least=2 * DAY),
    Bound("ColdVault", ("delays", "guardians"), least=14 * DAY),
    Bound("StandingRegistry", ("maxValidity",), least=1, most=7 * DAY),
    Bound("PayoutModule", ("payeeDelay",), least=DAY),
    Bound("Actions", ("window",), least=7 * DAY, most=7 * DAY),
    # A single key is no quorum.
    Bound("Guardians", ("threshold",), least=2),
    Bound("StandingRegistry", ("threshold",), least=2),
    Bound("ColdVault", ("threshold",), least=2),
)
"""Delays in seconds, thresholds in keys."""


def refusals(plan: Plan, wanted: frozenset[str]) -> list[str]:
    """Why this may not stand on a network where money is real; empty when it may. `wanted`: the whole set's names."""
    return [*_absent(plan, wanted), *_foreign(plan), *_out_of_bounds(plan), *_shared(plan)]


def _absent(plan: Plan, wanted: frozenset[str]) -> Iterator[str]:
    for name in sorted(wanted - set(plan.names)):
        yield f"{name} is not stated"
    for name in sorted(set(plan.names) - wanted):
        yield f"{name} is none of the set"


def _foreign(plan: Plan) -> Iterator[str]:
    """A neighbour by its own address would be a contract that nobody looks at."""
    for contract, values in plan.values.items():
        members = values.get("neighbours", {})
        direct = {name: value for name, value in values.items() if not isinstance(value, list)}
        for name in (*direct, *(members if isinstance(members, Mapping) else ())):
            if name in plan.neighbours:
                yield f"{contract}.{name} is stated, but it is the set's {plan.neighbours[name]}"


def _out_of_bounds(plan: Plan) -> Iterator[str]:
    for bound in PRODUCTION:
        refusal = bound.refusal(_at(plan.values.get(bound.contract, {}), bound.path))
        if refusal is not None and bound.contract in plan.values:
            yield refusal


def _shared(plan: Plan) -> Iterator[str]:
    """The vault's owners hold no other key: they are who is left when the others are stolen."""
    owners = _accounts(plan, "ColdVault", "owners")
    others = {
        "a guardian": _accounts(plan, "Guardians", "guardians"),
        "an attester": _accounts(plan, "StandingRegistry", "attesters"),
        "a sentinel": _sentinels(plan),
    }
    for role, accounts in others.items():
        for account in sorted(owners & accounts):
            yield f"ColdVault.owners has {account}, who is {role}"


def _accounts(plan: Plan, contract: str, parameter: str) -> set[str]:
    stated = plan.values.get(contract, {}).get(parameter, [])
    return {str(each).lower() for each in stated} if isinstance(stated, list) else set()


def _sentinels(plan: Plan) -> set[str]:
    stated = plan.values.get("EmergencyBrake", {}).get("sentinels", [])
    if not isinstance(stated, list):
        return set()
    return {str(each.get("key")).lower() for each in stated if isinstance(each, dict)}


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        values = values.get(step) if isinstance(values, Mapping) else None
    return values
