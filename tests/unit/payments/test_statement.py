"""The rows of the `capture_batch` statement: every request gets its own outcome, and none by default."""

from __future__ import annotations

from typing import cast

import pytest
from psycopg.pq.abc import PGresult

from gateway.payments.outcomes import CaptureRequest, CaptureResult, Outcome
from gateway.payments.statement import unpack
from kit.database import binary
from kit.ids import uuid7

Row = tuple[bytes | None, bytes | None, bytes | None]


class _Rows:
    """As much of a result as `unpack` reads: outcome in binary, totals as text."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows
        self.ntuples = len(rows)

    def get_value(self, row: int, column: int) -> bytes | None:
        return self._rows[row][column]


def result_of(*rows: Row) -> PGresult:
    return cast(PGresult, _Rows(list(rows)))


def request(voucher_max: int = 40) -> CaptureRequest:
    return CaptureRequest(uuid7(), 1, 1, bytes(32), 5, voucher_max, bytes(65), bytes(32), 100, 100)


def test_rows_and_requests_keep_their_order() -> None:
    requests = [request(40), request(45), request(50)]
    rows = result_of((b"\0\0", b"35", b"1000"), (b"\0\1", b"40", b"1000"), (b"\0\7", None, None))
    assert unpack(rows, requests) == [
        CaptureResult(Outcome.CAPTURED, 40, 1000, requests[0].payment_id),
        CaptureResult(Outcome.MISMATCH, 40, 1000),
        CaptureResult(Outcome.UNKNOWN_CHANNEL, 0, 0),
    ]


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_known(outcome: Outcome) -> None:
    (result,) = unpack(result_of((binary.int2(outcome), b"1", b"2")), [request()])
    assert result.outcome is outcome
    assert (result.payment_id is None) is (outcome is not Outcome.CAPTURED)


@pytest.mark.parametrize("code", [None, b"", b"\0", binary.int2(len(Outcome)), binary.int2(-1)])
def test_anything_else_is_no_outcome_and_above_all_not_a_capture(code: bytes | None) -> None:
    with pytest.raises(KeyError):
        unpack(result_of((code, b"1", b"2")), [request()])


def test_a_row_too_few_is_no_answer() -> None:
    with pytest.raises(RuntimeError, match="2 payments went in and 1 outcomes"):
        unpack(result_of((b"\0\0", b"1", b"2")), [request(), request()])
