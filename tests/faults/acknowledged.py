"""The model: what the gateway has acknowledged, kept by those to whom it was acknowledged."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tests.support.vouchers import PayerChannel


@dataclass(frozen=True, slots=True)
class Payment:
    """One acknowledged voucher; the id is None where the answer does not tell it (the facilitator's)."""

    channel_id: bytes
    amount: int
    cumulative: int
    payment_id: str | None


@dataclass(slots=True)
class Channel:
    """A channel as its payer counts. One thread pays from it."""

    payer: PayerChannel
    deposited: int = 0
    charged: int = 0

    @property
    def left(self) -> int:
        return self.deposited - self.charged


@dataclass(slots=True)
class Acknowledged:
    """Everything acknowledged so far, by any thread. `wrong` collects answers that no fault excuses."""

    channels: list[Channel] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    exact: dict[str, int] = field(default_factory=dict)
    """Amount by transaction hash."""
    by_payer: dict[str, int] = field(default_factory=dict)
    """How many answers each thread has got: who makes progress."""
    wrong: list[str] = field(default_factory=list)
    unknown: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def count(self) -> int:
        return sum(self.by_payer.values())

    def opened(self, channel: Channel) -> None:
        with self._changed:
            self.channels.append(channel)

    def add(self, who: str, payments: list[Payment]) -> None:
        with self._changed:
            self.payments += payments
            self._note(who)

    def add_exact(self, who: str, transaction: str, amount: int) -> None:
        with self._changed:
            if transaction in self.exact:
                self.wrong.append(f"two exact payments were told the transaction {transaction}")
            self.exact[transaction] = amount
            self._note(who)

    def note_unknown(self) -> None:
        with self._changed:
            self.unknown += 1

    def complain(self, what: str) -> None:
        with self._changed:
            self.wrong.append(what)
            self._changed.notify_all()

    def snapshot(self) -> list[Payment]:
        with self._changed:
            return list(self.payments)

    def progress(self) -> dict[str, int]:
        with self._changed:
            return dict(self.by_payer)

    def await_count(self, count: int, seconds: float) -> bool:
        """Until so many answers have come, or something is wrong."""
        with self._changed:
            return self._changed.wait_for(lambda: self.count >= count or bool(self.wrong), seconds)

    def await_progress(self, before: dict[str, int], more: int, seconds: float) -> list[str]:
        """Until every thread of `before` has so many more answers; those that have not."""

        def behind() -> list[str]:
            return [who for who, count in before.items() if self.by_payer[who] < count + more]

        with self._changed:
            self._changed.wait_for(lambda: not behind() or bool(self.wrong), seconds)
            return behind()

    def _note(self, who: str) -> None:
        self.by_payer[who] = self.by_payer.get(who, 0) + 1
        self._changed.notify_all()
