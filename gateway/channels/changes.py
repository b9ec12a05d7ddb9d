"""The effects of logs within one database transaction: states, ledger, payments, change records."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row, dict_row

from gateway.channels import fold
from gateway.channels import logs as wire
from gateway.channels.escrow import Escrow
from gateway.channels.opening import Channel, UnknownReceiver, UnlistedToken, asset_of, merchant_of, open_channel
from gateway.channels.postings import Postings, transfer_id
from kit.chain.follower import Effect
from kit.chain.rpc import Log
from kit.database.queries import load
from kit.ids import uuid7
from kit.ledger.changes import record

_QUERIES = load("gateway.channels")
_TOPICS: dict[type[fold.Event], str] = {
    fold.Deposited: "channel.deposited",
    fold.Claimed: "channel.claimed",
    fold.Refunded: "channel.refunded",
    fold.WithdrawInitiated: "channel.withdrawal_initiated",
    fold.WithdrawFinalized: "channel.withdrawn",
}


class ChannelChanges:
    """kit.chain.follower.Changes; channels that logs name are locked already."""

    def __init__(
        self, connection: psycopg.Connection[Any], escrow: Escrow, *, kinds: frozenset[bytes] | None
    ) -> None:
        self._connection = connection
        self._escrow = escrow
        self._kinds = kinds
        self._postings = Postings(connection)

    def apply(self, log: Log, round_: int) -> Effect | None:
        if not log.topics or (self._kinds is not None and log.topics[0] not in self._kinds):
            return None
        if log.address != self._escrow.escrow:
            return self._apply_transfer(log, round_) if _is_transfer(log) else None
        if log.topics[0] == wire.CHANNEL_CREATED:
            return self._apply_created(log)
        if log.topics[0] == wire.SETTLED:
            return self._apply_settled(log, round_)
        return self._apply_to_channel(log, round_) if log.topics[0] in wire.OF_A_CHANNEL else None

    def undo(self, log: Log, effect: Effect, round_: int) -> None:
        if log.address != self._escrow.escrow:
            self._undo_transfer(log, effect, round_)
        elif log.topics[0] == wire.SETTLED:
            self._undo_settled(log, effect, round_)
        elif log.topics[0] != wire.CHANNEL_CREATED:  # A channel's rows stay: its vouchers could come back to life.
            channel = self._channel(log)
            assert channel is not None
            self._undo_channel_event(channel, log, effect, round_)

    def finish(self, head: int) -> None:
        """Credit the deposits that are deep enough, then post everything."""
        if self._escrow.confirmations > 1:
            facts = {"chain_id": self._escrow.chain_id, "number": head - self._escrow.confirmations + 1}
            self._credit(_QUERIES.sql("take_due_deposits"), facts)
        self._postings.flush()

    # channels

    def _apply_created(self, log: Log) -> Effect | None:
        try:
            open_channel(self._connection, wire.config_of(log), self._escrow.domain)
        except (UnknownReceiver, UnlistedToken):
            return None
        return {}

    def _apply_to_channel(self, log: Log, round_: int) -> Effect | None:
        channel = self._channel(log)
        try:
            return None if channel is None else self._apply_channel_event(channel, log, round_)
        except fold.OutOfOrder:
            if self._kinds is None:
                raise
            return None  # A receipt ahead of its time; the follower has the order.

    def _apply_channel_event(self, channel: Channel, log: Log, round_: int) -> Effect:
        event = wire.channel_event(log, channel.withdraw_delay)
        if isinstance(event, fold.Deposited) and self._escrow.confirmations > 1:
            self._wait_for_depth(channel, log, round_, event.amount)
            return {}
        if not isinstance(event, fold.Deposited):
            # What the chain let happen on top of a deposit proves it as far as this event is trusted.
            facts = {"merchant_id": channel.merchant_id, "channel_no": channel.channel_no}
            self._credit(_QUERIES.sql("take_deposits_of_channel"), facts)
        state, effect = fold.apply(self._state(channel), event)
        found = dict(effect)
        if isinstance(event, fold.Claimed) and effect["outside"]:
            found["payment_id"] = str(self._add_outside_payment(channel, log, int(effect["outside"]), state.claimed))
        self._store(channel, state)
        self._post(channel, event, int(effect.get("outside", 0)), log, round_, sign=1)
        self._record(channel, _TOPICS[type(event)], log, event)
        return found

    def _undo_channel_event(self, channel: Channel, log: Log, effect: Effect, round_: int) -> None:
        event = wire.channel_event(log, channel.withdraw_delay)
        if isinstance(event, fold.Deposited) and self._drop_pending(channel, log):
            return
        if "payment_id" in effect:
            facts = {"merchant_id": channel.merchant_id, "payment_id": UUID(effect["payment_id"])}
            self._connection.execute(_QUERIES.sql("fail_payment"), facts)
        self._store(channel, fold.undo(self._state(channel), event, effect))
        if isinstance(event, fold.Refunded):
            facts = {"merchant_id": channel.merchant_id, "channel_no": channel.channel_no, "tx_hash": log.tx_hash}
            self._connection.execute(_QUERIES.sql("withhold_again"), facts | {"amount": Decimal(event.amount)})
        self._post(channel, event, int(effect.get("outside", 0)), log, round_, sign=-1)
        self._record(channel, _TOPICS[type(event)] + "_reversed", log, event)

    def _post(self, channel: Channel, event: fold.Event, outside: int, log: Log, round_: int, *, sign: int) -> None:
        merchant, asset = channel.merchant_id, channel.asset_id
        self._postings.holds_channel(channel.channel_account)
        escrow = self._account(channel, "escrow", self._escrow.reference)
        step = "do" if sign > 0 else "undo"

        def move(name: str, debited: int, credited: int, amount: int) -> None:
            identifier = transfer_id(self._escrow.chain_id, log, round_, f"{name}:{step}")
            self._postings.move(merchant, asset, identifier, debited, credited, sign * amount)

        match event:
            case fold.Deposited(amount):
                move("deposit", escrow, channel.channel_account, amount)
            case fold.Claimed(amount):
                claimed = self._account(channel, "claimed", "0x" + channel.receiver.hex())
                move("outside", channel.channel_account, channel.captured_account, outside)
                move("claim", channel.captured_account, claimed, amount)
            case fold.Refunded(amount) | fold.WithdrawFinalized(amount):
                move("return", channel.channel_account, escrow, amount)
            case _:
                pass

    def _add_outside_payment(self, channel: Channel, log: Log, amount: int, cumulative: int) -> UUID:
        """What the merchant's own server captured shows in our book once it is claimed."""
        facts = {
            "merchant_id": channel.merchant_id,
            "payment_id": uuid7(),
            "channel_no": channel.channel_no,
            "asset_id": channel.asset_id,
            "amount": Decimal(amount),
            "cumulative": Decimal(cumulative),
            "payer": channel.payer,
            "request_hash": hashlib.sha256(log.tx_hash + log.log_index.to_bytes(8, "big")).digest(),
        }
        self._connection.execute(_QUERIES.sql("add_outside_payment"), facts)
        identifier = facts["payment_id"]
        assert isinstance(identifier, UUID)
        return identifier

    # deposits that are not deep enough yet

    def _wait_for_depth(self, channel: Channel, log: Log, round_: int, amount: int) -> None:
        facts = self._pending_key(channel, log) | {
            "channel_no": channel.channel_no,
            "block_number": log.block_number,
            "transfer_id": transfer_id(self._escrow.chain_id, log, round_, "deposit:do"),
            "amount": Decimal(amount),
        }
        self._connection.execute(_QUERIES.sql("add_pending_deposit"), facts)
        self._record(channel, "channel.deposit_seen", log, fold.Deposited(amount))

    def _drop_pending(self, channel: Channel, log: Log) -> bool:
        facts = self._pending_key(channel, log)
        return self._connection.execute(_QUERIES.sql("drop_pending_deposit"), facts).fetchone() is not None

    def _pending_key(self, channel: Channel, log: Log) -> dict[str, Any]:
        return {
            "merchant_id": channel.merchant_id,
            "chain_id": self._escrow.chain_id,
            "block_hash": log.block_hash,
            "log_index": log.log_index,
        }

    def _credit(self, query: Any, facts: dict[str, Any]) -> None:
        for merchant_id, channel_no, identifier, amount in self._connection.execute(query, facts).fetchall():
            channel = self._by_number(merchant_id, channel_no)
            state, _ = fold.apply(self._state(channel), fold.Deposited(int(amount)))
            self._store(channel, state)
            self._postings.holds_channel(channel.channel_account)
            escrow = self._account(channel, "escrow", self._escrow.reference)
            self._postings.move(
                merchant_id, channel.asset_id, identifier, escrow, channel.channel_account, int(amount)
            )
            payload = {"channel_id": "0x" + channel.channel_id.hex(), "amount": str(int(amount))}
            record(self._connection, tenant_id=merchant_id, topic="channel.deposited", payload=payload)

    # settles

    def _apply_settled(self, log: Log, round_: int) -> Effect | None:
        settled = wire.receiver_settled(log)
        merchant_id = merchant_of(self._connection, settled.receiver)
        asset_id = asset_of(self._connection, self._escrow.chain_id, settled.token)
        if merchant_id is None or asset_id is None:
            return None
        paid: dict[str, str] = {}
        cursor = self._connection.cursor(row_factory=class_row(Channel))
        facts = {"receiver": settled.receiver, "asset_id": asset_id}
        for channel in cursor.execute(_QUERIES.sql("unsettled_of_receiver"), facts).fetchall():
            state, effect = fold.apply(self._state(channel), fold.Settled())
            self._store(channel, state)
            paid[str(channel.channel_no)] = str(effect["paid"])
        self._post_settled(merchant_id, asset_id, settled, log, round_, sign=1)
        self._record_settled("receiver.settled", merchant_id, settled, log)
        return {"merchant_id": merchant_id, "asset_id": asset_id, "paid": paid}

    def _undo_settled(self, log: Log, effect: Effect, round_: int) -> None:
        settled = wire.receiver_settled(log)
        merchant_id = int(effect["merchant_id"])
        for number, paid in effect["paid"].items():
            channel = self._by_number(merchant_id, int(number))
            back = fold.undo(self._state(channel), fold.Settled(), {"paid": int(paid)})
            self._store(channel, back)
        self._post_settled(merchant_id, int(effect["asset_id"]), settled, log, round_, sign=-1)
        self._record_settled("receiver.settled_reversed", merchant_id, settled, log)

    def _post_settled(
        self, merchant_id: int, asset_id: int, settled: wire.ReceiverSettled, log: Log, round_: int, *, sign: int
    ) -> None:
        """The money leaves the escrow, and is in the treasury."""
        receiver, step = "0x" + settled.receiver.hex(), "do" if sign > 0 else "undo"
        account = self._postings.account
        claimed = account(merchant_id, "claimed", receiver, asset_id)
        escrow = account(merchant_id, "escrow", self._escrow.reference, asset_id)
        treasury = account(merchant_id, "treasury", receiver, asset_id)
        received = account(merchant_id, "settled", receiver, asset_id)
        for name, debited, credited in (("settle", claimed, escrow), ("receive", treasury, received)):
            identifier = transfer_id(self._escrow.chain_id, log, round_, f"{name}:{step}")
            self._postings.move(merchant_id, asset_id, identifier, debited, credited, sign * settled.amount)

    def _record_settled(self, topic: str, merchant_id: int, settled: wire.ReceiverSettled, log: Log) -> None:
        payload = {
            "receiver": "0x" + settled.receiver.hex(),
            "token": "0x" + settled.token.hex(),
            "amount": str(settled.amount),
            **_where(log),
        }
        record(self._connection, tenant_id=merchant_id, topic=topic, payload=payload)

    # payments by transfer

    def _apply_transfer(self, log: Log, round_: int) -> Effect | None:
        transfer = wire.token_transfer(log)
        if transfer.sender == self._escrow.escrow or transfer.amount == 0:
            return None  # A settle, which the escrow's own log books.
        merchant_id = merchant_of(self._connection, transfer.receiver)
        asset_id = asset_of(self._connection, self._escrow.chain_id, log.address)
        if merchant_id is None or asset_id is None:
            return None
        parts = log.tx_hash + transfer.sender + transfer.receiver + transfer.amount.to_bytes(32, "big")
        facts: dict[str, Any] = {
            "merchant_id": merchant_id,
            "request_hash": hashlib.sha256(parts).digest(),
            "payment_id": uuid7(),
            "asset_id": asset_id,
            "amount": Decimal(transfer.amount),
            "payer": transfer.sender,
            "chain_id": self._escrow.chain_id,
            "tx_hash": log.tx_hash,
            "block_number": log.block_number,
        }
        # The same transfer in another block is the same payment.
        revived = self._connection.execute(_QUERIES.sql("revive_exact_payment"), facts).fetchone()
        if revived is not None:
            facts["payment_id"] = revived[0]
        else:
            self._connection.execute(_QUERIES.sql("add_exact_payment"), facts)
        self._connection.execute(_QUERIES.sql("include_exact_payment"), facts)
        effect = {
            "merchant_id": merchant_id,
            "asset_id": asset_id,
            "amount": str(transfer.amount),
            "payment_id": str(facts["payment_id"]),
        }
        self._post_transfer(transfer, effect, log, round_, sign=1)
        self._record_transfer("payment.captured", effect, log)
        return effect

    def _undo_transfer(self, log: Log, effect: Effect, round_: int) -> None:
        facts = {"merchant_id": effect["merchant_id"], "payment_id": UUID(effect["payment_id"])}
        self._connection.execute(_QUERIES.sql("exclude_exact_payment"), facts)
        self._post_transfer(wire.token_transfer(log), effect, log, round_, sign=-1)
        self._record_transfer("payment.capture_reversed", effect, log)

    def _post_transfer(
        self, transfer: wire.TokenTransfer, effect: Effect, log: Log, round_: int, *, sign: int
    ) -> None:
        merchant_id, asset_id = int(effect["merchant_id"]), int(effect["asset_id"])
        receiver = "0x" + transfer.receiver.hex()
        treasury = self._postings.account(merchant_id, "treasury", receiver, asset_id)
        income = self._postings.account(merchant_id, "income", receiver, asset_id)
        identifier = transfer_id(self._escrow.chain_id, log, round_, f"exact:{'do' if sign > 0 else 'undo'}")
        self._postings.move(merchant_id, asset_id, identifier, treasury, income, sign * transfer.amount)

    def _record_transfer(self, topic: str, effect: Effect, log: Log) -> None:
        payload = {"payment_id": effect["payment_id"], "amount": effect["amount"], **_where(log)}
        record(self._connection, tenant_id=int(effect["merchant_id"]), topic=topic, payload=payload)

    # rows

    def _channel(self, log: Log) -> Channel | None:
        cursor = self._connection.cursor(row_factory=class_row(Channel))
        return cursor.execute(_QUERIES.sql("find_channel"), {"channel_id": log.topics[1]}).fetchone()

    def _by_number(self, merchant_id: int, channel_no: int) -> Channel:
        cursor = self._connection.cursor(row_factory=class_row(Channel))
        facts = {"merchant_id": merchant_id, "channel_no": channel_no}
        found = cursor.execute(_QUERIES.sql("channel_by_no"), facts).fetchone()
        assert found is not None
        return found

    def _state(self, channel: Channel) -> fold.ChannelState:
        cursor = self._connection.cursor(row_factory=dict_row)
        facts = {"merchant_id": channel.merchant_id, "channel_no": channel.channel_no}
        row = cursor.execute(_QUERIES.sql("load_state"), facts).fetchone()
        assert row is not None
        return fold.ChannelState(**{name: int(value) for name, value in row.items()})

    def _store(self, channel: Channel, state: fold.ChannelState) -> None:
        facts: dict[str, Any] = {name: Decimal(value) for name, value in asdict(state).items()}
        facts |= {
            "withdraw_requested_at": state.withdraw_requested_at,
            "deficit": Decimal(state.deficit),
            "merchant_id": channel.merchant_id,
            "channel_no": channel.channel_no,
        }
        self._connection.execute(_QUERIES.sql("store_state"), facts)

    def _account(self, channel: Channel, kind: str, reference: str) -> int:
        return self._postings.account(channel.merchant_id, kind, reference, channel.asset_id)

    def _record(self, channel: Channel, topic: str, log: Log, event: fold.Event) -> None:
        payload: dict[str, Any] = {"channel_id": "0x" + channel.channel_id.hex(), **_where(log)}
        amount = getattr(event, "amount", None)
        if amount is not None:
            payload["amount"] = str(amount)
        record(self._connection, tenant_id=channel.merchant_id, topic=topic, payload=payload)


def _is_transfer(log: Log) -> bool:
    """ERC-20's; an ERC-721 Transfer has the same topic and a fourth one."""
    return log.topics[0] == wire.TRANSFER and len(log.topics) == 3


def _where(log: Log) -> dict[str, Any]:
    return {"tx_hash": "0x" + log.tx_hash.hex(), "block_number": log.block_number, "log_index": log.log_index}
