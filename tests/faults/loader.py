"""Load: payers in threads, each sure of its own channels. What is unknown is sent again, with the same bytes."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from tests.faults import payers
from tests.faults.acknowledged import Acknowledged, Channel, Payment
from tests.faults.http import Answer, Http
from tests.faults.payers import Document
from tests.faults.world import World, dumps
from tests.support.vouchers import Signer

DEPOSIT = 9_000_000
AMOUNT_MOST = 400
BATCH_MOST = 20
PAUSE_SECONDS = 0.003
RETRY_SECONDS = 0.05
GIVE_UP_SECONDS = 90.0
"""An outcome that stays unknown for longer than any recovery may take."""

Judge = Callable[[Answer], str | None]
"""What is wrong with an answer; "again" when the same bytes have to be sent again; None when it acknowledges."""
AGAIN = "again"


class Payer(threading.Thread):
    """One payer: sequential on its channels, like a client that waits for each answer."""

    def __init__(self, world: World, model: Acknowledged, name: str, seed: str, channels: int) -> None:
        super().__init__(name=name, daemon=True)
        self.world = world
        self.model = model
        self.rng = random.Random(seed)  # noqa: S311 - repeatable is what is wanted
        self.signer = Signer(f"payer's key {seed}")
        self.channels: list[Channel] = []
        self.opened = threading.Event()
        self._count = channels
        self._stop_asked = threading.Event()
        self._http: Http = world.http()

    def stop(self) -> None:
        """Finish what is under way; `join` waits for its outcome."""
        self._stop_asked.set()

    def run(self) -> None:
        try:
            for number in range(self._count):
                channel = Channel(payers.channel_of(self.world, self.signer, number + 1))
                self.deposit(channel)
                self.channels.append(channel)
                self.model.opened(channel)
            self.opened.set()
            while not self._stop_asked.wait(PAUSE_SECONDS) and not self.model.wrong:
                self.act()
        except Exception as error:  # noqa: BLE001 - a thread's end is the campaign's failure, told in the test's thread
            self.model.complain(f"{self.name}: {type(error).__name__}: {error}")
        finally:
            self.opened.set()
            self._http.close()

    def act(self) -> None:
        """One random action of a payer of vouchers."""
        dice = self.rng.random()
        channel = self.rng.choice(self.channels)
        if channel.left < BATCH_MOST * AMOUNT_MOST:
            self.deposit(channel)
        elif dice < 0.80:
            self.pay(channel)
        elif dice < 0.92:
            self.pay_batch()
        else:
            self.pay_by_facilitator(channel)

    def pay(self, channel: Channel) -> None:
        """One voucher; every second one under an idempotency key."""
        amount = self.rng.randint(1, AMOUNT_MOST)
        total = channel.charged + amount
        body = dumps(payers.payment(channel.payer, amount, total))
        key = {"Idempotency-Key": f"{self.name}-{self.rng.getrandbits(64):x}"} if self.rng.random() < 0.5 else {}
        answer = self.send("/v1/payments", body, _single, **key)
        self._charge(channel, [self._paid(channel, amount, total, answer.document)])

    def pay_batch(self) -> None:
        """Several vouchers of several channels, some of one channel in a row."""
        documents: list[Document] = []
        items: list[tuple[Channel, int, int]] = []
        totals = {id(channel): channel.charged for channel in self.channels}
        for _ in range(self.rng.randint(2, BATCH_MOST)):
            channel, amount = self.rng.choice(self.channels), self.rng.randint(1, AMOUNT_MOST)
            totals[id(channel)] += amount
            items.append((channel, amount, totals[id(channel)]))
            documents.append(payers.payment(channel.payer, amount, totals[id(channel)]))
        answer = self.send("/v1/payments/batch", payers.batch(documents), lambda told: _batch(told, items))
        for (channel, amount, total), result in zip(items, answer.document["results"], strict=True):
            self._charge(channel, [self._paid(channel, amount, total, result["payment"])])

    def pay_by_facilitator(self, channel: Channel) -> None:
        amount = self.rng.randint(1, AMOUNT_MOST)
        total = channel.charged + amount
        body = payers.settle_voucher(self.world, channel.payer, amount, total)
        self.send("/x402/settle", body, _settled)
        self._charge(channel, [Payment(channel.payer.channel_id, amount, total, None)])

    def deposit(self, channel: Channel) -> None:
        """A deposit with a first payment in it."""
        amount = self.rng.randint(1, AMOUNT_MOST)
        total = channel.charged + amount
        salt = self.rng.getrandbits(128)
        body = payers.settle_deposit(self.world, channel.payer, DEPOSIT, salt, amount, total)
        self.send("/x402/settle", body, _settled)
        channel.deposited += DEPOSIT
        self._charge(channel, [Payment(channel.payer.channel_id, amount, total, None)])

    def pay_exact(self) -> None:
        amount = self.rng.randint(1, AMOUNT_MOST)
        body = payers.settle_exact(self.world, self.signer, amount, self.rng.randbytes(32))
        answer = self.send("/x402/settle", body, _settled)
        self.model.add_exact(self.name, answer.document["transaction"], amount)

    def send(self, path: str, body: bytes, judge: Judge, **headers: str) -> Answer:
        """The same bytes until they are acknowledged. Raises AssertionError on an answer that no fault excuses."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        last: Answer | None = None
        while time.monotonic() < deadline:
            answer = self._http.post(path, body, **headers)
            if answer is not None:
                last = answer
                verdict = judge(answer)
                if verdict is None:
                    return answer
                if verdict != AGAIN:
                    raise AssertionError(f"{path} answered {verdict}: {answer} to {body[:600]!r}")
            self.model.note_unknown()
            # Not a wait for anything: the pause of a client before it tries again.
            threading.Event().wait(RETRY_SECONDS)
        raise AssertionError(f"{path}: no outcome within {GIVE_UP_SECONDS:.0f} s, the last answer is {last}")

    def _paid(self, channel: Channel, amount: int, total: int, told: Document) -> Payment:
        assert (told["amount"], told["cumulative_amount"]) == (str(amount), str(total)), told
        return Payment(channel.payer.channel_id, amount, total, told["id"])

    def _charge(self, channel: Channel, paid: list[Payment]) -> None:
        channel.charged = paid[-1].cumulative
        self.model.add(self.name, paid)


class Settler(Payer):
    """A payer whose every action needs the chain: deposits and exact payments."""

    def act(self) -> None:
        if self.rng.random() < 0.5:
            self.pay_exact()
        else:
            self.deposit(self.rng.choice(self.channels))


class Load:
    """All payers of a campaign; a context manager that ends them."""

    def __init__(
        self,
        world: World,
        model: Acknowledged,
        seed: int,
        *,
        threads: int = 5,
        channels: int = 3,
        settles: bool = True,
    ) -> None:
        self.model = model
        names = [f"payer-{seed}.{number}" for number in range(threads)]
        self.payers: list[Payer] = [Payer(world, model, name, name, channels) for name in names]
        if settles:
            self.payers.append(Settler(world, model, f"settler-{seed}", f"settler-{seed}", 1))
        for payer in self.payers:
            world.fund(payer.signer)

    def __enter__(self) -> Load:
        for payer in self.payers:
            payer.start()
        for payer in self.payers:
            assert payer.opened.wait(GIVE_UP_SECONDS), f"{payer.name} has no channel"
        self.check()
        return self

    def __exit__(self, *_: object) -> None:
        for payer in self.payers:
            payer.stop()
        for payer in self.payers:
            payer.join(GIVE_UP_SECONDS)

    def progress(self) -> dict[str, int]:
        """How many answers each payer has."""
        told = self.model.progress()
        return {payer.name: told.get(payer.name, 0) for payer in self.payers}

    def await_progress(self, more: int = 1, seconds: float = 30.0) -> None:
        """Until every payer has got so many more answers. Raises AssertionError."""
        late = self.model.await_progress(self.progress(), more, seconds)
        self.check()
        assert not late, f"{late} got no answer within {seconds:.0f} s"

    def finish(self) -> None:
        """Stop, with every outcome known. Raises AssertionError otherwise."""
        self.__exit__()
        assert not [payer.name for payer in self.payers if payer.is_alive()], "an outcome stays unknown"
        self.check()

    def check(self) -> None:
        assert not self.model.wrong, "\n".join(self.model.wrong)


def _single(answer: Answer) -> str | None:
    if answer.status in (200, 201):
        return None
    return AGAIN if answer.status == 503 else "a refusal"


def _batch(answer: Answer, items: list[tuple[Channel, int, int]]) -> str | None:
    """An item may be refused only when one before it on its channel has no outcome yet."""
    if answer.status != 200:
        return AGAIN if answer.status == 503 else "a refusal"
    open_channels: set[int] = set()
    for (channel, _, _), result in zip(items, answer.document["results"], strict=True):
        if result["status"] in (200, 201):
            continue
        if result["status"] != 503 and id(channel) not in open_channels:
            return "a refusal in a batch"
        open_channels.add(id(channel))
    return AGAIN if open_channels else None


def _settled(answer: Answer) -> str | None:
    if answer.status == 503:
        return AGAIN
    if answer.status != 200:
        return "a refusal"
    told: dict[str, Any] = answer.document
    if told["success"]:
        return None
    return AGAIN if told.get("errorReason") == "settlement_pending" else "a refusal"


def uuid_of(public_id: str) -> UUID:
    return UUID(hex=public_id.removeprefix("pay_"))
