"""The sender against a real node: order, restarts, fees, lost and foreign transactions."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from psycopg_pool import ConnectionPool

from kit.chain.fees import GWEI, FeePolicy
from kit.chain.guard import ChainMismatch
from kit.chain.lane import tend
from kit.chain.rpc import Rpc
from kit.chain.sender import Sender, TransactionState, UnknownTransaction, request
from kit.chain.signer import LocalSigner, UnsignedTransaction
from kit.chain.transactions import DedupConflict, hashes_of
from kit.ids import uuid7
from tests.integration.chain.parts import CHAIN_ID, Node, account, node, proxy, wait_until

TARGET = bytes.fromhex("11" * 20)
CHILD = Path(__file__).with_name("push_child.py")
EAGER = FeePolicy(bump_after=0.0, rebroadcast_after=0.0)


def ask(pool: ConnectionPool, key: str, value: int = 1, valid_until: datetime | None = None) -> UUID:
    with pool.connection() as connection:
        return request(
            connection,
            lane="relay",
            to=TARGET,
            data=b"",
            value=value,
            purpose="test",
            dedup_key=key,
            valid_until=valid_until,
        )


def balance(rpc: Rpc, address: bytes = TARGET) -> int:
    return int(rpc.read("eth_getBalance", "0x" + address.hex(), "latest"), 16)


def eager(rpc: Rpc, **limits: object) -> Sender:
    policy = FeePolicy(**{"bump_after": 0.0, "rebroadcast_after": 0.0, **limits})  # type: ignore[arg-type]
    return Sender(rpc, CHAIN_ID, {"relay": LocalSigner(account("relay"))}, policy)


def child(url: str, rpc_url: str, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(CHILD), url, rpc_url, *words])


def test_a_request_is_mined_and_then_final(pool: ConnectionPool, sender: Sender, chain: Node) -> None:
    one = ask(pool, "a")
    assert sender.push(pool, one) is TransactionState.BROADCAST
    outcome = sender.await_outcome(pool, one, 10)
    assert outcome.state is TransactionState.MINED
    assert outcome.receipt is not None and outcome.receipt.succeeded
    assert not outcome.is_final
    chain.mine(3)
    tend(sender, pool, "relay")
    assert sender.look(pool, one).is_final


def test_the_same_key_joins_and_another_content_is_refused(pool: ConnectionPool) -> None:
    assert ask(pool, "a") == ask(pool, "a")
    with pytest.raises(DedupConflict):
        ask(pool, "a", value=2)


def test_a_request_rolled_back_is_never_sent(pool: ConnectionPool, sender: Sender) -> None:
    with pytest.raises(RuntimeError), pool.connection() as connection:
        request(connection, lane="relay", to=TARGET, data=b"", purpose="t", dedup_key="a")
        raise RuntimeError
    assert tend(sender, pool, "relay") == 0


def test_a_request_that_is_not_there_is_an_error_and_not_waited_for(pool: ConnectionPool, sender: Sender) -> None:
    """D1: an id in a message, and no row to it."""
    nobody = uuid7()
    with pytest.raises(UnknownTransaction):
        sender.push(pool, nobody)
    with pytest.raises(UnknownTransaction):
        sender.await_outcome(pool, nobody, 60)


def test_a_call_that_would_revert_lapses_without_a_nonce(pool: ConnectionPool, sender: Sender, chain: Node) -> None:
    contracts = chain.deploy()
    escrow = bytes.fromhex(contracts.escrow[2:])
    with pool.connection() as connection:
        bad = request(connection, lane="relay", to=escrow, data=b"\1\2\3\4", purpose="t", dedup_key="bad")
    assert sender.push(pool, bad) is TransactionState.LAPSED
    good = ask(pool, "good")
    sender.push(pool, good)
    assert sender.await_outcome(pool, good, 10).state is TransactionState.MINED
    assert sender.load(pool, good).nonce == 0


def test_a_call_that_takes_more_gas_than_is_paid_for_lapses(pool: ConnectionPool, sender: Sender) -> None:
    """Code may be cheap when it is simulated and dear when it is sent."""
    with pool.connection() as connection:
        dear = request(connection, lane="relay", to=TARGET, data=b"", purpose="t", dedup_key="a", gas_most=20_999)
        cheap = request(connection, lane="relay", to=TARGET, data=b"", purpose="t", dedup_key="b", gas_most=21_000)
    assert sender.push(pool, dear) is TransactionState.LAPSED
    assert sender.load(pool, dear).reason == "would take more than 20999 gas"
    sender.push(pool, cheap)
    assert sender.await_outcome(pool, cheap, 10).state is TransactionState.MINED
    assert sender.load(pool, cheap).gas_limit == 21_000


def test_a_mined_revert_is_told_as_reverted(pool: ConnectionPool, sender: Sender, chain: Node) -> None:
    escrow = bytes.fromhex(chain.deploy().escrow[2:])
    with pool.connection() as connection:
        bad = request(
            connection, lane="relay", to=escrow, data=b"\1\2\3\4", purpose="t", dedup_key="x", gas_limit=90_000
        )
    sender.push(pool, bad)
    assert sender.await_outcome(pool, bad, 10).state is TransactionState.REVERTED


def test_fifty_parallel_requests_by_two_processes_get_consecutive_nonces(
    pool: ConnectionPool, database_url: str, chain: Node, rpc: Rpc, sender: Sender
) -> None:
    """A2."""
    wanted = [ask(pool, f"p{number}") for number in range(50)]
    halves = [wanted[0::2], wanted[1::2]]
    running = [child(database_url, chain.url, "push", *map(str, half)) for half in halves]
    assert [process.wait(60) for process in running] == [0, 0]
    outcomes = [sender.await_outcome(pool, one, 20) for one in wanted]
    assert {outcome.state for outcome in outcomes} == {TransactionState.MINED}
    assert sorted(sender.load(pool, one).nonce or 0 for one in wanted) == list(range(50))
    assert balance(rpc) == 50


def test_one_request_pushed_by_everybody_is_signed_once(
    pool: ConnectionPool, chain: Node, rpc: Rpc, sender: Sender
) -> None:
    one = ask(pool, "a")
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: sender.push(pool, one), range(12)))
    assert sender.await_outcome(pool, one, 10).state is TransactionState.MINED
    with pool.connection() as connection:
        assert len(hashes_of(connection, one)) == 1
    assert balance(rpc) == 1


@pytest.mark.parametrize("step", ["before", "nonce", "stored", "committed", "broadcast"])
def test_a_kill_at_any_step_never_sends_twice(
    pool: ConnectionPool, database_url: str, chain: Node, rpc: Rpc, sender: Sender, step: str
) -> None:
    one = ask(pool, "killed")
    assert child(database_url, chain.url, "die", step, str(one)).wait(60) == -9
    with pool.connection() as connection:
        signed_before = hashes_of(connection, one)
    tend(sender, pool, "relay")
    assert sender.await_outcome(pool, one, 10).state is TransactionState.MINED
    other = ask(pool, "after")
    sender.push(pool, other)
    assert sender.await_outcome(pool, other, 10).state is TransactionState.MINED
    assert balance(rpc) == 2
    assert [sender.load(pool, which).nonce for which in (one, other)] == [0, 1]
    with pool.connection() as connection:
        assert hashes_of(connection, one)[: len(signed_before)] == signed_before
        assert len(hashes_of(connection, one)) == 1


def test_a_lost_answer_to_the_broadcast_is_pending_and_sent_once(pool: ConnectionPool, chain: Node, rpc: Rpc) -> None:
    lost = {"now": False}
    with proxy(chain.url, lambda: lost["now"]) as wire:
        through = Sender(Rpc(wire.url), CHAIN_ID, {"relay": LocalSigner(account("relay"))})
        one = ask(pool, "a")
        original = through.broadcast

        def cut(*arguments: object) -> bool:
            lost["now"] = True
            return original(*arguments)  # type: ignore[arg-type]

        through.broadcast = cut  # type: ignore[assignment,method-assign]
        with pytest.raises(Exception, match="no usable answer"):
            through.push(pool, one)
        assert through.await_outcome(pool, one, 0.2).is_pending
        lost["now"] = False
        through.broadcast = original  # type: ignore[method-assign]
        through.push(pool, one)
        assert through.await_outcome(pool, one, 10).state is TransactionState.MINED
        assert balance(rpc) == 1


def test_a_dropped_transaction_is_broadcast_again(pool: ConnectionPool, chain: Node, rpc: Rpc) -> None:
    """E1."""
    chain.automine(False)
    sender = eager(rpc, bump_after=3600.0)
    one = ask(pool, "a")
    sender.push(pool, one)
    with pool.connection() as connection:
        (known,) = hashes_of(connection, one)
    assert rpc.knows_transaction(known)
    chain.anvil.request("anvil_dropTransaction", "0x" + known.hex())
    assert not rpc.knows_transaction(known)
    tend(sender, pool, "relay")
    assert rpc.knows_transaction(known)
    chain.mine()
    assert sender.await_outcome(pool, one, 10).state is TransactionState.MINED


def test_a_stuck_transaction_is_replaced_at_the_same_nonce(pool: ConnectionPool, chain: Node, rpc: Rpc) -> None:
    chain.automine(False)
    sender = eager(rpc)
    one = ask(pool, "a")
    sender.push(pool, one)
    tend(sender, pool, "relay")
    first, second = sender.attempts(pool, sender.load(pool, one))
    assert second.max_fee >= first.max_fee * 1125 / 1000
    assert second.priority_fee >= first.priority_fee * 1125 / 1000
    chain.mine()
    outcome = sender.await_outcome(pool, one, 10)
    assert outcome.state is TransactionState.MINED and outcome.tx_hash == second.tx_hash
    assert balance(rpc) == 1


def test_a_base_fee_above_the_cap_stops_the_lane_only_while_it_lasts(
    pool: ConnectionPool, chain: Node, rpc: Rpc
) -> None:
    """E1: base fee above the cap, dropped, and back."""
    sender = eager(rpc, cap=3 * GWEI)
    chain.automine(False)
    chain.anvil.request("anvil_setNextBlockBaseFeePerGas", hex(50 * GWEI))
    chain.mine()
    one = ask(pool, "a")
    sender.push(pool, one)
    for _ in range(3):
        chain.anvil.request("anvil_setNextBlockBaseFeePerGas", hex(50 * GWEI))
        chain.mine()
        tend(sender, pool, "relay")
    assert sender.look(pool, one).is_pending
    for attempt in sender.attempts(pool, sender.load(pool, one)):
        assert attempt.max_fee <= 3 * GWEI
        chain.anvil.request("anvil_dropTransaction", "0x" + attempt.tx_hash.hex())
    chain.anvil.request("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    chain.mine()
    tend(sender, pool, "relay")
    chain.mine()
    assert sender.await_outcome(pool, one, 10).state is TransactionState.MINED
    assert balance(rpc) == 1


def test_a_foreign_transaction_on_our_nonce_is_noticed(pool: ConnectionPool, chain: Node, rpc: Rpc) -> None:
    chain.automine(False)
    sender = eager(rpc, bump_after=3600.0)
    one = ask(pool, "a")
    sender.push(pool, one)
    (attempt,) = sender.attempts(pool, sender.load(pool, one))
    chain.anvil.request("anvil_dropTransaction", "0x" + attempt.tx_hash.hex())
    send_foreign(rpc, 0)
    chain.mine()
    tend(sender, pool, "relay")
    assert sender.look(pool, one).is_pending, "not final yet: nobody may call it replaced"
    chain.mine(4)
    tend(sender, pool, "relay")
    assert sender.look(pool, one).state is TransactionState.REPLACED
    # Asked again, it is opened again and gets a nonce of its own.
    assert ask(pool, "a") == one
    sender.push(pool, one)
    chain.mine()
    assert sender.await_outcome(pool, one, 10).state is TransactionState.MINED
    assert (sender.load(pool, one).nonce, balance(rpc)) == (1, 1)


def test_a_foreign_nonce_that_is_reorganised_away_leaves_no_gap(pool: ConnectionPool, chain: Node, rpc: Rpc) -> None:
    sender = eager(rpc)
    chain.mine(5)
    send_foreign(rpc, 0)
    chain.automine(False)
    one = ask(pool, "a")
    sender.push(pool, one)
    assert sender.load(pool, one).nonce == 1
    chain.anvil.request("anvil_rollback", 1)
    drop_pool(chain)
    deadline = time.monotonic() + 20
    while sender.look(pool, one).is_pending and time.monotonic() < deadline:
        tend(sender, pool, "relay")
        chain.mine()
    assert sender.look(pool, one).state is TransactionState.MINED


@pytest.mark.parametrize("depth", [1, 3])
def test_a_mined_transaction_that_leaves_the_chain_is_sent_again(
    pool: ConnectionPool, chain: Node, rpc: Rpc, depth: int
) -> None:
    """E2: the same bytes, so it can only happen once."""
    sender = eager(rpc, bump_after=3600.0)
    chain.mine(5)
    chain.anvil.request("evm_setAutomine", True)
    one = ask(pool, "a")
    sender.push(pool, one)
    assert sender.await_outcome(pool, one, 10).state is TransactionState.MINED
    chain.mine(depth - 1)
    chain.anvil.request("anvil_reorg", depth, [])
    drop_pool(chain)
    chain.automine(False)
    assert balance(rpc) == 0
    tend(sender, pool, "relay")
    assert sender.look(pool, one).state is TransactionState.BROADCAST
    chain.mine()
    assert sender.await_outcome(pool, one, 10).state is TransactionState.MINED
    with pool.connection() as connection:
        assert len(hashes_of(connection, one)) == 1
    assert balance(rpc) == 1


def test_a_request_past_its_time_is_emptied_not_sent(pool: ConnectionPool, chain: Node, rpc: Rpc) -> None:
    chain.automine(False)
    sender = eager(rpc)
    until = datetime.now(UTC) + timedelta(seconds=1)
    one = ask(pool, "a", valid_until=until)
    sender.push(pool, one)
    wait_until(lambda: datetime.now(UTC) > until, "its time is over")
    tend(sender, pool, "relay")
    chain.mine()
    assert sender.await_outcome(pool, one, 10).state is TransactionState.LAPSED
    assert balance(rpc) == 0
    late = ask(pool, "late", valid_until=until)
    assert sender.push(pool, late) is TransactionState.LAPSED
    assert sender.load(pool, late).nonce is None


def test_a_fresh_node_behind_the_same_url_stops_signing(
    pool: ConnectionPool, chain: Node, sender: Sender, tmp_path: Path
) -> None:
    """E4: same chain id, other chain."""
    chain.anvil.request("anvil_mine", "0x64")
    one = ask(pool, "a")
    sender.push(pool, one)
    port = chain.port
    chain._process.kill()
    chain._process.wait()
    two = ask(pool, "b")
    with node(tmp_path, port=port):
        with pytest.raises(ChainMismatch, match="another chain"):
            sender.push(pool, two)
        with pytest.raises(ChainMismatch):
            tend(sender, pool, "relay")
    with node(tmp_path, port=port, chain_id=84532), pytest.raises(ChainMismatch, match="serves chain 84532"):
        sender.push(pool, two)
    assert sender.load(pool, two).nonce is None


def send_foreign(rpc: Rpc, nonce: int) -> None:
    """A transaction by our key that our sender knows nothing of."""
    signed = LocalSigner(account("relay")).sign_transaction(
        UnsignedTransaction(CHAIN_ID, nonce, bytes.fromhex("22" * 20), 7, b"", 21_000, 20 * GWEI, GWEI)
    )
    rpc.submit("eth_sendRawTransaction", "0x" + signed.raw.hex())


def drop_pool(chain: Node) -> None:
    """What a reorganisation may throw away too."""
    chain.anvil.request("anvil_dropAllTransactions")
