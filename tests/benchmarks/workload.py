"""The payments of a benchmark, the same for every contestant: who pays from which channel, and the signed requests.

Everything follows from numbers, so that the seeding and each load generator derive the same keys by themselves.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

from coincurve import PrivateKey

from verification.signatures.eip712 import ChannelConfig, channel_id, escrow_domain, keccak, voucher_digest

CHAIN_ID = 31337
ESCROW = bytes.fromhex("4020074e9dF2ce1deE5A9C1b5c3f541D02a10003")
TOKEN = bytes.fromhex("036CbD53842c5426634e7929541eC2318f3dCF7e")
RECEIVER_AUTHORIZER = b"\x44" * 20
DOMAIN = escrow_domain(CHAIN_ID, ESCROW)
WITHDRAW_DELAY = 3600
AMOUNT = 3
"""Smallest units a payment: small, so that no window fills however long a benchmark runs."""
CREDIT = 10**12
"""Smallest units on each channel: more than any benchmark spends."""
SPARE_CREDIT = 10**6


@dataclass(frozen=True, slots=True)
class Payer:
    """One payer's key, its one channel, and the merchant at the other end (by position)."""

    key: PrivateKey
    address: bytes
    merchant: int
    config: ChannelConfig
    channel_id: bytes
    credit: int = CREDIT

    def voucher(self, max_claimable: int) -> bytes:
        """The 65-byte signature over this cumulative maximum."""
        signed = self.key.sign_recoverable(voucher_digest(DOMAIN, self.channel_id, max_claimable), hasher=None)
        return signed[:64] + bytes([27 + signed[64]])


def receiver_of(merchant: int) -> bytes:
    return keccak(b"benchmark receiver %d" % merchant)[12:]


def payer(number: int, merchant: int) -> Payer:
    key = PrivateKey(hashlib.sha256(b"benchmark payer %d" % number).digest())
    address = keccak(key.public_key.format(compressed=False)[1:])[12:]
    config = ChannelConfig(
        address, address, receiver_of(merchant), RECEIVER_AUTHORIZER, TOKEN, WITHDRAW_DELAY, bytes(32)
    )
    return Payer(key, address, merchant, config, channel_id(DOMAIN, config))


@dataclass(frozen=True)
class Workload:
    """`channels` payers with a channel each, dealt out to `merchants` in turn."""

    channels: int
    merchants: int = 1

    @cached_property
    def payers(self) -> list[Payer]:
        return [payer(number, number % self.merchants) for number in range(self.channels)]

    @cached_property
    def spares(self) -> list[Payer]:
        """Two more payers of the first merchant, on whose channels no load is put; the first has little there."""
        poor, rich = (payer(self.channels + number, 0) for number in range(2))
        return [replace(poor, credit=SPARE_CREDIT), rich]

    def body(self, index: int, step: int) -> bytes:
        """JSON of the payment number `step` (from 1) on channel `index`."""
        payer, most = self.payers[index], step * AMOUNT
        return b'{"voucher":{"channelId":"0x%s","maxClaimableAmount":"%d","signature":"0x%s"},"amount":"%d"}' % (
            payer.channel_id.hex().encode(),
            most,
            payer.voucher(most).hex().encode(),
            AMOUNT,
        )
