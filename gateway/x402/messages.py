"""The messages between resource server and facilitator, and between client and resource server (x402 v2).

Amounts are integers in the token's smallest unit here and decimal strings on the wire; addresses are 20 bytes here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.x402 import wire
from gateway.x402.wire import InvalidPayload, Members
from verification.amounts import UINT128_MAX

X402_VERSION = 2
EXACT = "exact"
BATCH_SETTLEMENT = "batch-settlement"
BODY_BYTES_MOST = 256 * 1024
# Ours, in `extra`: the facilitator keeps the running totals of this resource's channels, not the resource server.
BOOKKEEPER = "bookkeeper"
FACILITATOR_KEEPS = "facilitator"


@dataclass(frozen=True, slots=True)
class Requirements:
    """What one way to pay asks for."""

    scheme: str
    network: str
    asset: bytes
    amount: int
    pay_to: bytes
    max_timeout_seconds: int
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def facilitator_keeps_book(self) -> bool:
        return self.extra.get(BOOKKEEPER) == FACILITATOR_KEEPS

    def document(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "scheme": self.scheme,
            "network": self.network,
            "asset": wire.checksum(self.asset),
            "amount": str(self.amount),
            "payTo": wire.checksum(self.pay_to),
            "maxTimeoutSeconds": self.max_timeout_seconds,
        }
        # Never null: a client may take that for an object.
        return {**shown, "extra": dict(self.extra)} if self.extra else shown


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payment with what it answers, its scheme's own part still unread."""

    version: int
    accepted: Members
    payload: Members
    requirements: Members

    @property
    def scheme(self) -> str:
        return wire.read_text(self.requirements, "scheme")

    @property
    def network(self) -> str:
        return wire.read_text(self.requirements, "network")


def read_envelope(body: bytes) -> Envelope:
    """The body of `/verify` and `/settle`. Raises InvalidPayload."""
    members = wire.load_object(body)
    payment = wire.read_object(members, "paymentPayload")
    versions = {wire.read_integer(payment, "x402Version")}
    if "x402Version" in members:
        versions.add(wire.read_integer(members, "x402Version"))
    if len(versions) != 1:
        raise InvalidPayload("x402Version differs between the request and its payment")
    envelope = Envelope(
        versions.pop(),
        wire.read_object(payment, "accepted"),
        wire.read_object(payment, "payload"),
        wire.read_object(members, "paymentRequirements"),
    )
    for terms in (envelope.accepted, envelope.requirements):
        wire.read_text(terms, "scheme")
        wire.read_text(terms, "network")
    return envelope


def read_requirements(members: Members) -> Requirements:
    """Raises InvalidPayload."""
    return Requirements(
        scheme=wire.read_text(members, "scheme"),
        network=wire.read_text(members, "network"),
        asset=wire.read_address(members, "asset"),
        amount=wire.read_amount(members, "amount", most=UINT128_MAX),
        pay_to=wire.read_address(members, "payTo"),
        max_timeout_seconds=wire.read_integer(members, "maxTimeoutSeconds"),
        extra=wire.optional(members, "extra", wire.read_object) or {},
    )


@dataclass(eq=False)  # not frozen: Python itself writes to an exception that is raised
class Refusal(Exception):
    """A well-formed payment that is not accepted. `transaction` is set when one was sent all the same."""

    code: str
    message: str = ""
    payer: bytes | None = None
    transaction: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def verify_document(self) -> dict[str, Any]:
        return _without_nothing(
            isValid=False,
            invalidReason=str(self.code),
            invalidMessage=self.message or None,
            payer=None if self.payer is None else wire.checksum(self.payer),
            extra=dict(self.extra) or None,
        )

    def settle_document(self, network: str) -> dict[str, Any]:
        return _without_nothing(
            success=False,
            errorReason=str(self.code),
            errorMessage=self.message or None,
            payer=None if self.payer is None else wire.checksum(self.payer),
            transaction=self.transaction,
            network=network,
            extra=dict(self.extra) or None,
        )


@dataclass(frozen=True, slots=True)
class Verified:
    """A payment that would be accepted."""

    payer: bytes
    extra: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return _without_nothing(isValid=True, payer=wire.checksum(self.payer), extra=dict(self.extra) or None)


@dataclass(frozen=True, slots=True)
class Settled:
    """A payment that was accepted. `transaction` is empty where none was needed; `amount` is what moved on chain."""

    network: str
    transaction: str = ""
    payer: bytes | None = None
    amount: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return _without_nothing(
            success=True,
            transaction=self.transaction,
            network=self.network,
            payer=None if self.payer is None else wire.checksum(self.payer),
            amount=self.amount,
            extra=dict(self.extra) or None,
        )


def _without_nothing(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
