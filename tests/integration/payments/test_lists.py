"""The lists: every row once, in one order, whatever the page; filters; and nothing of anybody else."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from gateway.payments.states import Scheme
from kit.ids import uuid7
from tests.integration.payments.api import Api, assert_problem
from tests.support.seed import Merchant, SeededChannel, seed_channel, seed_merchant


def pages(api: Api, merchant: Merchant, path: str, limit: int, **filters: Any) -> list[list[dict[str, Any]]]:
    """Follow next_cursor to the end."""
    seen: list[list[dict[str, Any]]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = api.get(merchant, path, limit=limit, **filters, **cursor)
        assert answer.status_code == 200, answer.text
        document = answer.json()
        assert document["object"] == "list"
        seen.append(document["data"])
        assert len(seen) < 200, "the list does not end"
        if document["next_cursor"] is None:
            return seen
        cursor = {"cursor": document["next_cursor"]}


@pytest.fixture(scope="module")
def busy(api: Api) -> tuple[Merchant, SeededChannel, SeededChannel]:
    """A hundred payments of two channels made in one batch call, after ten single ones of the first."""
    merchant = seed_merchant(api.connection)
    one, two = seed_channel(api.connection, merchant), seed_channel(api.connection, merchant)
    for number in range(1, 11):
        assert api.pay(merchant, one.body(1, number, "single")).status_code == 201
    bodies = []
    for number in range(1, 51):
        bodies += [one.body(1, 10 + number, "batch"), two.body(2, 2 * number, "batch")]
    results = api.pay_many(merchant, bodies).json()["results"]
    assert {result["status"] for result in results} == {201}
    return merchant, one, two


FILTERS: dict[str, int] = {"none": 110, "channel": 60, "payer": 50, "reference": 100, "scheme": 110, "all": 50}


def filters_of(name: str, one: SeededChannel, two: SeededChannel) -> dict[str, str]:
    return {
        "none": {},
        "channel": {"channel_id": "0x" + one.channel_id.hex()},
        "payer": {"payer": "0x" + two.payer.config.payer.hex().upper()},
        "reference": {"reference": "batch"},
        "scheme": {"scheme": "batch-settlement"},
        "all": {
            "channel_id": "0x" + one.channel_id.hex(),
            "payer": "0x" + one.payer.config.payer.hex(),
            "reference": "batch",
            "scheme": "batch-settlement",
        },
    }[name]


@pytest.mark.parametrize("limit", [7, 100, 1])
@pytest.mark.parametrize("name", FILTERS)
def test_pages_hold_every_payment_once(
    api: Api, busy: tuple[Merchant, SeededChannel, SeededChannel], name: str, limit: int
) -> None:
    merchant, one, two = busy
    if limit == 1 and name != "all":
        return
    found = pages(api, merchant, "/v1/payments", limit, **filters_of(name, one, two))
    assert all(len(page) == limit for page in found[:-1])
    assert 0 < len(found[-1]) <= limit
    listed = [payment for page in found for payment in page]
    assert len(listed) == FILTERS[name] == len({payment["id"] for payment in listed})
    assert [payment["id"] for payment in listed] == sorted((p["id"] for p in listed), reverse=True)
    times = [payment["created_at"] for payment in listed]
    assert times == sorted(times, reverse=True)
    for channel in (one, two):
        mine = [p for p in listed if p["channel_id"] == "0x" + channel.channel_id.hex()]
        totals = [int(payment["cumulative_amount"]) for payment in mine]
        assert totals == sorted(totals, reverse=True)


def test_a_page_stands_while_payments_arrive(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    for number in range(1, 11):
        api.pay(merchant, channel.body(1, number))
    first = api.get(merchant, "/v1/payments", limit=5).json()
    for number in range(11, 16):
        api.pay(merchant, channel.body(1, number))
    second = api.get(merchant, "/v1/payments", limit=5, cursor=first["next_cursor"]).json()
    totals = [int(payment["cumulative_amount"]) for payment in first["data"] + second["data"]]
    assert totals == list(range(10, 0, -1))
    assert second["next_cursor"] is None


def test_times(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    api.pay(merchant, channel.body(1, 1))
    moment = datetime.now(UTC) + timedelta(milliseconds=1)
    hour = timedelta(hours=1)
    zoned = moment.astimezone(tz=None) + hour

    def found(**query: Any) -> int:
        answer = api.get(merchant, "/v1/payments", **query)
        assert answer.status_code == 200, answer.text
        return len(answer.json()["data"])

    assert found(created_from=(moment - hour).isoformat(), created_before=(moment + hour).isoformat()) == 1
    assert found(created_from=zoned.isoformat()) == 0
    assert found(created_before=(moment - hour).isoformat()) == 0
    assert found(created_from="0001-01-01T00:00:00Z", created_before="9999-12-31T23:59:59Z") == 1


def test_schemes_have_their_own_lists(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    api.pay(merchant, channel.body(1, 1))
    made = uuid7()
    api.connection.execute(
        """
        INSERT INTO payments (merchant_id, payment_id, scheme, state, asset_id, amount, payer, request_hash, batch_id)
        VALUES (%s, %s, 2, 3, %s, 7, %s, sha256(''), %s)""",
        [merchant.merchant_id, made, channel.asset_id, bytes(20), made],
    )
    for name, scheme, count in (("exact", Scheme.EXACT, 1), ("claimed-outside", Scheme.CLAIMED_OUTSIDE, 0)):
        listed = api.get(merchant, "/v1/payments", scheme=name).json()["data"]
        assert len(listed) == count, scheme
    (exact,) = api.get(merchant, "/v1/payments", scheme="exact").json()["data"]
    assert (exact["channel_id"], exact["cumulative_amount"], exact["amount"]) == (None, None, "7")
    api.connection.execute("DELETE FROM payments WHERE payment_id = %s", [made])


def test_channels_in_pages(api: Api) -> None:
    merchant = seed_merchant(api.connection)
    made = [seed_channel(api.connection, merchant, payer=f"payer {number % 2}", salt=number) for number in range(15)]
    found = pages(api, merchant, "/v1/channels", 4)
    assert [len(page) for page in found] == [4, 4, 4, 3]
    listed = [channel["id"] for page in found for channel in page]
    assert listed == ["0x" + channel.channel_id.hex() for channel in reversed(made)]
    payer = "0x" + made[0].payer.config.payer.hex()
    of_one = [channel for page in pages(api, merchant, "/v1/channels", 3, payer=payer) for channel in page]
    assert {channel["payer"] for channel in of_one} == {payer}
    assert len(of_one) == 8


# nothing of anybody else


@pytest.fixture(scope="module")
def stranger(api: Api) -> Merchant:
    return seed_merchant(api.connection)


def test_every_route_with_an_id_says_404_to_a_stranger(
    api: Api, busy: tuple[Merchant, SeededChannel, SeededChannel], stranger: Merchant
) -> None:
    """Walks the routes that the API says it has: one that is added needs an id here, or this fails."""
    owner, channel, _ = busy
    payment = api.get(owner, "/v1/payments", limit=1).json()["data"][0]["id"]
    ids = {"payment_id": payment, "channel_id": "0x" + channel.channel_id.hex()}
    paths = api.http.get("/openapi.json").json()["paths"]
    walked = [path for path in paths if path.startswith("/v1/") and "{" in path and "get" in paths[path]]
    assert walked, "no route has an id"
    for path in walked:
        own = path.format(**ids)
        assert api.get(owner, own).status_code == 200, own
        foreign = api.get(stranger, own)
        assert foreign.status_code == 404, own
        unknown = {"payment_id": "pay_" + uuid7().hex, "channel_id": "0x" + "00" * 32}
        nowhere = api.get(stranger, path.format(**unknown))
        assert (nowhere.status_code, nowhere.json()) == (404, foreign.json())


def test_every_list_is_empty_for_a_stranger(
    api: Api, busy: tuple[Merchant, SeededChannel, SeededChannel], stranger: Merchant
) -> None:
    owner, channel, _ = busy
    cursor = api.get(owner, "/v1/payments", limit=1).json()["next_cursor"]
    for query in (
        {},
        {"channel_id": "0x" + channel.channel_id.hex()},
        {"payer": "0x" + channel.payer.config.payer.hex()},
        {"reference": "batch"},
        {"cursor": cursor},
    ):
        assert api.get(stranger, "/v1/payments", **query).json()["data"] == []
    channels = api.get(owner, "/v1/channels", limit=1).json()
    for query in ({}, {"payer": "0x" + channel.payer.config.payer.hex()}, {"cursor": channels["next_cursor"]}):
        assert api.get(stranger, "/v1/channels", **query).json()["data"] == []


# what is no query


def encoded(position: bytes) -> str:
    return base64.urlsafe_b64encode(position).rstrip(b"=").decode()


BAD_QUERIES = [
    ("/v1/payments", "limit=0", "invalid_request"),
    ("/v1/payments", "limit=101", "invalid_request"),
    ("/v1/payments", "limit=-1", "invalid_request"),
    ("/v1/payments", "limit=7.5", "invalid_request"),
    ("/v1/payments", "limit=ten", "invalid_request"),
    ("/v1/payments", "limit=99999999999999999999", "invalid_request"),
    ("/v1/payments", "cursor=", "invalid_cursor"),
    ("/v1/payments", "cursor=garbage", "invalid_cursor"),
    ("/v1/payments", f"cursor={encoded(bytes(16))}%3D%3D", "invalid_cursor"),
    ("/v1/payments", f"cursor={encoded(bytes(8))}", "invalid_cursor"),
    ("/v1/payments", f"cursor={'A' * 65}", "invalid_request"),
    ("/v1/payments", "cursor=%00", "invalid_cursor"),
    ("/v1/payments", "cursor=%FF%FE", "invalid_cursor"),
    ("/v1/payments", "channel_id=0x00", "invalid_request"),
    ("/v1/payments", f"channel_id=0x{'0' * 64}%0A", "invalid_request"),
    ("/v1/payments", f"payer={'0' * 42}", "invalid_request"),
    ("/v1/payments", "scheme=upto", "invalid_request"),
    ("/v1/payments", f"reference={'x' * 129}", "invalid_request"),
    ("/v1/payments", "reference=%00", "invalid_request"),
    ("/v1/payments", "reference=a%00b", "invalid_request"),
    ("/v1/payments", "created_from=yesterday", "invalid_request"),
    ("/v1/payments", "created_from=2026-01-31T12:00:00", "invalid_request"),
    ("/v1/payments", "created_from=1e30", "invalid_request"),
    ("/v1/payments", "created_before=99999-01-01T00:00:00Z", "invalid_request"),
    ("/v1/channels", f"cursor={encoded(bytes(16))}", "invalid_cursor"),
    ("/v1/channels", f"cursor={encoded(b'%c' % 255 * 8)}", "invalid_cursor"),
    ("/v1/channels", f"cursor={encoded(bytes([128, 0, 0, 0, 0, 0, 0, 0]))}", "invalid_cursor"),
    ("/v1/channels", "withdrawing=maybe", "invalid_request"),
    ("/v1/channels", "payer=0x", "invalid_request"),
]


@pytest.mark.parametrize(("path", "query", "code"), BAD_QUERIES)
def test_a_query_that_is_none(api: Api, stranger: Merchant, path: str, query: str, code: str) -> None:
    answer = api.http.get(f"{path}?{query}", headers=stranger.authorization)
    assert_problem(answer, 400, code)


BAD_IDS = [
    "pay_",
    "pay_" + "0" * 31,
    "pay_" + "g" * 32,
    "PAY_" + "0" * 32,
    "pay_{" + "0" * 31,
    "0" * 36,
    "%00",
    "pay_%F0",
]


@pytest.mark.parametrize("identifier", BAD_IDS)
def test_an_id_that_is_none(api: Api, stranger: Merchant, identifier: str) -> None:
    answer: httpx.Response = api.get(stranger, f"/v1/payments/{identifier}")
    assert_problem(answer, 404, "payment_not_found")


@pytest.mark.parametrize("identifier", ["0x", "0x" + "0" * 63, "0X" + "0" * 64, "0x" + "g" * 64, "0x%20" + "0" * 63])
def test_a_channel_id_that_is_none(api: Api, stranger: Merchant, identifier: str) -> None:
    assert_problem(api.get(stranger, f"/v1/channels/{identifier}"), 404, "channel_not_found")
