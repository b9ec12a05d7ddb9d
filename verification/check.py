"""A check is a pure function from facts to a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

Facts = TypeVar("Facts")


class Decision(Enum):
    APPROVE = "approve"
    HOLD = "hold"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check says, the stable code of its reason, and what it saw (never a secret, never PII)."""

    decision: Decision
    code: str
    evidence: Mapping[str, str] = field(default_factory=dict)

    @property
    def approves(self) -> bool:
        return self.decision is Decision.APPROVE


APPROVED = Verdict(Decision.APPROVE, "approved")
Check = Callable[[Facts], Verdict]


def reject(code: str, **evidence: str) -> Verdict:
    return Verdict(Decision.REJECT, code, evidence)


def hold(code: str, **evidence: str) -> Verdict:
    return Verdict(Decision.HOLD, code, evidence)


def decide(checks: Iterable[Check[Facts]], facts: Facts) -> Verdict:
    """The first verdict that does not approve, else APPROVED.

    A check that raises, or answers no verdict, is a reject by name, never an approval: the exception's text may hold
    anything, so only its type is kept.
    """
    for check in checks:
        try:
            verdict: object = check(facts)
        except Exception as error:  # noqa: BLE001 - whatever a check raises, the answer is no
            return _failed(check, type(error))
        if verdict is APPROVED:
            continue
        if not isinstance(verdict, Verdict):
            return _failed(check, type(verdict))
        if not verdict.approves:
            return verdict
    return APPROVED


def _failed(check: Check[Facts], what: type) -> Verdict:
    return reject("check_failed", check=getattr(check, "__name__", "?"), error=what.__name__)


def not_available(name: str) -> Check[object]:
    """A check that is not built, not configured or without its data: a reject by name."""
    verdict = reject("check_not_available", check=name)

    def refuse(_facts: object) -> Verdict:
        return verdict

    refuse.__name__ = name
    return refuse
