"""Input made wrong in every way we know: the documented problem, and not a row changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.integration.payments.api import Api, assert_problem
from tests.support.seed import Merchant, SeededChannel, seed_channel
from tests.support.vouchers import DOMAIN, Signer, compact, with_high_s

Body = dict[str, Any]
UINT128_MOST = (1 << 128) - 1


def post(api: Api, merchant: Merchant, path: str, content: bytes, **headers: str) -> httpx.Response:
    return api.http.post(
        path, content=content, headers=merchant.authorization | {"Content-Type": "application/json"} | headers
    )


NOT_JSON = {
    "nothing": b"",
    "text": b"garbage",
    "half an object": b'{"voucher": {',
    "two objects": b"{}{}",
    "NaN": b'{"amount": NaN}',
    "Infinity": b'{"amount": Infinity}',
    "single quotes": b"{'amount': '5'}",
    "trailing comma": b'{"amount": "5",}',
    "not UTF-8": b'{"amount": "\xff\xfe"}',
    "UTF-16": '{"amount": "5"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"amount": "5"}',
    "half a surrogate pair": b'{"reference": "\\ud800"}',
    "a control character": b'{"reference": "a\x01"}',
    "deep nesting": b"[" * 3000 + b"]" * 3000,
}


@pytest.mark.parametrize("path", ["/v1/payments", "/v1/payments/batch"])
@pytest.mark.parametrize("what", NOT_JSON)
def test_what_is_no_json(api: Api, merchant: Merchant, what: str, path: str) -> None:
    with api.nothing_changes():
        assert_problem(post(api, merchant, path, NOT_JSON[what]), 400, "invalid_json")


WRONG_TYPES: list[Any] = [None, True, 5, 5.0, "text", [], [5], {}, {"payments": 5}, {"voucher": None}]


@pytest.mark.parametrize("document", WRONG_TYPES, ids=json.dumps)
@pytest.mark.parametrize("path", ["/v1/payments", "/v1/payments/batch"])
def test_json_of_another_shape(api: Api, merchant: Merchant, document: Any, path: str) -> None:
    with api.nothing_changes():
        assert_problem(post(api, merchant, path, json.dumps(document).encode()), 400, "invalid_request")


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_of_none_or_too_many(api: Api, merchant: Merchant, count: int) -> None:
    with api.nothing_changes():
        assert_problem(api.pay_many(merchant, [{}] * count), 400, "invalid_request")


def test_a_batch_with_something_beside_it(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    document = {"payments": [channel.body(5, 5)], "dry_run": True}
    with api.nothing_changes():
        assert_problem(
            post(api, merchant, "/v1/payments/batch", json.dumps(document).encode()), 400, "invalid_request"
        )


@pytest.mark.parametrize(("path", "most"), [("/v1/payments", 8 * 1024), ("/v1/payments/batch", 1024 * 1024)])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_huge_body(api: Api, merchant: Merchant, path: str, most: int, chunked: bool) -> None:
    content = b" " * (most + 1)
    with api.nothing_changes():
        if chunked:
            answer = api.http.post(
                path, content=iter([content[:1000], content[1000:]]), headers=merchant.authorization
            )
        else:
            answer = post(api, merchant, path, content)
        assert_problem(answer, 413, "body_too_large")
        assert_problem(post(api, merchant, path, b" " * most), 400, "invalid_json")


def nested(path: str, value: Any) -> Callable[[Body], None]:
    def change(body: Body) -> None:
        *outer, last = path.split(".")
        for name in outer:
            body = body[name]
        body[last] = value

    return change


def without(path: str) -> Callable[[Body], None]:
    def change(body: Body) -> None:
        *outer, last = path.split(".")
        for name in outer:
            body = body[name]
        del body[last]

    return change


NUMBERS: list[Any] = [
    5,
    5.0,
    True,
    None,
    ["5"],
    {"value": "5"},
    "",
    " ",
    "+5",
    "-5",
    "-0",
    "0",
    "05",
    "5.0",
    "0.0000001",
    "5e0",
    "1E3",
    "0x5",
    "5 ",
    " 5",
    "5\n",
    "5_0",
    "5,0",
    "٥",
    "５",
    "NaN",
    "Infinity",
    str(UINT128_MOST + 1),
    "9" * 200,
]
CHANNEL_IDS: list[Any] = [
    None,
    5,
    "",
    "0x",
    "fe" * 32,
    "0X" + "fe" * 32,
    "0x" + "fe" * 31,
    "0x" + "fe" * 33,
    "0x" + "fe" * 31 + "f ",
    "0x" + "fe" * 31 + "fg",
    "0x" + "fe" * 31 + "\u0661\u0662",
    "0x" + " fe" * 21 + "f",
]
SIGNATURES: list[Any] = [None, 5, "", "0x", "0x00", "11" * 65, "0x" + "11" * 64, "0x" + "11" * 66, "0x" + "zz" * 65]
REFERENCES: list[Any] = [5, True, [], {}, "", "x" * 129, "a\x00b"]
CHANGES: dict[str, tuple[str, Callable[[Body], None]]] = {
    **{f"amount {value!r:.20}": ("amount", nested("amount", value)) for value in NUMBERS},
    **{
        f"maximum {value!r:.20}": ("voucher.maxClaimableAmount", nested("voucher.maxClaimableAmount", value))
        for value in NUMBERS
    },
    **{
        f"channel {number}": ("voucher.channelId", nested("voucher.channelId", value))
        for number, value in enumerate(CHANNEL_IDS)
    },
    **{
        f"signature {number}": ("voucher.signature", nested("voucher.signature", value))
        for number, value in enumerate(SIGNATURES)
    },
    **{f"reference {value!r:.20}": ("reference", nested("reference", value)) for value in REFERENCES},
    "no voucher": ("voucher", without("voucher")),
    "no amount": ("amount", without("amount")),
    "no channel": ("voucher.channelId", without("voucher.channelId")),
    "no maximum": ("voucher.maxClaimableAmount", without("voucher.maxClaimableAmount")),
    "no signature": ("voucher.signature", without("voucher.signature")),
    "a list for a voucher": ("voucher", nested("voucher", [])),
    "one member too many": ("the payment", nested("memo", "x")),
    "one member too many inside": ("voucher", nested("voucher.chainId", 1)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_one_member_wrong(api: Api, merchant: Merchant, channel: SeededChannel, what: str) -> None:
    """The problem names the member, alone and as an item of a batch."""
    member, change = CHANGES[what]
    body = channel.body(5, 5, "order-7")
    change(body)
    with api.nothing_changes():
        problem = assert_problem(api.pay(merchant, body), 400, "invalid_request")
        assert problem["member"] == member
        answer = api.pay_many(merchant, [body])
        assert answer.status_code == 200
        assert answer.json()["results"] == [{"status": 400, "problem": problem}]


def replayed_elsewhere(channel: SeededChannel, **changed: Any) -> bytes:
    """The signature of the same voucher under another domain."""
    return replace(channel.payer, domain=replace(DOMAIN, **changed)).sign(5)


FORGERIES: dict[str, Callable[[SeededChannel], bytes]] = {
    "high s": lambda channel: with_high_s(channel.payer.sign(5)),
    "v of 2": lambda channel: channel.payer.sign(5)[:64] + b"\x02",
    "v of 26": lambda channel: channel.payer.sign(5)[:64] + b"\x1a",
    "v of 29": lambda channel: channel.payer.sign(5)[:64] + b"\x1d",
    "v of EIP-155": lambda channel: channel.payer.sign(5)[:64] + bytes([channel.payer.sign(5)[64] + 10]),
    "v of the other": lambda channel: channel.payer.sign(5)[:64] + bytes([55 - channel.payer.sign(5)[64]]),
    "nothing but zeros": lambda channel: bytes(65),
    "all ones": lambda channel: b"\xff" * 65,
    "somebody else": lambda channel: Signer("eve").sign(channel.channel_id),
    "another maximum": lambda channel: channel.payer.sign(6),
    "another chain": lambda channel: replayed_elsewhere(channel, chain_id=DOMAIN.chain_id + 1),
    "another escrow": lambda channel: replayed_elsewhere(channel, verifying_contract=bytes(20)),
    "another name": lambda channel: replayed_elsewhere(channel, name="x402 Batch Settlement "),
    "another version": lambda channel: replayed_elsewhere(channel, version="2"),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_voucher_that_the_payer_did_not_sign_so(
    api: Api, merchant: Merchant, channel: SeededChannel, what: str
) -> None:
    body = channel.body(5, 5)
    body["voucher"]["signature"] = "0x" + FORGERIES[what](channel).hex()
    with api.nothing_changes():
        problem = assert_problem(api.pay(merchant, body), 422, "voucher_signature")
        assert api.pay_many(merchant, [body]).json()["results"] == [{"status": 422, "problem": problem}]


def test_the_64_byte_form(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    body = channel.body(5, 5)
    body["voucher"]["signature"] = "0x" + compact(channel.payer.sign(5)).hex()
    with api.nothing_changes():
        assert_problem(api.pay(merchant, body), 400, "invalid_request")


def test_a_voucher_of_another_channel(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    """Same payer, same receiver, same amount: the signature is for the one channel only."""
    twin = seed_channel(api.connection, merchant, payer="payer of two")
    other = seed_channel(api.connection, merchant, payer="payer of two", salt=1)
    body = twin.body(5, 5)
    body["voucher"]["channelId"] = "0x" + other.channel_id.hex()
    with api.nothing_changes():
        assert_problem(api.pay(merchant, body), 422, "voucher_signature")


@pytest.mark.parametrize("form", ["27/28", "0/1", "upper case"])
def test_the_forms_of_a_good_signature(api: Api, merchant: Merchant, channel: SeededChannel, form: str) -> None:
    """Each is accepted, and stored in the one form that the chain accepts."""
    signature = channel.payer.sign(5)
    shown = signature[:64] + bytes([signature[64] - 27]) if form == "0/1" else signature
    body = channel.body(5, 5)
    body["voucher"]["signature"] = "0x" + (shown.hex().upper() if form == "upper case" else shown.hex())
    assert api.pay(merchant, body).status_code == 201
    stored = api.connection.execute(
        "SELECT voucher_signature FROM channel_states WHERE channel_no = %s", [channel.channel_no]
    ).fetchone()
    assert stored == (signature,)


def test_an_amount_above_its_voucher(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    with api.nothing_changes():
        assert_problem(api.pay(merchant, channel.body(6, 5)), 422, "amount_out_of_range")


def test_the_greatest_amount_of_all(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    """2^128-1 is a number; that it is too much is for the tiers to say."""
    with api.nothing_changes():
        answer = api.pay(merchant, channel.body(UINT128_MOST, UINT128_MOST))
        assert_problem(answer, 422, "amount_requires_settlement")
        assert_problem(api.pay(merchant, channel.body(5, UINT128_MOST)), 409, "cumulative_amount_mismatch")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/v1/payments", "/v1/payments/batch", "/v1/channels"])
def test_other_methods(api: Api, merchant: Merchant, channel: SeededChannel, method: str, path: str) -> None:
    with api.nothing_changes():
        answer = api.http.request(method, path, json=channel.body(5, 5), headers=merchant.authorization)
        assert_problem(answer, 405, "method_not_allowed")


def test_paths_that_are_not_there(api: Api, merchant: Merchant) -> None:
    assert_problem(api.get(merchant, "/v1/nothing"), 404, "not_found")
    assert_problem(api.get(merchant, "/v2/payments"), 404, "not_found")
