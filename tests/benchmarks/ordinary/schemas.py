"""Requests and answers of the ordinary service: the same JSON as ours."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

UINT128_MAX = (1 << 128) - 1


def _in_range(text: str) -> str:
    if not 0 < int(text) <= UINT128_MAX:
        raise ValueError("an amount is from 1 to 2^128 - 1")
    return text


Amount = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,38}$"), AfterValidator(_in_range)]


class Voucher(BaseModel):
    model_config = ConfigDict(extra="forbid")

    channelId: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$")]  # noqa: N815 - x402's spelling
    maxClaimableAmount: Amount  # noqa: N815
    signature: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{130}$")]


class VoucherPayment(BaseModel):
    model_config = ConfigDict(extra="forbid")

    voucher: Voucher
    amount: Amount
    reference: Annotated[str, Field(min_length=1, max_length=128)] | None = None


class Batch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    payments: Annotated[list[VoucherPayment], Field(min_length=1, max_length=1000)]


class Payment(BaseModel):
    id: str
    object: Literal["payment"] = "payment"
    state: Literal["captured"] = "captured"
    scheme: Literal["batch-settlement"] = "batch-settlement"
    network: str
    asset: str
    amount: str
    payer: str
    channel_id: str
    cumulative_amount: str
    reference: str | None
    created_at: str


class BatchResult(BaseModel):
    status: int
    payment: Payment | None = None
    problem: dict[str, Any] | None = None


class BatchAnswer(BaseModel):
    object: Literal["batch"] = "batch"
    results: list[BatchResult]
