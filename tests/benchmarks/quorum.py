"""Verifying one vote and a quorum signature of seven, by the backend that runs and by py-ecc."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.figures import BenchmarkFailed, Chapter, alternate, at_most, plain, ratios
from tests.benchmarks.options import Options
from tests.support.committee import Committee
from verification.quorum import Vote, tally
from verification.signatures.bls import BLS, Backend
from verification.signatures.bls.reference import PyEccBackend
from verification.signatures.eip712 import keccak

VALIDATORS = 7
MOST_MILLISECONDS = 2
DIGESTS, SLOW_DIGESTS = 100, 2
"""py-ecc needs a third of a second where the other needs a thousandth."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A digest, the votes for it and their sum. Each digest is used once a round, as in life."""

    digest: bytes
    votes: list[Vote]
    aggregate: bytes


def run(options: Options) -> Chapter:
    committee = Committee.of(VALIDATORS)
    keys, reference = committee.validator_set.keys, PyEccBackend()
    signed = [_signed(committee, number) for number in range(DIGESTS)]
    few = signed[:SLOW_DIGESTS]
    times = alternate(
        {
            "vote": lambda: _milliseconds(_verify_vote(BLS), signed),
            "vote, py-ecc": lambda: _milliseconds(_verify_vote(reference), few),
            "aggregate": lambda: _milliseconds(_verify_aggregate(BLS, keys), signed),
            "aggregate, py-ecc": lambda: _milliseconds(_verify_aggregate(reference, keys), few),
            "certificate": lambda: _milliseconds(_make_certificate(committee), signed),
        },
        options.rounds,
    )
    return Chapter(
        f"BLS signatures of {VALIDATORS} validators, one core",
        (
            at_most("verify one vote", times["vote"], MOST_MILLISECONDS, "ms"),
            plain("the same by py-ecc", times["vote, py-ecc"], "ms"),
            plain("as a ratio", ratios(times["vote, py-ecc"], times["vote"]), "x"),
            at_most(f"verify an aggregate of {VALIDATORS}", times["aggregate"], MOST_MILLISECONDS, "ms"),
            plain("the same by py-ecc", times["aggregate, py-ecc"], "ms"),
            plain(f"verify {VALIDATORS} votes, sum and encode them", times["certificate"], "ms"),
        ),
        ("every digest is new, keys are known: their points are decoded once and remembered.",),
    )


def _signed(committee: Committee, number: int) -> Signed:
    digest = keccak(f"benchmark {number}".encode())
    votes = [validator.vote(digest) for validator in committee.validators]
    return Signed(digest, votes, BLS.aggregate([vote.signature for vote in votes]))


def _verify_vote(backend: Backend) -> Callable[[Signed], bool]:
    return lambda each: backend.verify(each.votes[0].validator, each.digest, each.votes[0].signature)


def _verify_aggregate(backend: Backend, keys: tuple[bytes, ...]) -> Callable[[Signed], bool]:
    return lambda each: backend.verify_aggregate(keys, each.digest, each.aggregate)


def _make_certificate(committee: Committee) -> Callable[[Signed], bool]:
    validators = committee.validator_set
    return lambda each: len(tally(validators, each.digest, each.votes).quorum_signature().encode()) > 0


def _milliseconds(work: Callable[[Signed], bool], signed: list[Signed]) -> float:
    started = time.process_time()
    for each in signed:
        if not work(each):
            raise BenchmarkFailed("a good signature was refused")
    return (time.process_time() - started) / len(signed) * 1e3
