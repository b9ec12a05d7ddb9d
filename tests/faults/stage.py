"""What the single fault tests share: a stack, the model of all that was acknowledged on it, and load."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import checks, payers
from tests.faults.acknowledged import Acknowledged, Channel, Payment
from tests.faults.http import Answer, Http
from tests.faults.loader import DEPOSIT, Load
from tests.faults.waiting import eventually
from tests.faults.world import World, dumps, world
from tests.support.vouchers import Signer

_numbers = itertools.count(1000)


@dataclass(slots=True)
class Stage:
    """One stack for several tests, one after the other."""

    world: World
    model: Acknowledged = field(default_factory=Acknowledged)

    def load(self, *, threads: int = 4, channels: int = 2, settles: bool = False) -> Load:
        return Load(self.world, self.model, next(_numbers), threads=threads, channels=channels, settles=settles)

    def check(self) -> None:
        """Every invariant, for all that was ever acknowledged here."""
        checks.everything(self.world, self.model, next(_numbers))

    @contextmanager
    def without(self, part: str) -> Iterator[None]:
        """The part is killed, and started again whatever happens."""
        self.world.stack.kill(part)
        try:
            yield
        finally:
            self.world.stack.start(part)

    def till(self, *, withdraw_delay: int = payers.DELAY) -> Till:
        """A channel to pay from by hand; not opened yet."""
        number = next(_numbers)
        signer = Signer(f"till {number}")
        self.world.fund(signer)
        channel = Channel(payers.channel_of(self.world, signer, number, withdraw_delay=withdraw_delay))
        self.model.opened(channel)
        return Till(self, channel, self.world.http())


@dataclass(slots=True)
class Till:
    """One channel, one payment at a time, every answer looked at."""

    stage: Stage
    channel: Channel
    http: Http

    def pay(self, amount: int) -> Answer:
        """One voucher on top of what is charged; counted when it is acknowledged."""
        total = self.channel.charged + amount
        answer = self._post("/v1/payments", dumps(payers.payment(self.channel.payer, amount, total)))
        if answer.status in (200, 201):
            self._charged(amount, total, answer.document["id"])
        return answer

    def deposit_body(self, amount: int) -> bytes:
        """A deposit with a first payment of `amount`; send the same bytes again until it is acknowledged."""
        total = self.channel.charged + amount
        return payers.settle_deposit(self.stage.world, self.channel.payer, DEPOSIT, next(_numbers), amount, total)

    def settle_deposit(self, body: bytes, amount: int) -> Answer:
        answer = self._post("/x402/settle", body)
        if answer.status == 200 and answer.document["success"]:
            self.channel.deposited += DEPOSIT
            self._charged(amount, self.channel.charged + amount, None)
        return answer

    def open(self, amount: int = 100) -> None:
        """The first deposit, with a first payment."""
        body = self.deposit_body(amount)
        answers: list[Answer] = []

        def made() -> bool:
            answers.append(self.settle_deposit(body, amount))
            return bool(answers[-1].status == 200 and answers[-1].document["success"])

        eventually(made, "the channel is open")

    def state(self) -> dict[str, int]:
        """credited, charged, claimed, settled, withheld, deficit and whether a withdrawal is under way."""
        row = self.stage.world.row(
            "SELECT to_jsonb(s) FROM channel_states s JOIN channels USING (merchant_id, channel_no)"
            " WHERE channel_id = %s",
            self.channel.payer.channel_id,
        )
        names = ("credited", "charged", "claimed", "settled", "withheld", "deficit", "withdraw_requested_at")
        return {name: int(row[0][name]) for name in names}

    def _post(self, path: str, body: bytes) -> Answer:
        """Once more over a new connection: the server closes one that was idle for seconds."""
        answer = self.http.post(path, body) or self.http.post(path, body)
        assert answer is not None, "no answer"
        return answer

    def _charged(self, amount: int, total: int, payment_id: str | None) -> None:
        self.channel.charged = total
        self.stage.model.add("till", [Payment(self.channel.payer.channel_id, amount, total, payment_id)])


@contextmanager
def stage(run_dir: Path, **settings: str) -> Iterator[Stage]:
    with world(run_dir, **settings) as hurt:
        yield Stage(hurt)
