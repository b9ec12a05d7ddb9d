"""What every state change writes in its own transaction: one outbox row and one audit leaf."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import psycopg

from kit.database.queries import load
from kit.ids import uuid7

_QUERIES = load("kit.ledger")
PLATFORM = 0


def canonical(body: Mapping[str, Any]) -> str:
    """JSON with one spelling only: sorted keys, no spaces, no floats (RFC 8785 for the values that we allow).

    Raises TypeError for a float or anything JSON has no word for.
    """
    _refuse_floats(body)
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def record(
    connection: psycopg.Connection[Any],
    *,
    tenant_id: int,
    topic: str,
    payload: Mapping[str, Any],
    change_id: UUID | None = None,
) -> UUID:
    """Write the outbox row and the audit leaf of one change; returns their common id."""
    identifier = change_id or uuid7()
    connection.execute(
        _QUERIES.sql("record_change"),
        {
            "tenant_id": tenant_id,
            "change_id": identifier,
            "topic": topic,
            "body": canonical({**payload, "kind": topic}),
            "salt": os.urandom(16),
        },
    )
    return identifier


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError("a float cannot be part of a recorded change; amounts are decimal strings")
    if isinstance(value, Mapping):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _refuse_floats(item)
