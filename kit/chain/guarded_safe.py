"""`lockgate contracts create-safe`: a guarded Safe, made by the factory of a deployed set from a file that states it.

The file is JSON: `{"owners": [..], "threshold": n, "group": "0x..", "tokens": {ADDRESS: {"daily", "certifiedFrom",
"noticeFrom"}}, "salt": "n"}`, amounts in the token's smallest unit as decimal strings; a group of zero begins one of
its own. All of it is in the Safe's address (CREATE2), which is therefore known before and can be no other Safe's.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import EncodingError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from kit.chain.abi import calldata, selector, signature_of
from kit.chain.addresses import SAFE_SINGLETON
from kit.chain.anvil import Anvil, ChainError
from kit.chain.artifacts import ArtifactError, Artifacts, find_artifacts
from kit.chain.circle import Circle, PlanError, read_plan
from kit.chain.creation import created_by_salt
from kit.chain.settlement import DEPLOYER, NATIVE_FUNDS, NEIGHBOURS

VERB = "create-safe"
FACTORY, GUARD = "GuardedSafeFactory", "TransferGuard"
_LIMITS = ("daily", "certifiedFrom", "noticeFrom")


@dataclass(frozen=True, slots=True)
class SafePlan:
    """A guarded Safe as `IGuardedSafeFactory.Plan` has it; `limits` are daily, certifiedFrom, noticeFrom a token."""

    owners: tuple[str, ...]
    threshold: int
    group: bytes
    tokens: tuple[str, ...]
    limits: tuple[tuple[int, int, int], ...]
    salt: int

    def encode(self, kind: str) -> bytes:
        """`abi.encode(plan)`, the struct's type as the factory has it. Raises PlanError."""
        plan = (self.owners, self.threshold, self.group, self.tokens, self.limits, self.salt)
        try:
            return encode([kind], [plan])
        except (EncodingError, TypeError, ValueError) as error:
            raise PlanError(f"no guarded Safe can be so: {error}") from error


def read_safe_plan(path: Path) -> SafePlan:
    """Raises PlanError."""
    try:
        told: dict[str, Any] = json.loads(path.read_text())
        limits = [tuple(int(each[name]) for name in _LIMITS) for each in told["tokens"].values()]
        plan = SafePlan(
            owners=tuple(str(to_checksum_address(owner)) for owner in told["owners"]),
            threshold=int(told["threshold"]),
            group=bytes.fromhex(told["group"].removeprefix("0x")),
            tokens=tuple(str(to_checksum_address(token)) for token in told["tokens"]),
            limits=tuple((daily, certified, notice) for daily, certified, notice in limits),
            salt=int(told["salt"]),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise PlanError(f"{path} states no guarded Safe ({type(error).__name__}: {error})") from error
    if len(plan.group) != 32 or not 1 <= plan.threshold <= len(set(plan.owners)) == len(plan.owners):
        raise PlanError(f"{path}: a group has 32 bytes, owners are distinct, a threshold is at most their number")
    return plan


def address_of(plan: SafePlan, factory: str, artifacts: Artifacts) -> str:
    """Where the factory at that address makes this Safe. Needs no chain. Raises PlanError, ArtifactError."""
    code = artifacts.safe_creation("proxies/SafeProxy") + encode(["address"], [SAFE_SINGLETON])
    return created_by_salt(factory, keccak(plan.encode(_type_of_plan(artifacts))), code)


def create(chain: Anvil, circle: Circle, artifacts: Artifacts, plan: SafePlan) -> str:
    """The Safe's address; it is created unless it is there. Raises ChainError, PlanError, ArtifactError."""
    factory, kind = circle.addresses[FACTORY], _type_of_plan(artifacts)
    for name, address in ((FACTORY, factory), ("Safe's singleton", SAFE_SINGLETON)):
        if not chain.code(address):
            raise ChainError(f"there is no {name} at {address}: first `contracts deploy` and `deploy-settlement`")
    (safe,) = decode(["address"], chain.call(factory, selector(f"addressOf({kind})") + plan.encode(kind)))
    foretold = address_of(plan, factory, artifacts)
    if to_checksum_address(safe) != foretold:
        raise ChainError(f"the factory would make the Safe at {safe}, not at {foretold}: it is of other Safe code")
    if not chain.code(foretold, "pending"):
        chain.wait_mined(chain.send_as(DEPLOYER, factory, selector(f"create({kind})") + plan.encode(kind)))
    chain.wait_for(f"the registration of {foretold}", lambda: _is_guarded(chain, circle, foretold))
    return foretold


def _type_of_plan(artifacts: Artifacts) -> str:
    return signature_of(artifacts, FACTORY, "function", "create").removeprefix("create(")[:-1]


def _is_guarded(chain: Anvil, circle: Circle, safe: str) -> bool:
    group = chain.call(circle.addresses[GUARD], calldata("groupOf(address)", safe))
    return any(group)


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    add = parser.add_argument
    add("--rpc", required=True, metavar="URL", help="an Anvil with chain id 31337 or 84532")
    add("--plan", required=True, type=Path, metavar="FILE", help="the set's, as for deploy-settlement")
    add("--safe", required=True, type=Path, metavar="FILE", help="owners, threshold and limits, as JSON")
    add("--artifacts", type=Path, metavar="DIR", help="NAME.json (default: installed)")


def run(args: argparse.Namespace) -> int:
    """0 and the Safe's address when it is there and guarded; 1 with a line on stderr otherwise."""
    try:
        artifacts = find_artifacts(args.artifacts, None)
        safe_plan, plan = read_safe_plan(args.safe), read_plan(args.plan, NEIGHBOURS)
        with Anvil(args.rpc) as chain:
            chain.fund(DEPLOYER, NATIVE_FUNDS)
            circle = Circle(chain, artifacts, plan, plan.deployer or DEPLOYER)
            safe = create(chain, circle, artifacts, safe_plan)
    except (ChainError, ArtifactError, PlanError) as error:
        print(f"lockgate contracts {VERB}: {error}", file=sys.stderr)
        return 1
    print(safe)
    return 0
