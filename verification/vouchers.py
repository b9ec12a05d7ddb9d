"""The checks of one voucher: signature, channel, sanctions, velocity, risk. Pure, and made for the hot path.

What only the book can say (the running total, the balance, the window's level) is said by the ledger statement.
"""

from __future__ import annotations

from dataclasses import dataclass

from verification.check import APPROVED, Verdict, reject
from verification.compliance.sanctions import SanctionsList
from verification.risk.cheap import REJECT_AT, CheapRiskFacts, cheap_score
from verification.signatures.eip712 import Domain, voucher_digest
from verification.signatures.recovery import recover_address

ZERO_ADDRESS = bytes(20)


@dataclass(frozen=True, slots=True)
class VoucherFacts:
    """Everything that a verdict on one voucher depends on. Amounts are in the token's smallest unit."""

    domain: Domain
    channel_id: bytes
    payer: bytes
    payer_authorizer: bytes
    receiver: bytes
    amount: int
    max_claimable: int
    signature: bytes
    window_most: int
    sanctions: SanctionsList | None
    risk: CheapRiskFacts


def check_signature(facts: VoucherFacts) -> Verdict:
    """The channel's payer authorizer signed this maximum for this channel (EIP-712, ECDSA, low s).

    A zero authorizer would hand the question to a contract that can change its mind after the goods are served.
    """
    if facts.payer_authorizer == ZERO_ADDRESS:
        return reject("payer_authorizer_missing")
    digest = voucher_digest(facts.domain, facts.channel_id, facts.max_claimable)
    if recover_address(digest, facts.signature) != facts.payer_authorizer:
        return reject("voucher_signature")
    return APPROVED


def check_channel(facts: VoucherFacts) -> Verdict:
    """The amounts can belong together, and nobody pays himself."""
    if not 0 < facts.amount <= facts.max_claimable:
        return reject("amount_out_of_range")
    if facts.payer == facts.receiver:
        return reject("payer_is_receiver")
    return APPROVED


def check_sanctions(facts: VoucherFacts) -> Verdict:
    """Neither payer, signer nor receiver is on the list. Without a list there is no approval."""
    if facts.sanctions is None:
        return reject("check_not_available", check="sanctions")
    listed = facts.sanctions.addresses
    if facts.payer in listed or facts.payer_authorizer in listed or facts.receiver in listed:
        return reject("sanctioned", list=facts.sanctions.sha256)
    return APPROVED


def check_velocity(facts: VoucherFacts) -> Verdict:
    """One payment fits the window at all; what is already in the window is reserved by the ledger statement."""
    if facts.amount > facts.window_most:
        return reject("velocity_exceeded")
    return APPROVED


def check_risk(facts: VoucherFacts) -> Verdict:
    score = cheap_score(facts.risk)
    if score >= REJECT_AT:
        return reject("risk_score", score=str(score))
    return APPROVED
