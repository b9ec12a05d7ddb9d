"""The API as two real processes, and the database behind it to look into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from kit.chain.addresses import (
    ERC3009_COLLECTOR,
    ESCROW,
    MULTICALL3,
    PERMIT2_COLLECTOR,
    ContractAddresses,
    Token,
    write_addresses,
)
from kit.stack.health import http_answers
from kit.stack.launcher import Launcher
from kit.stack.parts import Part
from kit.stack.ports import free_ports
from kit.stack.services import lockgate
from tests.integration.capture.stored import check_books, counts
from tests.support.seed import Merchant
from tests.support.vouchers import CHAIN_ID, RECEIVER_AUTHORIZER, TOKEN

PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Api:
    """`http` keeps connections; `connection` is in autocommit."""

    url: str
    http: httpx.Client
    connection: psycopg.Connection[Any]
    sanctions_file: Path

    def pay(self, merchant: Merchant, body: object, **headers: str) -> httpx.Response:
        return self.http.post("/v1/payments", json=body, headers=merchant.authorization | _named(headers))

    def pay_many(self, merchant: Merchant, bodies: list[Any], **headers: str) -> httpx.Response:
        return self.http.post(
            "/v1/payments/batch", json={"payments": bodies}, headers=merchant.authorization | _named(headers)
        )

    def get(self, merchant: Merchant, path: str, **query: Any) -> httpx.Response:
        return self.http.get(path, params=query, headers=merchant.authorization)

    @contextmanager
    def nothing_changes(self) -> Iterator[None]:
        """Whatever is sent in here, no table that a payment writes is any different after it."""
        before = counts(self.connection)
        yield
        assert counts(self.connection) == before


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """RFC 9457, with our stable type, and nothing of our insides in it."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    document: dict[str, Any] = answer.json()
    assert document["type"] == "urn:lockgate:problem:" + code, document
    assert (document["code"], document["status"]) == (code, status)
    assert document["title"] and document["detail"]
    assert "Traceback" not in answer.text
    return document


@contextmanager
def api_server(folder: Path, database_url: str, connection: psycopg.Connection[Any]) -> Iterator[Api]:
    """`lockgate gateway serve` with two workers; chain and broker are not there, as payments need neither."""
    with Launcher(folder) as launcher:
        (port,) = free_ports(1)
        url = f"http://127.0.0.1:{port}"
        contracts, sanctions = launcher.run.path / "contracts.json", launcher.run.path / "sanctions.txt"
        write_addresses(contracts, _addresses())
        sanctions.write_text("# nobody\n")
        env = {
            "PATH": "/usr/bin:/bin",
            "LOCKGATE_DATABASE_URL": database_url,
            "LOCKGATE_CONTRACTS_FILE": str(contracts),
            "LOCKGATE_SANCTIONS_FILE": str(sanctions),
            "LOCKGATE_CHAIN_ID": str(CHAIN_ID),
            "LOCKGATE_CHAIN_RPC_URL": "http://127.0.0.1:9",
            "LOCKGATE_HTTP_PORT": str(port),
            "LOCKGATE_METRICS_DIR": str(launcher.run.path / "metrics"),
            "LOCKGATE_DRAIN_SECONDS": "0",
        }
        command = lockgate("gateway", "serve", "--workers", "2")
        launcher.start_all([Part("api", command, env, ready=http_answers(url, "/readyz"))])
        with httpx.Client(base_url=url, timeout=30) as http:
            yield Api(url, http, connection, sanctions)
        check_books(connection)


def _addresses() -> ContractAddresses:
    anybody = "0x" + "11" * 20
    return ContractAddresses(
        chain_id=CHAIN_ID,
        token=Token("0x" + TOKEN.hex(), "USDC", "2", 6),
        escrow=ESCROW,
        erc3009_collector=ERC3009_COLLECTOR,
        permit2_collector=PERMIT2_COLLECTOR,
        receiver_authorizer="0x" + RECEIVER_AUTHORIZER.hex(),
        operator_safe=anybody,
        treasury_safe=anybody,
        multicall3=MULTICALL3,
        deployed_at_block=0,
    )
