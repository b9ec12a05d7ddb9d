"""A token and a contract that are on the thief's side, and a Safe that trusted the token enough to list it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eth_abi.abi import decode

from kit.chain.abi import calldata
from kit.chain.rpc import hexed
from kit.stack.paths import ROOT
from tests.system.theft.world import ACCEPTED, FUNDS, TOKEN, World, mint

SOURCE = "test/support/Hostile.sol"
NATIVE = bytes(20)
MOODS = (
    "Honest",
    "KeepsAFee",
    "TakesAFeeOnTop",
    "PaysABonus",
    "SaysFalse",
    "SaysTrue",
    "SaysNothing",
    "MovesAndSaysFalse",
    "MovesAndSaysNothing",
    "Reverts",
)
"""As the token's enum has them."""

Step = tuple[bytes, bytes]
"""Whom the accomplice calls, with what."""


def compiled(folder: Path) -> dict[str, bytes]:
    """Creation code by contract; built aside, since no program has a use for it."""
    built = subprocess.run(
        [sys.executable, "-m", "kit.stack.contracts", "build", SOURCE],
        cwd=ROOT,
        env=os.environ
        | {"FOUNDRY_PROFILE": "quick", "FOUNDRY_OUT": str(folder), "FOUNDRY_CACHE_PATH": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    found = (folder / "Hostile.sol").glob("*.json")
    return {
        path.stem: bytes.fromhex(json.loads(path.read_text())["bytecode"]["object"].removeprefix("0x"))
        for path in found
    }


@dataclass(frozen=True)
class Hostile:
    """The group of `world.safe` lists real dollars, the hostile token and native currency; it has all three."""

    world: World
    token: bytes
    accomplice: bytes

    def turn(self, mood: str) -> None:
        assert self.world.send(self.token, calldata("turn(uint8)", MOODS.index(mood))) == ACCEPTED

    def hook(self, account: bytes, steps: Sequence[Step]) -> None:
        """Whenever the account sends or receives the token, the accomplice takes these steps."""
        hooking = calldata("hook(address,address)", hexed(account), hexed(self.accomplice))
        assert self.world.send(self.token, hooking) == ACCEPTED
        self.plan(steps)

    def plan(self, steps: Sequence[Step]) -> None:
        wanted = [(hexed(target), data) for target, data in steps]
        assert self.world.send(self.accomplice, calldata("plan((address,bytes)[])", wanted)) == ACCEPTED

    def outcomes(self) -> list[str]:
        """How the steps ended: ACCEPTED or the error's name."""
        answer = self.world.anvil.call(hexed(self.accomplice), calldata("outcomes()"))
        (found,) = decode(["(bool,bytes)[]"], answer)
        return [ACCEPTED if success else self.world.error_name(data) for success, data in found]


def setting(world: World, code: dict[str, bytes]) -> Hostile:
    token = world.create(code["HostileToken"])
    accomplice = world.create(code["Accomplice"])
    safe = world.another_safe(tokens=(TOKEN, token, NATIVE), salt=1)
    mint(world.anvil, TOKEN, safe)
    mint(world.anvil, token, safe)
    world.anvil.fund(hexed(safe), FUNDS)
    world.grant_standing(accomplice)
    return Hostile(replace(world, safe=safe), token, accomplice)
