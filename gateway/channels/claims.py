"""Claims: many channels a transaction, simulated first; and the settles that follow them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from eth_abi.abi import encode
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool

from gateway.channels.bisect import sort_out
from gateway.x402 import abi
from gateway.x402.authorizer import Authorizer
from gateway.x402.payloads import VoucherClaim
from kit.chain.rpc import RpcRefused, RpcUnavailable
from kit.chain.sender import Sender, request
from kit.database.queries import load
from kit.ids import uuid7
from kit.ledger.changes import PLATFORM, record
from kit.logging import get_logger
from kit.metrics import counter, histogram
from verification.signatures.eip712 import ChannelConfig, keccak

_QUERIES = load("gateway.channels", "claims.sql")
_log = get_logger(__name__)
CLAIMED = counter("lockgate_claims_requested_total", "Channels put into a claim transaction.")
BAD_CLAIMS = counter("lockgate_claims_left_out_total", "Channels whose claim would revert.")
BATCH = histogram("lockgate_claim_channels", "Channels of one claim transaction.", buckets=(1, 2, 5, 10, 25, 50, 100))
SETTLES = counter("lockgate_settles_requested_total", "Settle transactions asked for.")

LANE = "relay"
MAX_ROWS = 100
MAX_SETTLES = 50
SETTLE_FAILURES_MOST = 3
_IS_RELAY = keccak(b"isRelay(address)")[:4]
_CONFIG = "(address,address,address,address,address,uint40,bytes32)"
_CLAIMS = f"(({_CONFIG},uint128),bytes,uint128)[]"
_CLAIM = keccak(f"claim({_CLAIMS})".encode())[:4]


@dataclass(frozen=True, slots=True)
class ClaimPolicy:
    """When a channel is claimed: this much is unclaimed (smallest units), or for this long, or a withdrawal waits."""

    value_least: int = 1_000_000
    age_seconds: float = 60.0
    rows_most: int = MAX_ROWS
    settle_least: int = 1


@dataclass(frozen=True, slots=True)
class DueClaim:
    """A channel to claim up to `total`, with the voucher that allows it."""

    merchant_id: int
    channel_no: int
    channel_id: bytes
    payer: bytes
    payer_authorizer: bytes
    receiver: bytes
    receiver_authorizer: bytes
    token: bytes
    withdraw_delay: int
    salt: bytes
    total: Decimal
    voucher_max: Decimal
    voucher_signature: bytes
    withdraw_requested_at: int

    def as_claim(self) -> VoucherClaim:
        config = ChannelConfig(
            self.payer,
            self.payer_authorizer,
            self.receiver,
            self.receiver_authorizer,
            self.token,
            self.withdraw_delay,
            self.salt,
        )
        return VoucherClaim(config, int(self.voucher_max), _with_v27(self.voucher_signature), int(self.total))


@dataclass(frozen=True, slots=True)
class Route:
    """How a batch is claimed: through the receiver-authorizer as its relay, or with its signature."""

    to: bytes
    authorizer: Authorizer | None

    def calldata(self, rows: Sequence[DueClaim]) -> bytes:
        claims = [row.as_claim() for row in rows]
        if self.authorizer is None:
            return _claim(claims)
        return abi.claim_with_signature(claims, self.authorizer.sign_claims(claims))


class Claims:
    """Claims and settles for the channels whose receiverAuthorizer is `authorizer`."""

    def __init__(
        self, sender: Sender, *, escrow: bytes, authorizer: Authorizer, policy: ClaimPolicy | None = None
    ) -> None:
        self._sender = sender
        self._escrow = escrow
        self._authorizer = authorizer
        self._policy = policy or ClaimPolicy()
        self._relay = sender.signers[LANE].address

    @property
    def authorizer_address(self) -> bytes:
        return self._authorizer.address

    def claim_due(self, pool: ConnectionPool) -> UUID | None:
        """Claim what is due, in one transaction; its id, or None when nothing is. Raises RpcUnavailable.

        Any number of callers at once make one claim of each voucher. Rows that would revert are left out.
        """
        with pool.connection() as connection:
            rows = self._due(connection)
        if not rows:
            return None
        route = self._route()
        result = sort_out(rows, lambda some: self._objection(route, some))
        if result.bad:
            self._leave_out(pool, result.bad)
        identifier = self._request(pool, route, result.good) if result.good else None
        if identifier is not None:
            self._sender.push(pool, identifier)
        return identifier

    def has_full_batch(self, pool: ConnectionPool) -> bool:
        """Whether as much is due as one transaction carries; less can wait for the next turn and grow."""
        with pool.connection() as connection:
            return len(self._due(connection)) == min(self._policy.rows_most, MAX_ROWS)

    def settle_due(self, pool: ConnectionPool) -> list[UUID]:
        """Settle every receiver that has claimed money in the escrow; the transactions asked for."""
        asked: list[UUID] = []
        facts = {
            "chain_id": self._sender.chain_id,
            "value_least": Decimal(self._policy.settle_least),
            "failures_most": SETTLE_FAILURES_MOST,
            "limit": MAX_SETTLES,
        }
        with pool.connection() as connection:
            connection.execute(_QUERIES.sql("lock_claims"))
            for merchant_id, receiver, asset_id, token, amount in connection.execute(
                _QUERIES.sql("due_settles"), facts
            ).fetchall():
                identifier = request(
                    connection,
                    lane=LANE,
                    to=self._escrow,
                    data=abi.settle(bytes(receiver), bytes(token)),
                    purpose="settle",
                    dedup_key=f"settle:{uuid7()}",
                )
                run = {
                    "merchant_id": merchant_id,
                    "receiver": receiver,
                    "asset_id": asset_id,
                    "transaction_id": identifier,
                }
                connection.execute(_QUERIES.sql("add_settle_run"), run)
                payload = {"transaction_id": str(identifier), "amount": str(int(amount))}
                record(connection, tenant_id=merchant_id, topic="receiver.settle_requested", payload=payload)
                asked.append(identifier)
        for identifier in asked:
            SETTLES.inc()
            self._sender.push(pool, identifier)
        return asked

    def _due(self, connection: psycopg.Connection[Any], channel_nos: list[int] | None = None) -> list[DueClaim]:
        facts = {
            "authorizer": self._authorizer.address,
            "chain_id": self._sender.chain_id,
            "value_least": Decimal(self._policy.value_least),
            "age_seconds": self._policy.age_seconds,
            "limit": min(self._policy.rows_most, MAX_ROWS),
            "channel_nos": channel_nos,
        }
        cursor = connection.cursor(row_factory=class_row(DueClaim))
        return cursor.execute(_QUERIES.sql("due_claims"), facts).fetchall()

    def _route(self) -> Route:
        asked = _IS_RELAY + bytes(12) + self._relay
        try:
            listed = int.from_bytes(self._sender.rpc.call(self._authorizer.address, asked), "big") == 1
        except RpcRefused:
            listed = False  # Not our contract but a bare key: then its signature is the only way.
        return Route(self._authorizer.address, None) if listed else Route(self._escrow, self._authorizer)

    def _objection(self, route: Route, rows: Sequence[DueClaim]) -> str | None:
        """Why the chain would revert these rows, asked of the chain itself. Raises RpcUnavailable."""
        try:
            self._sender.rpc.call(route.to, route.calldata(rows), sender=self._relay)
        except RpcRefused as error:
            if not error.reverted:
                raise RpcUnavailable(f"no simulation: {error.message}") from error
            return abi.revert_reason(error.data)
        return None

    def _request(self, pool: ConnectionPool, route: Route, simulated: Sequence[DueClaim]) -> UUID | None:
        """Ask for the transaction, of the rows that are still due now that nobody else can ask."""
        with pool.connection() as connection:
            connection.execute(_QUERIES.sql("lock_claims"))
            still = {row.channel_no for row in self._due(connection, [row.channel_no for row in simulated])}
            rows = [row for row in simulated if row.channel_no in still]
            if not rows:
                return None
            identifier = request(
                connection,
                lane=LANE,
                to=route.to,
                data=route.calldata(rows),
                purpose="claim",
                dedup_key=f"claim:{uuid7()}",
            )
            for row in rows:
                facts = {
                    "merchant_id": row.merchant_id,
                    "channel_no": row.channel_no,
                    "transaction_id": identifier,
                    "total": row.total,
                }
                connection.execute(_QUERIES.sql("add_claim_row"), facts)
                connection.execute(_QUERIES.sql("clear_fault"), facts)
            payload = {"transaction_id": str(identifier), "channels": len(rows)}
            record(connection, tenant_id=PLATFORM, topic="channel.claim_requested", payload=payload)
        CLAIMED.inc(len(rows))
        BATCH.observe(len(rows))
        _log.info("claim requested", transaction_id=str(identifier), channels=len(rows))
        return identifier

    def _leave_out(self, pool: ConnectionPool, bad: Sequence[tuple[DueClaim, str]]) -> None:
        for row, reason in bad:
            BAD_CLAIMS.inc()
            _log.error("claim would revert, left out", channel_id="0x" + row.channel_id.hex(), reason=reason)
            facts = {"merchant_id": row.merchant_id, "channel_no": row.channel_no, "reason": reason}
            with pool.connection() as connection:
                connection.execute(_QUERIES.sql("note_fault"), facts)
                payload = {"channel_id": "0x" + row.channel_id.hex(), "reason": reason}
                record(connection, tenant_id=row.merchant_id, topic="channel.claim_left_out", payload=payload)


def _claim(claims: Sequence[VoucherClaim]) -> bytes:
    """Calldata of `claim`: the authorizer's has the escrow's selector and arguments, and hands it on as it came."""
    rows = [((astuple(c.config), c.max_claimable), c.signature, c.total_claimed) for c in claims]
    return _CLAIM + encode([_CLAIMS], [rows])


def _with_v27(signature: bytes) -> bytes:
    """As the contract takes it: v of 27 or 28."""
    if len(signature) == 65 and signature[64] < 27:
        return signature[:64] + bytes([signature[64] + 27])
    return signature
