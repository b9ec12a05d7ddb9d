"""A book of its own for every test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from kit.database.pool import connect
from tests.integration.ledger.accounts import Accounts, new_accounts


@pytest.fixture
def connection(gateway_database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(gateway_database_url, autocommit=True) as opened:
        yield opened


@pytest.fixture
def accounts(connection: psycopg.Connection[Any]) -> Accounts:
    return new_accounts(connection)
