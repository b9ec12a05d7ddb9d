"""Tokens on the thief's side: hooks, fees, lies. The dollars stay, and nothing counts that did not happen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kit.chain.abi import calldata
from kit.chain.rpc import hexed
from tests.system.theft import acts
from tests.system.theft.admitted import Stolen, admits
from tests.system.theft.hostile import NATIVE, Hostile, Step
from tests.system.theft.world import (
    ACCEPTED,
    CERTIFIED_FROM,
    FUNDS,
    MERCHANT,
    NO_REASON,
    TOKEN,
    USD,
    World,
    exec_transaction,
)
from verification.multisig import SafeTransaction

HUNDRED = 100 * USD

OWNERS_SEE = {
    "Honest": ACCEPTED,
    "KeepsAFee": "BalanceMismatch",
    "TakesAFeeOnTop": "BalanceMismatch",
    "PaysABonus": "BalanceMismatch",
    "SaysFalse": "BalanceMismatch",
    "SaysTrue": "BalanceMismatch",
    "SaysNothing": "BalanceMismatch",
    "MovesAndSaysFalse": ACCEPTED,  # it moved exactly that; who reads the answer calls it a failure
    "MovesAndSaysNothing": ACCEPTED,
    "Reverts": "sulking",
}
THE_GATEWAY_SEES = {**OWNERS_SEE, "MovesAndSaysFalse": "TransferFailed", "Reverts": "CallFailed"}


@admits(Stolen.OWNERS)
@pytest.mark.parametrize("certified", [False, True])
@pytest.mark.parametrize(("mood", "answer"), OWNERS_SEE.items())
def test_a_transfer_moves_exactly_its_amount_or_nothing(
    trap: Hostile, mood: str, answer: str, certified: bool
) -> None:
    world = trap.world
    trap.turn(mood)
    transfer = world.transfer(MERCHANT.address, HUNDRED, trap.token)
    moved = HUNDRED if answer == ACCEPTED else 0
    with world.moves(trap.token, safe=-moved, merchant=moved), world.moves():
        assert world.execute(transfer, world.tail(transfer) if certified else b"") == answer


@admits(Stolen.GATEWAY)
@pytest.mark.parametrize(("mood", "answer"), THE_GATEWAY_SEES.items())
def test_a_payout_moves_exactly_its_amount_or_is_not_spent(trap: Hostile, mood: str, answer: str) -> None:
    world = trap.world
    acts.open_payouts(world)
    trap.turn(mood)
    moved = HUNDRED if answer == ACCEPTED else 0
    with world.moves(trap.token, safe=-moved, merchant=moved), world.moves():
        assert acts.pay_out(world, 1, HUNDRED, token=trap.token) == answer
    trap.turn("Honest")
    again = 0 if moved else HUNDRED
    with world.moves(trap.token, safe=-again, merchant=again), world.moves():
        assert acts.pay_out(world, 1, HUNDRED, token=trap.token) == ("PayoutUsed" if moved else ACCEPTED)


@admits(Stolen.OWNERS_AND_F)
@pytest.mark.parametrize(("code", "evacuating"), [("0x", "TokenHasNoCode"), ("0x00", NO_REASON)])
def test_a_token_without_code_or_with_code_that_only_stops(guarded: World, code: str, evacuating: str) -> None:
    """Its calls succeed, answer nothing and move nothing. The second has no balance that could be read."""
    empty = b"\x70" * 20
    guarded.anvil.request("anvil_setCode", hexed(empty), code)
    safe = guarded.another_safe(tokens=(TOKEN, empty), salt=2)
    transfer = SafeTransaction(empty, 0, calldata("transfer(address,uint256)", hexed(MERCHANT.address), HUNDRED), 0)
    with guarded.moves():
        assert guarded.execute(transfer, safe=safe) == "BalanceMismatch"
        assert guarded.execute(transfer, guarded.tail(transfer, safe=safe), safe=safe) == "BalanceMismatch"
        assert acts.pause(guarded) == ACCEPTED
        assert acts.evacuate(guarded, token=empty) == evacuating


# Hooks. The accomplice has standing and holds the payout key; owners signed a second transfer for it to slip in.


def second_transfer(trap: Hostile, certified: bool) -> SafeTransaction:
    """Of real dollars to the accomplice, with the nonce that is the Safe's during the first."""
    world = trap.world
    amount = CERTIFIED_FROM if certified else HUNDRED
    first = world.transfer(trap.accomplice, amount)
    return SafeTransaction(first.to, 0, first.data, first.nonce + 1)


def signed(trap: Hostile, certified: bool) -> bytes:
    world = trap.world
    transfer = second_transfer(trap, certified)
    owners = world.committee.owner_signatures(transfer.hash(world.committee.domain.chain_id, world.safe))
    return exec_transaction(transfer, owners + (world.tail(transfer) if certified else b""))


def module_call(trap: Hostile) -> bytes:
    inner = calldata("transfer(address,uint256)", hexed(trap.accomplice), FUNDS)
    return calldata("execTransactionFromModule(address,uint256,bytes,uint8)", hexed(TOKEN), 0, inner, 0)


def pretended_check(trap: Hostile) -> bytes:
    inner = calldata("transfer(address,uint256)", hexed(trap.accomplice), FUNDS)
    signature = "checkModuleTransaction(address,uint256,bytes,uint8,address)"
    return calldata(signature, hexed(TOKEN), 0, inner, 0, hexed(trap.world.at("Evacuator")))


REENTRIES: dict[str, tuple[Callable[[Hostile], Step], str]] = {
    "a second transfer": (lambda trap: (trap.world.safe, signed(trap, False)), "Locked"),
    "a certified one": (lambda trap: (trap.world.safe, signed(trap, True)), "Locked"),
    "a payout": (
        lambda trap: (trap.world.at("PayoutModule"), acts.payment(trap.world, 9, HUNDRED, trap.accomplice)),
        "Locked",
    ),
    "the guard's check after a call": (
        lambda trap: (trap.world.at("TransferGuard"), calldata("checkAfterExecution(bytes32,bool)", bytes(32), True)),
        "NotLocked",
    ),
    "its check after a module's": (
        lambda trap: (
            trap.world.at("TransferGuard"),
            calldata("checkAfterModuleExecution(bytes32,bool)", bytes(32), True),
        ),
        "NotLocked",
    ),
    "its check before a module's": (
        lambda trap: (trap.world.at("TransferGuard"), pretended_check(trap)),
        "NotRegistered",
    ),
    "a call as a module": (lambda trap: (trap.world.safe, module_call(trap)), "GS104"),
}


@admits(Stolen.OWNERS)
@pytest.mark.parametrize("name", REENTRIES)
def test_a_hook_enters_nothing_during_a_transfer(trap: Hostile, name: str) -> None:
    """ERC-777's hook of the sender runs before anything moved, that of the recipient after."""
    world = trap.world
    acts.open_payouts(world, trap.accomplice, trap.accomplice)
    make, answer = REENTRIES[name]
    for account in (world.safe, trap.accomplice):
        trap.hook(account, [make(trap)])
        with (
            world.moves(trap.token, {"accomplice": trap.accomplice}, safe=-HUNDRED, accomplice=HUNDRED),
            world.moves(also={"accomplice": trap.accomplice}),
        ):
            assert world.execute(world.transfer(trap.accomplice, HUNDRED, trap.token)) == ACCEPTED
    assert trap.outcomes() == [answer, answer]


@admits(Stolen.GATEWAY)
@pytest.mark.parametrize("name", REENTRIES)
def test_a_hook_enters_nothing_during_a_payout(trap: Hostile, name: str) -> None:
    world = trap.world
    acts.open_payouts(world, trap.accomplice, trap.accomplice)
    make, answer = REENTRIES[name]
    # A payout does not raise the Safe's nonce: what owners signed as the next is the current one.
    step = make(trap) if "transfer" not in name and "certified" not in name else as_current(trap, name)
    outer = (world.at("PayoutModule"), acts.payment(world, 1, HUNDRED, trap.accomplice, trap.token))
    trap.hook(trap.accomplice, [outer, step])
    with (
        world.moves(trap.token, {"accomplice": trap.accomplice}, safe=-HUNDRED, accomplice=HUNDRED),
        world.moves(also={"accomplice": trap.accomplice}),
    ):
        assert world.send(trap.accomplice, calldata("start()")) == ACCEPTED
    assert trap.outcomes() == [answer, ACCEPTED]


def as_current(trap: Hostile, name: str) -> Step:
    world = trap.world
    certified = name == "a certified one"
    transfer = world.transfer(trap.accomplice, CERTIFIED_FROM if certified else HUNDRED)
    owners = world.committee.owner_signatures(transfer.hash(world.committee.domain.chain_id, world.safe))
    return world.safe, exec_transaction(transfer, owners + (world.tail(transfer) if certified else b""))


@admits(Stolen.OWNERS)
@pytest.mark.parametrize("back", [True, False], ids=["a part back", "a part on"])
def test_a_hook_that_moves_the_token_itself_undoes_the_transfer(trap: Hostile, back: bool) -> None:
    world = trap.world
    elsewhere = world.safe if back else MERCHANT.address
    trap.hook(trap.accomplice, [(trap.token, calldata("transfer(address,uint256)", hexed(elsewhere), 1))])
    with world.moves(trap.token, {"accomplice": trap.accomplice}), world.moves():
        assert world.execute(world.transfer(trap.accomplice, HUNDRED, trap.token)) == "BalanceMismatch"


@admits(Stolen.SENTINEL)
def test_a_hook_enters_nothing_during_an_evacuation(trap: Hostile) -> None:
    """Neither the evacuation of the dollars inside that of the token, nor the same one twice."""
    world = trap.world
    assert acts.pause(world) == ACCEPTED
    steps = [
        (world.at("Evacuator"), acts.evacuation(world, token=TOKEN)),
        (world.at("Evacuator"), acts.evacuation(world, token=trap.token)),
    ]
    trap.hook(world.safe, steps)
    with world.moves(trap.token, safe=-FUNDS, vault=FUNDS), world.moves():
        assert acts.evacuate(world, token=trap.token) == ACCEPTED
    assert trap.outcomes() == ["Locked", "MessageUsed"]
    with world.moves(trap.token), world.moves(safe=-FUNDS, vault=FUNDS):
        assert acts.evacuate(world) == ACCEPTED


@admits(Stolen.EVERYBODY)
@pytest.mark.parametrize("certified", [False, True])
def test_native_currency_runs_its_recipients_code_under_the_same_lock(trap: Hostile, certified: bool) -> None:
    world = trap.world
    transfer = SafeTransaction(trap.accomplice, 1_000, b"", world.nonce())
    trap.plan([(world.safe, signed(trap, certified))])
    with world.moves(NATIVE, {"accomplice": trap.accomplice}), world.moves():
        assert world.execute(transfer) == "CertificateNeeded"
    with world.moves(NATIVE, {"accomplice": trap.accomplice}, safe=-1_000, accomplice=1_000):
        assert world.execute(transfer, world.tail(transfer)) == ACCEPTED
    assert world.balance(world.safe) == FUNDS
    assert trap.outcomes() == ["Locked"]
