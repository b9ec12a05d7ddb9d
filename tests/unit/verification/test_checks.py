"""The checks of one voucher, one refusal a name, and how they are put together."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from tests.support.vouchers import DOMAIN, Signer, payer_channel
from verification import check
from verification.check import APPROVED, Decision, Verdict, decide, hold, not_available, reject
from verification.compliance.sanctions import SanctionsList
from verification.risk.cheap import REJECT_AT, CheapRiskFacts, cheap_score
from verification.tiers import PAYMENT_CHECKS, Tier, TierPolicy, checks_for, tier_of
from verification.vouchers import VoucherFacts

CHANNEL = payer_channel("alice", Signer("receiver").address)
OTHER_CHAIN = replace(CHANNEL, domain=replace(DOMAIN, chain_id=DOMAIN.chain_id + 1))
CLEAR = CheapRiskFacts(False, False, False, False)
FACTS = VoucherFacts(
    domain=DOMAIN,
    channel_id=CHANNEL.channel_id,
    payer=CHANNEL.config.payer,
    payer_authorizer=CHANNEL.config.payer_authorizer,
    receiver=CHANNEL.config.receiver,
    amount=5,
    max_claimable=15,
    signature=CHANNEL.sign(15),
    window_most=10,
    sanctions=SanctionsList(frozenset(), "of nobody"),
    risk=CLEAR,
)
POLICY = TierPolicy(micro_most=10, standard_most=1000, window_most=10, window_seconds=60)


def verdict(facts: VoucherFacts, tier: Tier = Tier.MICRO) -> Verdict:
    return decide(PAYMENT_CHECKS[tier], facts)


def listed(*addresses: bytes) -> SanctionsList:
    return SanctionsList(frozenset(addresses), "stamp")


def test_a_good_voucher_is_approved() -> None:
    assert verdict(FACTS) is APPROVED


REFUSALS: dict[str, tuple[VoucherFacts, str]] = {
    "no authorizer": (replace(FACTS, payer_authorizer=bytes(20)), "payer_authorizer_missing"),
    "another signer": (replace(FACTS, signature=Signer("eve").sign(DOMAIN.separator)), "voucher_signature"),
    "another maximum": (replace(FACTS, max_claimable=16), "voucher_signature"),
    "another channel": (replace(FACTS, channel_id=bytes(32)), "voucher_signature"),
    "another chain": (replace(FACTS, signature=OTHER_CHAIN.sign(15)), "voucher_signature"),
    "another escrow": (replace(FACTS, domain=replace(DOMAIN, verifying_contract=bytes(20))), "voucher_signature"),
    "empty signature": (replace(FACTS, signature=b""), "voucher_signature"),
    "amount of zero": (replace(FACTS, amount=0), "amount_out_of_range"),
    "amount below zero": (replace(FACTS, amount=-1), "amount_out_of_range"),
    "amount above the voucher": (replace(FACTS, amount=16), "amount_out_of_range"),
    "pays himself": (replace(FACTS, receiver=FACTS.payer), "payer_is_receiver"),
    "no list": (replace(FACTS, sanctions=None), "check_not_available"),
    "payer listed": (replace(FACTS, sanctions=listed(FACTS.payer)), "sanctioned"),
    "receiver listed": (replace(FACTS, sanctions=listed(FACTS.receiver)), "sanctioned"),
    "above the window": (replace(FACTS, amount=11), "velocity_exceeded"),
    "in deficit": (replace(FACTS, risk=replace(CLEAR, in_deficit=True)), "risk_score"),
    "watched and withdrawing": (
        replace(FACTS, risk=replace(CLEAR, payer_watched=True, withdrawal_pending=True)),
        "risk_score",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_each_refusal_has_its_code(name: str) -> None:
    facts, code = REFUSALS[name]
    answer = verdict(facts)
    assert (answer.decision, answer.code) == (Decision.REJECT, code)


def test_a_listed_authorizer_is_refused_by_itself() -> None:
    channel = payer_channel("alice", CHANNEL.config.receiver, authorizer="hot key of alice")
    facts = replace(
        FACTS,
        channel_id=channel.channel_id,
        payer_authorizer=channel.config.payer_authorizer,
        signature=channel.sign(15),
    )
    assert verdict(facts).approves
    answer = verdict(replace(facts, sanctions=listed(channel.config.payer_authorizer)))
    assert (answer.code, answer.evidence) == ("sanctioned", {"list": "stamp"})


def test_the_whole_window_and_the_whole_voucher_may_be_spent() -> None:
    signed = CHANNEL.sign(10)
    assert verdict(replace(FACTS, amount=10, max_claimable=10, signature=signed)).approves


@pytest.mark.parametrize("flags", list(product([False, True], repeat=4)))
def test_risk_score_of_every_combination(flags: tuple[bool, bool, bool, bool]) -> None:
    facts = CheapRiskFacts(*flags)
    watched = facts.payer_watched or facts.authorizer_watched
    refused = facts.in_deficit or (watched and facts.withdrawal_pending)
    assert (cheap_score(facts) >= REJECT_AT) is refused
    assert verdict(replace(FACTS, risk=facts)).approves is not refused


@pytest.mark.parametrize(
    ("amount", "tier"),
    [
        (1, Tier.MICRO),
        (9, Tier.MICRO),
        (10, Tier.MICRO),
        (11, Tier.STANDARD),
        (999, Tier.STANDARD),
        (1000, Tier.STANDARD),
        (1001, Tier.HIGH),
        ((1 << 128) - 1, Tier.HIGH),
    ],
)
def test_tier_boundaries(amount: int, tier: Tier) -> None:
    assert tier_of(amount, POLICY) is tier
    assert checks_for(amount, POLICY) is PAYMENT_CHECKS[tier]


def test_a_tier_may_be_empty_of_amounts() -> None:
    policy = TierPolicy(10, 10, 1, 1)
    assert [tier_of(amount, policy) for amount in (10, 11)] == [Tier.MICRO, Tier.HIGH]


@pytest.mark.parametrize("bad", [(0, 1, 1, 1), (2, 1, 1, 1), (-1, 1, 1, 1), (1, 1, 0, 1), (1, 1, 1, 0)])
def test_a_policy_that_does_not_rise_is_refused(bad: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError):
        TierPolicy(*bad)


def test_every_tier_has_checks_and_no_tier_above_micro_approves_yet() -> None:
    assert set(PAYMENT_CHECKS) == set(Tier)
    assert all(PAYMENT_CHECKS.values())
    standard = verdict(FACTS, Tier.STANDARD)
    assert (standard.code, standard.evidence) == ("check_not_available", {"check": "compliance_standing"})
    assert verdict(FACTS, Tier.HIGH).code == "amount_requires_settlement"


def test_a_heavier_tier_runs_all_that_a_lighter_one_runs() -> None:
    assert set(PAYMENT_CHECKS[Tier.MICRO]) <= set(PAYMENT_CHECKS[Tier.STANDARD])


def test_the_order_of_the_checks_is_the_policy() -> None:
    names = [each.__name__ for each in PAYMENT_CHECKS[Tier.MICRO]]
    assert names == ["check_signature", "check_channel", "check_sanctions", "check_velocity", "check_risk"]


@pytest.mark.parametrize("error", [ValueError("secret"), KeyError("secret"), ZeroDivisionError(), AssertionError()])
def test_a_check_that_raises_is_a_reject_that_keeps_the_text_to_itself(error: Exception) -> None:
    def broken(_facts: object) -> Verdict:
        raise error

    answer = decide([broken], None)
    assert (answer.decision, answer.code) == (Decision.REJECT, "check_failed")
    assert answer.evidence == {"check": "broken", "error": type(error).__name__}
    assert "secret" not in repr(answer)


def test_a_check_that_answers_nothing_is_a_reject() -> None:
    def silent(_facts: object) -> Verdict:
        return None  # type: ignore[return-value]

    answer = decide([silent], None)
    assert (answer.decision, answer.code) == (Decision.REJECT, "check_failed")
    assert answer.evidence == {"check": "silent", "error": "NoneType"}


def test_an_approval_with_evidence_does_not_skip_the_checks_after_it() -> None:
    def approves(_facts: object) -> Verdict:
        return Verdict(Decision.APPROVE, "looked_up", {"source": "list"})

    def refuses(_facts: object) -> Verdict:
        return reject("no")

    assert decide([approves, refuses], None) == reject("no")
    assert decide([approves], None) is APPROVED


def test_the_first_that_does_not_approve_ends_it() -> None:
    seen: list[str] = []

    def says(name: str, answer: Verdict) -> check.Check[object]:
        def run(_facts: object) -> Verdict:
            seen.append(name)
            return answer

        return run

    assert decide([says("a", APPROVED), says("b", hold("wait")), says("c", reject("no"))], None) == hold("wait")
    assert seen == ["a", "b"]
    assert not hold("wait").approves


def test_no_checks_at_all() -> None:
    """An empty tier would approve everything; that no tier is empty is tested above."""
    assert decide([], None) is APPROVED


def test_a_check_that_is_not_there_rejects_by_name() -> None:
    missing = not_available("oracle_price")
    answer = decide([missing], None)
    assert (answer.decision, answer.code, answer.evidence) == (
        Decision.REJECT,
        "check_not_available",
        {"check": "oracle_price"},
    )
    assert missing.__name__ == "oracle_price"
