"""Cases in which gateway and ordinary handler have to answer alike, so that they are compared doing the same work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from tests.benchmarks.figures import BenchmarkFailed
from tests.benchmarks.workload import AMOUNT, SPARE_CREDIT, Payer, Workload
from tests.benchmarks.world import Contestant

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
MICRO_MOST = 10 * 10**6
HALF_A_WINDOW = 5 * 10**6
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Case:
    """A request, and the status and code that it has to have."""

    name: str
    body: Any
    status: int
    code: str | None = None
    key: str | None = None
    anonymous: bool = False


def body(payer: Payer, most: int, amount: int = AMOUNT, **changes: Any) -> dict[str, Any]:
    voucher = {
        "channelId": "0x" + payer.channel_id.hex(),
        "maxClaimableAmount": str(most),
        "signature": "0x" + payer.voucher(most).hex(),
    }
    voucher |= {name: value for name, value in changes.items() if name in voucher}
    document: dict[str, Any] = {"voucher": voucher, "amount": str(amount)}
    return document | {name: value for name, value in changes.items() if name not in voucher}


def cases(payer: Payer, other: Payer, start: int, other_start: int) -> list[Case]:
    """In this order, on channels that are charged so much so far; `payer`'s holds SPARE_CREDIT in all.

    They charge 2 AMOUNT more to `payer` and HALF_A_WINDOW to `other`.
    """
    first, second = start + AMOUNT, start + 2 * AMOUNT
    good = payer.voucher(second)
    high_s = good[:32] + (CURVE_ORDER - int.from_bytes(good[32:64], "big")).to_bytes(32, "big")
    high_s += bytes([55 - good[64]])
    unknown = bytes(31) + b"\x07"
    large = start + MICRO_MOST + 1
    half = other_start + HALF_A_WINDOW
    foreign = "0x" + other.voucher(second).hex()
    return [
        Case("captured", body(payer, first), 201),
        Case("the same again", body(payer, first), 200),
        Case("same voucher, another request", body(payer, first, reference="x"), 409, "cumulative_amount_mismatch"),
        Case("a gap", body(payer, second + 1), 409, "cumulative_amount_mismatch"),
        Case(
            "beyond the balance",
            body(payer, first + SPARE_CREDIT, SPARE_CREDIT),
            409,
            "cumulative_exceeds_balance",
        ),
        Case("signed by another", body(payer, second, signature=foreign), 422, "voucher_signature"),
        Case("high s", body(payer, second, signature="0x" + high_s.hex()), 422, "voucher_signature"),
        Case("v of 29", body(payer, second, signature="0x" + good[:64].hex() + "1d"), 422, "voucher_signature"),
        Case("no such channel", body(payer, second, channelId="0x" + unknown.hex()), 404, "channel_not_found"),
        Case("above the micro tier", body(payer, large, MICRO_MOST + 1), 422, "check_not_available"),
        Case("high tier", body(payer, 10**12, 10**11), 422, "amount_requires_settlement"),
        Case("more than the voucher", body(payer, 5, 6), 422, "amount_out_of_range"),
        Case("half of the window", body(other, half, HALF_A_WINDOW), 201),
        Case("more than the window", body(other, half + MICRO_MOST, MICRO_MOST), 409, "velocity_exceeded"),
        Case("negative", body(payer, second, amount=-3), 400, "invalid_request"),
        Case("leading zero", body(payer, second) | {"amount": "03"}, 400, "invalid_request"),
        Case("exponent", body(payer, second) | {"amount": "3e0"}, 400, "invalid_request"),
        Case("a number", body(payer, second) | {"amount": 3}, 400, "invalid_request"),
        Case("above uint128", body(payer, second) | {"amount": str(1 << 128)}, 400, "invalid_request"),
        Case("unknown member", body(payer, second, tip="1"), 400, "invalid_request"),
        Case("64-byte signature", body(payer, second, signature="0x" + good[:64].hex()), 400, "invalid_request"),
        Case("not JSON", b'{"voucher":', 400, "invalid_json"),
        Case("no key", body(payer, second), 401, "api_key_invalid", anonymous=True),
        Case("with an idempotency key", body(payer, second), 201, key=f"case-{start}"),
        Case("that key again", body(payer, second), 200, key=f"case-{start}"),
        Case("that key, another request", body(payer, second + 3), 409, "idempotency_key_reused", f"case-{start}"),
    ]


def answers(base: str, api_key: str, asked: list[Case]) -> list[tuple[str, int, str | None]]:
    """(name, status, code) of each case, asked one after the other."""
    told = []
    with httpx.Client(base_url=base, timeout=30) as client:
        for case in asked:
            headers = {} if case.anonymous else {"Authorization": f"Bearer {api_key}"}
            if case.key is not None:
                headers["Idempotency-Key"] = case.key
            raw = isinstance(case.body, bytes)
            sent = {"content": case.body} if raw else {"json": case.body}
            answer = client.post("/v1/payments", headers=headers | (JSON if raw else {}), **sent)
            told.append((case.name, answer.status_code, answer.json().get("code")))
    return told


def batch_answers(base: str, api_key: str, asked: list[Case]) -> list[tuple[str, int, str | None]]:
    """The same for those cases that can be one item of a batch."""
    with httpx.Client(base_url=base, timeout=30) as client:
        answer = client.post(
            "/v1/payments/batch",
            headers={"Authorization": f"Bearer {api_key}"},
            json={"payments": [case.body for case in asked]},
        )
    results = answer.raise_for_status().json()["results"]
    return [
        (case.name, result["status"], (result.get("problem") or {}).get("code"))
        for case, result in zip(asked, results, strict=True)
    ]


def expected(asked: list[Case]) -> list[tuple[str, int, str | None]]:
    return [(case.name, case.status, case.code) for case in asked]


def verify(contestant: Contestant, workload: Workload) -> None:
    """Raises BenchmarkFailed naming every answer that is not the one due."""
    payer, other = workload.spares
    wrong = []
    for told, due in zip(*told_and_due(contestant, payer, other), strict=True):
        if told != due:
            wrong.append(f"{due[0]}: answered {told[1:]} where {due[1:]} was due")
    if wrong:
        raise BenchmarkFailed(f"{contestant.name}: " + "; ".join(wrong))


def told_and_due(
    contestant: Contestant, payer: Payer, other: Payer
) -> tuple[list[tuple[str, int, str | None]], list[tuple[str, int, str | None]]]:
    base, api_key = f"http://127.0.0.1:{contestant.port}", contestant.api_keys[0]
    one_by_one = cases(payer, other, 0, 0)
    told = answers(base, api_key, one_by_one)
    together = [
        case for case in cases(payer, other, 2 * AMOUNT, HALF_A_WINDOW) if case.key is None and not case.anonymous
    ]
    together = [case for case in together if case.status != 400]
    told += batch_answers(base, api_key, together)
    return told, expected(one_by_one) + expected(together)
