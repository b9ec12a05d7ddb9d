"""Capture one voucher in a session."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from kit.ids import uuid7
from tests.benchmarks.ordinary import schemas
from tests.benchmarks.ordinary.checks import WINDOW_MOST, WINDOW_SECONDS, Refused, check
from tests.benchmarks.ordinary.models import ApiKey, AuditLeaf, Channel, Leg, OutboxEvent, Payment, VelocityWindow
from tests.benchmarks.workload import CHAIN_ID


@dataclass(frozen=True, slots=True)
class Captured:
    is_new: bool
    payment: schemas.Payment


def authenticate(session: Session, authorization: str | None) -> ApiKey:
    """Raises Refused."""
    scheme, _, key = (authorization or "").partition(" ")
    if scheme != "Bearer":
        raise Refused(401, "api_key_invalid")
    found = session.scalar(
        select(ApiKey).where(
            ApiKey.key_hash == hashlib.sha256(key.encode()).digest(),
            ApiKey.revoked_at.is_(None),
        )
    )
    if found is None:
        raise Refused(401, "api_key_invalid")
    if not found.can_write:
        raise Refused(403, "api_key_cannot_write")
    return found


def capture(
    session: Session, merchant_id: int, body: schemas.VoucherPayment, idempotency_key: str | None
) -> Captured:
    """Verify, fold and book one voucher; the caller commits. Raises Refused."""
    channel_id = bytes.fromhex(body.voucher.channelId[2:])
    amount, max_claimable = int(body.amount), int(body.voucher.maxClaimableAmount)
    signature = bytes.fromhex(body.voucher.signature[2:])
    channel = session.scalar(
        select(Channel).where(Channel.channel_id == channel_id, Channel.merchant_id == merchant_id).with_for_update()
    )
    if channel is None:
        raise Refused(404, "channel_not_found")
    check(channel, amount, max_claimable, signature)
    request_hash = hashlib.sha256(
        json.dumps([body.voucher.channelId.lower(), amount, max_claimable, body.reference]).encode()
    ).digest()
    if idempotency_key is not None:
        holder = session.scalar(
            select(Payment).where(Payment.merchant_id == merchant_id, Payment.idempotency_key == idempotency_key)
        )
        if holder is not None and holder.request_hash != request_hash:
            raise Refused(409, "idempotency_key_reused")
    if max_claimable - amount != channel.charged:
        return _replay(session, channel, max_claimable, request_hash)
    if max_claimable > channel.balance:
        raise _refused(channel, "cumulative_exceeds_balance")
    _take_from_window(session, channel, amount)
    return _book(session, channel, body, signature, request_hash, idempotency_key)


def _replay(session: Session, channel: Channel, max_claimable: int, request_hash: bytes) -> Captured:
    earlier = session.scalar(
        select(Payment).where(Payment.channel_pk == channel.id, Payment.cumulative == max_claimable)
    )
    if earlier is None or earlier.request_hash != request_hash:
        raise _refused(channel, "cumulative_amount_mismatch")
    return Captured(False, _answer(channel, earlier))


def _take_from_window(session: Session, channel: Channel, amount: int) -> None:
    now = datetime.now(UTC)
    window = session.scalar(select(VelocityWindow).where(VelocityWindow.payer == channel.payer).with_for_update())
    if window is None:
        raise _refused(channel, "velocity_exceeded")
    passed = min(1.0, (now - window.level_at).total_seconds() / WINDOW_SECONDS)
    level = max(0, int(window.level) - int(WINDOW_MOST * passed))
    if level + amount > WINDOW_MOST:
        raise _refused(channel, "velocity_exceeded")
    window.level, window.level_at = level + amount, now


def _book(
    session: Session,
    channel: Channel,
    body: schemas.VoucherPayment,
    signature: bytes,
    request_hash: bytes,
    idempotency_key: str | None,
) -> Captured:
    amount, cumulative = int(body.amount), int(body.voucher.maxClaimableAmount)
    payment = Payment(
        id=uuid7(),
        merchant_id=channel.merchant_id,
        channel_pk=channel.id,
        amount=Decimal(amount),
        cumulative=Decimal(cumulative),
        signature=signature,
        request_hash=request_hash,
        idempotency_key=idempotency_key,
        reference=body.reference,
        created_at=datetime.now(UTC),
        legs=[
            Leg(number=0, account=f"channel:{channel.id}", amount=Decimal(-amount)),
            Leg(number=1, account=f"captured:{channel.merchant_id}", amount=Decimal(amount)),
        ],
    )
    channel.charged = channel.voucher_max = cumulative
    channel.voucher_signature = signature
    session.add(payment)
    session.add_all(_records(payment.id, amount, cumulative))
    session.flush()
    return Captured(True, _answer(channel, payment))


def _records(payment_id: UUID, amount: int, cumulative: int) -> tuple[OutboxEvent, AuditLeaf]:
    payload = {"payment": payment_id.hex, "amount": str(amount), "cumulative": str(cumulative)}
    body, salt = json.dumps(payload, sort_keys=True), os.urandom(16)
    leaf_hash = hashlib.sha256(salt + body.encode()).digest()
    return (
        OutboxEvent(id=payment_id, topic="payment.captured", payload=payload),
        AuditLeaf(id=payment_id, body=body, salt=salt, leaf_hash=leaf_hash),
    )


def _refused(channel: Channel, code: str) -> Refused:
    state = {"charged_cumulative_amount": str(int(channel.charged)), "balance": str(int(channel.balance))}
    if channel.voucher_signature is not None:
        state["signed_max_claimable"] = str(int(channel.voucher_max))
        state["voucher_signature"] = "0x" + channel.voucher_signature.hex()
    return Refused(409, code, channel_state=state)


def _answer(channel: Channel, payment: Payment) -> schemas.Payment:
    return schemas.Payment(
        id="pay_" + payment.id.hex,
        network=f"eip155:{CHAIN_ID}",
        asset="0x" + channel.token.hex(),
        amount=str(int(payment.amount)),
        payer="0x" + channel.payer.hex(),
        channel_id="0x" + channel.channel_id.hex(),
        cumulative_amount=str(int(payment.cumulative)),
        reference=payment.reference,
        created_at=payment.created_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    )
