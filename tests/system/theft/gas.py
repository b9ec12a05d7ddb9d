"""What the guard adds to a plain Safe's transfer, by receipts: the recipient and the bucket were used before."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kit.chain.anvil import Anvil
from kit.chain.artifacts import Artifacts
from kit.chain.deploy import DEPLOYER as TOKEN_OWNER
from kit.chain.deploy import create_operator_safe
from tests.integration.contracts.conftest import plan
from tests.system.theft import world
from tests.system.theft.world import CERTIFIED_FROM, MERCHANT, RELAY, TOKEN, World, call, exec_transaction, hexed
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
    plain = _plain_safe(guarded)
    for safe in (plain, guarded.safe):
        _pay(guarded, safe, 1)
    return TransferGas(
        plain=_pay(guarded, plain, CERTIFIED_FROM),
        uncertified=_pay(guarded, guarded.safe, CERTIFIED_FROM - 1),
        certified=_pay(guarded, guarded.safe, CERTIFIED_FROM, certified=True),
    )


def _plain_safe(guarded: World) -> bytes:
    people = guarded.committee
    owners = tuple(hexed(owner.address) for owner in people.owners)
    safe, _ = create_operator_safe(guarded.anvil, replace(plan(), owners=owners, threshold=people.owner_threshold))
    guarded.anvil.wait_for("code of the plain Safe", lambda: guarded.anvil.code(safe))
    mint = call("mint(address,uint256)", safe, 10 * CERTIFIED_FROM)
    guarded.anvil.wait_mined(guarded.anvil.send_as(TOKEN_OWNER, hexed(TOKEN), mint))
    return bytes.fromhex(safe[2:])


def _pay(guarded: World, safe: bytes, amount: int, *, certified: bool = False) -> int:
    data = call("transfer(address,uint256)", hexed(MERCHANT.address), amount)
    nonce = int.from_bytes(guarded.anvil.call(hexed(safe), call("nonce()")), "big")
    transaction = SafeTransaction(TOKEN, 0, data, nonce)
    signatures = guarded.committee.owner_signatures(transaction.hash(guarded.committee.domain.chain_id, safe))
    if certified:
        signatures += guarded.tail(transaction)
    relay = hexed(RELAY.address)
    guarded.anvil.fund(relay, 10**20)
    sent = guarded.anvil.send_as(relay, hexed(safe), exec_transaction(transaction, signatures))
    guarded.anvil.wait_mined(sent)
    return int(guarded.anvil.request("eth_getTransactionReceipt", sent)["gasUsed"], 16)
