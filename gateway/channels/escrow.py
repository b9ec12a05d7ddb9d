"""The one escrow that this book follows, as the database has it, so that every process means the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from kit.database.queries import load
from kit.ledger.book import open_asset
from verification.signatures.eip712 import Domain, escrow_domain

_QUERIES = load("gateway.channels")


class EscrowNotRegistered(Exception):
    """No escrow is registered: the gateway was never started against a chain."""


class EscrowChanged(Exception):
    """The book is of another escrow; its channels cannot be mixed with this one's."""


@dataclass(frozen=True, slots=True)
class Escrow:
    """`start_block`: no event lies below it. `confirmations`: 1 trusts a deposit as soon as it is included."""

    chain_id: int
    escrow: bytes
    start_block: int
    confirmations: int

    @property
    def domain(self) -> Domain:
        return escrow_domain(self.chain_id, self.escrow)

    @property
    def reference(self) -> str:
        """How accounts name it."""
        return "0x" + self.escrow.hex()


@dataclass(frozen=True, slots=True)
class ListedToken:
    """A token that the gateway takes."""

    address: bytes
    symbol: str
    decimals: int


def register_escrow(connection: psycopg.Connection[Any], escrow: Escrow, tokens: list[ListedToken]) -> None:
    """Name the escrow and the listed tokens of this book; at every start. Raises EscrowChanged."""
    facts = {
        "chain_id": escrow.chain_id,
        "escrow": escrow.escrow,
        "start_block": escrow.start_block,
        "confirmations": escrow.confirmations,
    }
    try:
        with connection.transaction():
            row = connection.execute(_QUERIES.sql("register_escrow"), facts).fetchone()
    except psycopg.errors.UniqueViolation as error:
        raise EscrowChanged("the book follows an escrow on another chain") from error
    if row is None or bytes(row[0]) != escrow.escrow:
        raise EscrowChanged(f"the book follows another escrow than 0x{escrow.escrow.hex()}")
    for token in tokens:
        open_asset(
            connection,
            chain_id=escrow.chain_id,
            address=token.address,
            symbol=token.symbol,
            decimals=token.decimals,
        )


def current_escrow(connection: psycopg.Connection[Any]) -> Escrow:
    """Raises EscrowNotRegistered."""
    found = connection.cursor(row_factory=class_row(Escrow)).execute(_QUERIES.sql("current_escrow")).fetchone()
    if found is None:
        raise EscrowNotRegistered("no escrow is registered in this database; start the worker once")
    return found
