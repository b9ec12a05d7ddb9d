"""What the processes keep in memory of channels, lists and the chain, and how soon they notice a change."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.integration.capture.stored import state_of
from tests.integration.payments.api import Api
from tests.support.seed import Merchant, SeededChannel, seed_channel, seed_merchant, show_chain
from tests.support.waiting import wait_until

USD = 1_000_000


def test_a_channel_whose_money_is_being_withdrawn(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    assert api.pay(merchant, channel.body(10, 10)).status_code == 201
    api.connection.execute(
        "UPDATE channel_states SET withdraw_requested_at = 1, withdraw_amount = 999990, withheld = 999990 "
        "WHERE channel_no = %s",
        [channel.channel_no],
    )
    with api.nothing_changes():
        answer = api.pay(merchant, channel.body(1, 11))
        assert answer.status_code in (409, 503), "no room is left, or nobody is seen to claim"
        assert answer.json()["code"] in ("cumulative_exceeds_balance", "chain_mirror_stale")
    shown = api.get(merchant, "/v1/channels", withdrawing=True).json()["data"]
    assert [(one["state"], one["withdrawal"]["amount"], one["withdrawal"]["final_from"]) for one in shown] == [
        ("withdrawing", "999990", 3601)
    ]
    assert api.get(merchant, "/v1/channels", withdrawing=False).json()["data"] == []


def eventually(api: Api, merchant: Merchant, channel: SeededChannel, status: int, code: str) -> None:
    """Both processes have read the change: ten refusals in a row, on connections of their own."""
    streak = 0

    def refused() -> bool:
        nonlocal streak
        with httpx.Client(base_url=api.url) as fresh:
            charged = state_of(api.connection, channel).charged
            answer = fresh.post("/v1/payments", json=channel.body(1, charged + 1), headers=merchant.authorization)
        streak = streak + 1 if (answer.status_code, answer.json().get("code")) == (status, code) else 0
        return streak == 10

    wait_until(refused, f"{status} {code} from both processes")


def test_a_channel_in_deficit(api: Api, merchant: Merchant, channel: SeededChannel) -> None:
    api.connection.execute("UPDATE channel_states SET deficit = 5 WHERE channel_no = %s", [channel.channel_no])
    eventually(api, merchant, channel, 422, "risk_score")


@pytest.fixture
def list_and_chain_as_they_were(api: Api) -> Iterator[None]:
    yield
    api.sanctions_file.write_text("# nobody\n")
    show_chain(api.connection)
    merchant = seed_merchant(api.connection)
    channel = seed_channel(api.connection, merchant)
    streak = 0

    def accepted() -> bool:
        nonlocal streak
        with httpx.Client(base_url=api.url) as fresh:
            charged = state_of(api.connection, channel).charged
            answer = fresh.post("/v1/payments", json=channel.body(1, charged + 1), headers=merchant.authorization)
        streak = streak + 1 if answer.status_code == 201 else 0
        return streak == 10

    wait_until(accepted, "payments from both processes again")


@pytest.mark.usefixtures("list_and_chain_as_they_were")
class TestListsAndSight:
    """These change what all channels depend on, and put it back."""

    def test_a_payer_on_the_sanctions_list(self, api: Api, merchant: Merchant, channel: SeededChannel) -> None:
        innocent = seed_channel(api.connection, merchant)
        api.sanctions_file.write_text(f"0x{channel.payer.config.payer.hex()}  # since today\n")
        eventually(api, merchant, channel, 422, "sanctioned")
        assert api.pay(merchant, innocent.body(1, 1)).status_code == 201

    def test_a_list_that_cannot_be_read_approves_nobody(
        self, api: Api, merchant: Merchant, channel: SeededChannel
    ) -> None:
        api.sanctions_file.write_text("not an address\n")
        eventually(api, merchant, channel, 422, "check_not_available")

    def test_a_chain_out_of_sight(self, api: Api, merchant: Merchant, channel: SeededChannel) -> None:
        """First a limit on what stands unclaimed, then nothing more."""
        limited = seed_channel(api.connection, merchant, credited=5 * USD)
        show_chain(api.connection, age_seconds=60)

        def at_the_limit() -> bool:
            charged = state_of(api.connection, limited).charged
            if charged < 999_000:
                assert api.pay(merchant, limited.body(999_000, 999_000)).status_code == 201
                charged = 999_000
            # Accepted while the process still believes that it sees the chain.
            answer = api.pay(merchant, limited.body(1_001, charged + 1_001))
            return answer.status_code == 409 and answer.json()["code"] == "exposure_limit_reached"

        wait_until(at_the_limit, "the exposure limit")
        show_chain(api.connection, age_seconds=301)

        def told_to_wait() -> bool:
            # Each of the API's processes looks at the chain's age for itself, once a second.
            answer = api.pay(merchant, channel.body(1, state_of(api.connection, channel).charged + 1))
            if answer.status_code != 503:
                return False
            assert answer.json()["code"] == "chain_mirror_stale"
            return int(answer.headers["retry-after"]) > 0

        wait_until(told_to_wait, "503 with Retry-After")
