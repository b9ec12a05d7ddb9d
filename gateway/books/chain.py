"""The book against the chain at one block: what later blocks did to the book is taken off first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.books.ledger import Difference, Ledger
from gateway.channels import fold
from gateway.channels import logs as wire
from gateway.channels.escrow import Escrow
from gateway.x402 import abi
from kit.chain.rpc import Log, Rpc


@dataclass(slots=True)
class Later:
    """Sums of what blocks above the compared one did: by channel, and settled by (receiver, token)."""

    credited: dict[bytes, int] = field(default_factory=lambda: defaultdict(int))
    claimed: dict[bytes, int] = field(default_factory=lambda: defaultdict(int))
    settled: dict[tuple[bytes, bytes], int] = field(default_factory=lambda: defaultdict(int))


@dataclass(frozen=True, slots=True)
class ChainTotals:
    """Figures of one token in the escrow, in smallest units; `foreign` belongs to channels that are not ours."""

    token: bytes
    asset_id: int
    channels: int
    balance: int
    claimed: int
    settled: int
    held: int
    foreign: int


def later_than(logs: Iterable[Log], escrow: bytes) -> Later:
    """Fold the effects of logs above the compared block."""
    later = Later()
    for log in logs:
        if log.address != escrow or log.topics[0] == wire.CHANNEL_CREATED:
            continue
        if log.topics[0] == wire.SETTLED:
            settled = wire.receiver_settled(log)
            later.settled[settled.receiver, settled.token] += settled.amount
            continue
        match wire.channel_event(log, 0):
            case fold.Deposited(amount):
                later.credited[log.topics[1]] += amount
            case fold.Refunded(amount) | fold.WithdrawFinalized(amount):
                later.credited[log.topics[1]] -= amount
            case fold.Claimed(amount):
                later.claimed[log.topics[1]] += amount
            case _:
                pass
    return later


def compare(
    ledger: Ledger, later: Later, rpc: Rpc, escrow: Escrow, number: int
) -> tuple[list[Difference], list[ChainTotals]]:
    """Every difference between the book and block `number`. Raises RpcError."""
    differences: list[Difference] = []
    calls = [(escrow.escrow, abi.channels(row.channel_id)) for row in ledger.channels]
    onchain = [abi.read_pair(answer) for answer in rpc.call_many(calls, at=number)]
    claimed_by: dict[tuple[int, bytes, bytes, int], int] = defaultdict(int)
    sums: dict[tuple[bytes, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row, (balance, claimed) in zip(ledger.channels, onchain, strict=True):
        where = f"channel 0x{row.channel_id.hex()}"
        # A deposit that is not deep enough is in the chain's balance, and among the later logs if it is later.
        in_book = int(row.credited) + int(row.pending) - later.credited[row.channel_id]
        _expect(differences, where, "balance at the block", balance, in_book)
        _expect(
            differences, where, "totalClaimed at the block", claimed, int(row.claimed) - later.claimed[row.channel_id]
        )
        claimed_by[row.merchant_id, row.receiver, row.token, row.asset_id] += claimed
        total = sums[row.token, row.asset_id]
        total[0], total[1], total[2] = total[0] + 1, total[1] + balance, total[2] + claimed
    settled = _receivers(differences, ledger, later, rpc, escrow, claimed_by, number)
    totals = [
        _escrowed(differences, ledger, later, rpc, escrow, key, sums[key], settled[key], number)
        for key in sorted(sums)
    ]
    return differences, totals


def _receivers(
    differences: list[Difference],
    ledger: Ledger,
    later: Later,
    rpc: Rpc,
    escrow: Escrow,
    claimed_by: dict[tuple[int, bytes, bytes, int], int],
    number: int,
) -> dict[tuple[bytes, int], int]:
    """Each receiver's totals; the sum settled of each token."""
    settled_of: dict[tuple[bytes, int], int] = defaultdict(int)
    keys = sorted(claimed_by)
    answers = rpc.call_many([(escrow.escrow, abi.receivers(key[1], key[2])) for key in keys], at=number)
    for (merchant_id, receiver, token, asset_id), answer in zip(keys, answers, strict=True):
        total_claimed, total_settled = abi.read_pair(answer)
        where = f"merchant {merchant_id} receiver 0x{receiver.hex()} token 0x{token.hex()}"
        ours = claimed_by[merchant_id, receiver, token, asset_id]
        _expect(differences, where, "totalClaimed of the receiver", total_claimed, ours)
        reference = "0x" + receiver.hex()
        booked = ledger.account(merchant_id, "settled", reference, asset_id) - later.settled[receiver, token]
        _expect(differences, where, "totalSettled of the receiver", total_settled, booked)
        mirrored = sum(
            int(row.settled)
            for row in ledger.channels
            if (row.merchant_id, row.receiver, row.token) == (merchant_id, receiver, token)
        )
        _expect(
            differences, where, "settled of its channels", total_settled, mirrored - later.settled[receiver, token]
        )
        in_escrow = ledger.account(merchant_id, "claimed", reference, asset_id)
        still = in_escrow - _later_claimed(ledger, later, receiver, token) + later.settled[receiver, token]
        _expect(differences, where, "claimed and not settled", total_claimed - total_settled, still)
        settled_of[token, asset_id] += total_settled
    return settled_of


def _later_claimed(ledger: Ledger, later: Later, receiver: bytes, token: bytes) -> int:
    return sum(
        later.claimed[row.channel_id] for row in ledger.channels if (row.receiver, row.token) == (receiver, token)
    )


def _escrowed(
    differences: list[Difference],
    ledger: Ledger,
    later: Later,
    rpc: Rpc,
    escrow: Escrow,
    key: tuple[bytes, int],
    sums: list[int],
    settled: int,
    number: int,
) -> ChainTotals:
    """The escrow account of a token against what the chain holds for our channels, and against its token balance."""
    token, asset_id = key
    count, balance, claimed = sums
    booked = -sum(
        legs
        for (_, kind, reference, asset), legs in ledger.by_kind.items()
        if (kind, reference, asset) == ("escrow", escrow.reference, asset_id)
    )
    of_token = [row.channel_id for row in ledger.channels if row.token == token]
    # Deposits that wait for depth are not in the ledger, but the chain has them.
    pending = sum(int(row.pending) for row in ledger.channels if row.token == token)
    after = sum(later.credited[channel] for channel in of_token) - sum(
        amount for (_, of), amount in later.settled.items() if of == token
    )
    where = f"escrow {escrow.reference} token 0x{token.hex()}"
    _expect(differences, where, "held for our channels", balance - settled, booked + pending - after)
    held = abi.read_uint(rpc.call(token, abi.balance_of(escrow.escrow), at=number))
    foreign = held - (balance - settled)
    if foreign < 0:
        differences.append(Difference(where, "token balance covers our channels", balance - settled, held))
    return ChainTotals(token, asset_id, count, balance, claimed, settled, held, foreign)


def _expect(differences: list[Difference], where: str, what: str, expected: int, found: int) -> None:
    if expected != found:
        differences.append(Difference(where, what, expected, found))
