"""What the guard adds to a plain Safe's transfer, by receipts: the recipient and the bucket were used before."""

from __future__ import annotations

from dataclasses import dataclass

from kit.chain.abi import calldata
from kit.chain.anvil import Anvil
from kit.chain.artifacts import Artifacts
from kit.chain.rpc import hexed
from tests.system.theft import world
from tests.system.theft.world import (
    CERTIFIED_FROM,
    MERCHANT,
    RELAY,
    TOKEN,
    World,
    exec_transaction,
    mined,
    mint,
    plain_safe,
)
from verification.multisig import SafeTransaction

MOST_UNCERTIFIED = 60_000
MOST_CERTIFIED = 260_000
VALIDATORS = 7


@dataclass(frozen=True, slots=True)
class TransferGas:
    plain: int
    uncertified: int
    certified: int


def transfer_gas(anvil: Anvil, artifacts: Artifacts) -> TransferGas:
    """gasUsed of one transfer by a plain and by a guarded Safe of the same owners, with and without a certificate."""
    guarded = world.build(anvil, artifacts, VALIDATORS)
    plain = plain_safe(guarded)
    mint(anvil, TOKEN, plain)
    for safe in (plain, guarded.safe):
        _pay(guarded, safe, 1)
    return TransferGas(
        plain=_pay(guarded, plain, CERTIFIED_FROM),
        uncertified=_pay(guarded, guarded.safe, CERTIFIED_FROM - 1),
        certified=_pay(guarded, guarded.safe, CERTIFIED_FROM, certified=True),
    )


def _pay(guarded: World, safe: bytes, amount: int, *, certified: bool = False) -> int:
    data = calldata("transfer(address,uint256)", hexed(MERCHANT.address), amount)
    nonce = int.from_bytes(guarded.anvil.call(hexed(safe), calldata("nonce()")), "big")
    transaction = SafeTransaction(TOKEN, 0, data, nonce)
    signatures = guarded.committee.owner_signatures(transaction.hash(guarded.committee.domain.chain_id, safe))
    if certified:
        signatures += guarded.tail(transaction)
    call = {"from": hexed(RELAY.address), "to": hexed(safe), "data": hexed(exec_transaction(transaction, signatures))}
    receipt = mined(guarded.anvil, call)
    assert receipt["status"] == "0x1"
    return int(receipt["gasUsed"], 16)
