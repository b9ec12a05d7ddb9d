"""What the book says of one voucher (numbers are those of the `capture_batch` statement)."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID


class Outcome(IntEnum):
    CAPTURED = 0
    MISMATCH = 1  # the maximum is not what is charged so far plus the amount
    EXCEEDS_BALANCE = 2
    EXCEEDS_EXPOSURE = 3
    VELOCITY = 4
    KEY_UNUSABLE = 5
    IDEMPOTENCY_CONFLICT = 6
    UNKNOWN_CHANNEL = 7
    REPLAY = 8  # this very request was captured before; the answer is the stored one


@dataclass(slots=True)
class CaptureRequest:
    """One verified voucher on its way into the book. Amounts in the token's smallest unit.

    `exposure_most` bounds what may stand charged and unclaimed on the channel after it; `window_most` is the payer's
    velocity window. `key_id` is None where no API key is involved (a payer's own client at the facilitator).
    """

    payment_id: UUID
    merchant_id: int
    channel_no: int
    channel_id: bytes
    amount: int
    voucher_max: int
    signature: bytes
    request_hash: bytes
    window_most: int
    exposure_most: int
    key_id: int | None = None
    idempotency_key: str | None = None
    reference: str | None = None


class CaptureResult(NamedTuple):
    """`charged` and `credited`: the channel's totals after a capture, or as they stood when it was refused.

    `payment_id` is set for CAPTURED and REPLAY. `voucher_max` and `voucher_signature` are the last voucher held,
    for the client to resynchronise with; set when refused. A NamedTuple since one is made for every payment, and a
    frozen dataclass takes three times as long.
    """

    outcome: Outcome
    charged: int
    credited: int
    payment_id: UUID | None = None
    voucher_max: int | None = None
    voucher_signature: bytes | None = None


class QueueFull(Exception):
    """More payments wait than the queue holds: nothing was done, try again."""


class BookUnavailable(Exception):
    """The book cannot be reached, and what became of the payment is unknown: the same request again will tell."""


class CaptureFailed(Exception):
    """The book refused this one payment for a reason that is a fault of ours: nothing was done."""


Waiter = asyncio.Future[CaptureResult] | Future[CaptureResult]
