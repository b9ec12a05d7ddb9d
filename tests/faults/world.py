"""A whole stack to be hurt: where its parts are, and payers whose keys the test holds."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kit.chain.addresses import ContractAddresses, read_addresses
from kit.chain.anvil import Anvil
from kit.chain.deploy import DEPLOYER
from kit.stack import Options, Stack, launch
from kit.stack.services import lockgate
from tests.faults.http import Http
from tests.integration.contracts.channels import calldata
from tests.support.vouchers import Signer
from verification.signatures.eip712 import Domain, escrow_domain

SETTINGS: Mapping[str, str] = {
    # One payer pays for ever, and its relayed transactions are not counted: neither limit is the subject here.
    "LOCKGATE_WINDOW_MOST_USD": "1000000",
    "LOCKGATE_RELAYED_AN_HOUR_MOST": "100000",
    # Claims all the time.
    "LOCKGATE_CLAIM_VALUE_LEAST": "20000",
    "LOCKGATE_CLAIM_AGE_SECONDS": "3",
}
TOKENS = 10**12
ETHER = 10**20


class World:
    """A running stack and what its merchant, its payers and an outside observer know of it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.contracts: ContractAddresses = read_addresses(stack.run.contracts_json)
        self.anvil = Anvil(stack.info["chain"]["rpc_url"])
        self.chain_id: int = stack.info["chain"]["chain_id"]
        self.escrow: Domain = escrow_domain(self.chain_id, raw(self.contracts.escrow))
        token = self.contracts.token
        self.token = Domain(token.name, token.version, self.chain_id, raw(token.address))
        gateway = stack.info["gateway"]
        self.url: str = gateway["url"]
        self.merchant_key: str = gateway["merchant_api_key"]

    @property
    def receiver(self) -> bytes:
        return raw(self.contracts.treasury_safe)

    @property
    def relay(self) -> str:
        """Address of the account that sends what the gateway sends."""
        return self.stack.keys.relay.address

    def http(self) -> Http:
        """A connection of its own, with the merchant's key."""
        return Http(self.url, self.merchant_key)

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.stack.env["LOCKGATE_DATABASE_URL"], autocommit=True, connect_timeout=5) as one:
            yield one

    def row(self, query: str, *words: Any) -> tuple[Any, ...]:
        """The one row of a query. Raises psycopg.Error."""
        with self.database() as connection:
            found = connection.execute(query.encode(), list(words)).fetchone()
        assert found is not None, query
        return tuple(found)

    def rows(self, query: str, *words: Any) -> list[tuple[Any, ...]]:
        with self.database() as connection:
            return connection.execute(query.encode(), list(words)).fetchall()

    def mirror_age(self) -> float:
        """Seconds since the follower was last level with the chain: all of the deferred work stands behind it."""
        return float(self.row("SELECT extract(epoch FROM now() - seen_at) FROM chain_mirror")[0])

    def fund(self, signer: Signer) -> None:
        """Tokens for a payer, more than any test pays."""
        address = hexed(signer.address)
        mint = calldata("mint(address,uint256)", ["address", "uint256"], [address, TOKENS])
        self.send(DEPLOYER, self.contracts.token.address, mint)

    def send(self, sender: str, to: str, data: bytes) -> str:
        """A transaction that the gateway knows nothing of, mined; returns its hash."""
        self.anvil.fund(sender, ETHER)
        transaction = self.anvil.send_as(sender, to, data)
        self.anvil.wait_mined(transaction)
        return transaction

    def books_check(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`lockgate books check`, past the relay: the auditor has a way of its own to the node."""
        env = self.stack.env | {"LOCKGATE_CHAIN_RPC_URL": self.stack.info["chain"]["rpc_url"]}
        return subprocess.run(
            lockgate("books", "check", *words), env=env, capture_output=True, text=True, check=False, timeout=120
        )


@contextmanager
def world(run_dir: Path, **settings: str) -> Iterator[World]:
    """A stack of its own; the way of its services to the node is a relay that can be cut. Stopped at the end."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("LOCKGATE_")]:
            patch.delenv(name)
        for name, value in {**SETTINGS, **settings}.items():
            patch.setenv(name, value)
        with launch(run_dir, Options(chain_relay=True)) as stack:
            yield World(stack)


def raw(address: str) -> bytes:
    return bytes.fromhex(address[2:])


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def dumps(document: Any) -> bytes:
    return json.dumps(document).encode()
