"""What a failed statement means: refused, so that nothing stands, or unknown."""

from __future__ import annotations

from typing import cast

import psycopg
import pytest
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from kit.database import prepared
from kit.database.prepared import ConnectionLost, PreparedStatement, StatementFailed, _error_of


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


class _Libpq:
    """A connection whose server goes away between the connect and the prepare."""

    def __init__(self, sqlstate: bytes) -> None:
        self._sqlstate = sqlstate

    def prepare(self, *_arguments: object) -> object:
        result = _Result(self._sqlstate)
        result.status = ExecStatus.FATAL_ERROR  # type: ignore[attr-defined]
        return result


class _Connection:
    def __init__(self, sqlstate: bytes) -> None:
        self.pgconn = _Libpq(sqlstate)

    def execute(self, _statement: str) -> None:
        return None

    def close(self) -> None:
        return None


@pytest.mark.parametrize(("sqlstate", "expected"), [(b"57P01", ConnectionLost), (b"42601", StatementFailed)])
def test_a_server_that_stops_while_it_prepares_is_a_lost_connection(
    sqlstate: bytes, expected: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "connect", lambda *_a, **_k: _Connection(sqlstate))
    with pytest.raises(expected):
        PreparedStatement("postgresql://nowhere", "SELECT 1")._open()
