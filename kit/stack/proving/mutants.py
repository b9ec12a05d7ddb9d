"""Which mutants are tried: those after real losses always, of the generated and other ones all or a seeded sample."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kit.stack.proving.mutations import Mutant, identify, mutants
from kit.stack.proving.recompiling import syntax_trees
from kit.stack.proving.workshop import Workshop

_MANDATORY = "losses"
"""The book of which no sample leaves anything out: defects by which real systems lost money."""


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
    trees = syntax_trees(shop)
    return [one for file, tree in trees.items() for one in mutants(file, (shop.folder / file).read_bytes(), tree)]


def sample(every: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """`count` of them (all when zero), spread over the contracts by their size.

    Chosen by a hash of the seed and of what the mutant is, so that an edit of one contract leaves the others' sample.
    """
    if not count or count >= len(every):
        return every
    ranked = sorted(every, key=lambda one: hashlib.sha256(f"{seed}/{one.key}".encode()).digest())
    chosen = set(ranked[:count])
    return [one for one in every if one in chosen]


def chosen(generated: list[Mutant], by_hand: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """The mandatory ones, and `count` of the other ones by hand and of the generated ones (all when zero)."""
    mandatory = [one for one in by_hand if one.where.startswith(f"{_MANDATORY}: ")]
    others = [one for one in by_hand if one not in mandatory]
    return [*mandatory, *sample(others, count, seed), *sample(generated, count, seed)]


def by_hand(shop: Workshop, folder: Path) -> list[Mutant]:
    """What the books in `mutants` say. Raises StaleMutantError when a text is not there exactly once."""
    found = []
    books = (book for book in sorted(folder.glob("*.toml")) if book.name != "survivors.toml")
    for book in books:
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


def survivors(path: Path, every: Iterable[Mutant]) -> dict[str, Survivor]:
    """The mutants that are known to be equivalent, by key. Raises StaleMutantError when one is none of `every`."""
    if not path.is_file():
        return {}
    entries = tomllib.loads(path.read_text()).get("survivor", [])
    unknown = {entry["key"] for entry in entries} - {one.key for one in every}
    if unknown:
        raise StaleMutantError(f"{path.name}: no mutant has the keys {', '.join(sorted(unknown))}")
    return {entry["key"]: Survivor(entry["key"], entry["file"], entry["reason"]) for entry in entries}
