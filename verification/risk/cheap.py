"""The risk score that every micro-payment can afford: a few points, added up in integers."""

from __future__ import annotations

from dataclasses import dataclass

REJECT_AT = 100


@dataclass(frozen=True, slots=True)
class CheapRiskFacts:
    """What the gateway knows of a channel without asking anybody."""

    payer_watched: bool
    authorizer_watched: bool
    withdrawal_pending: bool
    in_deficit: bool


def cheap_score(facts: CheapRiskFacts) -> int:
    """Points from 0; REJECT_AT and above is a reject.

    A deficit alone rejects: a reorganisation has taken money from under payments already served. A watched party
    alone passes, since a label is a suspicion and not proof; together with a withdrawal under way it rejects.
    """
    return (
        100 * facts.in_deficit
        + 60 * (facts.payer_watched or facts.authorizer_watched)
        + 40 * facts.withdrawal_pending
    )
