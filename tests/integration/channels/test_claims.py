"""Claims and settles on a real chain, sent by the one sender."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from gateway.channels.claims import ClaimPolicy, Claims
from gateway.x402.authorizer import Authorizer
from kit.chain.lane import tend
from kit.chain.rpc import RpcUnavailable
from kit.chain.sender import Sender, TransactionState
from kit.chain.signer import LocalSigner
from tests.integration.chain.parts import CHAIN_ID, account
from tests.integration.channels.world import World, raw
from tests.integration.contracts.channels import Channel, calldata

AT_ONCE = ClaimPolicy(value_least=1, age_seconds=0)
PATIENT = ClaimPolicy(value_least=10_000, age_seconds=3600)


def sender_of(world: World) -> Sender:
    return Sender(world.rpc, CHAIN_ID, {"relay": LocalSigner(account("relay"))})


def claims_of(world: World, policy: ClaimPolicy = AT_ONCE) -> Claims:
    signer = LocalSigner(account("authorizer signer"))
    authorizer = Authorizer(raw(world.contracts.receiver_authorizer), signer, world.escrow.domain)
    return Claims(sender_of(world), escrow=world.escrow.escrow, authorizer=authorizer, policy=policy)


def channels_with(world: World, *totals: int) -> list[Channel]:
    """Funded channels, charged up to these totals."""
    made = []
    for total in totals:
        channel = world.channel()
        world.deposit(channel, 1_000)
        world.follow()
        world.charge(channel, total)
        made.append(channel)
    return made


def await_mined(world: World, identifier: UUID | None) -> None:
    assert identifier is not None
    outcome = sender_of(world).await_outcome(world.pool, identifier, 10)
    assert outcome.state is TransactionState.MINED


def test_many_channels_are_claimed_in_one_transaction_and_settled(world: World) -> None:
    channels = channels_with(world, 100, 200, 300)
    claims = claims_of(world)
    await_mined(world, claims.claim_due(world.pool))
    world.follow()
    assert [world.numbers(channel) for channel in channels] == [(1_000, n, n, 0) for n in (100, 200, 300)]
    (settle,) = claims.settle_due(world.pool)
    await_mined(world, settle)
    world.follow()
    assert [world.numbers(channel)[3] for channel in channels] == [100, 200, 300]
    assert claims.claim_due(world.pool) is None
    assert claims.settle_due(world.pool) == []
    assert world.balances()["treasury"] == -600


def test_nothing_is_claimed_twice_while_one_is_in_flight(world: World) -> None:
    (channel,) = channels_with(world, 100)
    world.node.automine(False)
    claims = claims_of(world)
    first = claims.claim_due(world.pool)
    assert first is not None
    assert claims.claim_due(world.pool) is None
    world.charge(channel, 150)
    second = claims.claim_due(world.pool)
    assert second not in (None, first)
    world.node.mine()
    assert claims.claim_due(world.pool) is None, "mined, and the book has not followed yet"
    world.follow()
    assert world.numbers(channel)[2] == 150
    assert claims.claim_due(world.pool) is None


def test_age_makes_no_second_claim_while_one_is_in_flight(world: World) -> None:
    """What has waited long is in the claim under way; what comes meanwhile waits for its own age or value."""
    (channel,) = channels_with(world, 100)
    world.node.automine(False)
    claims = claims_of(world, ClaimPolicy(value_least=10_000, age_seconds=0))
    first = claims.claim_due(world.pool)
    assert first is not None
    world.charge(channel, 150)
    assert claims.claim_due(world.pool) is None
    world.node.mine()
    world.follow()
    assert world.numbers(channel)[2] == 100
    assert claims.claim_due(world.pool) is not None


def test_a_full_batch_is_told_from_what_may_wait_for_the_next_turn(world: World) -> None:
    channels_with(world, 100, 200, 300)
    claims = claims_of(world, ClaimPolicy(value_least=1, age_seconds=0, rows_most=2))
    assert claims.has_full_batch(world.pool)
    await_mined(world, claims.claim_due(world.pool))
    assert not claims.has_full_batch(world.pool), "one channel is left"


def test_parallel_claimers_make_one_claim(world: World) -> None:
    channels_with(world, 100, 200)
    claims = claims_of(world)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: claims.claim_due(world.pool), range(4)))
    assert len([one for one in found if one is not None]) == 1
    world.follow()
    with ThreadPoolExecutor(4) as threads:
        settled = list(threads.map(lambda _: claims.settle_due(world.pool), range(4)))
    assert sum(map(len, settled)) == 1


def test_value_age_and_withdrawal_decide(world: World) -> None:
    small, large, leaving = channels_with(world, 10, 20_0, 30)
    assert claims_of(world, PATIENT).claim_due(world.pool) is None
    await_mined(world, claims_of(world, ClaimPolicy(value_least=200, age_seconds=3600)).claim_due(world.pool))
    world.follow()
    assert [world.numbers(one)[2] for one in (small, large, leaving)] == [0, 200, 0]
    world.initiate_withdraw(leaving, 500)
    world.follow()
    await_mined(world, claims_of(world, PATIENT).claim_due(world.pool))
    world.follow()
    assert [world.numbers(one)[2] for one in (small, large, leaving)] == [0, 200, 30]
    world.fetch("UPDATE channel_states SET first_unclaimed_at = now() - interval '2 hours' RETURNING 1")
    await_mined(world, claims_of(world, PATIENT).claim_due(world.pool))
    world.follow()
    assert world.numbers(small)[2] == 10


def test_a_bad_row_is_left_out_alone_with_an_alarm(world: World) -> None:
    channels = channels_with(world, 100, 200, 300)
    world.fetch(
        "UPDATE channel_states s SET voucher_signature = decode(repeat('11', 65), 'hex') FROM channels c "
        "WHERE c.channel_no = s.channel_no AND c.channel_id = %s RETURNING 1",
        channels[1].id,
    )
    await_mined(world, claims_of(world).claim_due(world.pool))
    world.follow()
    assert [world.numbers(channel)[2] for channel in channels] == [100, 0, 300]
    assert world.fetch("SELECT tries FROM claim_faults") == [(1,)]
    assert claims_of(world).claim_due(world.pool) is None, "not tried again at once"
    world.fetch("UPDATE claim_faults SET next_try_at = now() RETURNING 1")
    assert claims_of(world).claim_due(world.pool) is None
    assert world.fetch("SELECT tries FROM claim_faults") == [(2,)]


def test_without_a_listed_relay_the_batch_goes_with_a_signature(world: World) -> None:
    (channel,) = channels_with(world, 100)
    data = calldata("setRelay(address,bool)", ["address", "bool"], [account("relay").address, False])
    world.node.anvil.fund(account("authorizer owner").address, 10**18)
    world.send(account("authorizer owner").address, world.contracts.receiver_authorizer, data)
    await_mined(world, claims_of(world).claim_due(world.pool))
    world.follow()
    assert world.numbers(channel)[2] == 100
    (row,) = world.fetch("SELECT to_address FROM chain_transactions")
    assert bytes(row[0]) == world.escrow.escrow


def test_a_claim_that_leaves_the_chain_is_repaired(world: World) -> None:
    """E2: undone in the book, sent again with the same bytes, never requested twice."""
    (channel,) = channels_with(world, 100)
    world.node.mine(3)
    claims, sender = claims_of(world), sender_of(world)
    await_mined(world, claims.claim_due(world.pool))
    world.follow()
    assert world.numbers(channel)[2] == 100
    world.node.anvil.request("anvil_reorg", 1, [])
    world.node.anvil.request("anvil_dropAllTransactions")
    world.follow()
    assert world.numbers(channel)[2] == 0
    assert claims.claim_due(world.pool) is None, "the old claim is still good"
    tend(sender, world.pool, "relay")
    world.node.mine()
    world.follow()
    assert world.numbers(channel)[:3] == (1_000, 100, 100)
    assert world.fetch("SELECT count(*) FROM chain_transactions WHERE purpose = 'claim'") == [(1,)]


def test_a_lost_node_is_no_verdict_on_a_row(world: World) -> None:
    channels_with(world, 100)
    claims = claims_of(world)
    world.node._process.kill()
    world.node._process.wait()
    with pytest.raises(RpcUnavailable):
        claims.claim_due(world.pool)
    assert world.fetch("SELECT 1 FROM claim_faults") == []


def test_a_settle_that_fails_again_and_again_is_left_to_a_person(world: World) -> None:
    (channel,) = channels_with(world, 100)
    claims = claims_of(world)
    await_mined(world, claims.claim_due(world.pool))
    world.follow()
    world.node.anvil.request("anvil_setCode", world.contracts.token.address, "0xfe")
    for _ in range(5):
        claims.settle_due(world.pool)
    assert world.fetch("SELECT count(*) FROM settle_runs") == [(3,)]
    assert world.numbers(channel)[3] == 0
