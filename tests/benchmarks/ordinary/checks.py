"""The checks of one voucher, with eth_account."""

from __future__ import annotations

from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.address import to_canonical_address

from tests.benchmarks.ordinary.models import Channel
from tests.benchmarks.workload import CHAIN_ID, ESCROW

MICRO_MOST = 10 * 10**6
STANDARD_MOST = 10_000 * 10**6
WINDOW_MOST = 10 * 10**6
WINDOW_SECONDS = 86_400
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
SANCTIONED: frozenset[bytes] = frozenset()
DOMAIN = {
    "name": "x402 Batch Settlement",
    "version": "1",
    "chainId": CHAIN_ID,
    "verifyingContract": "0x" + ESCROW.hex(),
}
VOUCHER_TYPES = {
    "Voucher": [{"name": "channelId", "type": "bytes32"}, {"name": "maxClaimableAmount", "type": "uint128"}]
}


class Refused(Exception):
    """Told to the caller: status, stable code, further members."""

    def __init__(self, status: int, code: str, **members: Any) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.members = members

    def document(self) -> dict[str, Any]:
        return {
            "type": f"urn:lockgate:problem:{self.code}",
            "title": self.code.replace("_", " ").capitalize(),
            "status": self.status,
            "detail": self.code,
            "code": self.code,
            **self.members,
        }


def check(channel: Channel, amount: int, max_claimable: int, signature: bytes) -> None:
    """Raises Refused unless the voucher may be captured as far as it can be told without the running total."""
    if amount > STANDARD_MOST:
        raise Refused(422, "amount_requires_settlement")
    if amount > MICRO_MOST:
        raise Refused(422, "check_not_available")
    if signer_of(channel.channel_id, max_claimable, signature) != channel.payer_authorizer:
        raise Refused(422, "voucher_signature")
    if amount > max_claimable:
        raise Refused(422, "amount_out_of_range")
    if channel.payer == channel.receiver:
        raise Refused(422, "payer_is_receiver")
    if {channel.payer, channel.payer_authorizer, channel.receiver} & SANCTIONED:
        raise Refused(422, "sanctioned")
    if amount > WINDOW_MOST:
        raise Refused(422, "velocity_exceeded")


def signer_of(channel_id: bytes, max_claimable: int, signature: bytes) -> bytes | None:
    if int.from_bytes(signature[32:64], "big") > HALF_ORDER or signature[64] not in (0, 1, 27, 28):
        return None
    message = encode_typed_data(
        domain_data=DOMAIN,
        message_types=VOUCHER_TYPES,
        message_data={"channelId": channel_id, "maxClaimableAmount": max_claimable},
    )
    try:
        return bytes(to_canonical_address(Account.recover_message(message, signature=signature)))
    except Exception:  # noqa: BLE001 - eth_account raises several kinds for a signature without a key
        return None
