"""POST /v1/payments and /v1/payments/batch: what a metering merchant does all day, and does twice by accident."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.integration.capture.stored import payments_of, state_of
from tests.integration.payments.api import Api, assert_problem
from tests.support.seed import Merchant, SeededChannel, seed_channel, seed_merchant
from tests.support.vouchers import TOKEN

USD = 1_000_000


def test_a_payment_is_made_shown_and_listed(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    answer = api.pay(merchant, channel.body(500, 500, "order-7"))
    assert answer.status_code == 201
    payment = answer.json()
    created = datetime.fromisoformat(payment.pop("created_at"))
    assert abs(datetime.now(UTC) - created) < timedelta(seconds=30)
    assert payment.pop("id").startswith("pay_")
    assert payment == {
        "object": "payment",
        "state": "captured",
        "scheme": "batch-settlement",
        "network": "eip155:31337",
        "asset": "0x" + TOKEN.hex(),
        "amount": "500",
        "payer": "0x" + channel.payer.config.payer.hex(),
        "channel_id": "0x" + channel.channel_id.hex(),
        "cumulative_amount": "500",
        "reference": "order-7",
    }
    assert api.get(merchant, f"/v1/payments/{answer.json()['id']}").json() == answer.json()
    assert api.get(merchant, "/v1/payments").json() == {
        "object": "list",
        "data": [answer.json()],
        "next_cursor": None,
    }
    shown = api.get(merchant, f"/v1/channels/0x{channel.channel_id.hex().upper()}").json()
    assert (shown["charged"], shown["balance"], shown["spendable"]) == ("500", "1000000", "999500")


def test_a_settled_voucher_is_shown_as_settled(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    for cumulative in (10, 20, 30):
        api.pay(merchant, channel.body(10, cumulative))
    api.connection.execute(
        "UPDATE channel_states SET claimed = 25, settled = 20 WHERE channel_no = %s", [channel.channel_no]
    )
    listed = api.get(merchant, "/v1/payments").json()["data"]
    assert [(p["cumulative_amount"], p["state"]) for p in listed] == [
        ("30", "captured"),
        ("20", "settled"),
        ("10", "settled"),
    ]


def test_the_same_request_again_is_charged_once(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    first = api.pay(merchant, channel.body(500, 500, "order-7"))
    with api.nothing_changes():
        for _ in range(5):
            again = api.pay(merchant, channel.body(500, 500, "order-7"))
            assert (again.status_code, again.headers["idempotent-replay"]) == (200, "true")
            assert again.json() == first.json()
    assert "idempotent-replay" not in first.headers


def test_the_same_voucher_for_something_else_is_a_mismatch(
    api: Api, merchant: Merchant, channel: SeededChannel
) -> None:
    api.pay(merchant, channel.body(500, 500, "order-7"))
    with api.nothing_changes():
        for body in (channel.body(500, 500, "order-8"), channel.body(500, 500), channel.body(499, 500, "order-7")):
            problem = assert_problem(api.pay(merchant, body), 409, "cumulative_amount_mismatch")
            assert problem["channel_state"] == {
                "charged_cumulative_amount": "500",
                "balance": "1000000",
                "signed_max_claimable": "500",
                "voucher_signature": "0x" + channel.payer.sign(500).hex(),
            }


def test_one_voucher_from_fifty_connections(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    body = channel.body(500, 500)

    def send(_number: int) -> httpx.Response:
        with httpx.Client(base_url=api.url, timeout=30) as own:
            return own.post("/v1/payments", json=body, headers=merchant.authorization)

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(send, range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert state_of(api.connection, channel).charged == 500
    assert len(payments_of(api.connection, channel)) == 1


@pytest.mark.parametrize(
    ("amount", "cumulative", "code"),
    [
        (5, 6, "cumulative_amount_mismatch"),
        (1_000_001, 1_000_001, "cumulative_exceeds_balance"),
    ],
)
def test_what_the_book_refuses(
    api: Api, merchant: Merchant, channel: SeededChannel, amount: int, cumulative: int, code: str
) -> None:
    with api.nothing_changes():
        problem = assert_problem(api.pay(merchant, channel.body(amount, cumulative)), 409, code)
    assert problem["channel_state"]["charged_cumulative_amount"] == "0"
    assert "voucher_signature" not in problem["channel_state"], "there is none yet"


def test_tiers_and_window(api: Api, merchant: Merchant) -> None:
    rich = seed_channel(api.connection, merchant, credited=10**12)
    with api.nothing_changes():
        standard = api.pay(merchant, rich.body(10 * USD + 1, 10 * USD + 1))
        assert assert_problem(standard, 422, "check_not_available")["evidence"] == {"check": "compliance_standing"}
        high = api.pay(merchant, rich.body(10_000 * USD + 1, 10_000 * USD + 1))
        assert_problem(high, 422, "amount_requires_settlement")
    assert api.pay(merchant, rich.body(6 * USD, 6 * USD)).status_code == 201
    with api.nothing_changes():
        assert_problem(api.pay(merchant, rich.body(5 * USD, 11 * USD)), 409, "velocity_exceeded")
    assert api.pay(merchant, rich.body(4 * USD, 10 * USD)).status_code == 201


def test_who_pays_himself(api: Api, merchant: Merchant) -> None:
    """A receiver that is somebody's key: his own address as payer nets to nothing, so it is refused."""
    from gateway.merchants.service import add_receiver
    from tests.support.vouchers import Signer

    own = Signer(f"owner of {merchant.public_id}")
    add_receiver(api.connection, merchant_id=merchant.merchant_id, receiver=own.address)
    himself = Merchant(merchant.merchant_id, merchant.public_id, merchant.api_key, merchant.key_id, own.address)
    channel = seed_channel(api.connection, himself, payer=f"owner of {merchant.public_id}")
    with api.nothing_changes():
        assert_problem(api.pay(merchant, channel.body(5, 5)), 422, "payer_is_receiver")


def test_a_thousand_in_order(api: Api, merchant: Merchant) -> None:
    """Ten channels, every hundredth item bad: each answer at its place, each bad one alone."""
    channels = [seed_channel(api.connection, merchant) for _ in range(10)]
    bodies, expected, charged = [], [], [0] * 10
    for number in range(1000):
        index = number % 10
        channel = channels[index]
        if number % 100 == 7:
            bodies.append([channel.body(1, 999_999), {}, {"amount": "1"}, None, 5][number // 100 % 5])
            expected.append(409 if number // 100 % 5 == 0 else 400)
        else:
            charged[index] += 1
            bodies.append(channel.body(1, charged[index], f"item-{number}"))
            expected.append(201)
    answer = api.pay_many(merchant, bodies)
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["status"] for result in results] == expected
    for number, result in enumerate(results):
        if result["status"] == 201:
            assert set(result) == {"status", "payment"}
            assert result["payment"]["reference"] == f"item-{number}"
        else:
            assert set(result) == {"status", "problem"}
            assert result["problem"]["status"] == result["status"]
    assert [state_of(api.connection, channel).charged for channel in channels] == charged
    again = api.pay_many(merchant, bodies)
    assert {result["status"] for result in again.json()["results"]} == {200, 400, 409}
    assert [state_of(api.connection, channel).charged for channel in channels] == charged


def test_one_bad_item_changes_nothing_for_its_neighbours(
    api: Api, merchant: Merchant, channel: SeededChannel
) -> None:
    foreign = seed_channel(api.connection, seed_merchant(api.connection))
    bad_signature = channel.body(5, 15)
    bad_signature["voucher"]["signature"] = "0x" + "11" * 65
    bodies = [channel.body(10, 10), bad_signature, foreign.body(5, 5), channel.body(5, 15), channel.body(99, 99)]
    results = api.pay_many(merchant, bodies).json()["results"]
    assert [result["status"] for result in results] == [201, 422, 404, 201, 409]
    assert [result["problem"]["code"] for result in results if "problem" in result] == [
        "voucher_signature",
        "channel_not_found",
        "cumulative_amount_mismatch",
    ]
    assert state_of(api.connection, channel).charged == 15
    assert state_of(api.connection, foreign).charged == 0
