"""One prepared statement on one connection, driven by the event loop: no thread, no adapter, one round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from kit.database.pool import connect

_BINARY = 1
_ACCEPTED = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class StatementFailed(Exception):
    """The server refused the statement: nothing of it stands."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(f"{sqlstate}: {message}")
        self.sqlstate = sqlstate


class ConnectionLost(Exception):
    """The connection broke: whether the statement stands is unknown."""


class PreparedStatement:
    """Executes one statement in its own transaction. Not for use by two coroutines at once.

    `sql` has `$n` placeholders; every parameter and the result are in binary.
    """

    def __init__(self, url: str, sql: str) -> None:
        self._url = url
        self._sql = sql
        self._connection: psycopg.Connection[Any] | None = None

    async def execute(self, parameters: Sequence[bytes]) -> PGresult:
        """Run the statement and commit. Raises StatementFailed, ConnectionLost."""
        if self._connection is None:
            self._connection = await asyncio.to_thread(self._open)
        try:
            return await self._run(self._connection, parameters)
        except (psycopg.OperationalError, OSError) as error:
            self.close()
            raise ConnectionLost(str(error)) from error
        except asyncio.CancelledError:
            # The answer would otherwise be read by the next caller.
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> psycopg.Connection[Any]:
        try:
            connection = connect(self._url, autocommit=True)
            # The plan never depends on the values, so planning it for each batch would be waste; and it is made once,
            # maybe over empty tables, so a scan of a whole table must not look cheap to it.
            connection.execute("SET plan_cache_mode = force_generic_plan")
            connection.execute("SET enable_seqscan = off")
            connection.execute("SET enable_bitmapscan = off")
            connection.execute("SET statement_timeout = 10000")
            result = connection.pgconn.prepare(b"statement", self._sql.encode(), [])
            if result.status != ExecStatus.COMMAND_OK:
                connection.close()
                raise _error_of(result)  # a server that shuts down just now is a lost connection, not a bad statement
        except psycopg.OperationalError as error:
            raise ConnectionLost(str(error)) from error
        connection.pgconn.nonblocking = 1
        return connection

    async def _run(self, connection: psycopg.Connection[Any], parameters: Sequence[bytes]) -> PGresult:
        libpq = connection.pgconn
        libpq.send_query_prepared(b"statement", list(parameters), [_BINARY] * len(parameters), _BINARY)
        await self._flush(libpq)
        while libpq.is_busy():
            await _readable(libpq.socket)
            libpq.consume_input()
        result = libpq.get_result()
        if result is None:
            raise psycopg.OperationalError("the server sent no result")
        while libpq.is_busy():
            await _readable(libpq.socket)
            libpq.consume_input()
        while libpq.get_result() is not None:
            pass
        if result.status not in _ACCEPTED:
            if libpq.status != 0:
                raise psycopg.OperationalError("the connection was lost")
            raise _error_of(result)
        return result

    async def _flush(self, libpq: Any) -> None:
        while libpq.flush():
            await _writable(libpq.socket)
            libpq.consume_input()


def _error_of(result: PGresult) -> Exception:
    sqlstate, message = _reason(result)
    # Class 57P: the server is shutting down or crashed; 08: the connection; what became of the statement is unknown.
    if sqlstate.startswith(("57P", "08")) or not sqlstate:
        return psycopg.OperationalError(message)
    return StatementFailed(sqlstate, message)


def _reason(result: PGresult) -> tuple[str, str]:
    from psycopg.pq import DiagnosticField  # noqa: PLC0415 - rare path

    sqlstate = result.error_field(DiagnosticField.SQLSTATE) or b""
    return sqlstate.decode(), result.error_message.decode("utf-8", "replace").strip()


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(descriptor, _wake, ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


async def _writable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_writer(descriptor, _wake, ready)
    try:
        await ready
    finally:
        loop.remove_writer(descriptor)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
