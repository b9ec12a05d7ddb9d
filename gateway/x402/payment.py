"""A client's payment as it comes in the PAYMENT-SIGNATURE header."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.x402 import headers, wire
from gateway.x402.codes import Code
from gateway.x402.messages import BATCH_SETTLEMENT, EXACT, X402_VERSION, Refusal, Requirements, read_requirements
from gateway.x402.payloads import (
    ClaimOrder,
    DepositPayment,
    ExactPayment,
    RefundOrder,
    RefundPayment,
    SettleOrder,
    VoucherPayment,
    read_batch,
    read_exact,
)
from gateway.x402.wire import InvalidPayload
from verification.signatures.eip712 import Domain, channel_id, voucher_digest
from verification.signatures.recovery import recover_address

ClientPayload = ExactPayment | DepositPayment | VoucherPayment | RefundPayment


@dataclass(frozen=True, slots=True)
class Payment:
    """`document` is the payment as it came, for the facilitator."""

    document: Mapping[str, Any]
    accepted: Requirements
    payload: ClientPayload

    @property
    def is_refund(self) -> bool:
        return isinstance(self.payload, RefundPayment)

    @property
    def lane(self) -> bytes:
        """What only one request may use at a time: the channel, or the authorization's nonce."""
        if isinstance(self.payload, ExactPayment):
            signed = self.payload.authorization
            return signed.sender + signed.nonce
        return self.payload.voucher.channel_id

    @property
    def total(self) -> int:
        """The cumulative total that the voucher stands for; 0 for a payment without one."""
        return 0 if isinstance(self.payload, ExactPayment) else self.payload.voucher.max_claimable

    def may_hold_lane(self, escrow: Domain) -> bool:
        """Whether who sent this may make others wait: he holds the authorization, or a voucher that its channel's
        authorizer signed. Anybody can read a channel's id on chain.
        """
        if isinstance(self.payload, ExactPayment):
            return True
        config, voucher = self.payload.config, self.payload.voucher
        if channel_id(escrow, config) != voucher.channel_id:
            return False
        digest = voucher_digest(escrow, voucher.channel_id, voucher.max_claimable)
        return recover_address(digest, voucher.signature) == config.payer_authorizer

    def identity(self, method: str, target: str, body: bytes) -> bytes:
        """What makes a request the same request again: payment, method, URL and body."""
        if isinstance(self.payload, ExactPayment):
            signed = self.payload.authorization
            paid = signed.sender + signed.nonce + self.payload.signature
        else:
            voucher = self.payload.voucher
            paid = voucher.channel_id + voucher.max_claimable.to_bytes(32, "big") + voucher.signature
        if isinstance(self.payload, RefundPayment):
            paid += b"refund" + str(self.payload.amount).encode()
        digest = hashlib.sha256()
        for part in (paid, method.encode(), target.encode("latin-1"), body):
            digest.update(hashlib.sha256(part).digest())
        return digest.digest()


def read_payment(value: str) -> Payment:
    """Raises InvalidPayload, and Refusal for a payment of a kind that is well-formed and not taken from clients."""
    document = headers.decode(value)
    version = wire.read_integer(document, "x402Version")
    accepted = wire.read_object(document, "accepted")
    payload = wire.read_object(document, "payload")
    scheme = wire.read_text(accepted, "scheme")
    if version != X402_VERSION:
        raise Refusal(Code.INVALID_X402_VERSION, f"this resource speaks version {X402_VERSION}")
    if scheme not in (EXACT, BATCH_SETTLEMENT):
        raise Refusal(Code.UNSUPPORTED_SCHEME, "no way to pay here is of this scheme")
    return Payment(document, read_requirements(accepted), _read_payload(scheme, payload))


def _read_payload(scheme: str, payload: wire.Members) -> ClientPayload:
    if scheme == EXACT:
        return read_exact(payload)
    read = read_batch(payload)
    if isinstance(read, (ClaimOrder, SettleOrder, RefundOrder)):
        raise InvalidPayload("payload is of a kind that only resource servers send")
    return read
