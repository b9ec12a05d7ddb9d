"""Problem details (RFC 9457) and Idempotency-Key's spelling."""

from __future__ import annotations

import json

import pytest

from kit.http.idempotency import conflict, parse_key
from kit.http.problems import CONTENT_TYPE, TYPE_PREFIX, Problem, answer_problem


def test_members_and_media_type() -> None:
    problem = Problem(409, "cumulative_amount_mismatch", "Sign again.", headers={"Retry-After": "1"}, charged="5")
    answer = answer_problem(None, problem)  # type: ignore[arg-type]
    assert answer.status_code == 409
    assert answer.headers["content-type"] == CONTENT_TYPE == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
    assert json.loads(bytes(answer.body)) == {
        "type": TYPE_PREFIX + "cumulative_amount_mismatch",
        "title": "Cumulative amount mismatch",
        "status": 409,
        "detail": "Sign again.",
        "code": "cumulative_amount_mismatch",
        "charged": "5",
    }


@pytest.mark.parametrize("key", ["a", "order-1", "!", "~" * 255])
def test_keys_that_can_be_used(key: str) -> None:
    assert parse_key(key) == key


def test_no_key_is_no_key() -> None:
    assert parse_key(None) is None


@pytest.mark.parametrize("key", ["", " ", "a b", "a\n", "\x00", "é", "\x7f", "x" * 256])
def test_keys_that_cannot(key: str) -> None:
    with pytest.raises(Problem) as refused:
        parse_key(key)
    assert (refused.value.status, refused.value.code) == (400, "invalid_idempotency_key")


def test_a_reused_key_is_a_conflict() -> None:
    assert (conflict().status, conflict().code) == (409, "idempotency_key_reused")
