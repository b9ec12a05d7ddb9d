"""Safes that are not what they look like: made elsewhere, made first by the thief, or set up again."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import decode

from kit.chain.abi import calldata, signature_of
from kit.chain.addresses import SAFE_SINGLETON
from kit.chain.rpc import hexed
from tests.system.theft import acts
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.world import (
    ACCEPTED,
    MERCHANT,
    NO_REASON,
    SETUP,
    THIEF,
    TOKEN,
    USD,
    World,
    mint,
    plan_type,
    safe_plan,
)
from verification.multisig import SafeTransaction

HUNDRED = 100 * USD
NOBODY = hexed(bytes(20))
pytestmark = admits(Stolen.NOTHING)


# The factory


def made(world: World, plan: tuple[Any, ...]) -> bytes:
    answer = world.anvil.call(
        hexed(world.at("GuardedSafeFactory")), calldata(f"addressOf({plan_type(world.artifacts)})", plan)
    )
    return bytes.fromhex(decode(["address"], answer)[0][2:])


def create(world: World, plan: tuple[Any, ...], thief: bool) -> str:
    data = calldata(f"create({plan_type(world.artifacts)})", plan)
    return world.send(world.at("GuardedSafeFactory"), data, *((THIEF,) if thief else ()))


def test_whoever_sends_the_plan_first_makes_the_safe_that_its_author_wanted(guarded: World) -> None:
    plan = safe_plan(guarded.committee, salt=11)
    safe = made(guarded, plan)
    mint(guarded.anvil, TOKEN, safe)  # sent ahead, as to any address that is known before
    assert create(guarded, plan, thief=True) == ACCEPTED
    code = guarded.anvil.code(hexed(safe))
    assert create(guarded, plan, thief=False) == ACCEPTED  # the same again: nothing happens
    assert guarded.anvil.code(hexed(safe)) == code
    owners = decode(["address[]"], guarded.anvil.call(hexed(safe), calldata("getOwners()")))[0]
    assert list(owners) == plan[0]
    transfer = SafeTransaction(TOKEN, 0, guarded.transfer(MERCHANT.address, HUNDRED).data, 0)
    with guarded.moves(also={"made": safe}, merchant=HUNDRED, made=-HUNDRED):
        assert guarded.execute(transfer, safe=safe) == ACCEPTED


@pytest.mark.parametrize("field", [0, 1, 2, 4], ids=["owners", "threshold", "group", "limits"])
def test_another_plan_has_another_address(guarded: World, field: int) -> None:
    """So a thief's Safe with the same salt never stands where the victim's should."""
    plan = safe_plan(guarded.committee, salt=11)
    others = {0: [hexed(THIEF.address)], 1: 1, 2: guarded.group, 4: [(2**96 - 1,) * 3]}
    his = tuple(others[place] if place == field else value for place, value in enumerate(plan))
    assert made(guarded, his) != made(guarded, plan)
    if field == 2:
        with guarded.moves():
            assert create(guarded, his, thief=True) == "LimitsOfAnotherGroup"


def public_proxy(world: World, salt: int = 0) -> tuple[bytes, bytes]:
    """The public factory's Safe of the same owners, with our guards and modules: the factory and the Safe."""
    factory = world.create(world.artifacts.safe_creation("proxies/SafeProxyFactory"))
    setup = world.anvil.call(hexed(world.at("GuardedSafeFactory")), calldata("setup()"))[12:]
    initializer = calldata(
        SETUP,
        [hexed(owner.address) for owner in world.committee.owners],
        world.committee.owner_threshold,
        hexed(setup),
        calldata("install()"),
        NOBODY,
        NOBODY,
        0,
        NOBODY,
    )
    data = calldata("createProxyWithNonce(address,bytes,uint256)", SAFE_SINGLETON, initializer, salt)
    safe = world.anvil.call(hexed(factory), data)[12:]
    assert world.send(factory, data, THIEF) == ACCEPTED
    return factory, safe


def test_a_safe_of_the_public_factory_looks_the_same_and_is_none_of_ours(guarded: World) -> None:
    _, safe = public_proxy(guarded)
    assert safe != guarded.safe
    mint(guarded.anvil, TOKEN, safe)
    guard = guarded.at("TransferGuard")
    signature = signature_of(guarded.artifacts, "TransferGuard", "function", "register")
    register = calldata(signature, hexed(safe), bytes(32), [], [])
    with guarded.moves(also={"counterfeit": safe}):
        for sender in (THIEF, guarded.committee.owners[0]):
            assert guarded.send(guard, register, sender) == "OnlyFactory"
        transfer = SafeTransaction(TOKEN, 0, guarded.transfer(MERCHANT.address, HUNDRED).data, 0)
        assert guarded.execute(transfer, safe=safe) == "NotRegistered"
        assert guarded.execute(transfer, guarded.tail(transfer, safe=safe), safe=safe) == "NotRegistered"
        admit = calldata("admit(address)", hexed(safe))
        assert guarded.execute(SafeTransaction(guard, 0, admit, guarded.nonce())) == "NotRegistered"
        assert acts.pause_by_guardians(guarded) == ACCEPTED
        assert acts.evacuate_by_guardians(guarded, safe=safe) == "NotRegistered"


def test_nobody_sets_up_the_singleton_or_a_safe_again(guarded: World) -> None:
    singleton = bytes.fromhex(SAFE_SINGLETON[2:])
    setup = calldata(SETUP, [hexed(THIEF.address)], 1, NOBODY, b"", NOBODY, NOBODY, 0, NOBODY)
    with guarded.moves():
        assert guarded.send(singleton, setup, THIEF) == "GS200"
        assert guarded.send(guarded.safe, setup, THIEF) == "GS200"
        install = guarded.anvil.call(hexed(guarded.at("GuardedSafeFactory")), calldata("setup()"))[12:]
        assert guarded.send(install, calldata("install()"), THIEF) == NO_REASON
