"""Figures that need a look at the tables: exposure, age, withdrawals at risk, the chain mirror's age."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.channels.runtime import Runtime
from kit.chain.follower import find_mirror
from kit.database.queries import load
from kit.logging import get_logger
from kit.metrics import gauge

_QUERIES = load("gateway.channels", "claims.sql")
_log = get_logger(__name__)
UNSETTLED = gauge("lockgate_unsettled_value", "Captured and not in the treasury, in smallest units.", ["merchant"])
OLDEST_UNCLAIMED = gauge("lockgate_oldest_unclaimed_seconds", "Age of the oldest voucher that is not claimed.")
AT_RISK = gauge("lockgate_withdrawals_at_risk", "Withdrawals nearly due on channels with unclaimed vouchers.")
UNCLAIMABLE = gauge("lockgate_unclaimable_channels", "Channels with vouchers that another authorizer must claim.")
MIRROR_AGE = gauge("lockgate_mirror_seconds", "Seconds since the book was level with the chain.")


def measure(here: Runtime) -> None:
    with here.pool.connection() as connection:
        unsettled = connection.execute(_QUERIES.sql("unsettled_by_merchant")).fetchall()
        (oldest,) = connection.execute(_QUERIES.sql("oldest_unclaimed")).fetchone() or (0.0,)
        facts = {"margin_seconds": here.settings.withdrawal_margin_seconds}
        at_risk = connection.execute(_QUERIES.sql("withdrawals_at_risk"), facts).fetchall()
        authorizer = {"authorizer": here.claims.authorizer_address}
        (unclaimable,) = connection.execute(_QUERIES.sql("unclaimable"), authorizer).fetchone() or (0,)
        mirror = find_mirror(connection, here.escrow.chain_id)
    for merchant_id, amount in unsettled:
        UNSETTLED.labels(str(merchant_id)).set(float(amount))
    OLDEST_UNCLAIMED.set(oldest)
    AT_RISK.set(len(at_risk))
    UNCLAIMABLE.set(unclaimable)
    if mirror is not None:
        MIRROR_AGE.set(mirror.age(datetime.now(UTC)))
    for channel_id, seconds_left in at_risk:
        _log.error(
            "withdrawal nearly due, claim missing", channel_id="0x" + channel_id.hex(), seconds=int(seconds_left)
        )
