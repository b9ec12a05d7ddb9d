"""How long and how large a run is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`seconds` is the length of one contestant's turn in one round."""

    rounds: int = 7
    seconds: float = 5.0
    channels: int = 2_000
    vouchers: int = 4_000
    legs_few: int = 20_000
    legs_many: int = 10_000_000
    merchants: int = 1_000
    memory_payments: int = 1_000_000
    memory_channels: int = 20_000
    write: bool = False
    """Figures that are kept beside the code are replaced by the new ones."""


DEFAULT = Options()
QUICK = Options(
    rounds=1,
    seconds=1.0,
    vouchers=200,
    legs_few=2_000,
    legs_many=40_000,
    merchants=50,
    memory_payments=20_000,
    memory_channels=2_000,
)
"""Whether everything runs, in about a minute; its figures mean nothing."""
