"""A facilitator on a real chain and book, to be attacked."""

from __future__ import annotations

from tests.integration.x402.conftest import pg, world

__all__ = ["pg", "world"]
