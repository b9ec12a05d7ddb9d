"""What a process says from memory: tiers of a token, risk of a channel, exposure to a chain it may not see."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import cast

import pytest
from psycopg_pool import ConnectionPool
from pydantic import SecretStr

from gateway.payments.facts import NO_LIMIT, ChannelFacts, Facts, Flags, Mirror, _Watched
from gateway.settings import Settings
from verification.risk.cheap import CheapRiskFacts
from verification.tiers import TierPolicy

LIMIT = 1_000_000
POLICY = TierPolicy(1, 1, 1, 1)
ALICE, HOT_KEY = b"\x0a" * 20, b"\x0b" * 20


def facts(folder: Path | None = None, **settings: object) -> Facts:
    named = {} if folder is None else {"watch_file": folder / "watch", "sanctions_file": folder / "sanctions"}
    made = Settings(database_url=SecretStr("postgresql://none"), **named, **settings)  # type: ignore[arg-type]
    return Facts(made, cast(ConnectionPool, None))


def channel(withdraw_delay: int = 3600) -> ChannelFacts:
    rest = {"receiver": bytes(20), "receiver_authorizer": bytes(20), "token": bytes(20), "chain_id": 1}
    return ChannelFacts(
        merchant_id=1,
        channel_no=7,
        channel_id=bytes(32),
        payer=ALICE,
        payer_authorizer=HOT_KEY,
        withdraw_delay=withdraw_delay,
        policy=POLICY,
        **rest,  # type: ignore[arg-type]
    )


def seen(age: float, *, flags: Flags | None = None, claimer_age: float = 0) -> Mirror:
    now = time.monotonic()
    return Mirror(now - age, now - claimer_age, {} if flags is None else {7: flags})


@pytest.mark.parametrize(
    ("age", "delay", "most"),
    [
        (-60, 3600, NO_LIMIT),
        (0, 3600, NO_LIMIT),
        (14, 3600, NO_LIMIT),
        (16, 3600, LIMIT),
        (299, 3600, LIMIT),
        (301, 3600, None),
        (301, 2_592_000, None),
        (224, 900, LIMIT),
        (226, 900, None),
        (float("inf"), 3600, None),
    ],
)
def test_exposure_by_the_age_of_what_we_saw(age: float, delay: int, most: int | None) -> None:
    """Five minutes or a quarter of the withdraw delay, whichever is less."""
    known = facts()
    known.mirror = seen(age)
    assert known.exposure_most(channel(delay)) == most


def test_a_process_that_has_seen_nothing_yet_accepts_nothing() -> None:
    known = facts()
    assert known.exposure_most(channel()) is None
    assert known.risk(channel()) == CheapRiskFacts(False, False, True, True)
    assert known.sanctions is None


@pytest.mark.parametrize(
    ("withdrawing", "claimer_age", "most"),
    [(False, 3600, NO_LIMIT), (True, 59, NO_LIMIT), (True, 61, None), (True, float("inf"), None)],
)
def test_a_withdrawing_channel_goes_on_while_the_claimer_lives(
    withdrawing: bool, claimer_age: float, most: int | None
) -> None:
    known = facts()
    known.mirror = seen(0, flags=Flags(withdrawing, False), claimer_age=claimer_age)
    assert known.exposure_most(channel()) == most


def test_risk_of_a_flagged_and_of_a_watched_channel(tmp_path: Path) -> None:
    known = facts(tmp_path)
    known.mirror = seen(0, flags=Flags(True, False))
    assert known.risk(channel()) == CheapRiskFacts(False, False, True, False)
    known.mirror = seen(0, flags=Flags(False, True))
    assert known.risk(channel()) == CheapRiskFacts(False, False, False, True)
    known.mirror = seen(0)
    assert known.risk(channel()) == CheapRiskFacts(False, False, False, False)
    (tmp_path / "watch").write_text(f"0x{HOT_KEY.hex()}\n")
    known._watch.read()
    assert known.risk(channel()) == CheapRiskFacts(False, True, False, False)
    (tmp_path / "watch").write_text(f"0x{ALICE.hex()}\n0x{HOT_KEY.hex()}\n")
    known._watch.read()
    assert known.risk(channel()) == CheapRiskFacts(True, True, False, False)


@pytest.mark.parametrize(("decimals", "unit"), [(0, 1), (6, 10**6), (18, 10**18)])
def test_tiers_of_a_dollar_token(decimals: int, unit: int) -> None:
    policy = facts(micro_most_usd=3, standard_most_usd=50, window_most_usd=7).policy(decimals)
    assert policy == TierPolicy(3 * unit, 50 * unit, 7 * unit, 86_400)


def addresses_of(watched: _Watched) -> set[bytes] | None:
    """What the list says now; None is no list."""
    watched.read()
    return None if watched.value is None else set(watched.value.addresses)


def test_a_list_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "list"
    watched = _Watched(path)
    assert addresses_of(watched) is None, "there is no file"
    path.write_text("")
    assert addresses_of(watched) == set()
    path.write_text(f"0x{ALICE.hex()}\n")
    assert addresses_of(watched) == {ALICE}
    assert addresses_of(_Watched(None)) is None


@pytest.mark.parametrize("broken", ["not an address\n", "\udcff", None])
def test_a_list_that_cannot_be_read_is_no_list(tmp_path: Path, broken: str | None) -> None:
    path = tmp_path / "list"
    path.write_text(f"0x{ALICE.hex()}\n")
    watched = _Watched(path)
    assert addresses_of(watched) == {ALICE}
    if broken is None:
        path.unlink()
    else:
        path.write_bytes(broken.encode("utf-8", "surrogateescape"))
    assert addresses_of(watched) is None
    path.write_text("")
    os.utime(path, ns=(1, 1))
    assert addresses_of(watched) == set(), "and is one again when it can"
