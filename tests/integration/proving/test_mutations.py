"""Mutants of a small contract, over the compiler's own syntax tree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kit.stack.paths import CONTRACTS
from kit.stack.proving import mutants
from kit.stack.proving.mutations import Mutant
from kit.stack.proving.recompiling import BrokenSourcesError
from kit.stack.proving.workshop import Workshop

HEAD = "// SPDX-License-Identifier: Apache-2.0\npragma solidity ^0.8.28;\n"
SOURCE = """
contract Gate {
    uint256 public passed;
    address public keeper = msg.sender;

    error Closed(uint256 when);

    modifier onlyKeeper() {
        if (msg.sender != keeper) revert Closed(1);
        _;
    }

    function pass(uint256 from, uint256 until, uint256 amount) external onlyKeeper {
        if (block.timestamp < from || amount == 0) revert Closed(2);
        if (_isOver(until, amount)) revert Closed(3);
        passed += amount;
    }

    function _isOver(uint256 until, uint256 amount) private view returns (bool) {
        return block.timestamp > until && amount != 7;
    }
}
"""
BOOK = """
[[mutant]]
file = "src/Gate.sol"
find = "{find}"
replace = ""
reason = "open to all"
"""
Shop = Callable[[str], Workshop]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    def lay(source: str) -> Workshop:
        folder = tmp_path / "project"
        (folder / "src").mkdir(parents=True, exist_ok=True)
        (folder / "src" / "Gate.sol").write_text(HEAD + source)
        (folder / "foundry.toml").write_bytes((CONTRACTS / "foundry.toml").read_bytes())
        return Workshop.lay(folder, tmp_path / "shop")

    return lay


def kinds(every: list[Mutant]) -> list[str]:
    return sorted(f"{one.where}: {one.old}" for one in every)


def test_each_place_is_changed_once_in_each_way(shop: Shop) -> None:
    every = mutants.generated(shop(SOURCE))
    assert kinds(every) == [
        "Gate._isOver: && is its left side: block.timestamp > until && amount != 7",
        "Gate._isOver: && is its right side: block.timestamp > until && amount != 7",
        "Gate._isOver: > becomes >=: >",
        "Gate._isOver: answer is turned round: block.timestamp > until && amount != 7",
        "Gate._isOver: number is one more: 7",
        "Gate.onlyKeeper: condition becomes false: msg.sender != keeper",
        "Gate.pass: += becomes -=: +=",
        "Gate.pass: += becomes =: +=",
        "Gate.pass: < becomes <=: <",
        "Gate.pass: arguments change places: until, amount",
        "Gate.pass: condition becomes false: _isOver(until, amount)",
        "Gate.pass: condition becomes false: block.timestamp < from || amount == 0",
        "Gate.pass: modifier is dropped: onlyKeeper",
        "Gate.pass: statement is dropped: passed += amount;",
        "Gate.pass: || is its left side: block.timestamp < from || amount == 0",
        "Gate.pass: || is its right side: block.timestamp < from || amount == 0",
    ]


def test_a_mutant_is_the_text_with_one_change(shop: Shop) -> None:
    laid = shop(SOURCE)
    text = (laid.folder / "src" / "Gate.sol").read_bytes()
    for one in mutants.generated(laid):
        changed = one.applied(text)
        assert len(changed) == len(text) - len(one.old) + len(one.new)
        assert changed[: one.start] == text[: one.start]
        assert changed != text


def test_what_a_mutant_is_called_does_not_depend_on_its_line(shop: Shop) -> None:
    before = {one.key for one in mutants.generated(shop(SOURCE))}
    moved = SOURCE.replace("contract Gate {", "// A line more.\ncontract Gate {\n    uint256 public unused;\n")
    assert {one.key for one in mutants.generated(shop(moved))} == before
    assert len(before) == 16


def test_the_sample_is_the_seeds_and_stays_where_nothing_changes(shop: Shop) -> None:
    every = mutants.generated(shop(SOURCE))
    sampled = mutants.sample(every, 5, seed=1)
    assert len(sampled) == 5
    assert sampled == mutants.sample(list(reversed(every)), 5, seed=1)[::-1]
    assert sampled != mutants.sample(every, 5, seed=2)
    assert mutants.sample(every, 0, seed=1) == every


def test_broken_sources_have_no_mutants(shop: Shop) -> None:
    with pytest.raises(BrokenSourcesError, match="Undeclared identifier"):
        mutants.generated(shop(SOURCE.replace("passed += amount", "past += amount")))


def test_a_book_names_a_text_that_is_there_once(shop: Shop, tmp_path: Path) -> None:
    laid = shop(SOURCE)
    book = tmp_path / "losses.toml"
    book.write_text(BOOK.format(find="if (msg.sender != keeper) revert Closed(1);"))
    (one,) = mutants.by_hand(laid, tmp_path)
    assert one.where == "losses: open to all"
    assert one.by_hand
    for absent, places in (("if (msg.sender != owner)", 0), ("amount", 6)):
        book.write_text(BOOK.format(find=absent))
        with pytest.raises(mutants.StaleMutantError, match=f"{places} places, not one"):
            mutants.by_hand(laid, tmp_path)


def test_a_listed_survivor_is_a_mutant(shop: Shop, tmp_path: Path) -> None:
    every = mutants.generated(shop(SOURCE))
    path = tmp_path / "survivors.toml"
    assert mutants.survivors(path, every) == {}
    path.write_text(f'[[survivor]]\nkey = "{every[0].key}"\nfile = "src/Gate.sol"\nreason = "no difference"\n')
    assert mutants.survivors(path, every)[every[0].key].reason == "no difference"
    path.write_text('[[survivor]]\nkey = "0000000000"\nfile = "src/Gate.sol"\nreason = "no difference"\n')
    with pytest.raises(mutants.StaleMutantError, match="0000000000"):
        mutants.survivors(path, every)


def test_the_mandatory_ones_are_in_every_sample(shop: Shop, tmp_path: Path) -> None:
    laid = shop(SOURCE)
    places = ["block.timestamp < from || ", " || amount == 0", " && amount != 7", "block.timestamp > until && "]
    for name, found in (("losses", places[:2]), ("gate", places[2:])):
        (tmp_path / f"{name}.toml").write_text("".join(BOOK.format(find=one) for one in found))
    every, by_hand = mutants.generated(laid), mutants.by_hand(laid, tmp_path)
    sampled = mutants.chosen(every, by_hand, 1, seed=1)
    assert [one.where for one in sampled[:3]] == ["losses: open to all"] * 2 + ["gate: open to all"]
    assert len(sampled) == 4
    assert sampled[3] in every
    assert len(mutants.chosen(every, by_hand, 0, seed=1)) == len(every) + 4
