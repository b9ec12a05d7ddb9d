"""Every documented reason is either given, and then some test makes us give it, or explained in the README."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from x402.mechanisms.evm import constants
from x402.mechanisms.evm.batch_settlement import errors

from gateway.x402.codes import Code

TESTS = Path(__file__).parents[2]
PREFIX = "invalid_batch_settlement_evm_"
# Of a scheme that is not offered here.
NOT_OURS = re.compile(r"upto|erc7710|auth_capture")


def documented() -> list[str]:
    names = [
        getattr(module, name) for module in (constants, errors) for name in dir(module) if name.startswith("ERR_")
    ]
    return sorted({name for name in names if isinstance(name, str) and not NOT_OURS.search(name)})


def never_given() -> list[re.Pattern[str]]:
    readme = (files("gateway.x402") / "README.md").read_text("utf-8")
    table = readme.split("## Documented reasons that we never give")[1]
    words = [
        word
        for row in table.splitlines()
        if row.startswith("| `")
        for word in re.findall(r"`([^`]+)`", row.split("|")[1])
    ]
    spelt = [PREFIX + word.removeprefix("..._") if word.startswith("..._") else word for word in words]
    return [re.compile(re.escape(word).replace(r"\*", ".*")) for word in spelt]


@pytest.mark.parametrize("reason", documented())
def test_it_is_given_or_explained(reason: str) -> None:
    given = reason in {code.value for code in Code}
    explained = any(pattern.fullmatch(reason) for pattern in never_given())
    assert given != explained, f"{reason}: given {given}, explained as never given {explained}"


@pytest.mark.parametrize("code", list(Code))
def test_some_test_makes_us_give_it(code: Code) -> None:
    texts = [path.read_text("utf-8") for path in TESTS.glob("*/x402/test_*.py") if path.name != Path(__file__).name]
    short = code.value.removeprefix(PREFIX).removeprefix("invalid_exact_evm_")
    assert any(f'"{code.value}"' in text or f'+ "{short}"' in text or f'"{short}"' in text for text in texts)
