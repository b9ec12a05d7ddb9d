"""Tending a lane: receipts, reorganisations, lost broadcasts, stuck fees, foreign nonces and gaps.

Called again and again; each call does what can be done now and leaves the rest. Every send ends in mined, reverted,
replaced or lapsed, and never waits for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from psycopg_pool import ConnectionPool

from kit.chain import transactions
from kit.chain.fees import Fees, quote, raised
from kit.chain.rpc import MAX_BATCH, Receipt, hexed
from kit.chain.sender import (
    EMPTY_GAS,
    EMPTY_KIND,
    FOREIGN_NONCES,
    REQUESTED_KIND,
    Attempt,
    Sender,
    attempts_of,
    mined_state,
)
from kit.chain.transactions import StoredTransaction, TransactionState, request
from kit.database.queries import load
from kit.logging import get_logger
from kit.metrics import counter, gauge

_QUERIES = load("kit.chain")
_log = get_logger(__name__)
OPEN = gauge("lockgate_transactions_open", "Transactions of a lane that are not final.", ["lane"])
BUMPED = counter("lockgate_transactions_bumped_total", "Replacements at higher fees.", ["lane"])
REOPENED = counter(
    "lockgate_transactions_reorganised_total", "Mined transactions whose block left the chain.", ["lane"]
)

MAX_TENDED = 500
MAX_GAP = 64


@dataclass(frozen=True, slots=True)
class Horizon:
    """What the chain knows of the lane's account, read before any receipt."""

    count: int
    final_count: int
    final_number: int


def tend(sender: Sender, pool: ConnectionPool, lane: str) -> int:
    """One round over the lane; how many transactions are still open. Raises ChainMismatch, RpcUnavailable."""
    with pool.connection() as connection:
        sender.guard.check(connection)
        known = transactions.open_of_lane(connection, lane, MAX_TENDED)
    if known:
        horizon = _horizon(sender, lane)
        resting = _resting(sender, known, horizon)
        for transaction in known:
            if transaction.nonce is None:
                sender.push(pool, transaction.transaction_id)
            elif transaction.transaction_id not in resting:
                _tend_one(sender, pool, transaction, horizon)
        _fill_gaps(sender, pool, lane, horizon.count)
    OPEN.labels(lane).set(len(known))
    return len(known)


def _horizon(sender: Sender, lane: str) -> Horizon:
    address = sender.signers[lane].address
    final = sender.rpc.finalized()
    final_count = sender.rpc.nonce_of(address, final.number)
    return Horizon(sender.rpc.nonce_of(address), final_count, final.number)


def _resting(sender: Sender, known: Sequence[StoredTransaction], horizon: Horizon) -> set[UUID]:
    """Mined transactions whose block is still in the chain and not final yet: nothing to do but wait.

    A few blocks are asked for instead of many receipts, since finality can be a quarter of an hour away.
    """
    waiting = [one for one in known if one.block_number is not None and one.block_number > horizon.final_number]
    numbers = sorted({one.block_number for one in waiting if one.block_number is not None})
    hashes: dict[int, str | None] = {}
    for start in range(0, len(numbers), MAX_BATCH):
        some = numbers[start : start + MAX_BATCH]
        blocks = sender.rpc.read_many([("eth_getBlockByNumber", (hex(number), False)) for number in some])
        hashes |= {number: block and block["hash"] for number, block in zip(some, blocks, strict=True)}
    return {
        one.transaction_id
        for one in waiting
        if one.block_number is not None and one.block_hash and hashes[one.block_number] == hexed(one.block_hash)
    }


def _tend_one(sender: Sender, pool: ConnectionPool, known: StoredTransaction, horizon: Horizon) -> None:
    attempts = sender.attempts(pool, known)
    found = sender.find_receipt(attempts)
    if found is not None:
        receipt, kind = found
        _note_receipt(pool, known, receipt, mined_state(receipt, kind), horizon)
        return
    assert known.nonce is not None
    if horizon.final_count > known.nonce:
        _note_replaced(sender, pool, known, attempts)
        return
    if not known.is_pending:
        REOPENED.labels(known.lane).inc()
        _log.error("a mined transaction left the chain", transaction_id=str(known.transaction_id))
        with pool.connection() as connection:
            transactions.move(connection, known, TransactionState.BROADCAST, reason="its block left the chain")
        sender.broadcast(pool, known, attempts[-1])
        return
    if horizon.count > known.nonce:
        return  # Used by a block that is not final: a receipt that is late, or somebody else. Time tells.
    _revive(sender, pool, known, attempts, is_head=known.nonce == horizon.count)


def _note_receipt(
    pool: ConnectionPool,
    known: StoredTransaction,
    receipt: Receipt,
    state: TransactionState,
    horizon: Horizon,
) -> None:
    is_final = receipt.block_number <= horizon.final_number
    if known.state == state and known.block_hash == receipt.block_hash and not is_final:
        return
    with pool.connection() as connection:
        transactions.move(connection, known, state, receipt=receipt, is_final=is_final, reason=known.reason)


def _note_replaced(sender: Sender, pool: ConnectionPool, known: StoredTransaction, attempts: list[Attempt]) -> None:
    """The nonce is used up in a final block, and not by any bytes of ours."""
    if any(sender.rpc.knows_transaction(attempt.tx_hash) for attempt in attempts):
        return
    FOREIGN_NONCES.labels(known.lane).inc()
    reason = f"nonce {known.nonce} was used by another transaction"
    _log.error("replaced by a foreign transaction", transaction_id=str(known.transaction_id), nonce=known.nonce)
    with pool.connection() as connection:
        transactions.move(connection, known, TransactionState.REPLACED, is_final=True, reason=reason)


def _revive(
    sender: Sender, pool: ConnectionPool, known: StoredTransaction, attempts: list[Attempt], *, is_head: bool
) -> None:
    """Send lost bytes again; at the head of the lane, replace what waits too long or too late."""
    now, newest = datetime.now(UTC), attempts[-1]
    lapsed = known.valid_until is not None and known.valid_until <= now and newest.kind == REQUESTED_KIND
    stuck = newest.signed_at + timedelta(seconds=sender.policy.bump_after) <= now
    if is_head and (stuck or lapsed) and len(attempts) < sender.policy.max_attempts:
        kind = EMPTY_KIND if lapsed else newest.kind
        if _replace(sender, pool, known, newest, kind):
            return
    last = newest.last_broadcast_at
    if last is None or last + timedelta(seconds=sender.policy.rebroadcast_after) <= now:
        sender.broadcast(pool, known, newest)


def _replace(sender: Sender, pool: ConnectionPool, known: StoredTransaction, newest: Attempt, kind: int) -> bool:
    """Sign the same nonce at higher fees and broadcast it; False when the cap leaves no room."""
    fees = raised(newest.fees, quote(sender.rpc, sender.policy), sender.policy)
    if fees is None:
        return False
    assert known.nonce is not None and known.gas_limit is not None
    with pool.connection() as connection:
        sender.lock_lane(connection, known.lane, 0)
        current = transactions.find(connection, known.transaction_id, lock=True)
        if current is None or not current.is_pending or current.nonce != known.nonce:
            return False
        attempts = attempts_of(connection, current)
        if attempts[-1].attempt != newest.attempt:
            return False
        sender.sign_attempt(connection, current, known.nonce, fees, known.gas_limit, kind)
        replacement = attempts_of(connection, current)[-1]
    BUMPED.labels(known.lane).inc()
    _log.info(
        "transaction replaced at higher fees", transaction_id=str(known.transaction_id), max_fee=str(fees.max_fee)
    )
    return sender.broadcast(pool, known, replacement)


def _fill_gaps(sender: Sender, pool: ConnectionPool, lane: str, chain_count: int) -> None:
    """A nonce below our next that no transaction of ours holds stops the lane; an empty one opens it again.

    It arises when a foreign transaction that we had made room for is reorganised away.
    """
    fees: Fees | None = None
    filled: list[StoredTransaction] = []
    with pool.connection() as connection:
        next_nonce = sender.lock_lane(connection, lane, chain_count)
        rows = connection.execute(_QUERIES.sql("nonces_taken"), {"lane": lane, "first": chain_count}).fetchall()
        taken = {int(row[0]) for row in rows}
        missing = [nonce for nonce in range(chain_count, next_nonce) if nonce not in taken][:MAX_GAP]
        for nonce in missing:
            fees = fees or quote(sender.rpc, sender.policy)
            identifier = request(
                connection,
                lane=lane,
                to=sender.signers[lane].address,
                data=b"",
                purpose="fill nonce",
                dedup_key=f"fill:{nonce}:{datetime.now(UTC).isoformat()}",
                gas_limit=EMPTY_GAS,
            )
            filler = transactions.find(connection, identifier, lock=True)
            assert filler is not None
            tx_hash = sender.sign_attempt(connection, filler, nonce, fees, EMPTY_GAS)
            connection.execute(
                _QUERIES.sql("mark_signed"), {"transaction_id": identifier, "nonce": nonce, "gas_limit": EMPTY_GAS}
            )
            transactions.record_state(connection, filler, TransactionState.SIGNED, tx_hash)
            _log.warning("gap in the lane filled", lane=lane, nonce=nonce)
            filled.append(filler)
    for filler in filled:
        sender.push(pool, filler.transaction_id)
