"""What a stack knows of its committee, before and after the contracts stand; `lockgate committee` makes the keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.chain import guarded_safe
from kit.chain.artifacts import ArtifactError, find_artifacts
from kit.chain.circle import PlanError, addresses_of, read_plan
from kit.chain.settlement import DEPLOYER, NEIGHBOURS
from kit.stack.parts import StackError


@dataclass(frozen=True, slots=True)
class CommitteeFiles:
    """The folder that `lockgate committee` writes."""

    folder: Path

    @property
    def keys(self) -> Path:
        """Secret; mode 0600."""
        return self.folder / "committee.json"

    @property
    def plan(self) -> Path:
        return self.folder / "plan.json"

    @property
    def treasury(self) -> Path:
        return self.folder / "treasury.json"


@dataclass(frozen=True, slots=True)
class Foretold:
    """Addresses that follow from the plans, so that what needs them is started beside what creates them."""

    brake: str
    treasury: str


def foretell(files: CommitteeFiles, artifacts_folder: Path) -> Foretold:
    """Raises StackError."""
    try:
        artifacts = find_artifacts(artifacts_folder, None)
        plan = read_plan(files.plan, NEIGHBOURS)
        at = addresses_of(artifacts, plan, plan.deployer or DEPLOYER)
        safe = guarded_safe.read_safe_plan(files.treasury)
        treasury = guarded_safe.address_of(safe, at[guarded_safe.FACTORY], artifacts)
    except (ArtifactError, PlanError) as error:
        raise StackError(f"the contracts cannot be planned: {error}") from error
    return Foretold(at["EmergencyBrake"], treasury)


def describe(files: CommitteeFiles) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """`validators` and `accounts` of stack.json. Validators' secret keys stay where they are."""
    told: Mapping[str, Any] = json.loads(files.keys.read_text())
    validators = [{name: each[name] for name in ("index", "bls_public_key")} for each in told["validators"]]
    accounts = {council: told[council]["members"] for council in ("guardians", "attesters", "vault_owners")}
    one = {role: {name: told[role][name] for name in ("address", "private_key")} for role in ("sentinel", "payout")}
    return validators, accounts | one
