"""One sender a key: gives a request its nonce, signs, stores the bytes, and only then broadcasts them.

Used by every process that holds the key's signer; the lane's row in the database is the one allocator of nonces.
A process may die between any two steps: what was committed is carried on by `push` or `tend` elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool

from kit.chain import transactions
from kit.chain.fees import FeePolicy, Fees, quote
from kit.chain.guard import EndpointGuard
from kit.chain.rpc import Receipt, Rpc, RpcRefused, RpcUnavailable, call_params, hexed
from kit.chain.signer import Signer, UnsignedTransaction
from kit.chain.transactions import Outcome, StoredTransaction, TransactionState, request
from kit.database.queries import load
from kit.logging import get_logger
from kit.metrics import counter

__all__ = ["LaneMismatch", "Outcome", "Sender", "TransactionState", "UnknownTransaction", "request"]

_QUERIES = load("kit.chain")
_log = get_logger(__name__)
SENT = counter("lockgate_transactions_broadcast_total", "Broadcasts by what the node said.", ["lane", "answer"])
SIGNED = counter("lockgate_transactions_signed_total", "Signed transactions, by kind.", ["lane", "kind"])
FOREIGN_NONCES = counter("lockgate_foreign_nonces_total", "Nonces of our key that were used without us.", ["lane"])

GAS_MARGIN_PERCENT = 125
POLL_SECONDS = 0.1
REQUESTED_KIND, EMPTY_KIND = 1, 2
EMPTY_GAS = 21_000
# What nodes say when they have these bytes or better ones: the broadcast has reached its end.
_HAVE_IT = ("already known", "already imported", "known transaction", "alreadyknown", "nonce too low",
            "replacement transaction underpriced", "transaction already")  # fmt: skip


class UnknownTransaction(Exception):
    """There is no such request: it was rolled back, or never made."""


class LaneMismatch(Exception):
    """The lane belongs to another key or chain than the signer's."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Signed bytes of one nonce."""

    attempt: int
    kind: int
    tx_hash: bytes
    raw: bytes
    max_fee: Decimal
    priority_fee: Decimal
    signed_at: datetime
    last_broadcast_at: datetime | None

    @property
    def fees(self) -> Fees:
        return Fees(int(self.max_fee), int(self.priority_fee))


def _no_checkpoint(_step: str) -> None:
    return None


class Sender:
    """Sends for the lanes whose signers it has. Safe to share between threads.

    `checkpoint` is called between the steps of a send; fault tests end the process there.
    """

    def __init__(
        self,
        rpc: Rpc,
        chain_id: int,
        signers: Mapping[str, Signer],
        policy: FeePolicy | None = None,
        *,
        checkpoint: Callable[[str], None] = _no_checkpoint,
    ) -> None:
        self.rpc = rpc
        self.chain_id = chain_id
        self.signers = dict(signers)
        self.policy = policy or FeePolicy()
        self.guard = EndpointGuard(rpc, chain_id)
        self._checkpoint = checkpoint

    def push(self, pool: ConnectionPool, transaction_id: UUID) -> TransactionState:
        """Bring a request as far as it goes now: sign it if nobody has, broadcast the stored bytes.

        Raises UnknownTransaction, ChainMismatch, RpcUnavailable, LaneMismatch; after any of them it may be pushed
        again.
        """
        known = self.load(pool, transaction_id)
        if known.state == TransactionState.REQUESTED:
            self._sign_request(pool, known)
            known = self.load(pool, transaction_id)
        if known.state in (TransactionState.SIGNED, TransactionState.BROADCAST):
            attempts = self.attempts(pool, known)
            if attempts:
                self.broadcast(pool, known, attempts[-1])
            known = self.load(pool, transaction_id)
        return TransactionState(known.state)

    def await_outcome(self, pool: ConnectionPool, transaction_id: UUID, seconds: float) -> Outcome:
        """The outcome, or what is known when `seconds` are over: then `is_pending`. Raises UnknownTransaction.

        A receipt seen here is recorded. A node that does not answer leaves the outcome pending.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                outcome = self.look(pool, transaction_id)
            except RpcUnavailable:
                outcome = self._as_stored(pool, self.load(pool, transaction_id), None)
            if not outcome.is_pending or time.monotonic() >= deadline:
                return outcome
            time.sleep(min(POLL_SECONDS, max(0.0, deadline - time.monotonic())))

    def look(self, pool: ConnectionPool, transaction_id: UUID) -> Outcome:
        """The outcome as the chain has it now, recorded when it is new. Raises RpcUnavailable, UnknownTransaction."""
        known = self.load(pool, transaction_id)
        if known.state in (TransactionState.REQUESTED, TransactionState.REPLACED) or known.nonce is None:
            return self._as_stored(pool, known, None)
        found = self.find_receipt(self.attempts(pool, known))
        if found is None:
            return self._as_stored(pool, known, None)
        receipt, kind = found
        if known.is_pending:
            with pool.connection() as connection:
                transactions.move(connection, known, mined_state(receipt, kind), receipt=receipt)
            known = self.load(pool, transaction_id)
        return self._as_stored(pool, known, receipt)

    def load(self, pool: ConnectionPool, transaction_id: UUID) -> StoredTransaction:
        """Raises UnknownTransaction."""
        with pool.connection() as connection:
            known = transactions.find(connection, transaction_id)
        if known is None:
            raise UnknownTransaction(str(transaction_id))
        return known

    def attempts(self, pool: ConnectionPool, known: StoredTransaction) -> list[Attempt]:
        """Oldest first."""
        with pool.connection() as connection:
            return attempts_of(connection, known)

    def find_receipt(self, attempts: list[Attempt]) -> tuple[Receipt, int] | None:
        """The receipt of the attempt that is in a block, and the attempt's kind."""
        for attempt in reversed(attempts):
            receipt = self.rpc.receipt(attempt.tx_hash)
            if receipt is not None:
                return receipt, attempt.kind
        return None

    def broadcast(self, pool: ConnectionPool, known: StoredTransaction, attempt: Attempt) -> bool:
        """Send stored bytes; whether the node has them now. Raises RpcUnavailable: then it may have them."""
        try:
            self.rpc.submit("eth_sendRawTransaction", hexed(attempt.raw))
            answer = "accepted"
        except RpcRefused as error:
            if not any(word in error.message.lower() for word in _HAVE_IT):
                SENT.labels(known.lane, "refused").inc()
                _log.warning("broadcast refused", transaction_id=str(known.transaction_id), reason=error.message)
                with pool.connection() as connection:
                    facts = {"transaction_id": known.transaction_id, "reason": error.message[:500]}
                    connection.execute(_QUERIES.sql("mark_trouble"), facts)
                return False
            answer = "known"
        self._checkpoint("broadcast")
        SENT.labels(known.lane, answer).inc()
        with pool.connection() as connection:
            moved = {"transaction_id": known.transaction_id, "tx_hash": attempt.tx_hash}
            connection.execute(_QUERIES.sql("mark_broadcast"), moved)
        return True

    def sign_attempt(
        self,
        connection: psycopg.Connection[Any],
        known: StoredTransaction,
        nonce: int,
        fees: Fees,
        gas_limit: int,
        kind: int = REQUESTED_KIND,
    ) -> bytes:
        """Sign and store one attempt in the caller's transaction, under the lane's lock; returns its hash."""
        signer = self.signers[known.lane]
        empty = kind == EMPTY_KIND
        signed = signer.sign_transaction(
            UnsignedTransaction(
                chain_id=self.chain_id,
                nonce=nonce,
                to=signer.address if empty else known.to_address,
                value=0 if empty else int(known.value),
                data=b"" if empty else known.data,
                gas_limit=EMPTY_GAS if empty else gas_limit,
                max_fee=fees.max_fee,
                priority_fee=fees.priority_fee,
            )
        )
        connection.execute(
            _QUERIES.sql("store_attempt"),
            {
                "lane": known.lane,
                "nonce": nonce,
                "transaction_id": known.transaction_id,
                "kind": kind,
                "tx_hash": signed.tx_hash,
                "raw": signed.raw,
                "max_fee": Decimal(fees.max_fee),
                "priority_fee": Decimal(fees.priority_fee),
            },
        )
        SIGNED.labels(known.lane, "empty" if empty else "requested").inc()
        return signed.tx_hash

    def lock_lane(self, connection: psycopg.Connection[Any], lane: str, chain_count: int) -> int:
        """Take the lane's lock until the transaction ends; the next nonce. Raises LaneMismatch.

        A nonce that the chain has and we never handed out was used by somebody else with our key: it is passed over.
        """
        signer = self.signers[lane]
        row = connection.execute(_QUERIES.sql("lock_lane"), {"lane": lane}).fetchone()
        if row is None:
            facts = {"lane": lane, "chain_id": self.chain_id, "sender": signer.address, "next_nonce": chain_count}
            connection.execute(_QUERIES.sql("open_lane"), facts)
            row = connection.execute(_QUERIES.sql("lock_lane"), {"lane": lane}).fetchone()
        if row is None or (row[0], bytes(row[1])) != (self.chain_id, signer.address):
            raise LaneMismatch(f"lane {lane} is not of 0x{signer.address.hex()} on chain {self.chain_id}")
        next_nonce = int(row[2])
        if chain_count > next_nonce:
            FOREIGN_NONCES.labels(lane).inc(chain_count - next_nonce)
            _log.error("our key was used without us", lane=lane, expected_nonce=next_nonce, chain_nonce=chain_count)
            return chain_count
        return next_nonce

    def _sign_request(self, pool: ConnectionPool, known: StoredTransaction) -> None:
        if known.valid_until is not None and known.valid_until <= datetime.now(UTC):
            self._lapse(pool, known, "its time was over before it was signed")
            return
        with pool.connection() as connection:
            self.guard.check(connection)
        sender = self.signers[known.lane].address
        fees = quote(self.rpc, self.policy)
        try:
            gas_limit = known.gas_limit or self.estimate(sender, known)
            if gas_limit is None:
                self._lapse(pool, known, f"would take more than {known.gas_most} gas")
                return
        except RpcRefused as error:
            if not error.reverted:
                raise RpcUnavailable(f"no estimate: {error.message}") from error
            self._lapse(pool, known, f"would revert: {error.message}"[:500])
            return
        count = self.rpc.nonce_of(sender)
        self._checkpoint("before")
        with pool.connection() as connection:
            nonce = self.lock_lane(connection, known.lane, count)
            current = transactions.find(connection, known.transaction_id, lock=True)
            if current is None or current.state != TransactionState.REQUESTED:
                return
            self._checkpoint("nonce")
            tx_hash = self.sign_attempt(connection, current, nonce, fees, gas_limit)
            facts = {"transaction_id": current.transaction_id, "nonce": nonce, "gas_limit": gas_limit}
            connection.execute(_QUERIES.sql("mark_signed"), facts)
            connection.execute(_QUERIES.sql("move_lane"), {"lane": known.lane, "next_nonce": nonce + 1})
            transactions.record_state(connection, current, TransactionState.SIGNED, tx_hash)
            self._checkpoint("stored")
        self._checkpoint("committed")

    def estimate(self, sender: bytes, known: StoredTransaction) -> int | None:
        """Gas to allow, with a margin; None when the call takes more than is paid for.

        Raises RpcRefused (`reverted`) when it would fail.
        """
        call, _ = call_params(known.to_address, known.data, sender=sender)
        if known.value:
            call["value"] = hex(int(known.value))
        needed = int(self.rpc.read("eth_estimateGas", call), 16)
        allowed = needed * GAS_MARGIN_PERCENT // 100
        if known.gas_most is None:
            return allowed
        return None if needed > known.gas_most else min(allowed, known.gas_most)

    def _lapse(self, pool: ConnectionPool, known: StoredTransaction, reason: str) -> None:
        """Final at once: without a signature it can never happen."""
        with pool.connection() as connection:
            transactions.move(connection, known, TransactionState.LAPSED, is_final=True, reason=reason)
        _log.warning("request lapsed", transaction_id=str(known.transaction_id), reason=reason)

    def _as_stored(self, pool: ConnectionPool, known: StoredTransaction, receipt: Receipt | None) -> Outcome:
        tx_hash = receipt.tx_hash if receipt else known.mined_hash
        if tx_hash is None and known.nonce is not None:
            attempts = self.attempts(pool, known)
            tx_hash = attempts[-1].tx_hash if attempts else None
        return Outcome(
            known.transaction_id, TransactionState(known.state), tx_hash, receipt, known.is_final, known.reason
        )


def attempts_of(connection: psycopg.Connection[Any], known: StoredTransaction) -> list[Attempt]:
    """The stored attempts of a transaction at its nonce, oldest first."""
    cursor = connection.cursor(row_factory=class_row(Attempt))
    facts = {"lane": known.lane, "nonce": known.nonce, "transaction_id": known.transaction_id}
    return cursor.execute(_QUERIES.sql("attempts"), facts).fetchall()


def mined_state(receipt: Receipt, kind: int) -> TransactionState:
    """What a receipt means for the request: an emptied nonce means that it will never happen."""
    if kind == EMPTY_KIND:
        return TransactionState.LAPSED
    return TransactionState.MINED if receipt.succeeded else TransactionState.REVERTED
