"""A merchant of each kind, on the shared stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kit.stack import Stack
from tests.system.x402.parts import Merchant, official, paywalled


@pytest.fixture(scope="session")
def merchant(stack: Stack) -> Iterator[Merchant]:
    with paywalled(stack) as running:
        yield running


@pytest.fixture(scope="session")
def official_merchant(stack: Stack) -> Iterator[Merchant]:
    with official(stack) as running:
        yield running
