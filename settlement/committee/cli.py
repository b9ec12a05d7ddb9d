"""`lockgate committee`: keys for everybody who signs on a local chain, and the files that contracts are made from."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kit.arguments import address, addresses
from kit.chain.addresses import BASE_SEPOLIA_USDC
from kit.chain.anvil import LOCAL_CHAIN_IDS
from kit.chain.artifacts import ArtifactError, find_artifacts
from settlement.committee import members, plan
from settlement.committee.files import CommitteeError, make_private, write_once

COMMITTEE, PLAN, TREASURY = "committee.json", "plan.json", "treasury.json"


class _Command:
    """The entry object of the `committee` word."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.description = (
            f"Make random keys of validators, guardians, attesters, vault owners, a sentinel and payouts "
            f"({COMMITTEE}, mode 0600), the file of `lockgate contracts deploy-settlement` ({PLAN}) and that of "
            f"`lockgate contracts create-safe` ({TREASURY}). What is there stays: keys are never written over. "
            "For local chains only."
        )
        add = parser.add_argument
        add("--out", required=True, type=Path, metavar="DIR")
        add("--chain-id", required=True, type=int, metavar="N", help="31337, or 84532 of a local chain")
        add("--owners", required=True, type=addresses, metavar="A,B,C", help="owners of the first guarded Safe")
        add("--threshold", type=int, default=2, help="signatures that Safe needs (default 2)")
        add("--token", type=address, default=BASE_SEPOLIA_USDC, metavar="ADDRESS", help="what that Safe may pay in")
        add("--artifacts", type=Path, metavar="DIR", help="NAME.json (default: installed)")

    def run(self, args: argparse.Namespace) -> int:
        try:
            _make(args)
        except (CommitteeError, ArtifactError) as error:
            sys.stderr.write(f"lockgate committee: {error}\n")
            return 1
        return 0


command = _Command()


def _make(args: argparse.Namespace) -> None:
    """Raises CommitteeError, ArtifactError."""
    if args.chain_id not in LOCAL_CHAIN_IDS:
        raise CommitteeError(f"keys in one file are for chains {sorted(LOCAL_CHAIN_IDS)}, not {args.chain_id}")
    if not 1 <= args.threshold <= len(args.owners):
        raise CommitteeError(f"a Safe of {len(args.owners)} owners cannot need {args.threshold} signatures")
    artifacts = find_artifacts(args.artifacts, None)
    make_private(args.out)
    committee = _committee(args.out, args.chain_id)
    if set(args.owners) & set(committee.vault_owners.addresses):
        raise CommitteeError("an owner of the vault cannot own the Safe that it holds money for")
    _keep_or_write(args.out / PLAN, lambda: plan.settlement_plan(committee, artifacts))
    treasury = plan.treasury_plan(args.owners, args.threshold, args.token)
    kept = _keep_or_write(args.out / TREASURY, lambda: treasury)
    if any(kept.get(name) != treasury[name] for name in ("owners", "threshold")):
        raise CommitteeError(f"{args.out / TREASURY} is there already, for other owners")


def _committee(folder: Path, chain_id: int) -> members.Committee:
    path = folder / COMMITTEE
    if not path.exists():
        if (folder / PLAN).exists():
            raise CommitteeError(f"{folder / PLAN} is there without {COMMITTEE}: its keys are lost or elsewhere")
        members.save(path, members.new_committee(chain_id, int(time.time())))
    committee = members.load(path)
    if committee.chain_id != chain_id:
        raise CommitteeError(f"{path} is the committee of chain {committee.chain_id}, not of {chain_id}")
    return committee


def _keep_or_write(path: Path, content: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What the file has said from its first writing on."""
    if not path.exists():
        write_once(path, content())
    try:
        kept = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CommitteeError(f"{path} is no file of ours ({type(error).__name__})") from error
    if not isinstance(kept, dict):
        raise CommitteeError(f"{path} is no file of ours")
    return kept
