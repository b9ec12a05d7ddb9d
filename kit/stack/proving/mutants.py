"""Which mutants there are: generated ones, chosen by a seed, and all that were written by hand after real losses."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from kit.stack.proving.mutations import Mutant, identify, mutants
from kit.stack.proving.workshop import Workshop


class BrokenSourcesError(Exception):
    """The contracts do not compile; the text is the compiler's."""


class StaleMutantError(Exception):
    """A mutant or a listed survivor that the sources no longer know; the text says which."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that nothing can kill, and why: it is the same contract."""

    key: str
    file: str
    reason: str


def generated(shop: Workshop) -> list[Mutant]:
    """Every generated mutant of every contract. Raises BrokenSourcesError."""
    done = shop.forge("build", "src", "--ast", profile="quick", tests="none")
    if done.status != 0:
        raise BrokenSourcesError(f"the contracts do not compile:\n{done.text[-3000:]}")
    out = shop.out("quick", "none")
    found = []
    for file in sorted((shop.folder / "src").rglob("*.sol")):
        name = str(file.relative_to(shop.folder))
        tree = _tree(out / file.name, name)
        if tree is not None:
            found += mutants(name, file.read_bytes(), tree)
    return found


def _tree(folder: Path, name: str) -> dict[str, object] | None:
    for artifact in sorted(folder.glob("*.json")):
        tree: dict[str, object] | None = json.loads(artifact.read_text()).get("ast")
        if tree is not None and tree.get("absolutePath") == name:
            return tree
    return None


def sample(every: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """`count` of them (all when zero), spread over the contracts by their size.

    Chosen by a hash of the seed and of what the mutant is, so that an edit of one contract leaves the others' sample.
    """
    if not count or count >= len(every):
        return every
    ranked = sorted(every, key=lambda one: hashlib.sha256(f"{seed}/{one.key}".encode()).digest())
    chosen = set(ranked[:count])
    return [one for one in every if one in chosen]


def by_hand(shop: Workshop, folder: Path) -> list[Mutant]:
    """What the books in `mutants` say. Raises StaleMutantError when a text is not there exactly once."""
    found = []
    for book in sorted(folder.glob("*.toml")):
        for entry in tomllib.loads(book.read_text()).get("mutant", []):
            file, old, new = entry["file"], entry["find"], entry["replace"]
            text = (shop.folder / file).read_bytes() if (shop.folder / file).is_file() else b""
            places = text.count(old.encode())
            if places != 1:
                raise StaleMutantError(f"{book.name}: {places} places, not one, in {file} read {old!r}")
            where = f"{book.stem}: {entry['reason']}"
            key = identify(file, where, old, new, 0)
            found.append(Mutant(file, text.index(old.encode()), old, new, where, key, by_hand=True))
    return found


def survivors(path: Path) -> dict[str, Survivor]:
    """The list of mutants that are known to be equivalent, by key."""
    if not path.is_file():
        return {}
    entries = tomllib.loads(path.read_text()).get("survivor", [])
    return {entry["key"]: Survivor(entry["key"], entry["file"], entry["reason"]) for entry in entries}
