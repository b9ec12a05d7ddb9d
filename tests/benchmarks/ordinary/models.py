"""Tables of the ordinary service."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Numeric,
    String,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


Amount = Numeric(40, 0, asdecimal=True)


class Merchant(Base):
    __tablename__ = "merchants"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class ApiKey(Base):
    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchants.id"))
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    can_write: Mapped[bool] = mapped_column(default=True)
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Channel(Base):
    __tablename__ = "channels"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchants.id"))
    channel_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    payer: Mapped[bytes] = mapped_column(LargeBinary)
    payer_authorizer: Mapped[bytes] = mapped_column(LargeBinary)
    receiver: Mapped[bytes] = mapped_column(LargeBinary)
    token: Mapped[bytes] = mapped_column(LargeBinary)
    balance: Mapped[int] = mapped_column(Amount)
    charged: Mapped[int] = mapped_column(Amount, default=0)
    voucher_max: Mapped[int] = mapped_column(Amount, default=0)
    voucher_signature: Mapped[bytes | None] = mapped_column(LargeBinary)


class VelocityWindow(Base):
    __tablename__ = "velocity_windows"

    payer: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    level: Mapped[int] = mapped_column(Amount, default=0)
    level_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Payment(Base):
    __tablename__ = "payments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchants.id"))
    channel_pk: Mapped[int] = mapped_column(ForeignKey("channels.id"))
    amount: Mapped[int] = mapped_column(Amount)
    cumulative: Mapped[int] = mapped_column(Amount)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    reference: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    legs: Mapped[list[Leg]] = relationship(cascade="all", lazy="raise")

    __table_args__ = (
        UniqueConstraint("channel_pk", "cumulative"),
        Index("payments_by_key", "merchant_id", "idempotency_key", unique=True),
    )


class Leg(Base):
    __tablename__ = "legs"

    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    amount: Mapped[int] = mapped_column(Amount)


class OutboxEvent(Base):
    __tablename__ = "outbox"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    topic: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    delivered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class AuditLeaf(Base):
    __tablename__ = "audit_leaves"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    body: Mapped[str]
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary)
