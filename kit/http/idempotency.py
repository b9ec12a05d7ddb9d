"""Idempotency-Key: one effect a key, scoped to tenant and route; another body under the same key is refused."""

from __future__ import annotations

import re
from typing import Any

import psycopg

from kit.http.problems import Problem

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def parse_key(value: str | None) -> str | None:
    """A usable key or None. Raises Problem 400 `invalid_idempotency_key`."""
    if value is None:
        return None
    if _KEY.fullmatch(value) is None:
        raise Problem(
            400, "invalid_idempotency_key", "An Idempotency-Key is 1 to 255 visible ASCII characters without spaces."
        )
    return value


def conflict() -> Problem:
    return Problem(
        409,
        "idempotency_key_reused",
        "This Idempotency-Key was used with another request. Send a new key with a new request.",
    )


def claim_key(connection: psycopg.Connection[Any], *, tenant_id: int, route: str, key: str, body_hash: bytes) -> bool:
    """Take the key for this body: True when it is new. Raises Problem 409 when another body holds it."""
    row = connection.execute(
        """
        WITH taken AS (
            INSERT INTO idempotency_keys (tenant_id, route, key, body_hash)
            VALUES (%(tenant_id)s, %(route)s, %(key)s, %(body_hash)s)
            ON CONFLICT (tenant_id, route, key) DO UPDATE SET key = idempotency_keys.key
            RETURNING body_hash, xmax = 0 AS is_new
        )
        SELECT body_hash, is_new FROM taken""",
        {"tenant_id": tenant_id, "route": route, "key": key, "body_hash": body_hash},
    ).fetchone()
    assert row is not None
    if bytes(row[0]) != body_hash:
        raise conflict()
    return bool(row[1])


def release_key(connection: psycopg.Connection[Any], *, tenant_id: int, route: str, key: str) -> None:
    """Give the key back: the request was rejected before any effect, so a corrected one may use it."""
    connection.execute(
        "DELETE FROM idempotency_keys WHERE tenant_id = %s AND route = %s AND key = %s", [tenant_id, route, key]
    )
