"""What the tasks of one worker process hold: pool, node, sender, follower, claims. Opened after the fork."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from psycopg_pool import ConnectionPool

from gateway.channels.chain_events import ChannelEvents
from gateway.channels.claims import LANE, ClaimPolicy, Claims
from gateway.channels.escrow import Escrow, ListedToken, register_escrow
from gateway.settings import Settings, load
from gateway.x402.authorizer import Authorizer
from kit.chain.addresses import read_addresses
from kit.chain.fees import FeePolicy
from kit.chain.follower import Follower
from kit.chain.rpc import Rpc
from kit.chain.sender import Sender
from kit.chain.signer import read_key_file
from kit.database.pool import open_pool


class NotConfigured(Exception):
    """A setting that the worker needs is missing."""


@dataclass(frozen=True, slots=True)
class Runtime:
    settings: Settings
    pool: ConnectionPool
    rpc: Rpc
    escrow: Escrow
    sender: Sender
    follower: Follower
    claims: Claims

    def close(self) -> None:
        self.pool.close()
        self.rpc.close()


def open_runtime(settings: Settings) -> Runtime:
    """Registers the escrow and its token on the way.

    Raises NotConfigured, KeyFileError, AddressFileError, EscrowChanged.
    """
    relay = read_key_file(_required(settings.relay_key_file, "LOCKGATE_RELAY_KEY_FILE"))
    authorizer_key = read_key_file(
        _required(settings.receiver_authorizer_key_file, "LOCKGATE_RECEIVER_AUTHORIZER_KEY_FILE")
    )
    contracts = read_addresses(settings.contracts_file)
    escrow = Escrow(
        settings.chain_id, _raw(contracts.escrow), contracts.deployed_at_block, settings.deposit_confirmations
    )
    pool = open_pool(settings.database_url.get_secret_value(), max_size=4)
    token = contracts.token
    with pool.connection() as connection:
        register_escrow(connection, escrow, [ListedToken(_raw(token.address), token.name, token.decimals)])
    rpc = Rpc(settings.chain_rpc_url.get_secret_value())
    sender = Sender(rpc, settings.chain_id, {LANE: relay}, fee_policy(settings))
    authorizer = Authorizer(_raw(contracts.receiver_authorizer), authorizer_key, escrow.domain)
    follower = Follower(
        rpc,
        settings.chain_id,
        ChannelEvents(escrow),
        start_block=escrow.start_block,
        max_depth=settings.reorg_depth_most,
    )
    claims = Claims(sender, escrow=escrow.escrow, authorizer=authorizer, policy=claim_policy(settings))
    return Runtime(settings, pool, rpc, escrow, sender, follower, claims)


def fee_policy(settings: Settings) -> FeePolicy:
    return FeePolicy(cap=settings.fee_cap_wei, bump_after=settings.fee_bump_seconds)


def claim_policy(settings: Settings) -> ClaimPolicy:
    return ClaimPolicy(
        value_least=settings.claim_value_least,
        age_seconds=settings.claim_age_seconds,
        rows_most=settings.claim_rows_most,
        settle_least=settings.settle_value_least,
    )


@cache
def runtime() -> Runtime:
    """This process's."""
    return open_runtime(load())


def _required(path: Path | None, name: str) -> Path:
    if path is None:
        raise NotConfigured(f"the worker needs {name}")
    return path


def _raw(address: str) -> bytes:
    return bytes.fromhex(address[2:])
