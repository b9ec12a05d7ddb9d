"""HTTP conventions: problem details, cursors, idempotency, keys, limits."""
