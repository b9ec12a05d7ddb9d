"""The shapes of the payment routes, for the OpenAPI document and for answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Amount = Annotated[
    str, Field(pattern="^(0|[1-9][0-9]{0,38})$", description="Decimal string in the token's smallest unit")
]
_CHANNEL = "0xfee9aa1d9ebf9c393f70fa61870715c672025530312996e1c32e6de06efd5c02"
_SIGNATURE = (
    "0x7a6e47abe32c9deeaa9ff340e054f2a87ede7ce7a341297780a62c3a8fb3eec0"
    "2e8d1836172fac7b6941886a422db463ceb37b8fec689ddb0e4d93c56a7392121b"
)
# Examples have no null members: they would be left out of the OpenAPI document.
_PAYMENT: dict[str, JsonValue] = {
    "id": "pay_019a1b2c3d4e7f00a1b2c3d4e5f60718",
    "object": "payment",
    "state": "captured",
    "scheme": "batch-settlement",
    "network": "eip155:84532",
    "asset": "0x036cbd53842c5426634e7929541ec2318f3dcf7e",
    "amount": "500",
    "payer": "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
    "channel_id": _CHANNEL,
    "cumulative_amount": "1500",
    "reference": "order-7",
    "created_at": "2026-01-31T12:00:00.000Z",
}
_REQUEST: dict[str, JsonValue] = {
    "voucher": {"channelId": _CHANNEL, "maxClaimableAmount": "1500", "signature": _SIGNATURE},
    "amount": "500",
    "reference": "order-7",
}


class Voucher(BaseModel):
    """As an x402 client sends it."""

    channelId: Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$")]  # noqa: N815 - x402's spelling
    maxClaimableAmount: Amount  # noqa: N815
    signature: Annotated[str, Field(pattern="^0x[0-9a-fA-F]{130}$")]


class VoucherPayment(BaseModel):
    """One voucher and what of it is charged: maxClaimableAmount = charged so far + amount."""

    model_config = ConfigDict(json_schema_extra={"examples": [_REQUEST]}, extra="forbid")

    voucher: Voucher
    amount: Amount
    reference: Annotated[str | None, Field(min_length=1, max_length=128, description="Yours; shown and filtered")] = (
        None
    )


class Batch(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"payments": [_REQUEST]}]}, extra="forbid")

    payments: Annotated[list[VoucherPayment], Field(min_length=1, max_length=1000)]


class Payment(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [_PAYMENT]})

    id: str
    object: Literal["payment"]
    state: Literal[
        "requires_payment",
        "authorized",
        "captured",
        "settled",
        "expired",
        "failed",
        "refunded",
        "partially_refunded",
    ]
    scheme: Literal["batch-settlement", "exact", "claimed-outside"]
    network: str
    asset: str
    amount: Amount
    payer: str
    channel_id: str | None
    cumulative_amount: Amount | None
    reference: str | None
    created_at: str


class PaymentList(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"object": "list", "data": [_PAYMENT], "next_cursor": "AZobLD1OfwChssPU5fYHGA"}]
        }
    )

    object: Literal["list"]
    data: list[Payment]
    next_cursor: str | None


class ProblemDocument(BaseModel):
    """RFC 9457. `code` is the last part of `type`; further members depend on it."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:lockgate:problem:cumulative_amount_mismatch",
                    "title": "Cumulative amount mismatch",
                    "status": 409,
                    "detail": "maxClaimableAmount has to be what the channel is charged so far plus the amount.",
                    "code": "cumulative_amount_mismatch",
                    "channel_state": {"charged_cumulative_amount": "1500", "balance": "100000"},
                }
            ]
        },
    )

    type: str
    title: str
    status: int
    detail: str
    code: str


class BatchResult(BaseModel):
    status: int
    payment: Payment | None = None
    problem: ProblemDocument | None = None


class BatchAnswer(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "object": "batch",
                    "results": [
                        {"status": 201, "payment": _PAYMENT},
                        {
                            "status": 409,
                            "problem": {
                                "type": "urn:lockgate:problem:cumulative_exceeds_balance",
                                "title": "Cumulative exceeds balance",
                                "status": 409,
                                "detail": "The voucher goes beyond what the channel can still pay.",
                                "code": "cumulative_exceeds_balance",
                            },
                        },
                    ],
                }
            ]
        }
    )

    object: Literal["batch"]
    results: list[BatchResult]
