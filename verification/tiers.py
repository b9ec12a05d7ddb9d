"""Tiered security: which checks run for which amount. Read top-down, this page is the policy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from verification.check import Check, Verdict, not_available, reject
from verification.vouchers import (
    VoucherFacts,
    check_channel,
    check_risk,
    check_sanctions,
    check_signature,
    check_velocity,
)


class Tier(Enum):
    MICRO = "micro"
    STANDARD = "standard"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class TierPolicy:
    """The most that each tier carries, in the asset's smallest unit; above `standard_most` is high.

    `window_most` bounds what one payer moves within `window_seconds` in the micro tier, so that many small payments
    cannot do what one large one may not.
    """

    micro_most: int
    standard_most: int
    window_most: int
    window_seconds: int

    def __post_init__(self) -> None:
        if not 0 < self.micro_most <= self.standard_most:
            raise ValueError("tiers rise: 0 < micro_most <= standard_most")
        if self.window_most <= 0 or self.window_seconds <= 0:
            raise ValueError("a velocity window has a size and a length")


def tier_of(amount: int, policy: TierPolicy) -> Tier:
    """The tier of an amount in the asset's smallest unit."""
    if amount <= policy.micro_most:
        return Tier.MICRO
    return Tier.STANDARD if amount <= policy.standard_most else Tier.HIGH


def requires_settlement(_facts: VoucherFacts) -> Verdict:
    """A payer has no guarded Safe: a payment in the high tier belongs to the settlement service."""
    return reject("amount_requires_settlement")


_MICRO: tuple[Check[VoucherFacts], ...] = (
    check_signature,
    check_channel,
    check_sanctions,
    check_velocity,
    check_risk,
)

PAYMENT_CHECKS: dict[Tier, tuple[Check[VoucherFacts], ...]] = {
    Tier.MICRO: _MICRO,
    Tier.STANDARD: (
        not_available("compliance_standing"),
        not_available("risk_model"),
        not_available("oracle_price"),
        *_MICRO,
    ),
    Tier.HIGH: (requires_settlement,),
}


def checks_for(amount: int, policy: TierPolicy) -> tuple[Check[VoucherFacts], ...]:
    """The ordered checks of a payment of `amount`; the first that does not approve ends it."""
    return PAYMENT_CHECKS[tier_of(amount, policy)]
