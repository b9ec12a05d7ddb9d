"""What was promised before a restart holds after it."""

from __future__ import annotations

from pathlib import Path

from kit.database.pool import connect
from kit.stack.postgres import Server
from tests.integration.payments.api import api_server, assert_problem
from tests.support.seed import seed_channel, seed_merchant, show_chain


def test_a_key_outlives_every_process_of_the_api(postgres: Server, gateway_template: str, run_dirs: Path) -> None:
    postgres.create_database("restarted", template=gateway_template)
    url = postgres.url("restarted")
    with connect(url, autocommit=True) as connection:
        show_chain(connection)
        merchant = seed_merchant(connection)
        channel = seed_channel(connection, merchant)
        with api_server(run_dirs / "before-a-restart", url, connection) as api:
            made = api.pay(merchant, channel.body(5, 5), Idempotency_Key="one")
            many = api.pay_many(merchant, [channel.body(5, 10)], Idempotency_Key="many")
            assert (made.status_code, many.json()["results"][0]["status"]) == (201, 201)
        with api_server(run_dirs / "after-a-restart", url, connection) as api, api.nothing_changes():
            again = api.pay(merchant, channel.body(5, 5), Idempotency_Key="one")
            assert (again.status_code, again.json()) == (200, made.json())
            other = api.pay(merchant, channel.body(5, 15), Idempotency_Key="one")
            assert_problem(other, 409, "idempotency_key_reused")
            other = api.pay_many(merchant, [channel.body(5, 15)], Idempotency_Key="many")
            assert_problem(other, 409, "idempotency_key_reused")
