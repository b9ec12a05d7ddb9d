"""What leaves uncertified: in any 24 hours at most L, whoever of the group fills the bucket, and nobody else does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kit.chain.abi import calldata
from kit.chain.rpc import hexed
from tests.support.committee import accounts
from tests.system.theft import acts
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.world import ACCEPTED, CERTIFIED_FROM, DAILY, DAY, FUNDS, MERCHANT, TOKEN, USD, World, mint
from verification.multisig import SafeTransaction

STEP = 2_400
WINDOW = DAY
HOURS_48 = 2 * DAY


def room(world: World, group: bytes | None = None) -> int:
    data = calldata("room(bytes32,address)", group or world.group, hexed(TOKEN))
    return int.from_bytes(world.anvil.call(hexed(world.at("TransferGuard")), data), "big")


def second_member(world: World) -> World:
    """Another Safe of the same owners in the same group, with as much money."""
    safe = world.another_safe(group=world.group, salt=3)
    assert world.by_owners(world.at("TransferGuard"), "admit(address)", hexed(safe)) == ACCEPTED
    mint(world.anvil, TOKEN, safe)
    return replace(world, safe=safe)


def largest_outflow(outflows: list[tuple[int, int]]) -> int:
    """Of any 24 hours; it begins with an outflow."""
    return max(sum(amount for time, amount in outflows if start <= time < start + WINDOW) for start, _ in outflows)


@admits(Stolen.OWNERS)
def test_two_days_of_splitting_move_at_most_the_bucket(guarded: World) -> None:
    """Owners and the gateway of two Safes of a group, by turns, every forty minutes as much as passes."""
    acts.open_payouts(guarded)
    guarded.grant_standing(MERCHANT.address, 2)
    other = second_member(guarded)
    start = guarded.now()
    outflows: list[tuple[int, int]] = []
    number = 0
    before = guarded.balance(MERCHANT.address)
    while guarded.now() < start + HOURS_48:
        number += 1
        amount = min(room(guarded), CERTIFIED_FROM - 1)
        world = guarded if number % 2 else other
        if number % 3:
            answer = world.execute(world.transfer(MERCHANT.address, amount))
        else:
            data = acts.payment(guarded, number, amount)
            answer = guarded.send(guarded.at("PayoutModule"), data, acts.GATEWAY)
        assert answer == ACCEPTED
        outflows.append((guarded.now(), amount))
        over = room(guarded) + DAILY * 60 // HOURS_48  # more than drains until it is mined
        assert guarded.execute(guarded.transfer(MERCHANT.address, over)) == "BucketExceeded"
        guarded.later(STEP)
    moved = sum(amount for _, amount in outflows)
    assert guarded.balance(MERCHANT.address) - before == moved
    assert guarded.balance(guarded.safe) + guarded.balance(other.safe) == 2 * FUNDS - moved
    # It fills L / 2 at once and drains as much a day.
    assert DAILY * 97 // 100 < largest_outflow(outflows) <= DAILY
    assert moved <= DAILY // 2 + DAILY


@admits(Stolen.OWNERS)
def test_splitting_inside_one_block_time_gets_no_more(guarded: World) -> None:
    """As many transfers as the bucket holds, at once; the next is refused to the unit."""
    with guarded.moves(safe=-DAILY // 2, merchant=DAILY // 2):
        start = guarded.now()
        for _ in range(5):
            assert guarded.execute(guarded.transfer(MERCHANT.address, DAILY // 10)) == ACCEPTED
        refilled = DAILY * (guarded.now() + 60 - start) // HOURS_48
        assert guarded.execute(guarded.transfer(MERCHANT.address, refilled + 1)) == "BucketExceeded"


@admits(Stolen.OWNERS)
@pytest.mark.parametrize("signers", [[0], [0, 1]])
def test_a_refused_certificate_does_not_fall_back_to_the_bucket_nor_fill_it(
    guarded: World, signers: list[int]
) -> None:
    transfer = guarded.transfer(MERCHANT.address, 100 * USD)
    before = room(guarded)
    with guarded.moves():
        assert guarded.execute(transfer, guarded.tail(transfer, signers)) == "BelowQuorum"
    assert room(guarded) == before


# A stranger's Safe, of his own owners


def stranger(world: World, group: bytes) -> World:
    """His owners, his Safe, his money."""
    his = replace(world.committee, owners=accounts("stranger", 3))
    safe = world.another_safe(group, salt=5, committee=his)
    mint(world.anvil, TOKEN, safe)
    return replace(world, committee=his, safe=safe)


@admits(Stolen.NOTHING)
def test_a_strangers_safe_cannot_fill_the_victims_bucket(guarded: World) -> None:
    """It names the victim's group, but until a member admits it, it waits in one in which nothing is listed."""
    his = stranger(guarded, guarded.group)
    guard = guarded.at("TransferGuard")
    before = room(guarded)
    with guarded.moves(also={"his safe": his.safe}):
        for amount in (0, 1, 100 * USD):
            assert his.execute(his.transfer(MERCHANT.address, amount)) == "TokenNotListed"
        certified = his.transfer(MERCHANT.address, 100 * USD)
        assert his.execute(certified, his.tail(certified)) == "TokenNotListed"
        assert his.by_owners(guard, "admit(address)", hexed(his.safe)) == "AlreadyAdmitted"
        assert his.by_owners(guard, "admit(address)", hexed(guarded.safe)) == "NotWanted"
        assert guarded.send(guard, calldata("admit(address)", hexed(his.safe))) == "OnlySafe"
    assert room(guarded) == before == DAILY // 2
    with guarded.moves(safe=-100 * USD, merchant=100 * USD):
        assert guarded.execute(guarded.transfer(MERCHANT.address, 100 * USD)) == ACCEPTED


@admits(Stolen.NOTHING)
def test_a_stranger_with_a_group_of_his_own_has_a_bucket_of_his_own(guarded: World) -> None:
    his = stranger(guarded, bytes(32))
    before = room(guarded)
    with guarded.moves(also={"his": his.safe}, merchant=CERTIFIED_FROM - 1, his=1 - CERTIFIED_FROM):
        assert his.execute(his.transfer(MERCHANT.address, CERTIFIED_FROM - 1)) == ACCEPTED
    assert room(guarded) == before == DAILY // 2
    # Nor can a member of another group take the victim's Safe into that one.
    assert his.by_owners(his.at("TransferGuard"), "admit(address)", hexed(guarded.safe)) == "NotWanted"


@admits(Stolen.OWNERS)
def test_the_same_owners_signatures_serve_one_safe_of_the_group_only(guarded: World) -> None:
    other = second_member(guarded)
    transfer = SafeTransaction(TOKEN, 0, guarded.transfer(MERCHANT.address, 100 * USD).data, other.nonce())
    chain_id = guarded.committee.domain.chain_id
    signatures = guarded.committee.owner_signatures(transfer.hash(chain_id, guarded.safe))
    with guarded.moves(also={"other": other.safe}):
        assert other.execute(transfer, signatures=signatures) == "GS026"
        # And a certificate names its Safe.
        certified = SafeTransaction(TOKEN, 0, guarded.transfer(MERCHANT.address, CERTIFIED_FROM).data, other.nonce())
        assert other.execute(certified, other.tail(certified, safe=guarded.safe)) == "InvalidSignature"
