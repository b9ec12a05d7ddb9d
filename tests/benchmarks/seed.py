"""A gateway's database with channels, and as many legs in its book as a benchmark wants; by set-based SQL."""

from __future__ import annotations

import hashlib
from typing import Any, LiteralString

import psycopg

from gateway.merchants.service import create_merchant
from gateway.migrations import MIGRATIONS
from kit.database.migrate import migrate
from kit.ledger.book import open_asset
from tests.benchmarks.workload import CHAIN_ID, CREDIT, TOKEN, WITHDRAW_DELAY, Payer, Workload, receiver_of

HISTORY_CHANNELS = 10_000
HISTORY_STEP = 3
_LEGS_A_STATEMENT = 500_000


def gateway(url: str, workload: Workload, *, legs: int = 0) -> list[str]:
    """Migrate, open the workload's channels and fill the book with `legs` legs of older payments.

    Returns one API key a merchant.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        migrate(connection, MIGRATIONS)
        asset = open_asset(connection, chain_id=CHAIN_ID, address=TOKEN, symbol="USDC", decimals=6)
        made = [
            create_merchant(connection, name=f"merchant {number}", receiver=receiver_of(number))
            for number in range(workload.merchants)
        ]
        merchant_ids = [each.merchant_id for each in made]
        rows = [_channel(merchant_ids, asset.asset_id, payer) for payer in workload.payers + workload.spares]
        _open_channels(connection, rows)
        if legs:
            _open_channels(connection, _history_channels(merchant_ids[0], asset.asset_id))
            _write_history(connection, legs // 2)
        _pretend_chain_is_seen(connection)
        # What autovacuum would have done by the time that a book has grown so far.
        connection.execute("VACUUM (FREEZE, ANALYZE)")
        connection.execute("CHECKPOINT")
    return [each.api_key for each in made]


def _channel(merchant_ids: list[int], asset_id: int, payer: Payer) -> tuple[Any, ...]:
    config = payer.config
    return (
        merchant_ids[payer.merchant], payer.channel_id, asset_id, config.payer, config.payer_authorizer,
        config.receiver, config.receiver_authorizer, config.token, config.salt, payer.credit,
    )  # fmt: skip


def _history_channels(merchant_id: int, asset_id: int) -> list[tuple[Any, ...]]:
    """Channels that have paid before and do not pay now: their payments are what the book is full of."""
    rows = []
    for number in range(HISTORY_CHANNELS):
        identifier = hashlib.sha256(b"history %d" % number).digest()
        payer = identifier[:20]
        rows.append(
            (merchant_id, identifier, asset_id, payer, payer, receiver_of(0), b"\x44" * 20, TOKEN, bytes(32), CREDIT)
        )
    return rows


def _open_channels(connection: psycopg.Connection[Any], rows: list[tuple[Any, ...]]) -> None:
    """Accounts, channels, states with CREDIT on them, and the payers' windows."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE opening (merchant_id int, channel_id bytea, asset_id smallint, payer bytea,"
            " authorizer bytea, receiver bytea, receiver_authorizer bytea, token bytea, salt bytea, credit bigint)"
            " ON COMMIT DROP"
        )
        with cursor.copy("COPY opening FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int4", "bytea", "int2", *["bytea"] * 6, "int8"])
            for row in rows:
                copy.write_row(row)
        for statement in _OPENING:
            cursor.execute(statement, {"chain_id": CHAIN_ID, "delay": WITHDRAW_DELAY})


_OPENING: tuple[LiteralString, ...] = (
    "INSERT INTO ledger_accounts (tenant_id, kind, reference, asset_id)"
    " SELECT merchant_id, 'channel', encode(channel_id, 'hex'), asset_id FROM opening",
    "INSERT INTO ledger_accounts (tenant_id, kind, reference, asset_id)"
    " SELECT DISTINCT merchant_id, 'captured', encode(receiver, 'hex'), asset_id FROM opening ON CONFLICT DO NOTHING",
    "INSERT INTO channels (merchant_id, channel_id, chain_id, asset_id, payer, payer_authorizer, receiver,"
    " receiver_authorizer, token, withdraw_delay, salt, channel_account, captured_account)"
    " SELECT o.merchant_id, o.channel_id, %(chain_id)s, o.asset_id, o.payer, o.authorizer, o.receiver,"
    " o.receiver_authorizer, o.token, %(delay)s, o.salt, a.account_id, b.account_id"
    " FROM opening o"
    " JOIN ledger_accounts a ON (a.tenant_id, a.kind) = (o.merchant_id, 'channel')"
    " AND a.reference = encode(o.channel_id, 'hex')"
    " JOIN ledger_accounts b ON (b.tenant_id, b.kind) = (o.merchant_id, 'captured')"
    " AND b.reference = encode(o.receiver, 'hex')",
    "INSERT INTO channel_states (merchant_id, channel_no, credited)"
    " SELECT c.merchant_id, c.channel_no, o.credit FROM opening o JOIN channels c USING (channel_id)",
    "INSERT INTO velocity_windows (subject, asset_id) SELECT DISTINCT payer, asset_id FROM opening"
    " ON CONFLICT DO NOTHING",
)

_HISTORY: LiteralString = """
WITH history AS (
    SELECT row_number() OVER (ORDER BY channel_no) - 1 AS place, c.*
    FROM channels c JOIN channel_states s USING (merchant_id, channel_no)
    WHERE c.receiver = %(receiver)s ORDER BY channel_no DESC LIMIT %(channels)s
), paid AS MATERIALIZED (
    -- Milliseconds rise with the number, so identifiers do: a UUIDv7 of each payment as its moment would have given.
    SELECT h.*, g, (g / %(channels)s + 1) * %(step)s AS cumulative,
           (lpad(to_hex(1750000000000 + g), 12, '0') || '7' || substr(md5(g::text), 1, 3)
            || '8' || substr(md5(g::text), 4, 15))::uuid AS payment_id
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) g JOIN history h ON h.place = g %% %(channels)s
), payment AS (
    INSERT INTO payments (merchant_id, payment_id, scheme, state, channel_no, asset_id, amount, cumulative,
                          voucher_max, payer, signature, request_hash, batch_id)
    SELECT merchant_id, payment_id, 1, 3, channel_no, asset_id, %(step)s, cumulative, cumulative, payer,
           sha256(uuid_send(payment_id)) || sha256(channel_id) || '\\x1b'::bytea, sha256(uuid_send(payment_id)),
           payment_id
    FROM paid ORDER BY g
)
INSERT INTO ledger_legs (tenant_id, transfer_id, leg, account_id, asset_id, amount)
SELECT merchant_id, payment_id, side, CASE side WHEN 0 THEN channel_account ELSE captured_account END, asset_id,
       CASE side WHEN 0 THEN -%(step)s ELSE %(step)s END
FROM paid CROSS JOIN (VALUES (0), (1)) AS sides (side)
ORDER BY g, side"""

_HISTORY_STATES: LiteralString = """
WITH totals AS (
    SELECT merchant_id, channel_no, max(cumulative) AS charged FROM payments GROUP BY 1, 2
), moved AS (
    UPDATE channel_states s SET charged = t.charged, voucher_max = t.charged, kept = true
    FROM totals t WHERE t.merchant_id = s.merchant_id AND t.channel_no = s.channel_no
)
INSERT INTO ledger_balances AS b (tenant_id, account_id, shard, balance)
SELECT c.merchant_id, c.captured_account, 0, sum(t.charged)
FROM totals t JOIN channels c USING (merchant_id, channel_no) GROUP BY 1, 2"""


def _write_history(connection: psycopg.Connection[Any], payments: int) -> None:
    facts = {"receiver": receiver_of(0), "channels": HISTORY_CHANNELS, "step": HISTORY_STEP}
    each = _LEGS_A_STATEMENT // 2
    for first in range(0, payments, each):
        bounds = {"first": first, "last": min(first + each, payments) - 1}
        connection.execute(_HISTORY, facts | bounds)
    connection.execute(_HISTORY_STATES)


def _pretend_chain_is_seen(connection: psycopg.Connection[Any]) -> None:
    """No chain is part of these benchmarks; to the gateway it is as if its follower ran all the time."""
    connection.execute(
        "INSERT INTO chain_mirror (chain_id, head_number, head_hash, head_time, node_number, seen_at)"
        " VALUES (%s, 1, %s, now(), 1, now() + interval '1 day')",
        [CHAIN_ID, bytes(32)],
    )
