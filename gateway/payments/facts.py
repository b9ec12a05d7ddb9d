"""What a payment's checks need to know, kept in the memory of each API process.

What never changes (a channel's configuration) is kept as long as there is room; what does (lists, flags, how long the
chain was last seen) is read again every second, and a reading that fails ages what it left behind.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from psycopg_pool import ConnectionPool

from gateway.settings import Settings
from kit import metrics
from kit.database.queries import load
from kit.logging import get_logger
from verification.compliance.sanctions import InvalidSanctionsList, SanctionsList, parse_sanctions
from verification.risk.cheap import CheapRiskFacts
from verification.tiers import TierPolicy

log = get_logger(__name__)
_QUERIES = load("gateway.payments")
CHANNELS_MOST = 200_000
ADDRESSES_MOST = 10_000
REFRESH_SECONDS = 1.0
NO_LIMIT = (1 << 128) - 1
NEVER = float("-inf")

_mirror_age = metrics.gauge("lockgate_chain_mirror_age_seconds", "Since the chain was last followed", mode="livemax")


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """A channel as its payments need it. None of it changes."""

    merchant_id: int
    channel_no: int
    channel_id: bytes
    payer: bytes
    payer_authorizer: bytes
    receiver: bytes
    receiver_authorizer: bytes
    token: bytes
    chain_id: int
    withdraw_delay: int
    policy: TierPolicy


@dataclass(frozen=True, slots=True)
class Flags:
    """What a channel in trouble is in trouble with."""

    withdrawing: bool
    in_deficit: bool


@dataclass(frozen=True, slots=True)
class Mirror:
    """How well we see the chain. Times are of this process's monotonic clock."""

    chain_seen_at: float = NEVER
    claimer_seen_at: float = NEVER
    flagged: dict[int, Flags] | None = None


_CLEAR = CheapRiskFacts(False, False, False, False)


class Facts:
    """The facts of this process. `refresh` runs until cancelled; the rest is read on the event loop."""

    def __init__(self, settings: Settings, pool: ConnectionPool) -> None:
        self._settings = settings
        self._pool = pool
        self._channels: dict[bytes, ChannelFacts] = {}
        self._policies: dict[int, TierPolicy] = {}
        self._addresses: dict[bytes, bytes] = {}
        self._sanctions = _Watched(settings.sanctions_file)
        self._watch = _Watched(settings.watch_file)
        self.mirror = Mirror()

    @property
    def sanctions(self) -> SanctionsList | None:
        return self._sanctions.value

    async def start(self) -> None:
        """The first reading. Without the database there is none yet, and nothing is approved until there is."""
        await self._try_read()

    async def refresh(self) -> None:
        """Read again what changes, every second, for ever."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self._try_read()
            _mirror_age.set(time.monotonic() - self.mirror.chain_seen_at)

    async def _try_read(self) -> None:
        try:
            await asyncio.to_thread(self._read)
        except (psycopg.Error, OSError) as error:
            log.warning("facts_not_refreshed", error=repr(error))

    def _read(self) -> None:
        self._sanctions.read()
        self._watch.read()
        with self._pool.connection() as connection:
            flagged = {
                row[0]: Flags(row[1], row[2])
                for row in connection.execute(_QUERIES.sql("flagged_channels")).fetchall()
            }
            ages = connection.execute(_QUERIES.sql("mirror_ages"), {"chain_id": self._settings.chain_id}).fetchone()
        assert ages is not None
        now = time.monotonic()
        chain_seen_at, claimer_seen_at = (NEVER if age is None else now - age for age in ages)
        self.mirror = Mirror(chain_seen_at, claimer_seen_at, flagged)

    def known_channel(self, channel_id: bytes) -> ChannelFacts | None:
        """The channel if this process has met it."""
        return self._channels.get(channel_id)

    def load_channel(self, connection: psycopg.Connection[Any], channel_id: bytes) -> ChannelFacts | None:
        """The channel from the database; None when there is none."""
        with connection.cursor(row_factory=namedtuple_row) as cursor:
            row: Any = cursor.execute(_QUERIES.sql("find_channel"), {"channel_id": channel_id}).fetchone()
        if row is None:
            return None
        facts = ChannelFacts(
            row.merchant_id,
            row.channel_no,
            channel_id,
            row.payer,
            row.payer if row.payer_authorizer == row.payer else row.payer_authorizer,
            self._shared(row.receiver),
            self._shared(row.receiver_authorizer),
            self._shared(row.token),
            row.chain_id,
            row.withdraw_delay,
            self.policy(row.decimals),
        )
        if len(self._channels) >= CHANNELS_MOST:
            self._channels.pop(next(iter(self._channels)), None)
        self._channels[channel_id] = facts
        return facts

    def _shared(self, address: bytes) -> bytes:
        """One copy of an address that many channels have: copies would be a quarter of what is kept of a channel."""
        if len(self._addresses) >= ADDRESSES_MOST:
            self._addresses.clear()
        return self._addresses.setdefault(address, address)

    def policy(self, decimals: int) -> TierPolicy:
        """The tiers of a dollar token with so many decimals."""
        if decimals not in self._policies:
            unit, settings = 10**decimals, self._settings
            self._policies[decimals] = TierPolicy(
                settings.micro_most_usd * unit,
                settings.standard_most_usd * unit,
                settings.window_most_usd * unit,
                settings.window_seconds,
            )
        return self._policies[decimals]

    def risk(self, channel: ChannelFacts) -> CheapRiskFacts:
        """What is known against a channel. Without a reading of the flags, everything is."""
        flagged = self.mirror.flagged
        if flagged is None:
            return CheapRiskFacts(False, False, True, True)
        watched = self._watch.value
        flags = flagged.get(channel.channel_no)
        if flags is None and watched is None:
            return _CLEAR
        listed = watched.addresses if watched is not None else frozenset()
        return CheapRiskFacts(
            channel.payer in listed,
            channel.payer_authorizer in listed,
            flags is not None and flags.withdrawing,
            flags is not None and flags.in_deficit,
        )

    def chain_age(self) -> float:
        """Seconds since the chain was last followed."""
        return time.monotonic() - self.mirror.chain_seen_at

    def exposure_most(self, channel: ChannelFacts) -> int | None:
        """What may stand unclaimed on the channel now; None when the chain was not seen for too long to say.

        Fresh: no limit of its own. Older: `exposure_most`. Older than 5 minutes or a quarter of the channel's
        withdraw delay, whichever is less: nothing more, since a withdrawal could be under way unseen. The same while
        one is under way and the claimer has shown no sign of life.
        """
        settings = self._settings
        age = self.chain_age()
        if age > min(settings.mirror_stale_seconds, channel.withdraw_delay // 4):
            return None
        flags = (self.mirror.flagged or {}).get(channel.channel_no)
        claimer_age = time.monotonic() - self.mirror.claimer_seen_at
        if flags is not None and flags.withdrawing and claimer_age > settings.claimer_alive_seconds:
            return None
        return NO_LIMIT if age <= settings.mirror_fresh_seconds else settings.exposure_most


class _Watched:
    """A list in a file, read again when the file changes. A file that cannot be read leaves no list at all."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self.value: SanctionsList | None = None

    def read(self) -> None:
        if self._path is None:
            return
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp != self._stamp:
                self.value = parse_sanctions(self._path.read_text("utf-8"))
                self._stamp = stamp
        except (OSError, UnicodeDecodeError, InvalidSanctionsList) as error:
            if self.value is not None or self._stamp is not None:
                log.error("list_unreadable", path=self._path.name, error=repr(error))
            self.value, self._stamp = None, None
