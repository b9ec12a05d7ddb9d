"""The honest way: what owners, the bucket and a quorum let pass, and the errors by name."""

from __future__ import annotations

from kit.chain.abi import calldata
from kit.chain.rpc import hexed
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.world import ACCEPTED, CERTIFIED_FROM, DAILY, DAY, FUNDS, MERCHANT, NOTICE_FROM, USD, World

pytestmark = admits(Stolen.EVERYBODY)


def test_the_set_on_chain_is_what_the_file_states(guarded: World) -> None:
    assert guarded.circle.verify() == []


def test_an_uncertified_transfer_inside_the_bucket_passes(guarded: World) -> None:
    assert guarded.execute(guarded.transfer(MERCHANT.address, 100 * USD)) == ACCEPTED
    assert guarded.balance(MERCHANT.address) == 100 * USD
    assert guarded.balance(guarded.safe) == FUNDS - 100 * USD


def test_above_the_limit_a_certificate_of_three_of_four_is_needed_and_counts_once(guarded: World) -> None:
    transfer = guarded.transfer(MERCHANT.address, 20_000 * USD)
    assert guarded.execute(transfer) == "CertificateNeeded"
    tail = guarded.tail(transfer)
    assert guarded.execute(transfer, guarded.tail(transfer, [0, 1])) == "BelowQuorum"
    assert guarded.execute(transfer, tail) == ACCEPTED
    assert guarded.balance(MERCHANT.address) == 20_000 * USD
    # The same signatures again meet another nonce; a fresh order of the owners with the old certificate another hash.
    assert guarded.execute(transfer, tail) == "GS026"
    assert guarded.execute(guarded.transfer(MERCHANT.address, 20_000 * USD), tail) == "InvalidSignature"
    assert guarded.balance(MERCHANT.address) == 20_000 * USD


def test_the_bucket_bounds_what_leaves_uncertified(guarded: World) -> None:
    assert guarded.execute(guarded.transfer(MERCHANT.address, CERTIFIED_FROM - 1)) == ACCEPTED
    assert guarded.execute(guarded.transfer(MERCHANT.address, CERTIFIED_FROM - 1)) == "BucketExceeded"
    guarded.later(DAY)
    assert guarded.execute(guarded.transfer(MERCHANT.address, CERTIFIED_FROM - 1)) == ACCEPTED
    assert guarded.balance(MERCHANT.address) == 2 * (CERTIFIED_FROM - 1) <= DAILY


def test_the_largest_are_announced_a_day_before(guarded: World) -> None:
    transfer = guarded.transfer(MERCHANT.address, NOTICE_FROM)
    assert guarded.execute(transfer, guarded.tail(transfer)) == "NotAnnounced"
    # The announcement takes a nonce itself, so what is announced has the next one.
    guard = guarded.at("TransferGuard")
    coming = type(transfer)(transfer.to, 0, transfer.data, transfer.nonce + 1)
    safe_tx_hash = coming.hash(guarded.committee.domain.chain_id, guarded.safe)
    announce = type(transfer)(guard, 0, calldata("announce(bytes32)", safe_tx_hash), transfer.nonce)
    assert guarded.execute(announce) == ACCEPTED
    assert guarded.execute(coming, guarded.tail(coming)) == "NoticeRunning"
    guarded.later(DAY)
    assert guarded.execute(coming, guarded.tail(coming)) == ACCEPTED
    assert guarded.balance(MERCHANT.address) == NOTICE_FROM
    assert hexed(guarded.safe) in guarded.anvil.request("eth_getLogs", {"fromBlock": "0x0", "address": hexed(guard)})[
        0
    ]["topics"][1].replace("000000000000000000000000", "")
