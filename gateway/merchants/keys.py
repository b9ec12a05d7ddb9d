"""API keys: shown once, kept as a hash, revoked for the very next request."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Any

import psycopg

from kit.database.queries import load
from kit.http.problems import Problem

_QUERIES = load("gateway.merchants")
PREFIX = "lg_live_"
_BEARER = re.compile(r"Bearer (lg_live_[A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Caller:
    """The merchant behind a request, and the key it used."""

    merchant_id: int
    public_id: str
    key_id: int
    can_write: bool


def new_key() -> tuple[str, bytes]:
    """A fresh key of 32 random bytes and the hash that is kept of it."""
    key = PREFIX + secrets.token_urlsafe(32)
    return key, hash_of(key)


def hash_of(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def read_bearer(header: str | None) -> bytes:
    """The hash of the key in an Authorization header. Raises Problem 401."""
    match = _BEARER.fullmatch(header or "")
    if match is None:
        raise unauthorized()
    return hash_of(match.group(1))


def unauthorized() -> Problem:
    return Problem(
        401,
        "api_key_invalid",
        "Send a valid API key as `Authorization: Bearer lg_live_...`.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def forbidden() -> Problem:
    return Problem(403, "api_key_cannot_write", "This API key may read only. Use a key with the right to write.")


def find_caller(connection: psycopg.Connection[Any], key_hash: bytes) -> Caller:
    """Who the key belongs to, asked of the database each time. Raises Problem 401."""
    row = connection.execute(_QUERIES.sql("find_key"), {"key_hash": key_hash}).fetchone()
    if row is None:
        raise unauthorized()
    key_id, merchant_id, public_id, can_write = row
    return Caller(merchant_id, public_id, key_id, can_write)
