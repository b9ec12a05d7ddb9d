"""What other rooms call: name a channel, and book a receipt at once."""

from __future__ import annotations

from typing import Any

import psycopg

from gateway.channels.chain_events import ChannelEvents
from gateway.channels.escrow import EscrowNotRegistered, current_escrow
from gateway.channels.opening import Channel, UnknownReceiver, UnlistedToken, find_channel, open_channel
from kit.chain.follower import Effect, apply_early
from kit.chain.rpc import Receipt
from kit.logging import get_logger
from verification.signatures.eip712 import ChannelConfig

__all__ = [
    "Channel",
    "EscrowNotRegistered",
    "UnknownReceiver",
    "UnlistedToken",
    "apply_receipt",
    "ensure_channel",
    "find_channel",
]
_log = get_logger(__name__)


def ensure_channel(connection: psycopg.Connection[Any], config: ChannelConfig) -> Channel:
    """The channel of this configuration, opened in the book when it is new; without credit, which the chain gives.

    Raises UnknownReceiver, UnlistedToken, EscrowNotRegistered.
    """
    return open_channel(connection, config, current_escrow(connection).domain)


def apply_receipt(connection: psycopg.Connection[Any], receipt: Receipt) -> list[Effect]:
    """Book deposits, refunds and transfers of a mined transaction now, before the follower gets to its block.

    What is booked already, is not ours, or is of a block that has left the chain is passed over; claims and settles
    wait for the follower, which needs the order of the chain. Raises EscrowNotRegistered.
    """
    if not receipt.succeeded:
        return []
    handler = ChannelEvents(current_escrow(connection), early=True)
    try:
        with connection.transaction():
            return apply_early(connection, handler.chain_id, handler, receipt.logs)
    except psycopg.errors.DeadlockDetected:
        # Nothing is lost: the follower books the block within its next step.
        _log.warning("receipt left to the follower", tx_hash="0x" + receipt.tx_hash.hex())
        return []
