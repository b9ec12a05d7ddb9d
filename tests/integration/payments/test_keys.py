"""API keys: missing, malformed, foreign, read-only, ended; each is told the same whichever process it asks."""

from __future__ import annotations

import httpx
import pytest

from gateway.merchants.service import issue_key, revoke_key
from tests.integration.payments.api import Api, assert_problem
from tests.support.seed import Merchant, SeededChannel, seed_merchant

HEADERS = [
    None,
    "",
    "Bearer",
    "Basic dXNlcjpwYXNz",
    "Bearer lg_live_",
    "bearer {key}",
    "{key}",
    "Bearer  {key}",
    "Bearer {key}x",
    "Bearer lg_live_" + "A" * 43,
    "Bearer lg_test_" + "A" * 43,
]


@pytest.mark.parametrize("header", HEADERS)
def test_no_key_no_answer(api: Api, merchant: Merchant, channel: SeededChannel, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.format(key=merchant.api_key)}
    with api.nothing_changes():
        answers = [
            api.http.post("/v1/payments", json=channel.body(5, 5), headers=headers),
            api.http.post("/v1/payments/batch", json={"payments": [channel.body(5, 5)]}, headers=headers),
            api.http.get("/v1/payments", headers=headers),
            api.http.get("/v1/payments/pay_" + "0" * 32, headers=headers),
            api.http.get("/v1/channels", headers=headers),
            api.http.get("/v1/channels/0x" + channel.channel_id.hex(), headers=headers),
        ]
        for answer in answers:
            assert_problem(answer, 401, "api_key_invalid")
            assert answer.headers["www-authenticate"] == "Bearer"
            assert merchant.api_key not in answer.text


def test_another_merchant_s_channel_is_no_channel(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    """To a stranger a channel of somebody else looks exactly like one that is not there."""
    stranger = seed_merchant(api.connection)
    nowhere = channel.body(5, 5)
    nowhere["voucher"]["channelId"] = "0x" + "00" * 32
    with api.nothing_changes():
        foreign = assert_problem(api.pay(stranger, channel.body(5, 5)), 404, "channel_not_found")
        assert foreign == assert_problem(api.pay(stranger, nowhere), 404, "channel_not_found")
        (result,) = api.pay_many(stranger, [channel.body(5, 5)]).json()["results"]
        assert (result["status"], result["problem"]) == (404, foreign)


def test_a_key_that_reads_only(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    paid = api.pay(merchant, channel.body(5, 5)).json()
    key, key_id = issue_key(api.connection, merchant_id=merchant.merchant_id, label="reader", can_write=False)
    reader = Merchant(merchant.merchant_id, merchant.public_id, key, key_id, merchant.receiver)
    with api.nothing_changes():
        assert_problem(api.pay(reader, channel.body(5, 10)), 403, "api_key_cannot_write")
        assert_problem(api.pay_many(reader, [channel.body(5, 10)]), 403, "api_key_cannot_write")
        assert_problem(api.pay_many(reader, [channel.body(5, 10)], Idempotency_Key="k"), 403, "api_key_cannot_write")
    assert api.get(reader, "/v1/payments").json()["data"] == [paid]
    assert api.get(reader, f"/v1/payments/{paid['id']}").status_code == 200


@pytest.mark.parametrize("how", ["revoked", "expired", "suspended"])
def test_a_key_that_ends_ends_at_once_in_every_process(
    api: Api, merchant: Merchant, channel: SeededChannel, how: str
) -> None:
    charged = 0
    for _ in range(8):  # fresh connections, so that both processes have met the key
        charged += 1
        with httpx.Client(base_url=api.url) as fresh:
            made = fresh.post("/v1/payments", json=channel.body(1, charged), headers=merchant.authorization)
            assert made.status_code == 201
    if how == "revoked":
        revoke_key(api.connection, merchant_id=merchant.merchant_id, key_id=merchant.key_id)
    elif how == "expired":
        api.connection.execute("UPDATE api_keys SET expires_at = now() WHERE key_id = %s", [merchant.key_id])
    else:
        api.connection.execute(
            "UPDATE merchants SET suspended_at = now() WHERE merchant_id = %s", [merchant.merchant_id]
        )
    good, bad = channel.body(1, charged + 1), {"amount": "nonsense"}
    with api.nothing_changes():
        # What never gets as far as the book first, so that no process has been told by the book already.
        for body, path in ((bad, "/v1/payments"), ({"payments": [bad]}, "/v1/payments/batch")):
            for _ in range(6):
                with httpx.Client(base_url=api.url, headers=merchant.authorization) as fresh:
                    assert_problem(fresh.post(path, json=body), 401, "api_key_invalid")
        for _ in range(6):
            with httpx.Client(base_url=api.url, headers=merchant.authorization) as fresh:
                assert_problem(fresh.get("/v1/payments"), 401, "api_key_invalid")
                assert_problem(fresh.post("/v1/payments", json=good), 401, "api_key_invalid")
                for key in ({}, {"Idempotency-Key": "gone"}):
                    batch = fresh.post("/v1/payments/batch", json={"payments": [good]}, headers=key)
                    assert_problem(batch, 401, "api_key_invalid")
