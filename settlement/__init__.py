"""Institutional side: large transfers by owners, quorum and guard. Deployed apart from the gateway."""
