"""What the parties of the protocol send, honest or not. Each answers ACCEPTED or the error's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kit.chain.abi import calldata
from kit.chain.rpc import hexed
from tests.support.committee import Account
from tests.system.theft.world import ACCEPTED, DAY, MERCHANT, TOKEN, World
from verification.multisig import SafeTransaction
from verification.signatures.messages import (
    FOREVER,
    Cancel,
    Evacuate,
    Exit,
    Govern,
    Parameter,
    Pause,
    Rearm,
    Return,
    Unpause,
    govern_key,
    members_hash,
)

GATEWAY = Account("the gateway's payout key")
SENTINEL_PAUSE = DAY // 4
EXIT_DELAY = 14 * DAY
WINDOW = 7 * DAY
CHANGE_DELAY = 2 * DAY
GUARDIANS_DELAY = 14 * DAY
SLACK = 60
"""Seconds beyond a delay, for blocks that are mined meanwhile."""


# Brake and vault


def pause(world: World, pause_id: int = 1, until: int | None = None, sentinel: Account | None = None) -> str:
    """By the sentinel, almost as long as it may."""
    key = sentinel or world.committee.sentinel
    order = Pause(pause_id, world.now() + SENTINEL_PAUSE - SLACK if until is None else until)
    data = calldata(
        "pauseBySentinel(address,uint64,uint64,bytes)",
        hexed(key.address),
        pause_id,
        order.until,
        key.sign(world.committee.digest(order)),
    )
    return world.send(world.at("EmergencyBrake"), data)


def pause_by_guardians(world: World, pause_id: int = 1, count: int | None = None) -> str:
    signatures = world.committee.guardian_signatures(Pause(pause_id, FOREVER), count)
    return world.send(world.at("EmergencyBrake"), calldata("pauseByGuardians(uint64,bytes)", pause_id, signatures))


def rearm(world: World, sentinel: Account, expires: int, count: int | None = None) -> str:
    order = Rearm(sentinel.address, expires)
    signatures = world.committee.guardian_signatures(order, count)
    data = calldata("rearm(address,uint64,bytes)", hexed(sentinel.address), expires, signatures)
    return world.send(world.at("EmergencyBrake"), data)


def unpause(world: World, order: Unpause, signers: Sequence[int] | None = None) -> str:
    """The validators' part."""
    values = (order.pause_id, order.epoch, order.valid_until, order.facts_hash)
    data = calldata(
        "proposeUnpause((uint64,uint64,uint64,bytes32),bytes)",
        values,
        world.committee.quorum_signature(order, signers),
    )
    return world.send(world.at("EmergencyBrake"), data)


def consent_unpause(world: World, order: Unpause, count: int | None = None) -> str:
    values = (order.pause_id, order.epoch, order.valid_until, order.facts_hash)
    signatures = world.committee.guardian_signatures(order, count)
    data = calldata("consentUnpause((uint64,uint64,uint64,bytes32),bytes)", values, signatures)
    return world.send(world.at("EmergencyBrake"), data)


def end_pause(world: World, pause_id: int = 1) -> str:
    return world.send(world.at("EmergencyBrake"), calldata("unpause(uint64)", pause_id))


def evacuation(
    world: World, pause_id: int = 1, signers: Sequence[int] | None = None, epoch: int = 1, token: bytes = TOKEN
) -> bytes:
    order = Evacuate(pause_id, epoch, world.safe, token)
    values = (pause_id, epoch, hexed(world.safe), hexed(token), world.committee.quorum_signature(order, signers))
    return calldata("evacuate(uint64,uint64,address,address,bytes)", *values)


def evacuate(
    world: World, pause_id: int = 1, signers: Sequence[int] | None = None, epoch: int = 1, token: bytes = TOKEN
) -> str:
    return world.send(world.at("Evacuator"), evacuation(world, pause_id, signers, epoch, token))


def evacuate_by_guardians(
    world: World, pause_id: int = 1, count: int | None = None, safe: bytes | None = None, epoch: int = 1
) -> str:
    target = safe or world.safe
    signatures = world.committee.guardian_signatures(Evacuate(pause_id, epoch, target, TOKEN), count)
    signature = "evacuateByGuardians(uint64,uint64,address,address,bytes)"
    data = calldata(signature, pause_id, epoch, hexed(target), hexed(TOKEN), signatures)
    return world.send(world.at("Evacuator"), data)


def return_(world: World, order: Return, signers: Sequence[int] | None = None, owners: int | None = None) -> str:
    """Validators and the vault's owners."""
    values = (order.return_id, order.epoch, hexed(order.safe), hexed(order.token), order.amount)
    data = calldata(
        "scheduleReturn((uint64,uint64,address,address,uint256),bytes,bytes)",
        values,
        world.committee.quorum_signature(order, signers),
        world.committee.vault_signatures(order, owners),
    )
    return world.send(world.at("ColdVault"), data)


def execute_return(world: World, return_id: int = 1) -> str:
    return world.send(world.at("ColdVault"), calldata("executeReturn(uint64)", return_id))


# Governor


@dataclass(frozen=True)
class Change:
    """A parameter of a group (and of the token, where it is a limit) and its new value."""

    parameter: Parameter
    value: int
    group: bytes

    @property
    def token(self) -> bytes:
        return TOKEN if self.parameter <= Parameter.NOTICE_FROM else bytes(20)

    def message(self, world: World, govern_id: int = 1, delay: int = CHANGE_DELAY) -> Govern:
        key = govern_key(self.parameter, self.group, self.token)
        value = self.value.to_bytes(32, "big")
        return Govern(govern_id, world.committee.epoch, key, value, world.now() + delay + SLACK)


def schedule(world: World, change: Change, order: Govern, signers: Sequence[int] | None = None) -> str:
    data = calldata(
        "schedule((uint64,uint64,bytes32,bytes32,uint64),(uint8,bytes32,address),bytes)",
        (order.govern_id, order.epoch, order.key, order.value, order.not_before),
        (int(change.parameter), change.group, hexed(change.token)),
        world.committee.quorum_signature(order, signers),
    )
    return world.send(world.at("Governor"), data)


def schedule_guardians(world: World, theirs: Sequence[Account], signers: Sequence[int]) -> str:
    """Other guardians, two of whom must sign, as the first change: to be executed after GUARDIANS_DELAY."""
    value = members_hash([each.address for each in theirs], 2)
    not_before = world.now() + GUARDIANS_DELAY + SLACK
    order = Govern(1, world.committee.epoch, govern_key(Parameter.GUARDIANS), value, not_before)
    return schedule(world, Change(Parameter.GUARDIANS, int.from_bytes(value, "big"), bytes(32)), order, signers)


def acceptance(world: World, order: Govern) -> SafeTransaction:
    data = calldata("accept(uint64,bytes32)", order.govern_id, world.committee.digest(order))
    return SafeTransaction(world.at("TransferGuard"), 0, data, world.nonce())


def execute_change(world: World, govern_id: int = 1) -> str:
    return world.send(world.at("Governor"), calldata("execute(uint64)", govern_id))


def govern(world: World, change: Change, govern_id: int = 1) -> None:
    """The whole way, with everybody's consent."""
    order = change.message(world, govern_id)
    assert schedule(world, change, order) == ACCEPTED
    assert world.execute(acceptance(world, order)) == ACCEPTED
    world.later(CHANGE_DELAY + 2 * SLACK)
    assert execute_change(world, govern_id) == ACCEPTED


# Payouts


def open_payouts(world: World, key: bytes = GATEWAY.address, payee: bytes = MERCHANT.address) -> None:
    """The group has a payout key, and the payee may be paid."""
    govern(world, Change(Parameter.PAYOUT_KEY, int.from_bytes(key, "big"), world.group))
    assert world.by_owners(world.at("PayoutModule"), "register(address)", hexed(payee)) == ACCEPTED
    world.later(DAY + SLACK)


def payment(world: World, number: int, amount: int, to: bytes = MERCHANT.address, token: bytes = TOKEN) -> bytes:
    signature = "payout(address,bytes32,address,address,uint256)"
    return calldata(signature, hexed(world.safe), number.to_bytes(32, "big"), hexed(token), hexed(to), amount)


def pay_out(
    world: World,
    number: int,
    amount: int,
    to: bytes = MERCHANT.address,
    key: Account = GATEWAY,
    token: bytes = TOKEN,
) -> str:
    return world.send(world.at("PayoutModule"), payment(world, number, amount, to, token), key)


def void(world: World, number: int, key: Account = GATEWAY) -> str:
    data = calldata("void(address,bytes32)", hexed(world.safe), number.to_bytes(32, "big"))
    return world.send(world.at("PayoutModule"), data, key)


# Exit


def schedule_exit(world: World) -> int:
    """By the owners; the action's id."""
    guard = world.at("TransferGuard")
    assert world.by_owners(guard, "scheduleExit()") == ACCEPTED
    return int.from_bytes(world.anvil.call(hexed(guard), calldata("exitOf(address)", hexed(world.safe))), "big")


def consent_exit(world: World, action_id: int, count: int | None = None, safe: bytes | None = None) -> str:
    target = safe or world.safe
    signatures = world.committee.guardian_signatures(Exit(action_id, target), count)
    data = calldata("consentExit(uint64,address,bytes)", action_id, hexed(target), signatures)
    return world.send(world.at("TransferGuard"), data)


def leave(world: World, guard: bytes = bytes(20)) -> str:
    return world.by_owners(world.safe, "setGuard(address)", hexed(guard))


def cancel(world: World, action_id: int, signers: Sequence[int] | None = None) -> str:
    """By the validators, whatever waits."""
    signature = world.committee.quorum_signature(Cancel(action_id, world.committee.epoch), signers)
    return world.send(
        world.at("Actions"), calldata("cancel(uint64,uint64,bytes)", action_id, world.committee.epoch, signature)
    )


# Reorganisations


def drop_last_block(world: World) -> None:
    """The chain's last block is replaced by an empty one: what it held has not happened, and may be sent again."""
    world.anvil.request("anvil_reorg", 1, [])
