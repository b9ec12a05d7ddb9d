"""What one API process's facilitator holds, and the checks that every scheme shares."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from gateway.channels.claims import LANE
from gateway.channels.runtime import fee_policy
from gateway.deps import Contracts, Gateway
from gateway.merchants.keys import Caller
from gateway.payments.capture import Captures
from gateway.payments.facts import ChannelFacts, Facts
from gateway.settings import Settings
from gateway.x402.authorizer import Authorizer
from gateway.x402.codes import Code
from gateway.x402.messages import Refusal, Requirements
from gateway.x402.onchain import OnChain
from kit.chain.rpc import Rpc
from kit.chain.sender import Sender
from kit.chain.signer import read_key_file
from kit.database.queries import load
from verification.check import Check, decide
from verification.signatures.eip712 import Domain
from verification.tiers import Tier, checks_for, tier_of
from verification.vouchers import VoucherFacts, check_risk, check_sanctions, check_velocity

QUERIES = load("gateway.x402")


class ChainLost(Exception):
    """The chain does not answer, and without it there is no verdict: nothing was done, or it goes on by itself."""


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who is paid at a receiver."""

    merchant_id: int
    key_required: bool


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks: the hash that tells this request from another with the same payment, and the API key's owner."""

    request_hash: bytes
    caller: Caller | None = None


@dataclass(frozen=True, slots=True)
class Facilitator:
    """Synchronous throughout; every method is safe to use from several threads. `clock` gives unix seconds."""

    settings: Settings
    contracts: Contracts
    domain: Domain
    pool: ConnectionPool
    facts: Facts
    captures: Captures
    onchain: OnChain
    sender: Sender
    authorizer: Authorizer
    clock: Callable[[], float] = field(default=time.time)

    @property
    def network(self) -> str:
        return f"eip155:{self.contracts.chain_id}"

    @property
    def relay(self) -> bytes:
        return self.sender.signers[LANE].address


class NotConfigured(Exception):
    """A key file that the facilitator needs is not set."""


def open_facilitator(gateway: Gateway) -> Facilitator:
    """Raises NotConfigured, KeyFileError."""
    settings, contracts = gateway.settings, gateway.contracts
    if settings.relay_key_file is None or settings.receiver_authorizer_key_file is None:
        raise NotConfigured("the facilitator needs LOCKGATE_RELAY_KEY_FILE and LOCKGATE_RECEIVER_AUTHORIZER_KEY_FILE")
    relay = read_key_file(settings.relay_key_file)
    rpc = Rpc(settings.chain_rpc_url.get_secret_value())
    return Facilitator(
        settings=settings,
        contracts=contracts,
        domain=gateway.domain,
        pool=gateway.pool,
        facts=gateway.facts,
        captures=gateway.captures,
        onchain=OnChain(rpc, escrow=contracts.escrow, relay=relay.address),
        sender=Sender(rpc, contracts.chain_id, {LANE: relay}, fee_policy(settings)),
        authorizer=Authorizer(
            contracts.receiver_authorizer, read_key_file(settings.receiver_authorizer_key_file), gateway.domain
        ),
    )


def find_merchant(connection: psycopg.Connection[Any], receiver: bytes) -> Merchant:
    """The merchant paid at `receiver`. Raises Refusal: we relay for registered receivers only."""
    row = connection.execute(QUERIES.sql("find_receiver"), {"receiver": receiver}).fetchone()
    if row is None:
        raise Refusal(Code.RECEIVER_NOT_REGISTERED, "payTo belongs to no merchant of this facilitator")
    return Merchant(*row)


def require_key(merchant: Merchant, request: Request, what: str) -> None:
    """Refuse `what` without the merchant's own API key, where the merchant wants that. Raises Refusal."""
    if not merchant.key_required:
        return
    caller = request.caller
    if caller is None or caller.merchant_id != merchant.merchant_id or not caller.can_write:
        raise Refusal(Code.MERCHANT_KEY_REQUIRED, f"{what} needs the merchant's API key as a bearer token")


def check_network(f: Facilitator, network: str) -> None:
    """Raises Refusal."""
    if network != f.network:
        raise Refusal(Code.INVALID_NETWORK, f"this facilitator serves {f.network}")


def check_same_terms(accepted: Requirements, asked: Requirements, codes: TermCodes) -> None:
    """What the client accepted is what the resource server asks now. Raises Refusal with the first difference's code.

    A resource server may ask for less than was accepted (a price that follows use), never for more.
    """
    if accepted.pay_to != asked.pay_to:
        raise Refusal(codes.receiver, "accepted.payTo is not paymentRequirements.payTo")
    if accepted.asset != asked.asset:
        raise Refusal(codes.asset, "accepted.asset is not paymentRequirements.asset")
    if asked.amount > accepted.amount or (asked.amount < accepted.amount and not codes.may_ask_less):
        raise Refusal(codes.amount, "accepted.amount is not paymentRequirements.amount")
    if accepted.max_timeout_seconds != asked.max_timeout_seconds:
        raise Refusal(Code.INVALID_PAYMENT_REQUIREMENTS, "accepted.maxTimeoutSeconds differs")
    for name in ("name", "version", "receiverAuthorizer", "withdrawDelay", "assetTransferMethod", "bookkeeper"):
        if name in asked.extra and _folded(accepted.extra.get(name)) != _folded(asked.extra[name]):
            raise Refusal(Code.INVALID_PAYMENT_REQUIREMENTS, f"accepted.extra.{name} differs")


def _folded(value: object) -> object:
    return value.lower() if isinstance(value, str) and value.startswith("0x") else value


@dataclass(frozen=True, slots=True)
class TermCodes:
    """A scheme's codes for terms that differ."""

    receiver: Code
    asset: Code
    amount: Code
    may_ask_less: bool


def read_token_domain(requirements: Requirements, chain_id: int, code: Code) -> Domain:
    """The token's EIP-712 domain as the requirements name it. Raises Refusal."""
    name, version = requirements.extra.get("name"), requirements.extra.get("version")
    if not isinstance(name, str) or not isinstance(version, str) or not name or not version:
        raise Refusal(code, "paymentRequirements.extra has to give the token's EIP-712 name and version")
    return Domain(name, version, chain_id, requirements.asset)


# A deposit or an exact payment has no voucher to check: these are the checks of the micro tier that remain.
_WITHOUT_VOUCHER: tuple[Check[VoucherFacts], ...] = (check_sanctions, check_velocity, check_risk)


def check_tier(f: Facilitator, channel: ChannelFacts, amount: int) -> None:
    """Money that moves without a voucher: the tier of its amount, sanctions, velocity, risk. Raises Refusal."""
    facts = VoucherFacts(
        domain=f.domain,
        channel_id=channel.channel_id,
        payer=channel.payer,
        payer_authorizer=channel.payer_authorizer,
        receiver=channel.receiver,
        amount=amount,
        max_claimable=amount,
        signature=b"",
        window_most=channel.policy.window_most,
        sanctions=f.facts.sanctions,
        risk=f.facts.risk(channel),
    )
    if amount == 0:
        raise Refusal(Code.INVALID_PAYMENT_REQUIREMENTS, "an amount is at least 1")
    if channel.payer == channel.receiver:
        raise Refusal("payer_is_receiver", "payer and receiver are the same address")
    is_micro = tier_of(amount, channel.policy) is Tier.MICRO
    verdict = decide(_WITHOUT_VOUCHER if is_micro else checks_for(amount, channel.policy), facts)
    if not verdict.approves:
        raise Refusal(verdict.code, ", ".join(f"{name}: {seen}" for name, seen in verdict.evidence.items()))


def judge_voucher(f: Facilitator, channel: ChannelFacts, amount: int, max_claimable: int, signature: bytes) -> None:
    """Every check of the amount's tier on one voucher. Raises Refusal."""
    facts = VoucherFacts(
        domain=f.domain,
        channel_id=channel.channel_id,
        payer=channel.payer,
        payer_authorizer=channel.payer_authorizer,
        receiver=channel.receiver,
        amount=amount,
        max_claimable=max_claimable,
        signature=signature,
        window_most=channel.policy.window_most,
        sanctions=f.facts.sanctions,
        risk=f.facts.risk(channel),
    )
    verdict = decide(checks_for(amount, channel.policy), facts)
    if verdict.approves:
        return
    code = _VERDICT_CODES.get(verdict.code, verdict.code)
    raise Refusal(code, ", ".join(f"{name}: {seen}" for name, seen in verdict.evidence.items()))


_VERDICT_CODES: dict[str, str] = {
    "voucher_signature": Code.BATCH_VOUCHER_SIGNATURE,
    "payer_authorizer_missing": Code.BATCH_VOUCHER_SIGNATURE,
    "amount_out_of_range": Code.BATCH_MISMATCH,
}
