"""The deferred work of channels. Every task may run twice, late, or never: the next one does what is left to do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from celery import current_app, shared_task
from celery.exceptions import SoftTimeLimitExceeded

from gateway.channels.claims import LANE
from gateway.channels.expiry import release_what_is_over
from gateway.channels.measures import measure
from gateway.channels.runtime import Runtime, runtime
from kit.chain import lane as lanes
from kit.chain.follower import ReorgTooDeep
from kit.chain.guard import ChainMismatch
from kit.chain.rpc import RpcError
from kit.database.queries import load
from kit.logging import get_logger
from kit.work import heartbeat
from kit.work.celery import measure_queue
from kit.work.leases import leased
from kit.work.outbox import Outbox

_QUERIES = load("gateway.channels", "claims.sql")
_log = get_logger(__name__)

# Only spares work: each effect is guarded by its own rows. Short, so that a killed worker holds nobody up for long.
LEASE_SECONDS = 10.0
CLAIMS_A_TASK = 10
DELIVERIES_A_TASK = 20
CLAIMER = "claims"
WORKER = "worker"
# Families of events that nothing consumes yet; webhooks will.
UNHEARD = ("payments.", "payment.", "channel.", "receiver.", "transaction.", "merchant.", "x402.")
outbox = Outbox({}, UNHEARD)
Work = Callable[[Runtime], None]


def _task(name: str, *, alone: bool = True) -> Callable[[Work], Any]:
    """A task of this room: under a lease of its own name unless it is safe beside itself.

    A node that does not answer or is the wrong one ends the task without more noise: it was logged and counted where
    it happened, and the next beat tries again.
    """

    def decorate(work: Work) -> Any:
        @wraps(work)
        def run() -> str:
            here = runtime()
            try:
                if not alone:
                    work(here)
                    return "done"
                with leased(here.pool, name, LEASE_SECONDS) as lease:
                    if lease is None:
                        return "elsewhere"
                    work(here)
            except (RpcError, ChainMismatch, ReorgTooDeep) as error:
                _log.warning("task stopped by the chain", task=name, cause=f"{type(error).__name__}: {error}")
                return "chain"
            except SoftTimeLimitExceeded:
                _log.error("task ran out of time", task=name)
                raise
            return "done"

        return shared_task(name=f"gateway.channels.{name}", max_retries=0)(run)

    return decorate


@_task("follow_chain")
def follow_chain(here: Runtime) -> None:
    """Deposits, claims, settles, refunds, withdrawals, transfers and reorganisations come into the book."""
    here.follower.step(here.pool)


@_task("push_transactions")
def push_transactions(here: Runtime) -> None:
    """Sign what is asked for, send again what was lost, raise fees, notice what was mined or replaced."""
    lanes.tend(here.sender, here.pool, LANE)


@_task("claim_due")
def claim_due(here: Runtime) -> None:
    """Claim what is due; a claim that left the chain was taken back by the follower and is due again.

    On only while batches are full: payments that come meanwhile are the next turn's, or they would never let it end.
    """
    for _ in range(CLAIMS_A_TASK):
        if here.claims.claim_due(here.pool) is None or not here.claims.has_full_batch(here.pool):
            break
    with here.pool.connection() as connection:
        heartbeat.beat(connection, CLAIMER)


@_task("settle_due")
def settle_due(here: Runtime) -> None:
    """Move what was claimed to the receivers."""
    here.claims.settle_due(here.pool)


@_task("deliver_outbox", alone=False)
def deliver_outbox(here: Runtime) -> None:
    """Hand events to those who listen; several workers share the rows by leases."""
    for _ in range(DELIVERIES_A_TASK):
        done = outbox.deliver(here.pool)
        if not (done.delivered or done.failed or done.parked):
            break


@_task("sweep")
def sweep(here: Runtime) -> None:
    """Clear what final transactions left behind, and take the measures that need a look at the tables."""
    with here.pool.connection() as connection:
        connection.execute(_QUERIES.sql("prune_runs"))
    measure(here)
    outbox.measure(here.pool)
    measure_queue(current_app, current_app.conf.task_default_queue)


@_task("expire")
def expire(here: Runtime) -> None:
    """Free what ended without anybody coming back for it; requests past their time lapse in push_transactions."""
    with here.pool.connection() as connection:
        release_what_is_over(connection)


@_task("heartbeat", alone=False)
def beat(here: Runtime) -> None:
    """A worker took a message, reached the database and wrote: that is what alive means."""
    with here.pool.connection() as connection:
        heartbeat.beat(connection, WORKER)
