"""The gateway's schema, on top of the kit's."""

from __future__ import annotations

from kit.database.migrate import collect

MIGRATIONS = collect(["kit.ledger", "kit.chain", "kit.work", "gateway"])
