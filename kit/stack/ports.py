"""Ports for the parts of a stack."""

from __future__ import annotations

import random
import socket

# Below the range from which Linux hands out ports to outgoing connections (32768 and up), so that a part
# that was killed finds its port free again when it comes back under load.
LOWEST, HIGHEST = 20_000, 32_000
TRIES = 500


class NoPortError(Exception):
    """No free port was found."""


def free_ports(count: int) -> list[int]:
    """Distinct TCP ports of 127.0.0.1 on which nothing listens now. Raises NoPortError."""
    chance = random.SystemRandom()
    held: list[socket.socket] = []
    try:
        for _ in range(TRIES):
            if len(held) == count:
                return [one.getsockname()[1] for one in held]
            candidate = socket.socket()
            try:
                candidate.bind(("127.0.0.1", chance.randint(LOWEST, HIGHEST)))
            except OSError:
                candidate.close()
                continue
            held.append(candidate)
        raise NoPortError(f"no {count} free ports between {LOWEST} and {HIGHEST}")
    finally:
        for one in held:
            one.close()
