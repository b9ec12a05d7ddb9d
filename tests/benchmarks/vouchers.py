"""The whole check of one voucher, beside bare recovery and beside the official Python facilitator's check of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

from coincurve import PublicKey
from x402.mechanisms.evm.batch_settlement.facilitator.utils import (
    validate_channel_config,
    verify_batch_settlement_voucher_typed_data,
)
from x402.mechanisms.evm.batch_settlement.types import ChannelConfig as OfficialConfig
from x402.mechanisms.evm.signer import FacilitatorEvmSigner
from x402.schemas import PaymentRequirements

from gateway.payments.facts import NO_LIMIT
from tests.benchmarks.figures import BenchmarkFailed, Chapter, alternate, at_least, at_most, plain, ratios
from tests.benchmarks.options import Options
from tests.benchmarks.workload import (
    AMOUNT,
    CHAIN_ID,
    DOMAIN,
    RECEIVER_AUTHORIZER,
    TOKEN,
    WITHDRAW_DELAY,
    Payer,
    Workload,
)
from verification.check import decide
from verification.compliance.sanctions import parse_sanctions
from verification.risk.cheap import CheapRiskFacts
from verification.signatures.eip712 import voucher_digest
from verification.tiers import TierPolicy, checks_for
from verification.vouchers import VoucherFacts

PAYERS = 50
POLICY = TierPolicy(10 * 10**6, 10_000 * 10**6, NO_LIMIT, 86_400)
RISK = CheapRiskFacts(False, False, False, False)
SANCTIONS = parse_sanctions("\n".join(f"0x{number:040x}" for number in range(1, 1_000)))

Signed = tuple[Payer, int, bytes]


def run(options: Options) -> Chapter:
    signed = _vouchers(options.vouchers)
    officials = signed[: max(1, len(signed) // 10)]
    official = _official(officials)
    times = alternate(
        {
            "ours": lambda: _microseconds(lambda: _check_all(signed), len(signed)),
            "recovery": lambda: _microseconds(_bare_recovery(signed), len(signed)),
            "official": lambda: _microseconds(official, len(officials)),
        },
        options.rounds,
    )
    return Chapter(
        "verification of one voucher, whole check, one core",
        (
            plain("ours", times["ours"], "us"),
            at_most("time as a ratio to bare coincurve recovery", ratios(times["ours"], times["recovery"]), 1.3),
            at_least(
                "speed as a ratio to the official Python facilitator's check",
                ratios(times["official"], times["ours"]),
                10,
            ),
        ),
        (
            "facts are gathered and all checks of the micro tier run; the official check is `validate_channel_config`"
            " and `verify_batch_settlement_voucher_typed_data` of x402 2.25, without its RPC call.",
        ),
    )


def _vouchers(count: int) -> list[Signed]:
    payers = Workload(PAYERS).payers
    made = []
    for number in range(count):
        payer = payers[number % PAYERS]
        most = (number // PAYERS + 1) * AMOUNT
        made.append((payer, most, payer.voucher(most)))
    return made


def _check_all(signed: list[Signed]) -> None:
    """As gateway.payments.service.Payments.judge does it."""
    for payer, most, signature in signed:
        facts = VoucherFacts(
            domain=DOMAIN,
            channel_id=payer.channel_id,
            payer=payer.address,
            payer_authorizer=payer.address,
            receiver=payer.config.receiver,
            amount=AMOUNT,
            max_claimable=most,
            signature=signature,
            window_most=POLICY.window_most,
            sanctions=SANCTIONS,
            risk=RISK,
        )
        if not decide(checks_for(AMOUNT, POLICY), facts).approves:
            raise BenchmarkFailed("a good voucher was refused")


def _bare_recovery(signed: list[Signed]) -> Callable[[], None]:
    ready = [
        (signature[:64] + bytes([signature[64] - 27]), voucher_digest(DOMAIN, payer.channel_id, most))
        for payer, most, signature in signed
    ]

    def recover() -> None:
        for signature, digest in ready:
            PublicKey.from_signature_and_message(signature, digest, hasher=None)

    return recover


def _official(signed: list[Signed]) -> Callable[[], None]:
    ready = [(_official_config(each[0]), "0x" + each[0].channel_id.hex(), *each) for each in signed]
    requirements = {payer.merchant: _requirements(payer) for payer, _, _ in signed}
    # The signer is asked only for channels without a payer authorizer.
    signer = cast(FacilitatorEvmSigner, None)

    def check() -> None:
        for config, channel_id, payer, most, signature in ready:
            reason = validate_channel_config(config, channel_id, requirements[payer.merchant])
            good = verify_batch_settlement_voucher_typed_data(
                signer, channel_id, str(most), config.payer_authorizer, config.payer, "0x" + signature.hex(), CHAIN_ID
            )
            if reason is not None or not good:
                raise BenchmarkFailed(f"the official check refused a good voucher: {reason}")

    return check


def _official_config(payer: Payer) -> OfficialConfig:
    address = "0x" + payer.address.hex()
    return OfficialConfig(
        payer=address,
        payer_authorizer=address,
        receiver="0x" + payer.config.receiver.hex(),
        receiver_authorizer="0x" + RECEIVER_AUTHORIZER.hex(),
        token="0x" + TOKEN.hex(),
        withdraw_delay=WITHDRAW_DELAY,
        salt="0x" + payer.config.salt.hex(),
    )


def _requirements(payer: Payer) -> PaymentRequirements:
    return PaymentRequirements(
        scheme="batch-settlement",
        network=f"eip155:{CHAIN_ID}",
        asset="0x" + TOKEN.hex(),
        amount=str(AMOUNT),
        pay_to="0x" + payer.config.receiver.hex(),
        max_timeout_seconds=60,
        extra={"receiverAuthorizer": "0x" + RECEIVER_AUTHORIZER.hex()},
    )


def _microseconds(work: Callable[[], None], count: int) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) / count * 1e6
