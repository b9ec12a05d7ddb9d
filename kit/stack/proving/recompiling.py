"""Compiles only what a change of one file reaches, and lays it where forge looks for what it compiled.

forge is asked once to compile the true sources, with tests that are linked dynamically (they find the contracts by
name when they run). What it asked of the compiler is kept, so that a mutant is compiled in the same way but alone,
and forge, whose sources do not change, runs the tests on it without compiling anything.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.stack.proving.imports import names
from kit.stack.proving.mutations import Mutant
from kit.stack.proving.workshop import SOLC, Finished, Workshop, run

PROFILE = "quick"
SETTINGS = {
    "FOUNDRY_DYNAMIC_TEST_LINKING": "true",
    # The optimizer, which takes most of the compiler's time, only lays out the stack.
    "FOUNDRY_OPTIMIZER_DETAILS": (
        "{peephole=true,inliner=false,jumpdestRemover=true,orderLiterals=false,deduplicate=false,cse=false,"
        'constantOptimizer=false,yul=true,yulDetails={stackAllocation=true,optimizerSteps="u:"}}'
    ),
}
_OPTIMIZED = {"enabled": True, "runs": 200}
_SECONDS = 300
_BUILD_SECONDS = 1800
_CODE = "evm.bytecode.object"


class BrokenSourcesError(Exception):
    """The contracts do not compile; the text is the compiler's."""


class UnknownCompilationError(Exception):
    """forge compiled in a way that this module does not expect; the text says what was missing."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """One contract as forge keeps it: where, and its code before and after linking."""

    path: str
    """Of the artifact, in the workshop."""
    unit: str
    """Its source, as the compiler names it."""
    name: str
    artifact: dict[str, Any]
    holds: frozenset[str]
    """The sources whose code is in it."""


def syntax_trees(shop: Workshop) -> dict[str, dict[str, Any]]:
    """The compiler's syntax tree of each of our sources, by path in the workshop. Raises BrokenSourcesError."""
    ours = [str(path.relative_to(shop.folder)) for path in sorted((shop.folder / "src").rglob("*.sol"))]
    remappings = _remappings(shop)
    sources: dict[str, str] = {}
    for unit in ours:
        sources |= closure(unit, lambda name: (shop.folder / name).read_text(), remappings)
    settings = {"remappings": remappings, "evmVersion": "prague"}
    answer = _ask(shop, sources, settings, {unit: {"": ["ast"]} for unit in ours})
    wrong = _errors(answer)
    if wrong:
        raise BrokenSourcesError(f"the contracts do not compile:\n{wrong[:3000]}")
    return {unit: answer["sources"][unit]["ast"] for unit in ours}


def _remappings(shop: Workshop) -> list[str]:
    config = shop.forge("config", "--json", profile=PROFILE)
    return list(json.loads(config.out)["remappings"])


def closure(unit: str, read: Any, remappings: list[str]) -> dict[str, str]:
    """Text of `unit` and of all that it imports, by the compiler's names; `read` gives a name's text."""
    found: dict[str, str] = {}
    waiting = [unit]
    while waiting:
        here = waiting.pop()
        if here in found:
            continue
        found[here] = read(here)
        waiting.extend(_resolved(here, name, remappings) for name in names(found[here]))
    return found


def _resolved(importer: str, name: str, remappings: list[str]) -> str:
    if name.startswith("."):
        return os.path.normpath(Path(importer).parent / name)
    pairs = (one.split("=", 1) for one in remappings)
    fitting = [(prefix, target) for prefix, target in pairs if name.startswith(prefix)]
    if not fitting:
        return name
    prefix, target = max(fitting, key=lambda pair: len(pair[0]))
    return target + name[len(prefix) :]


def _ask(shop: Workshop, sources: Mapping[str, str], settings: Mapping[str, Any], wanted: Any) -> dict[str, Any]:
    question = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {**settings, "outputSelection": wanted},
    }
    done = run([SOLC, "--standard-json"], shop.folder, os.environ, _SECONDS, json.dumps(question))
    if done.status != 0:
        raise UnknownCompilationError(f"the compiler broke: {done.text[-2000:]}")
    answer: dict[str, Any] = json.loads(done.out)
    return answer


def _errors(answer: Mapping[str, Any]) -> str:
    return "\n".join(one["formattedMessage"] for one in answer.get("errors", []) if one["severity"] == "error")


class Recompiler:
    """How the true sources of one workshop were compiled, and by it how a mutant of them is."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        self._sources: dict[str, str] = {}
        self._settings: dict[str, Any] = {}
        self._wanted: dict[str, Any] = {}
        self._holds: dict[tuple[str, str], frozenset[str]] = {}
        for question in sorted(_memory(shop).glob("*.question"), key=lambda one: one.stat().st_mtime):
            self._learn(json.loads(question.read_text() or "{}"), question.with_suffix(".answer"))
        if not self._wanted:
            raise UnknownCompilationError("forge did not ask the compiler for any code")
        self._closures: dict[str, dict[str, str]] = {}
        self._contracts = list(self._artifacts())

    @classmethod
    def prepared(cls, shop: Workshop, tools: str) -> Recompiler:
        """Compile the true sources unless that was done. Raises BrokenSourcesError."""
        digest = hashlib.sha256(tools.encode())
        for path in sorted(path for folder in ("src", "test") for path in (shop.folder / folder).rglob("*.sol")):
            digest.update(
                f"{path.relative_to(shop.folder)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode()
            )
        stamp = shop.folder / "compiled"
        if not stamp.is_file() or stamp.read_text() != digest.hexdigest():
            stamp.unlink(missing_ok=True)
            for place in (_memory(shop), shop.out(PROFILE, "test"), shop.cache(PROFILE, "test")):
                shutil.rmtree(place, ignore_errors=True)
            _memory(shop).mkdir(parents=True)
            done = forge(shop, "build", "src", "test", seconds=_BUILD_SECONDS)
            if done.status != 0:
                raise BrokenSourcesError(f"the contracts do not compile:\n{done.text[-3000:]}")
            stamp.write_text(digest.hexdigest())
        return cls(shop)

    def _learn(self, question: dict[str, Any], answered: Path) -> None:
        settings = question.get("settings", {})
        selection = settings.pop("outputSelection", {})
        wanted = {unit: what for unit, what in selection.items() if _CODE in what.get("*", [])}
        if not wanted:
            return
        if self._settings and settings != self._settings:
            raise UnknownCompilationError("forge compiled with two settings")
        self._settings = settings
        self._wanted |= wanted
        self._sources |= {unit: one["content"] for unit, one in question["sources"].items()}
        answer = json.loads(answered.read_text())
        units = {str(one["id"]): unit for unit, one in answer["sources"].items()}
        for unit in wanted:
            for name, contract in answer["contracts"].get(unit, {}).items():
                self._holds[unit, name] = frozenset(units[one] for one in _numbers(contract["evm"]) if one in units)

    def _artifacts(self) -> Iterator[Compiled]:
        cache = self._shop.cache(PROFILE, "test") / "solidity-files-cache.json"
        out = self._shop.out(PROFILE, "test")
        for unit, entry in json.loads(cache.read_text())["files"].items():
            for name, versions in entry["artifacts"].items():
                for profiles in versions.values():
                    for kept in profiles.values():
                        path = out / kept["path"]
                        artifact, kept_at = json.loads(path.read_text()), path.relative_to(self._shop.folder)
                        if len(artifact["bytecode"]["object"]) > len("0x") and unit in self._wanted:
                            yield Compiled(str(kept_at), unit, name, artifact, self._holds[unit, name])

    def artifacts(self, mutant: Mutant) -> dict[str, bytes] | None:
        """What differs with this mutant, by path in the workshop; None when it does not compile."""
        reached = self._reached(mutant.file)
        units = {one.unit for one in reached} or {mutant.file}
        answer = self._compiled(units, {mutant.file: self._text(mutant)}, self._settings)
        return None if _errors(answer) else dict(_differing(reached, answer))

    def is_same(self, mutant: Mutant) -> bool:
        """Whether the optimizer makes the same code of the true contracts and of the mutated ones."""
        units = {one.unit for one in self._reached(mutant.file) if one.unit.startswith("src/")}
        settings = self._settings | {"optimizer": _OPTIMIZED}
        codes = []
        for changed in ({}, {mutant.file: self._text(mutant)}):
            answer = self._compiled(units, changed, settings)
            contracts = ((unit, *named) for unit in units for named in answer["contracts"][unit].items())
            codes.append({(unit, name): one["evm"]["bytecode"]["object"] for unit, name, one in contracts})
        return codes[0] == codes[1]

    def _text(self, mutant: Mutant) -> str:
        return mutant.applied((self._shop.folder / mutant.file).read_bytes()).decode()

    def _reached(self, file: str) -> list[Compiled]:
        """The contracts that are made of `file`, and the tests that hold code of it, not only call it."""
        return [
            one
            for one in self._contracts
            if file in (self._closure(one.unit) if one.unit.startswith("src/") else one.holds)
        ]

    def _compiled(self, units: set[str], changed: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, Any]:
        needed = {name: self._sources[name] for unit in units for name in self._closure(unit)}
        wanted = {unit: self._wanted.get(unit, {"*": [_CODE]}) for unit in units}
        return _ask(self._shop, needed | dict(changed), settings, wanted)

    def _closure(self, unit: str) -> dict[str, str]:
        if unit not in self._closures:
            self._closures[unit] = closure(unit, self._sources.__getitem__, self._settings["remappings"])
        return self._closures[unit]


def _differing(reached: list[Compiled], answer: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    for one in reached:
        code = answer["contracts"][one.unit][one.name]["evm"]
        if f"0x{code['bytecode']['object']}" == one.artifact["bytecode"]["object"]:
            continue
        changed = dict(one.artifact)
        for part in ("bytecode", "deployedBytecode"):
            changed[part] = changed[part] | {"object": f"0x{code[part]['object']}"}
            for name in ("sourceMap", "immutableReferences"):
                if name in code[part]:
                    changed[part][name] = code[part][name]
        yield one.path, json.dumps(changed).encode()


def _numbers(code: Mapping[str, Any]) -> set[str]:
    """The numbers of the sources that a contract's two source maps name (`start:length:source:jump:depth;...`)."""
    maps = (code[part].get("sourceMap", "") for part in ("bytecode", "deployedBytecode"))
    steps = (step.split(":") for one in maps for step in one.split(";"))
    return {step[2] for step in steps if len(step) > 2 and step[2]}


def _memory(shop: Workshop) -> Path:
    return shop.folder / "asked"


def forge(shop: Workshop, *words: str, seconds: float, settings: Mapping[str, str] | None = None) -> Finished:
    """Run forge as the true sources are compiled for mutants, with a compiler that remembers."""
    program = shop.folder / "solc"
    if not program.exists():
        memory = Path(__file__).with_name("solc_memory.py")
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{memory}" "{_memory(shop)}" "{SOLC}" "$@"\n')
        program.chmod(0o755)
    own = SETTINGS | {"FOUNDRY_SOLC": str(program)} | dict(settings or {})
    return shop.forge(*words, profile=PROFILE, seconds=seconds, settings=own)
