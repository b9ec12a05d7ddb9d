"""Campaigns: enough calls in all, each with a seed of its own, and what their results mean."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from kit.stack.proving.campaigns import ENOUGH, PART, Campaign, Part, campaigns, parts, run_all
from kit.stack.proving.results import Memory, Verdict
from kit.stack.proving.workshop import Finished, Workshop

CALLS = 1000
Metrics = dict[str, tuple[int, int]]
"""Of each step: calls and reverts."""


class Scripted(Workshop):
    """A workshop whose forge says what the test wants of one part, and keeps what it was asked."""

    __slots__ = ("answer", "asked")

    def __init__(self, folder: Path, answer: Callable[[], Finished]) -> None:
        super().__init__(folder)
        object.__setattr__(self, "answer", answer)
        object.__setattr__(self, "asked", [])

    answer: Callable[[], Finished]
    asked: list[Mapping[str, str]]

    def forge(
        self,
        *words: str,
        profile: str = "default",
        tests: str = "test",
        seconds: float = 600,
        settings: Mapping[str, str] | None = None,
    ) -> Finished:
        if words[0] == "build":
            return Finished(0, "", "")
        self.asked.append(dict(settings or {}) | {"words": " ".join(words)})
        return self.answer()


def said(metrics: Metrics, calls: int = CALLS, reason: str | None = None) -> Finished:
    steps = {
        f"test/Handler.sol:Handler.{name}": {"calls": made, "reverts": refused}
        for name, (made, refused) in metrics.items()
    }
    kind = {"Invariant": {"runs": 1, "calls": calls, "metrics": steps}}
    result = {"status": "Failure" if reason else "Success", "reason": reason, "kind": kind}
    suites = {"test/some.t.sol:Some": {"test_results": {"invariant_x()": result}}}
    return Finished(1 if reason else 0, json.dumps(suites), "")


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    folder = tmp_path / "shop" / "test"
    folder.mkdir(parents=True)
    return folder


def state(folder: Path, name: str, wishes: str = "", invariants: int = 1) -> None:
    functions = "\n".join(f"    function invariant_{number}() external {{}}" for number in range(invariants))
    above = f"/// @custom:campaign {wishes}\n" if wishes else ""
    (folder / name).write_text(f"{above}contract T {{\n{functions}\n}}\n")


def outcome(tests: Path, answer: Finished, calls: int = CALLS) -> tuple[Verdict, str]:
    shop = Scripted(tests.parent, lambda: answer)
    (tests.parent / "memory.json").unlink(missing_ok=True)
    (found,) = run_all(shop, Memory(tests.parent / "memory.json", "tools"), calls, 1, 1)
    return found.verdict, found.detail


def test_a_contract_says_how_long_and_how_much(tests: Path) -> None:
    state(tests, "a.t.sol", "depth=256 share=12 certified", invariants=2)
    state(tests, "b.t.sol")
    (tests / "c.t.sol").write_text("contract T { function test_it() external {} }")
    assert campaigns(Workshop(tests.parent)) == [
        Campaign("test/a.t.sol", ("invariant_0", "invariant_1"), 256, 12, certified=True),
        Campaign("test/b.t.sol", ("invariant_0",)),
    ]


@pytest.mark.parametrize("calls", [1, 999, 60_000, 1_000_000])
def test_all_parts_together_make_the_calls_and_none_is_long(calls: int) -> None:
    every = [Campaign("a", ("x", "y")), Campaign("b", ("x",), depth=256, share=12), Campaign("c", ("x",), share=2)]
    planned = parts(every, calls, 1)
    made = {one.file: sum(_calls(part) for part in planned if part.campaign == one) for one in every}
    assert sum(made.values()) >= calls
    assert made["b"] >= calls * 12 // 16
    assert all(_calls(part) < PART + 256 for part in planned)


def _calls(part: Part) -> int:
    return part.runs * part.campaign.depth


def test_no_two_parts_share_a_seed_and_the_seed_decides() -> None:
    every = [Campaign("a", ("x", "y")), Campaign("b", ("x",), share=12)]
    seeds = [part.seed for part in parts(every, 1_000_000, 1)]
    assert len(set(seeds)) == len(seeds) > 3
    assert seeds == [part.seed for part in parts(every, 1_000_000, 1)]
    assert not set(seeds) & {part.seed for part in parts(every, 1_000_000, 2)}


def test_forge_is_asked_for_one_invariant_with_runs_depth_and_seed(tests: Path) -> None:
    state(tests, "a.t.sol", "depth=100", invariants=2)
    shop = Scripted(tests.parent, lambda: said({"pay": (500, 0)}))
    list(run_all(shop, Memory(tests.parent / "memory.json", "tools"), CALLS, 1, 2))
    assert sorted(re.findall(r"\^(\w+)", " ".join(one["words"] for one in shop.asked))) == [
        "invariant_0",
        "invariant_1",
    ]
    assert {one["FOUNDRY_INVARIANT_RUNS"] for one in shop.asked} == {"5"}
    assert {one["FOUNDRY_INVARIANT_DEPTH"] for one in shop.asked} == {"100"}
    assert len({one["FOUNDRY_FUZZ_SEED"] for one in shop.asked}) == 2


def test_calls_of_all_parts_are_counted(tests: Path) -> None:
    state(tests, "a.t.sol")
    verdict, detail = outcome(tests, said({"pay": (1000, 990)}, calls=30_000), calls=3 * PART)
    assert (verdict, detail) == (Verdict.HOLDS, "90000 calls, 1 steps; rarest pay: 30 of 3000")


def test_what_failed_is_told_by_its_reason(tests: Path) -> None:
    state(tests, "a.t.sol")
    assert outcome(tests, said({}, reason="more left than L")) == (Verdict.FAILS, "invariant_x(): more left than L")


@pytest.mark.parametrize("answer", [Finished(1, "", "no solc"), Finished(0, "{}", ""), Finished(None, "", "")])
def test_no_answer_is_unknown(tests: Path, answer: Finished) -> None:
    state(tests, "a.t.sol")
    assert outcome(tests, answer)[0] is Verdict.UNKNOWN


def test_a_step_that_never_gets_through_is_a_fault(tests: Path) -> None:
    state(tests, "a.t.sol")
    never = {"pay": (CALLS, 0), "leave": (ENOUGH, ENOUGH)}
    assert outcome(tests, said(never)) == (Verdict.FAILS, "steps that never got through: leave")
    assert outcome(tests, said(never | {"leave": (ENOUGH - 1, ENOUGH - 1)}))[0] is Verdict.HOLDS


def test_too_few_certificates_are_a_fault(tests: Path) -> None:
    state(tests, "a.t.sol", "certified")
    metrics: Metrics = {"certifiedPayment": (20, 10), "certifiedReturn": (5, 5), "pay": (CALLS, 0)}
    verdict, detail = outcome(tests, said(metrics))
    assert (verdict, detail.partition(", 3")[0]) == (Verdict.HOLDS, "1000 calls, 10 certificates counted")
    metrics["certifiedPayment"] = (20, 11)
    assert outcome(tests, said(metrics))[0] is Verdict.FAILS


def test_what_holds_is_remembered_until_it_changes(tests: Path) -> None:
    state(tests, "a.t.sol")
    memory = Memory(tests.parent / "memory.json", "tools")
    shop = Scripted(tests.parent, lambda: said({"pay": (CALLS, 0)}))

    def remembered() -> list[bool]:
        return [found.remembered for found in run_all(shop, memory, CALLS, 1, 1)]

    assert [remembered(), remembered()] == [[False], [True]]
    (tests / "a.t.sol").write_text((tests / "a.t.sol").read_text() + "// changed\n")
    assert remembered() == [False]
