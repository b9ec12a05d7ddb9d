"""`lockgate contracts deploy-settlement` and `verify`: the contracts of the high-value protocol from one file."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from kit.chain.anvil import Anvil, ChainError
from kit.chain.artifacts import ArtifactError, find_artifacts
from kit.chain.circle import Circle, PlanError, read_plan

NEIGHBOURS = {
    "registry": "ValidatorRegistry",
    "verifier": "CertificateVerifier",
    "actions": "Actions",
    "guardians": "Guardians",
    "governor": "Governor",
    "standing": "StandingRegistry",
    "brake": "EmergencyBrake",
    "vault": "ColdVault",
    "guard": "TransferGuard",
    "payoutModule": "PayoutModule",
    "evacuator": "Evacuator",
    "factory": "GuardedSafeFactory",
    "setup": "GuardedSafeSetup",
}
"""How the constructors call their neighbours."""
# Sends the transactions: an account without a key, which only Anvil can speak for.
DEPLOYER = to_checksum_address(keccak(text="lockgate local settlement deployer")[12:])
NATIVE_FUNDS = 1_000 * 10**18
VERBS = {
    "deploy-settlement": "create the high-value contracts that a file states; may be run again",
    "verify": "say whether the high-value contracts on chain are what a file states",
}


def configure(verb: str, parser: argparse.ArgumentParser) -> None:
    """The arguments of either verb."""
    parser.add_argument("--rpc", required=True, metavar="URL", help="an Anvil with chain id 31337 or 84532")
    parser.add_argument("--plan", required=True, type=Path, metavar="FILE", help="keys, roles and delays, as JSON")
    parser.add_argument("--artifacts", type=Path, metavar="DIR", help="NAME.json (default: installed)")
    if verb == "deploy-settlement":
        parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="addresses, as JSON")


def run(args: argparse.Namespace) -> int:
    """0 when the chain is what the file states; 1 with a line on stderr for each difference or error."""
    try:
        artifacts = find_artifacts(args.artifacts, None)
        with Anvil(args.rpc) as chain:
            circle = Circle(chain, artifacts, read_plan(args.plan, NEIGHBOURS), DEPLOYER)
            if args.verb == "deploy-settlement":
                chain.fund(DEPLOYER, NATIVE_FUNDS)
                circle.deploy()
            differences = circle.verify()
    except (ChainError, ArtifactError, PlanError) as error:
        print(f"lockgate contracts {args.verb}: {error}", file=sys.stderr)
        return 1
    for difference in differences:
        print(f"{difference.contract}: {difference.what}", file=sys.stderr)
    if differences:
        return 1
    if args.verb == "deploy-settlement":
        args.out.write_text(json.dumps(circle.addresses, indent=2) + "\n")
    print("".join(f"{name}: {address}\n" for name, address in circle.addresses.items()), end="")
    return 0
