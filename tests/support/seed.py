"""A database with merchants, channels and money in them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from gateway.channels.opening import open_channel
from gateway.merchants.service import NewMerchant, create_merchant
from gateway.payments.outcomes import CaptureRequest
from gateway.payments.service import PaymentRequest
from kit.ids import uuid7
from kit.ledger.book import Leg, Transfer, open_account, open_asset, post
from tests.support.vouchers import CHAIN_ID, ESCROW, TOKEN, PayerChannel, Signer, payer_channel
from verification.signatures.eip712 import keccak

UNLIMITED = (1 << 128) - 1
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Merchant:
    merchant_id: int
    public_id: str
    api_key: str
    key_id: int
    receiver: bytes

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"}


@dataclass(frozen=True, slots=True)
class SeededChannel:
    """A channel in the database, and the key that pays from it."""

    payer: PayerChannel
    merchant_id: int
    channel_no: int
    channel_id: bytes
    asset_id: int
    channel_account: int
    captured_account: int
    escrow_account: int

    def request(
        self,
        amount: int,
        cumulative: int,
        *,
        reference: str | None = None,
        idempotency_key: str | None = None,
        key_id: int | None = None,
        window_most: int = UNLIMITED,
        exposure_most: int = UNLIMITED,
    ) -> CaptureRequest:
        """What the service hands to the book for one voucher."""
        signature = self.payer.sign(cumulative)
        return CaptureRequest(
            payment_id=uuid7(),
            merchant_id=self.merchant_id,
            channel_no=self.channel_no,
            channel_id=self.channel_id,
            amount=amount,
            voucher_max=cumulative,
            signature=signature,
            request_hash=PaymentRequest(self.channel_id, cumulative, signature, amount, reference).request_hash(),
            window_most=window_most,
            exposure_most=exposure_most,
            key_id=key_id,
            idempotency_key=idempotency_key,
            reference=reference,
        )

    def body(self, amount: int, cumulative: int, reference: str | None = None) -> dict[str, Any]:
        """The JSON body of POST /v1/payments."""
        voucher = {
            "channelId": "0x" + self.channel_id.hex(),
            "maxClaimableAmount": str(cumulative),
            "signature": "0x" + self.payer.sign(cumulative).hex(),
        }
        document: dict[str, Any] = {"voucher": voucher, "amount": str(amount)}
        return document if reference is None else document | {"reference": reference}


def seed_merchant(connection: psycopg.Connection[Any], name: str | None = None) -> Merchant:
    """A merchant with a receiver and a key of its own."""
    label = name or f"merchant-{next(_numbers)}"
    receiver = keccak(f"receiver of {label} {uuid7()}".encode())[12:]
    made: NewMerchant = create_merchant(connection, name=label, receiver=receiver)
    return Merchant(made.merchant_id, made.public_id, made.api_key, made.key_id, receiver)


def seed_channel(
    connection: psycopg.Connection[Any],
    merchant: Merchant,
    *,
    payer: str | None = None,
    credited: int = 1_000_000,
    salt: int = 0,
    withdraw_delay: int = 3600,
    authorizer: str | None = None,
) -> SeededChannel:
    """A channel to the merchant with a confirmed deposit of `credited`, in the book as in its state."""
    asset = open_asset(connection, chain_id=CHAIN_ID, address=TOKEN, symbol="USDC", decimals=6)
    opened = payer_channel(
        payer or f"payer-{next(_numbers)}",
        merchant.receiver,
        salt=salt,
        withdraw_delay=withdraw_delay,
        authorizer=authorizer,
    )
    row = open_channel(connection, opened.config, opened.domain)
    escrow = open_account(connection, merchant.merchant_id, "escrow", "0x" + ESCROW.hex(), asset.asset_id)
    channel = SeededChannel(
        opened,
        row.merchant_id,
        row.channel_no,
        row.channel_id,
        row.asset_id,
        row.channel_account,
        row.captured_account,
        escrow,
    )
    if credited:
        deposit(connection, channel, credited)
    return channel


def deposit(connection: psycopg.Connection[Any], channel: SeededChannel, amount: int) -> None:
    """Credit a channel as a confirmed deposit does."""
    legs = (Leg(channel.escrow_account, -amount), Leg(channel.channel_account, amount))
    transfer = Transfer(channel.merchant_id, uuid7(), channel.asset_id, legs)
    post(connection, [transfer], held_elsewhere=[channel.channel_account])
    connection.execute(
        "UPDATE channel_states SET credited = credited + %s WHERE merchant_id = %s AND channel_no = %s",
        [Decimal(amount), channel.merchant_id, channel.channel_no],
    )


def show_chain(connection: psycopg.Connection[Any], *, age_seconds: int = -86_400) -> None:
    """The mirror as if the chain had been seen so long ago; unless told a day ahead, so that no test outlasts it."""
    connection.execute(
        """
        INSERT INTO chain_mirror (chain_id, head_number, head_hash, head_time, node_number, seen_at)
        VALUES (%(chain_id)s, 1, sha256('head'), now(), 1, now() - make_interval(secs => %(age)s))
        ON CONFLICT (tenant_id, chain_id) DO UPDATE SET seen_at = EXCLUDED.seen_at""",
        {"chain_id": CHAIN_ID, "age": age_seconds},
    )


def stranger() -> Signer:
    """A key that nobody knows."""
    return Signer(f"stranger {uuid7()}")
