"""Payments: routes -> service -> verification -> capture (the ledger statement)."""
