"""`make prove` of a scratch project fails by a false property and by a mutant that survives, and by nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kit.stack.paths import CONTRACTS, ROOT

LICENSE = "// SPDX-License-Identifier: Apache-2.0\npragma solidity ^0.8.28;\n"
PURSE = """
contract Purse {
    mapping(address => uint256) public held;
    uint256 public total;

    error NotThere();

    function put(uint256 amount) external {
        held[msg.sender] += amount;
        total += amount;
    }

    function take(uint256 amount) external {
        _spend(amount);
        total -= amount;
    }

    function give(address to, uint256 amount) external {
        _spend(amount);
        held[to] += amount;
    }

    function _spend(uint256 amount) private {
        if (amount > held[msg.sender]) revert NotThere();
        unchecked {
            held[msg.sender] -= amount;
        }
    }
}
"""
TEST = """
import {Purse} from "src/Purse.sol";

contract PurseTest {
    function test_whatIsThereIsMoved() external {
        Purse purse = new Purse();
        purse.put(7);
        purse.put(2);
        purse.take(3);
        purse.take(1);
        purse.give(address(purse), 2);
        purse.give(address(purse), 2);
        require(purse.held(address(this)) == 1, "held");
        require(purse.held(address(purse)) == 4, "given");
        require(purse.total() == 5, "total");
        purse.take(1);
        (bool success,) = address(purse).call(abi.encodeCall(Purse.take, (1)));
        require(!success, "took what was not there");
    }
}
"""
PROPERTY = """
import {Purse} from "src/Purse.sol";

contract PurseKeeps {
    function check_whatWasPutIsHeld(uint256 amount) external {
        Purse purse = new Purse();
        purse.put(amount);
        assert(purse.held(address(this)) CLAIM amount);
    }
}
"""
BOOK = """
[[mutant]]
file = "src/Purse.sol"
find = "total += amount;"
replace = "total += amount & 0xff;"
reason = "large amounts are cut down"
"""
LARGE = "purse.put(7);", "purse.put(256); purse.take(249);"
SURVIVOR = '[[survivor]]\nkey = "{key}"\nfile = "src/Purse.sol"\nreason = "nobody is so rich"\n'


class Project:
    """One folder of contracts; runs follow each other in it as they do in a work tree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "foundry.toml").write_bytes((CONTRACTS / "foundry.toml").read_bytes())
        self.write("src/Purse.sol", LICENSE + PURSE)
        self.write("test/purse.t.sol", LICENSE + TEST)
        self.write("proofs/PurseKeeps.sol", LICENSE + PROPERTY.replace("CLAIM", "=="))
        self.write("mutants/book.toml", "")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def prove(self, *kinds: str) -> subprocess.CompletedProcess[str]:
        only = [word for kind in kinds for word in ("--only", kind)]
        command = [sys.executable, "-m", "kit.stack.prove", "--contracts", str(self.folder), *only]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("project"))


def test_all_is_well_without_a_defect(project: Project) -> None:
    done = project.prove("properties", "mutants")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all is well" in done.stdout
    assert "property: 1 of 1 hold" in done.stdout
    assert "SURVIVED" not in done.stdout


def test_a_false_property_fails_the_run(project: Project) -> None:
    project.write("proofs/PurseKeeps.sol", LICENSE + PROPERTY.replace("CLAIM", "<"))
    done = project.prove("properties")
    project.write("proofs/PurseKeeps.sol", LICENSE + PROPERTY.replace("CLAIM", "=="))
    assert done.returncode == 1
    assert "FAILS: property PurseKeeps.whatWasPutIsHeld" in done.stdout
    assert "NOT WELL" in done.stdout


def test_a_surviving_mutant_fails_the_run_each_time_until_a_test_kills_it_or_it_is_listed(project: Project) -> None:
    project.write("mutants/book.toml", BOOK)
    for mark in ("", "(unchanged)"):
        done = project.prove("mutants")
        line = next(line for line in done.stdout.splitlines() if "cut down" in line)
        assert done.returncode == 1, "a survivor that is remembered fails the run as one that was just found"
        assert line.split(": ")[-1] == f"SURVIVED {mark}".strip()
        assert "NOT LISTED" in done.stdout

    key = line.split()[2]
    project.write("mutants/survivors.toml", SURVIVOR.format(key=key))
    listed = project.prove("mutants")
    assert listed.returncode == 0, listed.stdout
    assert "listed: nobody is so rich" in listed.stdout

    project.write("test/purse.t.sol", LICENSE + TEST.replace(*LARGE))
    killed = project.prove("mutants")
    assert killed.returncode == 1, "a listed survivor that is killed is no survivor"
    assert "listed as equivalent, but killed by a test" in killed.stdout

    (project.folder / "mutants" / "survivors.toml").unlink()
    assert project.prove("mutants").returncode == 0


def test_what_the_books_name_must_be_there(project: Project) -> None:
    project.write("mutants/survivors.toml", SURVIVOR.format(key="0123456789"))
    done = project.prove("mutants")
    (project.folder / "mutants" / "survivors.toml").unlink()
    assert done.returncode == 1
    assert "no mutant has the keys 0123456789" in done.stderr

    project.write("mutants/book.toml", BOOK.replace("total += amount;", "total += much;"))
    done = project.prove("mutants")
    assert done.returncode == 1
    assert "0 places, not one" in done.stderr
