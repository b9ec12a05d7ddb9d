"""A whole stack: which parts, at which addresses, with which keys, and what clients are told of it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit.stack import committee, postgres, rundir, services
from kit.stack import keys as keyring
from kit.stack.committee import CommitteeFiles
from kit.stack.health import chain_answers, postgres_answers, valkey_answers, without_password
from kit.stack.keys import Keys
from kit.stack.launcher import Launcher, as_info
from kit.stack.local import anvil_part, relay_part, valkey_part, valkey_url
from kit.stack.parts import Check, NotReadyError, Part, StackError
from kit.stack.ports import free_ports
from kit.stack.services import Endpoints

LOCAL_CHAIN_ID = 31337
CHAIN_IDS = (LOCAL_CHAIN_ID, 84532)
"""The chains that the embedded node may pretend to be; the second is Base Sepolia's, for official clients."""

DATABASE = "gateway"

NOBODY_LISTED = "# Sanctioned addresses, one 0x address a line. A fresh local chain has nobody to list.\n"
"""A list that is given, and empty: without one the gateway refuses every payment."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to run. A URL replaces the embedded part by one outside."""

    contracts: bool = True
    gateway: bool = True
    chain_id: int = LOCAL_CHAIN_ID
    database_url: str | None = field(default=None, repr=False)
    broker_url: str | None = field(default=None, repr=False)
    chain_rpc_url: str | None = None
    contracts_file: Path | None = None
    """Addresses of contracts that stand already; the deployment is left out."""
    http_port: int | None = None
    chain_relay: bool = False
    """Our services reach the embedded node through the part `rpc`, which a test may kill, pause or delay."""
    report: Callable[[str], None] | None = None


def options_from_environment(**fixed: Any) -> Options:
    """Options with the LOCKGATE_* settings applied. Raises StackError on a bad one."""
    chain_id = os.environ.get("LOCKGATE_CHAIN_ID", str(LOCAL_CHAIN_ID))
    port = os.environ.get("LOCKGATE_HTTP_PORT", "")
    contracts_file = os.environ.get("LOCKGATE_CONTRACTS_FILE")
    if not chain_id.isdigit() or not (port == "" or port.isdigit()):
        raise StackError("LOCKGATE_CHAIN_ID and LOCKGATE_HTTP_PORT are numbers")
    return Options(
        chain_id=int(chain_id),
        database_url=os.environ.get("LOCKGATE_DATABASE_URL"),
        broker_url=os.environ.get("LOCKGATE_BROKER_URL"),
        chain_rpc_url=os.environ.get("LOCKGATE_CHAIN_RPC_URL"),
        contracts_file=Path(contracts_file) if contracts_file else None,
        http_port=int(port) if port else None,
        **fixed,
    )


class Stack(Launcher):
    """A stack that serves, from `launch`; use it as a context manager."""

    def __init__(self, run_dir: Path, options: Options) -> None:
        super().__init__(run_dir, *([options.report] if options.report else []))
        self.options = options
        self.keys: Keys = keyring.new_keys()
        self.info: dict[str, Any] = {}
        self.env: dict[str, str] = {}
        """The environment of our own processes, for a test that starts one more."""
        self.server: postgres.Server | None = None
        self.endpoints: Endpoints | None = None

    @property
    def deploys(self) -> bool:
        """Whether the contracts are this stack's to create."""
        return self.options.contracts and self.options.contracts_file is None

    @property
    def committee(self) -> CommitteeFiles:
        return CommitteeFiles(self.run.committee)

    @property
    def relay_delay_file(self) -> Path:
        """Holds, when a test has written it, the milliseconds by which the part `rpc` delays each answer."""
        return self.run.path / "rpc.delay"

    def bring_up(self) -> None:
        """Start everything, then write stack.json. Raises StackError."""
        keyring.save(self.keys, self.run.path)
        self.run.sanctions.write_text(NOBODY_LISTED)
        self._check_outside()
        at = self._start_servers()
        self.endpoints = at
        contracts_file = self.options.contracts_file or self.run.contracts_json
        self.env = services.environment(self.run, at, contracts_file)
        parts = self._contract_steps(at, contracts_file) if self.deploys else []
        if self.options.gateway:
            parts += services.gateway_parts(self.env, self.run, at)
        self.start_all(parts)
        merchant = self._create_merchant(contracts_file) if self.options.gateway else {}
        self.info = self._describe(at, contracts_file, merchant)
        rundir.write_json(self.run.environment, {k: v for k, v in self.env.items() if k.startswith("LOCKGATE_")})
        rundir.write_json(self.run.stack_json, self.info)

    def _start_servers(self) -> Endpoints:
        options = self.options
        pg_port, broker_port, chain_port, relay_port, http_port = free_ports(5)
        parts: list[Part] = []
        database_url, broker_url = options.database_url, options.broker_url
        chain_url = service_chain_url = options.chain_rpc_url or f"http://127.0.0.1:{chain_port}"
        if database_url is None:
            self.server = postgres.prepare(self.run.path / rundir.POSTGRES, pg_port)
            parts.append(self.server.part())
        if broker_url is None:
            password = secrets.token_urlsafe(24)
            broker_url = valkey_url(broker_port, password)
            parts.append(valkey_part(self.run.path / "valkey", broker_port, password))
        if options.chain_rpc_url is None:
            addresses = [key.address for key in self.keys.all()]
            parts.append(anvil_part(self.run.path / "anvil", chain_port, options.chain_id, addresses))
            if options.chain_relay:
                service_chain_url = f"http://127.0.0.1:{relay_port}"
                parts.append(relay_part(relay_port, chain_port, options.chain_id, self.relay_delay_file))
        if self.deploys:
            parts.append(services.committee_step(self.committee, options.chain_id, self.keys))
        self.start_all(parts)
        if database_url is None:
            database_url = self._create_database()
        port = options.http_port or http_port
        return Endpoints(chain_url, service_chain_url, options.chain_id, port, database_url, broker_url)

    def _contract_steps(self, at: Endpoints, contracts_file: Path) -> list[Part]:
        foretold = committee.foretell(self.committee, services.ARTIFACTS)
        return [
            services.settlement_step(self.env, at, self.committee, self.run.settlement_json),
            services.contracts_step(self.env, at, self.keys, foretold, contracts_file),
            services.treasury_step(self.env, at, self.committee),
        ]

    def _create_database(self) -> str:
        assert self.server is not None
        password = secrets.token_urlsafe(24)
        self.server.create_role(DATABASE, password)
        self.server.create_database(DATABASE, owner=DATABASE)
        return self.server.url(DATABASE, DATABASE, password)

    def _check_outside(self) -> None:
        """Parts that are not ours to start must serve already. Raises StackError."""
        options = self.options
        if options.chain_rpc_url is None and options.chain_id not in CHAIN_IDS:
            raise StackError(f"the embedded node serves chain ids {CHAIN_IDS}, not {options.chain_id}")
        outside: list[tuple[str, str, Check]] = []
        if options.database_url:
            outside.append(("LOCKGATE_DATABASE_URL", options.database_url, postgres_answers(options.database_url)))
        if options.broker_url and options.broker_url.startswith("redis"):
            outside.append(("LOCKGATE_BROKER_URL", options.broker_url, valkey_answers(options.broker_url)))
        if options.chain_rpc_url:
            check = chain_answers(options.chain_rpc_url, options.chain_id)
            outside.append(("LOCKGATE_CHAIN_RPC_URL", options.chain_rpc_url, check))
        for name, url, check in outside:
            try:
                check()
            except NotReadyError as error:
                raise StackError(f"{name} names {without_password(url)}, which does not serve: {error}") from error

    def _create_merchant(self, contracts_file: Path) -> dict[str, Any]:
        treasury = json.loads(contracts_file.read_text())["treasury_safe"]
        answer = self.run.path / ".merchant.json"
        answer.unlink(missing_ok=True)
        try:
            self.start_all([services.merchant_step(self.env, treasury, answer)])
            merchant: dict[str, Any] = json.loads(answer.read_text())
        finally:
            answer.unlink(missing_ok=True)
        return merchant

    def _describe(self, at: Endpoints, contracts_file: Path, merchant: dict[str, Any]) -> dict[str, Any]:
        """The content of stack.json."""
        contracts = json.loads(contracts_file.read_text()) if contracts_file.exists() else {}
        guard = json.loads(self.run.settlement_json.read_text())["TransferGuard"] if self.deploys else None
        validators, signers = committee.describe(self.committee) if self.deploys else (None, {})
        token = contracts.get("token", {})
        gateway = {"url": at.gateway_url, "x402_url": f"{at.gateway_url}/x402"} if self.options.gateway else {}
        return as_info(
            {
                "chain": {
                    "rpc_url": at.chain_rpc_url,
                    "chain_id": at.chain_id,
                    "token": {name: token.get(name) for name in ("address", "name", "version")},
                    "escrow": contracts.get("escrow"),
                    "guard": guard,
                    "operator_safe": contracts.get("operator_safe"),
                    "treasury_safe": contracts.get("treasury_safe"),
                },
                "gateway": gateway
                | {"merchant_id": merchant.get("merchant_id"), "merchant_api_key": merchant.get("api_key")},
                "validators": validators,
                "accounts": {
                    "payer": self.keys.payer.as_json(),
                    "merchant": self.keys.merchant.as_json(),
                    "owners": [owner.as_json() for owner in self.keys.owners],
                }
                | signers,
            }
        )


def launch(run_dir: Path, options: Options | None = None) -> Stack:
    """Bring up a stack below `run_dir`.

    Raises StackError or AlreadyRunningError; then nothing is left running.
    """
    stack = Stack(run_dir, options or Options())
    try:
        stack.bring_up()
    except BaseException:
        stack.stop_all()
        raise
    return stack
