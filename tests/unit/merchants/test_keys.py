"""The spelling of API keys."""

from __future__ import annotations

import pytest

from gateway.merchants.keys import forbidden, hash_of, new_key, read_bearer, unauthorized
from kit.http.problems import Problem


def test_keys_are_random_and_readable_from_their_header() -> None:
    keys = {new_key() for _ in range(100)}
    assert len({key for key, _ in keys}) == 100
    for key, digest in keys:
        assert len(key) == len("lg_live_") + 43
        assert read_bearer(f"Bearer {key}") == hash_of(key) == digest
        assert key.encode() not in digest


GOOD = "lg_live_" + "aB3_-" * 8 + "xyz"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        GOOD,
        "Bearer",
        f"bearer {GOOD}",
        f"Bearer  {GOOD}",
        f"Bearer {GOOD} ",
        f"Bearer {GOOD}\n",
        f"Bearer {GOOD}x",
        f"Bearer {GOOD[:-1]}",
        f"Bearer {GOOD[:-1]}é",
        f"Bearer {GOOD.replace('live', 'test')}",
        f"Basic {GOOD}",
        f"Bearer {GOOD}, Bearer {GOOD}",
    ],
)
def test_anything_else_is_no_key(header: str | None) -> None:
    with pytest.raises(Problem) as refused:
        read_bearer(header)
    assert refused.value.status == 401
    assert GOOD not in str(refused.value.document())


def test_the_good_one_is_good() -> None:
    assert read_bearer(f"Bearer {GOOD}") == hash_of(GOOD)


def test_what_a_caller_is_told() -> None:
    assert (unauthorized().status, unauthorized().code) == (401, "api_key_invalid")
    assert unauthorized().headers == {"WWW-Authenticate": "Bearer"}
    assert (forbidden().status, forbidden().code) == (403, "api_key_cannot_write")
