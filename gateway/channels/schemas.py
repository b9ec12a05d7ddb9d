"""The shapes of the channel routes."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from gateway.payments.schemas import Amount

# Examples have no null members: they would be left out of the OpenAPI document.
_CHANNEL: dict[str, JsonValue] = {
    "id": "0xfee9aa1d9ebf9c393f70fa61870715c672025530312996e1c32e6de06efd5c02",
    "object": "channel",
    "state": "withdrawing",
    "network": "eip155:84532",
    "asset": "0x036cbd53842c5426634e7929541ec2318f3dcf7e",
    "payer": "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
    "payer_authorizer": "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
    "receiver": "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc",
    "receiver_authorizer": "0x90f79bf6eb2c4f870365e785982e1f101e93b906",
    "withdraw_delay": 3600,
    "balance": "100000",
    "charged": "1500",
    "claimed": "1000",
    "settled": "1000",
    "spendable": "48500",
    "withdrawal": {"amount": "50000", "requested_at": 1769860800, "final_from": 1769864400},
    "created_at": "2026-01-31T12:00:00.000Z",
    "last_payment_at": "2026-01-31T12:05:00.000Z",
}


class Withdrawal(BaseModel):
    amount: Amount
    requested_at: int
    final_from: int


class Channel(BaseModel):
    """Amounts are totals over the channel's life in the token's smallest unit, a withdrawal's times unix seconds."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CHANNEL]})

    id: str
    object: Literal["channel"]
    state: Literal["open", "withdrawing", "in_deficit"]
    network: str
    asset: str
    payer: str
    payer_authorizer: str
    receiver: str
    receiver_authorizer: str
    withdraw_delay: int
    balance: Amount
    charged: Amount
    claimed: Amount
    settled: Amount
    spendable: Amount
    withdrawal: Withdrawal | None
    created_at: str
    last_payment_at: str | None


class ChannelList(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"object": "list", "data": [_CHANNEL], "next_cursor": "AAAAAAAAAAc"}]}
    )

    object: Literal["list"]
    data: list[Channel]
    next_cursor: str | None
