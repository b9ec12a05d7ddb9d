"""Builds the contracts with forge and keeps what programs need of them: ABI and bytecode.

`python -m kit.stack.contracts` builds and extracts; with arguments it runs forge with them, for
example `python -m kit.stack.contracts test -vv`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kit.stack.paths import CONTRACTS, ROOT, native


class BuildError(Exception):
    """A contract that artifacts.txt names was not built."""


def forge(*words: str) -> int:
    """Run the native forge in the contracts' folder and return its exit status.

    npm's own wrapper around forge is not used: it exits 0 when a compilation or a test fails.
    """
    env = os.environ | {"FOUNDRY_SOLC": str(ROOT / "kit" / "stack" / "solc"), "FOUNDRY_OFFLINE": "true"}
    return subprocess.run([native("forge"), *words], cwd=CONTRACTS, env=env, check=False).returncode


def extract() -> list[str]:
    """Write artifacts/NAME.json for each `File.sol:Name` line of artifacts.txt; returns the names.

    Raises BuildError when forge has produced none for a line.
    """
    target = CONTRACTS / "artifacts"
    target.mkdir(exist_ok=True)
    names = []
    for line in (CONTRACTS / "artifacts.txt").read_text().split():
        file, _, name = line.partition(":")
        built = CONTRACTS / "out" / Path(file).name / f"{name}.json"
        if not built.is_file():
            raise BuildError(f"artifacts.txt names {line}, but forge built no {built.relative_to(CONTRACTS)}")
        output = json.loads(built.read_text())
        kept = {
            "abi": output["abi"],
            "bytecode": output["bytecode"]["object"],
            "deployedBytecode": output["deployedBytecode"]["object"],
        }
        unfinished = target / f".{name}.json"
        unfinished.write_text(json.dumps(kept))
        unfinished.replace(target / f"{name}.json")
        names.append(name)
    for stale in target.glob("*.json"):
        if stale.stem not in names:
            stale.unlink()
    return names


def main(words: Sequence[str]) -> int:
    if words:
        return forge(*words)
    # Tests are compiled when they run; whoever only uses the contracts does not wait for them.
    status = forge("build", "--skip", "test")
    if status != 0:
        return status
    try:
        extract()
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
