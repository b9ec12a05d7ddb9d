"""Properties and witnesses of a scratch project, by halmos itself: what holds, what fails, what is vacuous."""

from __future__ import annotations

import pytest

from kit.stack.paths import CONTRACTS
from kit.stack.proving import environments, properties
from kit.stack.proving.results import Finding, Memory, Verdict
from kit.stack.proving.workshop import Workshop

SUM = """
pragma solidity ^0.8.28;

/// @custom:bound numbers of 8 bits
contract Sum {
    function check_commutes(uint8 a, uint8 b) external pure {
        unchecked { assert(a + b == b + a); }
    }

    function check_isNeverSeven(uint8 a, uint8 b) external pure {
        unchecked { assert(a + b != 7); }
    }

    function check_ofNothing(uint8 a) external pure {
        require(a > 1 && a < 1);
        assert(false);
    }

    function reaches_seven(uint8 a, uint8 b) external pure {
        unchecked { assert(a + b != 7); }
    }

    function reaches_less(uint8 a) external pure {
        assert(uint256(a) + 1 > a);
    }

    function reaches_nothing(uint8 a) external pure {
        require(a > 1 && a < 1);
        assert(false);
    }
}
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    environments.install()
    folder = tmp_path_factory.mktemp("project")
    (folder / "proofs").mkdir()
    (folder / "src").mkdir()
    (folder / "test").mkdir()
    (folder / "proofs" / "Sum.sol").write_text(f"// SPDX-License-Identifier: Apache-2.0{SUM}")
    (folder / "foundry.toml").write_bytes((CONTRACTS / "foundry.toml").read_bytes())
    shop = Workshop.lay(folder, tmp_path_factory.mktemp("shop"))
    memory = Memory(folder / "memory.json", "")
    return {one.name: one for one in properties.prove_all(shop, memory, "", 2)}


def test_all_properties_and_witnesses_are_found(found: dict[str, Finding]) -> None:
    kinds = {name: one.kind for name, one in found.items()}
    assert kinds == {
        "Sum.commutes": "property",
        "Sum.isNeverSeven": "property",
        "Sum.ofNothing": "property",
        "Sum.reaches_seven": "witness",
        "Sum.reaches_less": "witness",
        "Sum.reaches_nothing": "witness",
    }


def test_what_holds_names_its_bound(found: dict[str, Finding]) -> None:
    assert found["Sum.commutes"].verdict is Verdict.HOLDS
    assert found["Sum.commutes"].bounds == "numbers of 8 bits"


def test_a_violated_property_shows_its_counterexample(found: dict[str, Finding]) -> None:
    assert found["Sum.isNeverSeven"].verdict is Verdict.FAILS
    assert "Counterexample" in found["Sum.isNeverSeven"].detail


def test_a_property_of_nothing_is_not_proved(found: dict[str, Finding]) -> None:
    assert found["Sum.ofNothing"].verdict is Verdict.UNKNOWN


def test_a_witness_is_good_when_it_has_a_counterexample(found: dict[str, Finding]) -> None:
    assert found["Sum.reaches_seven"].good


@pytest.mark.parametrize("name", ["Sum.reaches_less", "Sum.reaches_nothing"])
def test_a_witness_that_holds_fails_the_run_as_vacuous(found: dict[str, Finding], name: str) -> None:
    assert found[name].verdict is Verdict.FAILS
    assert "vacuous" in found[name].detail
