"""Opens channels in the book: accounts, state and velocity window, for registered receivers and listed tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from kit.database.queries import load
from kit.ledger.book import open_account
from kit.ledger.changes import record
from verification.signatures.eip712 import ChannelConfig, Domain, channel_id

_QUERIES = load("gateway.channels")


class UnknownReceiver(Exception):
    """The receiver belongs to no merchant of ours."""


class UnlistedToken(Exception):
    """The token is not one that this gateway takes."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel's row: what never changes."""

    merchant_id: int
    channel_no: int
    channel_id: bytes
    receiver: bytes
    asset_id: int
    payer: bytes
    channel_account: int
    captured_account: int
    withdraw_delay: int


def open_channel(connection: psycopg.Connection[Any], config: ChannelConfig, domain: Domain) -> Channel:
    """The channel of this configuration in the escrow of `domain`; opens its accounts and rows when it is new.

    It starts without credit: that comes from the chain alone. Raises UnknownReceiver, UnlistedToken.
    """
    identifier = channel_id(domain, config)
    found = find_channel(connection, identifier)
    if found is not None:
        return found
    merchant_id = merchant_of(connection, config.receiver)
    if merchant_id is None:
        raise UnknownReceiver(f"0x{config.receiver.hex()} is not a registered receiver")
    asset_id = asset_of(connection, domain.chain_id, config.token)
    if asset_id is None:
        raise UnlistedToken(f"0x{config.token.hex()} is not a listed token of chain {domain.chain_id}")
    facts = {
        "merchant_id": merchant_id,
        "channel_id": identifier,
        "chain_id": domain.chain_id,
        "asset_id": asset_id,
        "payer": config.payer,
        "payer_authorizer": config.payer_authorizer,
        "receiver": config.receiver,
        "receiver_authorizer": config.receiver_authorizer,
        "token": config.token,
        "withdraw_delay": config.withdraw_delay,
        "salt": config.salt,
        "channel_account": open_account(connection, merchant_id, "channel", "0x" + identifier.hex(), asset_id),
        "captured_account": open_account(connection, merchant_id, "captured", "0x" + config.receiver.hex(), asset_id),
    }
    row = connection.execute(_QUERIES.sql("create_channel"), facts).fetchone()
    if row is not None:
        connection.execute(_QUERIES.sql("create_state"), facts | {"channel_no": row[0]})
        connection.execute(_QUERIES.sql("create_window"), facts)
        record(
            connection,
            tenant_id=merchant_id,
            topic="channel.opened",
            payload={"channel_id": "0x" + identifier.hex(), "payer": "0x" + config.payer.hex()},
        )
    found = find_channel(connection, identifier)
    assert found is not None
    return found


def find_channel(connection: psycopg.Connection[Any], identifier: bytes) -> Channel | None:
    cursor = connection.cursor(row_factory=class_row(Channel))
    return cursor.execute(_QUERIES.sql("find_channel"), {"channel_id": identifier}).fetchone()


def merchant_of(connection: psycopg.Connection[Any], receiver: bytes) -> int | None:
    """The merchant that is paid at `receiver`."""
    row = connection.execute(_QUERIES.sql("find_receiver"), {"receiver": receiver}).fetchone()
    return None if row is None else int(row[0])


def asset_of(connection: psycopg.Connection[Any], chain_id: int, token: bytes) -> int | None:
    """The asset that a token is in the book, if it is listed."""
    row = connection.execute(_QUERIES.sql("find_asset"), {"chain_id": chain_id, "address": token}).fetchone()
    return None if row is None else int(row[0])
