"""`lockgate contracts deploy-settlement` and `verify`: the contracts of the high-value protocol from one file."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from kit.arguments import natural
from kit.chain import bounds, origin
from kit.chain.anvil import LOCAL_CHAIN_IDS, Anvil, ChainError
from kit.chain.artifacts import ArtifactError, Artifacts, find_artifacts
from kit.chain.circle import Carrier, Circle, Difference, Plan, PlanError, read_plan
from kit.chain.fees import GWEI, FeePolicy
from kit.chain.keyed import KeyCarrier, Patience, read_private_key
from kit.chain.node import Node
from kit.chain.readback import Readback
from kit.chain.rpc import Rpc, hexed
from kit.chain.signer import KeyFileError, LocalSigner

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
SET = frozenset(NEIGHBOURS.values()) - {"GuardedSafeSetup"}
"""All contracts that a file states; the factory makes its set-up itself."""
LAPSING: dict[str, dict[str, Any]] = {"EmergencyBrake": {"sentinels": []}}
"""A sentinel's key is taken at creation for at most 30 days; it is storage, not code."""
# Sends the transactions: an account without a key, which only Anvil can speak for.
DEPLOYER = to_checksum_address(keccak(text="lockgate local settlement deployer")[12:])
NATIVE_FUNDS = 1_000 * 10**18
MOST_CONFIRMATIONS = 64
DEPLOY, VERIFY = "deploy-settlement", "verify"
VERBS = {
    DEPLOY: "create the high-value contracts that a file states; may be run again",
    VERIFY: "say whether the high-value contracts on chain are what a file states",
}


def configure(verb: str, parser: argparse.ArgumentParser) -> None:
    """The arguments of either verb."""
    add = parser.add_argument
    add("--rpc", required=True, metavar="URL", help="the network's node")
    add("--chain-id", type=natural, metavar="N", help="which network it must be (default: a local Anvil)")
    add("--plan", required=True, type=Path, metavar="FILE", help="keys, roles and delays, as JSON")
    add("--artifacts", type=Path, metavar="DIR", help="NAME.json (default: installed)")
    if verb == VERIFY:
        add("--from-block", type=natural, default=0, metavar="N", help="where to look for logs from (default 0)")
        return
    add("--out", required=True, type=Path, metavar="FILE", help="addresses, as JSON")
    add("--key-file", type=Path, metavar="FILE", help="the deployer's key, mode 600 (default: an Anvil's powers)")
    add("--max-fee-gwei", type=natural, default=100, metavar="GWEI", help="the most for a gas (default 100)")
    add("--confirmations", type=_depth, default=12, metavar="BLOCKS", help="how deep it must stand (default 12)")
    add("--wait", type=natural, default=600, metavar="SECONDS", help="for a transaction (default 600)")


def run(args: argparse.Namespace) -> int:
    """0 when the chain is what the file states; 1 with a line on stderr for each difference or error."""
    try:
        artifacts = find_artifacts(args.artifacts, None)
        plan = read_plan(args.plan, NEIGHBOURS, LAPSING)
        work = _deploy if args.verb == DEPLOY else _verify
        differences, said = work(args, artifacts, plan)
    except (ChainError, ArtifactError, PlanError, KeyFileError, OSError) as error:
        print(f"lockgate contracts {args.verb}: {error}", file=sys.stderr)
        return 1
    for difference in differences:
        print(f"{difference.contract}: {difference.what}", file=sys.stderr)
    if differences:
        return 1
    print(said)
    return 0


def _deploy(args: argparse.Namespace, artifacts: Artifacts, plan: Plan) -> tuple[list[Difference], str]:
    with _sending(args, plan) as (chain, deployer, carrier):
        _check_network(args, chain, artifacts, plan)
        circle = Circle(chain, artifacts, plan, deployer, carrier)
        made = circle.deploy()
        differences = differences_of(circle)
    if not differences:
        _write_whole(args.out, json.dumps(circle.addresses, indent=2) + "\n")
    news = f"created: {', '.join(made)}" if made else "nothing was created: all were there"
    return differences, f"{_listed(circle)}{news}"


def _verify(args: argparse.Namespace, artifacts: Artifacts, plan: Plan) -> tuple[list[Difference], str]:
    with Node(args.rpc) as chain:
        _check_network(args, chain, artifacts, plan)
        if plan.deployer is None and not _is_local(chain):
            raise PlanError(f"{args.plan} has to state its deployer, from whom the addresses follow")
        circle = Circle(chain, artifacts, plan, plan.deployer or DEPLOYER)
        block = chain.head()
        differences = differences_of(circle, block, args.from_block)
    return differences, f"{_listed(circle)}code, constructors and stored values are the file's at block {block}"


def differences_of(circle: Circle, block: int | None = None, from_block: int = 0) -> list[Difference]:
    """Every way in which the chain is not what the file states. Raises ChainError, PlanError, ArtifactError.

    Code with its immutables, how each contract was created, and what its storage answers, all at one block.
    """
    block = circle.chain.head() if block is None else block
    code = circle.verify(hex(block))
    other_code = {each.contract for each in code}
    created = [each for each in origin.differences(circle, block, from_block) if each.contract not in other_code]
    return [*code, *created, *Readback(circle, block, from_block).differences()]


@contextmanager
def _sending(args: argparse.Namespace, plan: Plan) -> Iterator[tuple[Node, str, Carrier | None]]:
    """The chain, who deploys, and by what transactions are sent."""
    if args.key_file is None:
        with Anvil(args.rpc) as anvil:
            deployer = plan.deployer or DEPLOYER
            anvil.fund(deployer, NATIVE_FUNDS)
            yield anvil, deployer, None
        return
    signer = read_private_key(args.key_file)
    deployer = _deployer_of(signer, plan)
    with Node(args.rpc) as chain:
        if args.chain_id is None:
            raise ChainError("with a key the network is stated, too: --chain-id")
        rpc = Rpc(args.rpc)
        try:
            policy = FeePolicy(cap=args.max_fee_gwei * GWEI)
            patience = Patience(mined_within=args.wait, confirmations=args.confirmations)
            yield chain, deployer, KeyCarrier(rpc, args.chain_id, signer, policy, patience)
        finally:
            rpc.close()


def _deployer_of(signer: LocalSigner, plan: Plan) -> str:
    """The file names the deployer so that it can be verified without the key."""
    deployer = str(to_checksum_address(signer.address))
    if plan.deployer is None:
        raise PlanError(
            f'the file has to state its deployer, from whom the addresses follow: "deployer": "{deployer}"'
        )
    if plan.deployer != deployer:
        raise PlanError(f"the key is {deployer}'s, and the file states {plan.deployer} as its deployer")
    return deployer


def _check_network(args: argparse.Namespace, chain: Node, artifacts: Artifacts, plan: Plan) -> None:
    """Raises unless it is the network that was meant, and the plan one that may stand there."""
    if args.chain_id is not None and args.chain_id != chain.chain_id:
        raise ChainError(f"the node serves chain {chain.chain_id}, not {args.chain_id}; nothing was sent")
    if _is_local(chain):
        return
    if args.chain_id is None:
        raise ChainError(f"chain {chain.chain_id} is not a local one: state it by --chain-id")
    now = {name: {**values, **plan.changed.get(name, {})} for name, values in plan.values.items()}
    found = bounds.refusals(plan, SET) or bounds.refusals(replace(plan, values=now), SET)
    found = found or [*_safe_code(chain, artifacts, plan)]
    if found:
        raise PlanError(f"the file is not one for chain {chain.chain_id}:\n  " + "\n  ".join(found))


def _is_local(chain: Node) -> bool:
    """31337 is nobody's network; 84532 is also Base Sepolia's."""
    return chain.chain_id == 31337 or (chain.chain_id in LOCAL_CHAIN_IDS and chain.is_anvil)


def _safe_code(chain: Node, artifacts: Artifacts, plan: Plan) -> Iterator[str]:
    """Guarded Safes are Safe v1.5.0 as published, or what the guard knows of their storage is wrong."""
    code, factory = plan.values["TransferGuard"].get("code"), plan.values["GuardedSafeFactory"]
    if not isinstance(code, dict) or not {"singleton", "proxyCodehash"} <= code.keys():
        raise PlanError("TransferGuard needs code (singleton, proxyCodehash)")
    singleton = str(code["singleton"])
    if singleton.lower() != str(factory.get("safeSingleton")).lower():
        yield "TransferGuard.code.singleton and GuardedSafeFactory.safeSingleton are not the same"
    proxy = artifacts.safe_creation("proxies/SafeProxy")
    if factory.get("proxyCreationCode") != hexed(proxy):
        yield "GuardedSafeFactory.proxyCreationCode is not that of Safe v1.5.0's proxy"
    if chain.code(singleton) != chain.runtime_code(artifacts.safe_creation("Safe")):
        yield f"TransferGuard.code.singleton: {singleton} is not Safe v1.5.0 on this chain"
    try:
        left = chain.runtime_code(proxy + encode(["address"], [singleton]))
    except EncodingError as error:
        raise PlanError(f"TransferGuard.code.singleton: {error}") from error
    if str(code["proxyCodehash"]).lower() != hexed(keccak(left)):
        yield f"TransferGuard.code.proxyCodehash is not that proxy's, {hexed(keccak(left))}"


def _listed(circle: Circle) -> str:
    return "".join(f"{name}: {address}\n" for name, address in circle.addresses.items())


def _write_whole(path: Path, text: str) -> None:
    """A reader sees the old file or the new one."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text)
    unfinished.replace(path)


def _depth(text: str) -> int:
    """Nodes keep state for some more blocks than these."""
    if (blocks := natural(text)) > MOST_CONFIRMATIONS:
        raise argparse.ArgumentTypeError(f"{MOST_CONFIRMATIONS} blocks are the most")
    return blocks
