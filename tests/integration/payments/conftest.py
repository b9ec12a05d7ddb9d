"""The direct path over real HTTP: one API for all of these tests, merchants of their own for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.database.pool import connect
from kit.stack.postgres import Server
from tests.integration.payments.api import Api, api_server
from tests.support.seed import Merchant, SeededChannel, seed_channel, seed_merchant, show_chain


@pytest.fixture(scope="session")
def api(postgres: Server, gateway_template: str, run_dirs: Path) -> Iterator[Api]:
    postgres.create_database("direct_path", template=gateway_template)
    url = postgres.url("direct_path")
    with connect(url, autocommit=True) as connection:
        show_chain(connection)
        with api_server(run_dirs / "direct-path", url, connection) as running:
            yield running


@pytest.fixture
def merchant(api: Api) -> Merchant:
    return seed_merchant(api.connection)


@pytest.fixture
def channel(api: Api, merchant: Merchant) -> SeededChannel:
    return seed_channel(api.connection, merchant)
