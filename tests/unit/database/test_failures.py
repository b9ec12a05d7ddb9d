"""What a failed statement means: refused, so that nothing stands, or unknown."""

from __future__ import annotations

from typing import cast

import psycopg
import pytest
from psycopg.pq import DiagnosticField
from psycopg.pq.abc import PGresult

from kit.database.prepared import StatementFailed, _error_of


class _Result:
    error_message = b"FATAL:  something\n"

    def __init__(self, sqlstate: bytes | None) -> None:
        self._sqlstate = sqlstate

    def error_field(self, field: DiagnosticField) -> bytes | None:
        return self._sqlstate if field is DiagnosticField.SQLSTATE else None


def error_of(sqlstate: bytes | None) -> Exception:
    return _error_of(cast(PGresult, _Result(sqlstate)))


@pytest.mark.parametrize("sqlstate", [b"57P01", b"57P02", b"57P03", b"57P05", b"08006", b"08P01", b"", None])
def test_a_server_or_connection_that_went_away_leaves_it_unknown(sqlstate: bytes | None) -> None:
    assert isinstance(error_of(sqlstate), psycopg.OperationalError)


@pytest.mark.parametrize("sqlstate", [b"22003", b"23505", b"23514", b"40001", b"40P01", b"57014", b"53100", b"XX000"])
def test_anything_else_was_refused(sqlstate: bytes) -> None:
    error = error_of(sqlstate)
    assert isinstance(error, StatementFailed)
    assert error.sqlstate == sqlstate.decode()
    assert "something" in str(error)
