"""The parts that are ours, started by the commands that an operator would type.

The stack hands everything over in the environment (LOCKGATE_*) and in files of mode 0600, nothing
secret in an argument list.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kit.stack.committee import CommitteeFiles, Foretold
from kit.stack.health import file_touched_within, http_answers, worker_answers
from kit.stack.keys import Keys
from kit.stack.parts import Part
from kit.stack.paths import CONTRACTS
from kit.stack.rundir import RunDir

COMMITTEE_STEP = "committee"
SETTLEMENT_STEP = "settlement"
CONTRACTS_STEP = "contracts"
TREASURY_STEP = "treasury"
MIGRATE_STEP = "migrate"
MERCHANT_STEP = "merchant"
ARTIFACTS = CONTRACTS / "artifacts"
API_WORKERS = 2
BEAT_SECONDS = 30.0
DRAIN_SECONDS = 40.0

_PASSED_ON = ("HOME", "PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the parts of one stack meet; URLs may hold passwords."""

    chain_rpc_url: str
    service_rpc_url: str
    """The same node by the way that our services take, which a test may cut."""
    chain_id: int
    http_port: int
    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"


def passed_on() -> dict[str, str]:
    """What our processes get of the caller's environment."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | {name: value for name, value in os.environ.items() if name.startswith(("LOCKGATE_", "OTEL_"))}


def environment(run: RunDir, at: Endpoints, contracts_file: Path) -> dict[str, str]:
    """The environment of our processes; the caller's settings are kept unless the stack fixes them."""
    return passed_on() | {
        "LOCKGATE_DATABASE_URL": at.database_url,
        "LOCKGATE_BROKER_URL": at.broker_url,
        "LOCKGATE_CHAIN_RPC_URL": at.service_rpc_url,
        "LOCKGATE_CHAIN_ID": str(at.chain_id),
        "LOCKGATE_CONTRACTS_FILE": str(contracts_file),
        "LOCKGATE_RELAY_KEY_FILE": str(run.path / "relay.key"),
        "LOCKGATE_RECEIVER_AUTHORIZER_KEY_FILE": str(run.path / "receiver-authorizer.key"),
        "LOCKGATE_HTTP_HOST": "127.0.0.1",
        "LOCKGATE_HTTP_PORT": str(at.http_port),
        "LOCKGATE_API_WORKERS": os.environ.get("LOCKGATE_API_WORKERS", str(API_WORKERS)),
        "LOCKGATE_PUBLIC_URL": at.gateway_url,
        "LOCKGATE_SANCTIONS_FILE": os.environ.get("LOCKGATE_SANCTIONS_FILE", str(run.sanctions)),
        "LOCKGATE_CLAIM_AGE_SECONDS": os.environ.get("LOCKGATE_CLAIM_AGE_SECONDS", "5"),
        "LOCKGATE_METRICS_DIR": str(run.metrics),
        "LOCKGATE_BEAT_LIVENESS_FILE": str(run.path / "beat.alive"),
        "LOCKGATE_LOG_LEVEL": os.environ.get("LOCKGATE_LOG_LEVEL", "INFO"),
        "LOCKGATE_RUN_DIR": str(run.path),
        "PYTHONUNBUFFERED": "1",
        "ETH_HASH_BACKEND": "pysha3",
    }


def lockgate(*words: str) -> tuple[str, ...]:
    """The `lockgate` program of this environment."""
    return (sys.executable, "-m", "kit.cli", *words)


def committee_step(files: CommitteeFiles, chain_id: int, keys: Keys) -> Part:
    """Keys and plans of the high-value contracts; needs nothing that runs."""
    owners = ",".join(owner.address for owner in keys.owners)
    words = ["--out", str(files.folder), "--chain-id", str(chain_id), "--owners", owners]
    return Part(
        name=COMMITTEE_STEP,
        command=lockgate("committee", *words, "--artifacts", str(ARTIFACTS)),
        env=passed_on(),
        once=True,
    )


def settlement_step(env: Mapping[str, str], at: Endpoints, files: CommitteeFiles, out: Path) -> Part:
    """The high-value contracts on the local chain."""
    words = ["--rpc", at.chain_rpc_url, "--artifacts", str(ARTIFACTS), "--plan", str(files.plan), "--out", str(out)]
    return Part(
        name=SETTLEMENT_STEP,
        command=lockgate("contracts", "deploy-settlement", *words),
        env=env,
        depends_on=("anvil", COMMITTEE_STEP),
        once=True,
        deadline=120.0,
    )


def treasury_step(env: Mapping[str, str], at: Endpoints, files: CommitteeFiles) -> Part:
    """The guarded Safe that channels pay."""
    words = ["--rpc", at.chain_rpc_url, "--artifacts", str(ARTIFACTS)]
    words += ["--plan", str(files.plan), "--safe", str(files.treasury)]
    return Part(
        name=TREASURY_STEP,
        command=lockgate("contracts", "create-safe", *words),
        env=env,
        depends_on=(SETTLEMENT_STEP, CONTRACTS_STEP),
        once=True,
        deadline=120.0,
    )


def contracts_step(env: Mapping[str, str], at: Endpoints, keys: Keys, foretold: Foretold, out: Path) -> Part:
    """What payments need on the local chain, at the addresses that official clients have built in.

    It is told addresses of the high-value set and does not wait for it: nobody deposits before the stack is up.
    """
    words = ["--rpc", at.chain_rpc_url, "--artifacts", str(ARTIFACTS), "--out", str(out)]
    words += ["--brake", foretold.brake, "--treasury", foretold.treasury]
    words += ["--payer", keys.payer.address, "--owners", ",".join(owner.address for owner in keys.owners)]
    words += ["--authorizer-signer", keys.receiver_authorizer.address, "--relay", keys.relay.address]
    return Part(
        name=CONTRACTS_STEP,
        command=lockgate("contracts", "deploy", *words),
        env=env,
        depends_on=("anvil",),
        once=True,
        deadline=120.0,
    )


def gateway_parts(env: Mapping[str, str], run: RunDir, at: Endpoints) -> list[Part]:
    """Migrations, then worker, beat and the API: last started, so first stopped."""
    servers = ("postgres", "valkey", "anvil", CONTRACTS_STEP)
    return [
        Part(
            name=MIGRATE_STEP,
            command=lockgate("gateway", "migrate"),
            env=env,
            depends_on=("postgres",),
            once=True,
            deadline=60.0,
        ),
        Part(
            name="worker",
            command=lockgate("gateway", "worker"),
            env=env,
            ready=worker_answers(at.broker_url),
            depends_on=(*servers, MIGRATE_STEP),
            deadline=60.0,
            stop_seconds=DRAIN_SECONDS,
        ),
        Part(
            name="beat",
            command=lockgate("gateway", "beat"),
            env=env,
            ready=file_touched_within(run.path / "beat.alive", BEAT_SECONDS),
            sign_of_life=run.path / "beat.alive",
            depends_on=(*servers, MIGRATE_STEP),
            deadline=60.0,
        ),
        Part(
            name="api",
            command=lockgate("gateway", "serve", "--workers", env["LOCKGATE_API_WORKERS"]),
            env=env,
            ready=http_answers(at.gateway_url, "/healthz", "/readyz"),
            depends_on=(*servers, MIGRATE_STEP),
            deadline=60.0,
            stop_seconds=DRAIN_SECONDS,
        ),
    ]


def merchant_step(env: Mapping[str, str], treasury: str, answer: Path) -> Part:
    """Registers the demo merchant; the answer holds its API key, so it does not go to the log."""
    words = ["merchant", "create", "--name", "demo", "--treasury", treasury, "--json"]
    return Part(
        name=MERCHANT_STEP,
        command=lockgate("gateway", *words),
        env=env,
        depends_on=(MIGRATE_STEP,),
        once=True,
        stdout=answer,
    )
