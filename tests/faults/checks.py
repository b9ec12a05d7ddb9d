"""What must hold of the book, the API and the chain, whatever was killed: one function an invariant."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from gateway.channels import logs
from gateway.x402 import abi
from tests.faults.acknowledged import Acknowledged, Payment
from tests.faults.http import Http
from tests.faults.loader import uuid_of
from tests.faults.waiting import eventually
from tests.faults.world import World, hexed, raw

GET_SAMPLE = 300
DRAIN_SECONDS = 60.0
_TOTALS = "FROM channel_states JOIN channels USING (merchant_id, channel_no)"


def nothing_acknowledged_is_missing(world: World, payments: Sequence[Payment]) -> None:
    """In the database, each with its amount and total."""
    ids = [uuid_of(payment.payment_id) for payment in payments if payment.payment_id is not None]
    query = "SELECT payment_id, amount, cumulative FROM payments WHERE payment_id = ANY(%s)"
    found = {row[0]: (int(row[1]), int(row[2])) for row in world.rows(query, ids)}
    missing = [
        payment
        for payment in payments
        if payment.payment_id is not None
        and found.get(uuid_of(payment.payment_id)) != (payment.amount, payment.cumulative)
    ]
    assert not missing, f"{len(missing)} acknowledged payments are missing or changed: {missing[:3]}"


def the_api_shows(http: Http, payments: Sequence[Payment]) -> None:
    """GET /v1/payments/{id} of each."""
    for payment in payments:
        if payment.payment_id is None:
            continue
        answer = http.get(f"/v1/payments/{payment.payment_id}")
        assert answer is not None and answer.status == 200, f"{payment}: {answer}"
        told = answer.document
        shown = (told["amount"], told["cumulative_amount"], told["channel_id"])
        assert shown == (str(payment.amount), str(payment.cumulative), hexed(payment.channel_id)), (told, payment)


def each_voucher_is_charged_once(world: World, model: Acknowledged) -> None:
    """Each channel holds exactly the acknowledged payments, and is charged their sum."""
    told: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for payment in model.snapshot():
        told[payment.channel_id].append((payment.cumulative, payment.amount))
    booked: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    query = "SELECT channel_id, cumulative, amount FROM payments JOIN channels USING (merchant_id, channel_no)"
    for channel_id, cumulative, amount in world.rows(query):
        booked[bytes(channel_id)].append((int(cumulative), int(amount)))
    for channel in model.channels:
        identifier = channel.payer.channel_id
        ours, theirs = sorted(told[identifier]), sorted(booked[identifier])
        extra, lost = Counter(theirs) - Counter(ours), Counter(ours) - Counter(theirs)
        where = f"channel {hexed(identifier)}"
        assert not lost, f"{where}: acknowledged and not booked: {dict(lost)}"
        assert not extra, f"{where}: booked more often than acknowledged: {dict(extra)}"
        credited, charged, deficit = map(int, _state(world, identifier))
        assert charged == channel.charged == sum(amount for _, amount in theirs), f"{where}: charged {charged}"
        assert (credited, deficit) == (channel.deposited, 0), f"{where}: credited {credited}, deficit {deficit}"


def each_transfer_is_booked_once(world: World, model: Acknowledged) -> None:
    """Exact payments: one payment a transaction, of the amount that was told."""
    query = "SELECT tx_hash, amount FROM exact_payments JOIN payments USING (merchant_id, payment_id)"
    booked = Counter((hexed(bytes(row[0])), int(row[1])) for row in world.rows(query))
    assert booked == Counter(model.exact.items())


def channels_equal_their_legs(world: World) -> None:
    """A channel account's legs sum to what was credited and not charged."""
    query = """
        SELECT c.channel_id, s.credited - s.charged, COALESCE(sum(l.amount), 0)
        FROM channels c JOIN channel_states s USING (merchant_id, channel_no)
        LEFT JOIN ledger_legs l ON l.tenant_id = c.merchant_id AND l.account_id = c.channel_account
        GROUP BY c.channel_id, s.credited, s.charged
        HAVING s.credited - s.charged <> COALESCE(sum(l.amount), 0)"""
    assert world.rows(query) == [], "channels and their legs differ"


def batches_left_one_event_and_one_leaf(world: World) -> None:
    """Every captured batch has its outbox row and its audit leaf."""
    query = """
        SELECT count(DISTINCT p.batch_id) FROM payments p
        WHERE p.scheme = 1 AND (NOT EXISTS (SELECT FROM outbox o WHERE o.event_id = p.batch_id)
                                OR NOT EXISTS (SELECT FROM audit_leaves a WHERE a.leaf_id = p.batch_id))"""
    assert world.row(query) == (0,), "batches without an event or without a leaf"


def no_event_is_parked(world: World) -> None:
    rows = world.rows("SELECT topic, last_error FROM outbox WHERE parked_at IS NOT NULL LIMIT 3")
    assert rows == [], f"events that nobody could deliver: {rows}"


def drained(world: World, seconds: float = DRAIN_SECONDS) -> None:
    """Until all that was charged is claimed and settled and no transaction is open."""
    query = f"SELECT count(*) {_TOTALS} WHERE charged <> claimed OR claimed <> settled"
    eventually(lambda: world.row(query) == (0,), "everything charged is claimed and settled", seconds, 0.2)
    query = "SELECT count(*) FROM chain_transactions WHERE NOT is_final"
    eventually(lambda: world.row(query) == (0,), "every transaction is final", seconds, 0.2)


def the_lane_is_whole(world: World) -> None:
    """One transaction a key, nonces without a gap, as many as the chain has of our account."""
    rows = world.rows("SELECT dedup_key, nonce, state FROM chain_transactions WHERE lane = 'relay'")
    keys = Counter(row[0] for row in rows)
    assert max(keys.values(), default=1) == 1, keys.most_common(1)
    nonces = sorted(row[1] for row in rows if row[1] is not None)
    count = int(world.anvil.request("eth_getTransactionCount", world.relay, "latest"), 16)
    assert nonces == list(range(count - len(nonces), count)), f"nonces {nonces[:3]}..{nonces[-3:]}, on chain {count}"
    assert nonces[:1] in ([], [0]), "the chain has transactions of our account that the book does not know"
    replaced = [row for row in rows if row[2] == 6]
    assert not replaced, f"transactions whose nonce another one used: {replaced}"


def nothing_is_claimed_twice(world: World, model: Acknowledged) -> None:
    """On chain: each channel's claims sum to what it was charged, the receiver's settles to what was claimed."""
    claimed: Counter[bytes] = Counter()
    settled = 0
    for log in _escrow_logs(world):
        kind = raw(log["topics"][0])
        if kind == logs.CLAIMED:
            claimed[raw(log["topics"][1])] += int(log["data"][2:66], 16)
        elif kind == logs.SETTLED:
            settled += int(log["data"][2:66], 16)
    for channel in model.channels:
        identifier = channel.payer.channel_id
        assert claimed[identifier] == channel.charged, f"{hexed(identifier)}: {claimed[identifier]} claimed"
        assert _pair(world, abi.channels(identifier))[1] == channel.charged
    total = sum(channel.charged for channel in model.channels)
    assert sum(claimed.values()) == settled == total
    token = raw(world.contracts.token.address)
    assert _pair(world, abi.receivers(world.receiver, token)) == (total, total)
    treasury = world.anvil.call(world.contracts.token.address, abi.balance_of(world.receiver))
    assert int.from_bytes(treasury, "big") == total + sum(model.exact.values()), "the treasury's balance"


def each_total_is_claimed_by_one_transaction(world: World) -> None:
    """No voucher is in two claims that were mined."""
    query = """
        SELECT channel_no, total, count(*) FROM claim_rows JOIN chain_transactions USING (transaction_id)
        WHERE state = 4 GROUP BY 1, 2 HAVING count(*) > 1"""
    assert world.rows(query) == [], "channel, total, claims"


def the_books_balance(world: World) -> None:
    """`lockgate books check` says so."""
    done = world.books_check()
    assert done.returncode == 0, done.stdout + done.stderr


def everything(world: World, model: Acknowledged, seed: int) -> None:
    """All of it, once the load has ended with every outcome known."""
    payments = model.snapshot()
    nothing_acknowledged_is_missing(world, payments)
    each_voucher_is_charged_once(world, model)
    channels_equal_their_legs(world)
    the_books_balance(world)
    drained(world)
    each_transfer_is_booked_once(world, model)
    nothing_is_claimed_twice(world, model)
    each_total_is_claimed_by_one_transaction(world)
    the_lane_is_whole(world)
    batches_left_one_event_and_one_leaf(world)
    no_event_is_parked(world)
    the_books_balance(world)
    http = world.http()
    rng = random.Random(seed)  # noqa: S311 - repeatable is what is wanted
    the_api_shows(http, rng.sample(payments, min(GET_SAMPLE, len(payments))))
    http.close()


def _state(world: World, channel_id: bytes) -> tuple[Any, ...]:
    return world.row(f"SELECT credited, charged, deficit {_TOTALS} WHERE channel_id = %s", channel_id)


def _escrow_logs(world: World) -> list[dict[str, Any]]:
    query = {"fromBlock": "earliest", "toBlock": "latest", "address": world.contracts.escrow}
    found = world.anvil.request("eth_getLogs", query)
    assert isinstance(found, list)
    return found


def _pair(world: World, data: bytes) -> tuple[int, int]:
    pair = abi.read_pair(world.anvil.call(world.contracts.escrow, data))
    return int(pair[0]), int(pair[1])
