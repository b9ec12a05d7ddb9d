"""What the book should say of vouchers: one after the other, in plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from gateway.payments.outcomes import CaptureRequest, CaptureResult, Outcome
from tests.support.seed import SeededChannel


@dataclass(slots=True)
class ChannelModel:
    credited: int
    charged: int = 0
    claimed: int = 0
    withheld: int = 0
    signature: bytes | None = None
    payments: dict[int, CaptureRequest] = field(default_factory=dict)


@dataclass(slots=True)
class Model:
    """Channels, windows and keys as they stand; `capture` is the whole rule."""

    window_most: int
    channels: dict[int, ChannelModel] = field(default_factory=dict)
    seeded: dict[int, SeededChannel] = field(default_factory=dict)
    levels: dict[bytes, int] = field(default_factory=dict)
    keys: dict[tuple[int, str], CaptureRequest] = field(default_factory=dict)
    usable_keys: set[int] = field(default_factory=set)

    def add(self, channel: SeededChannel, credited: int) -> None:
        self.channels[channel.channel_no] = ChannelModel(credited)
        self.seeded[channel.channel_no] = channel
        self.levels[channel.payer.config.payer] = 0

    def capture(self, request: CaptureRequest) -> Outcome:
        """One voucher, alone: what becomes of it, and its effect."""
        outcome = self._judge(request)
        if outcome is Outcome.CAPTURED:
            channel = self.channels[request.channel_no]
            channel.charged = request.voucher_max
            channel.signature = request.signature
            channel.payments[request.voucher_max] = request
            self.levels[self._payer(request)] += request.amount
            if request.idempotency_key is not None:
                self.keys[request.merchant_id, request.idempotency_key] = request
        return outcome

    def was_captured(self, request: CaptureRequest) -> UUID | None:
        """The payment that this very request has become, if it has."""
        channel = self.channels.get(request.channel_no)
        stored = None if channel is None else channel.payments.get(request.voucher_max)
        if stored is None or (stored.request_hash, stored.amount) != (request.request_hash, request.amount):
            return None
        return stored.payment_id

    def is_held_by_another(self, request: CaptureRequest) -> bool:
        """Whether the request's idempotency key belongs to a payment that is not this request's."""
        holder = self.keys.get((request.merchant_id, request.idempotency_key or ""))
        return holder is not None and (holder.channel_no, holder.voucher_max, holder.request_hash) != (
            request.channel_no,
            request.voucher_max,
            request.request_hash,
        )

    def _judge(self, request: CaptureRequest) -> Outcome:
        channel = self.channels.get(request.channel_no)
        if channel is None:
            return Outcome.UNKNOWN_CHANNEL
        if request.key_id is not None and request.key_id not in self.usable_keys:
            return Outcome.KEY_UNUSABLE
        if self.is_held_by_another(request):
            return Outcome.IDEMPOTENCY_CONFLICT
        if self.was_captured(request) is not None:
            return Outcome.REPLAY
        return self._weigh(channel, request)

    def _weigh(self, channel: ChannelModel, request: CaptureRequest) -> Outcome:
        if request.voucher_max - request.amount != channel.charged:
            return Outcome.MISMATCH
        if request.voucher_max > channel.credited - channel.withheld:
            return Outcome.EXCEEDS_BALANCE
        if request.voucher_max > channel.claimed + request.exposure_most:
            return Outcome.EXCEEDS_EXPOSURE
        if self.levels[self._payer(request)] + request.amount > request.window_most:
            return Outcome.VELOCITY
        return Outcome.CAPTURED

    def _payer(self, request: CaptureRequest) -> bytes:
        return self.seeded[request.channel_no].payer.config.payer


def agrees(model: Model, request: CaptureRequest, expected: Outcome, result: CaptureResult) -> bool:
    """Whether a result is what the model says, after the whole batch was given to the model.

    Refusals are explained when the batch is through, so one may be told what only came behind it: that its very
    request was captured, or that its idempotency key is taken.
    """
    if expected is Outcome.CAPTURED or result.outcome is Outcome.CAPTURED:
        same = result.outcome is expected and result.payment_id == request.payment_id
        return same and result.charged == request.voucher_max
    if result.outcome is Outcome.REPLAY:
        return result.payment_id is not None and result.payment_id == model.was_captured(request)
    if result.outcome is Outcome.IDEMPOTENCY_CONFLICT and expected is not Outcome.KEY_UNUSABLE:
        return model.is_held_by_another(request)
    return result.outcome is expected
