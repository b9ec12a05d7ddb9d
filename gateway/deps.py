"""What the routes share: one Gateway object a process, and the caller of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from psycopg_pool import ConnectionPool

from gateway.merchants.keys import Caller, find_caller, read_bearer
from gateway.payments.capture import Captures
from gateway.payments.facts import Facts
from gateway.settings import Settings
from verification.signatures.eip712 import Domain


@dataclass(frozen=True, slots=True)
class Contracts:
    """Where the contracts stand, as `lockgate contracts deploy` wrote it. Addresses are 20 bytes."""

    chain_id: int
    escrow: bytes
    token: bytes
    token_name: str
    token_version: str
    token_decimals: int
    receiver_authorizer: bytes
    erc3009_collector: bytes
    multicall3: bytes


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything one API process holds."""

    settings: Settings
    contracts: Contracts
    domain: Domain
    pool: ConnectionPool
    facts: Facts
    captures: Captures


def gateway_of(request: Request) -> Gateway:
    gateway = request.app.state.gateway
    assert isinstance(gateway, Gateway)
    return gateway


def authenticated(request: Request, gateway: Annotated[Gateway, Depends(gateway_of)]) -> Caller:
    """The merchant behind the request; asked of the database, so that a revocation holds at once."""
    key_hash = read_bearer(request.headers.get("authorization"))
    with gateway.pool.connection() as connection:
        return find_caller(connection, key_hash)
