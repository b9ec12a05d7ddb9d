"""Ledger transfers of chain events: which accounts move, under ids that follow from the log alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from kit.chain.rpc import Log
from kit.ledger.book import Leg, Transfer, open_account, post

# A writer of its own in every unfloored balance, beside the shards of the API's processes.
CHAIN_SHARD = 1000
TRANSFERS_A_POSTING = 5_000


def transfer_id(chain_id: int, log: Log, round_: int, step: str) -> UUID:
    """A UUIDv8 (RFC 9562) of chain, block, transaction, log, round and step: the same log posts the same once."""
    text = f"{chain_id}:{log.block_hash.hex()}:{log.tx_hash.hex()}:{log.log_index}:{round_}:{step}"
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
    return UUID(int=(number & ~(0xF << 76) & ~(0b11 << 62)) | (0x8 << 76) | (0b10 << 62))


@dataclass(slots=True)
class Postings:
    """Collects the transfers of one database transaction and posts them in one statement, in one lock order."""

    connection: psycopg.Connection[Any]
    _accounts: dict[tuple[int, str, str, int], int] = field(default_factory=dict)
    _transfers: list[Transfer] = field(default_factory=list)
    _channel_accounts: set[int] = field(default_factory=set)

    def account(self, merchant_id: int, kind: str, reference: str, asset_id: int) -> int:
        key = (merchant_id, kind, reference, asset_id)
        if key not in self._accounts:
            self._accounts[key] = open_account(self.connection, *key)
        return self._accounts[key]

    def holds_channel(self, account_id: int) -> None:
        """Say that channel_states is this account's balance."""
        self._channel_accounts.add(account_id)

    def move(
        self, merchant_id: int, asset_id: int, identifier: UUID, debited: int, credited: int, amount: int
    ) -> None:
        """`amount` from one account to another; a negative amount goes back, zero moves nothing."""
        if amount:
            legs = (Leg(debited, -amount), Leg(credited, amount))
            self._transfers.append(Transfer(merchant_id, identifier, asset_id, legs))

    def flush(self) -> None:
        for start in range(0, len(self._transfers), TRANSFERS_A_POSTING):
            post(
                self.connection,
                self._transfers[start : start + TRANSFERS_A_POSTING],
                shard=CHAIN_SHARD,
                held_elsewhere=self._channel_accounts,
            )
        self._transfers.clear()
