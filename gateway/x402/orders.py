"""What a resource server that keeps its own totals orders: claims, and the transfer of what was claimed."""

from __future__ import annotations

from typing import Any

import psycopg

from gateway.channels.service import apply_receipt
from gateway.x402 import abi, settlements
from gateway.x402.codes import Code
from gateway.x402.facilitator import Facilitator, Merchant, Request
from gateway.x402.messages import Refusal, Settled
from gateway.x402.payloads import ClaimOrder, SettleOrder, VoucherClaim
from gateway.x402.refunds import signed_claims
from gateway.x402.settlements import Identity, Kind, Order, Settlement
from kit.chain.rpc import Receipt
from verification.signatures.eip712 import channel_id


def claim(f: Facilitator, order: ClaimOrder, merchant: Merchant, request: Request) -> Settled:
    """Claim vouchers of channels to one receiver-authorizer. Raises Refusal, RpcUnavailable, ChainLost."""
    signature = signed_claims(f, order.claims, order.signature, request)
    data = abi.claim_with_signature(order.claims, signature)
    key = settlements.hash_of(b"claim", *_summary(f, order.claims))
    identity = Identity(merchant.merchant_id, key, Kind.CLAIM, key)
    settlement = settlements.find_under_way(f, identity)
    if settlement is None:
        gas_most = settlements.gas_most(len(order.claims))
        why = f.onchain.simulate(f.contracts.escrow, data, gas_most)
        if why is not None:
            raise Refusal(Code.BATCH_CLAIM_SIMULATION, f"the claim would revert: {why}")
        placed = Order(f.contracts.escrow, data, order.claims[0].config.receiver, gas_most=gas_most)
        settlement = settlements.place(f, identity, placed, request, _nothing)
    tx_hash, _ = _finish(f, settlement, Code.BATCH_CLAIM_FAILED, Code.BATCH_CLAIM_SIMULATION)
    return Settled(f.network, tx_hash)


def _summary(f: Facilitator, rows: tuple[VoucherClaim, ...]) -> list[bytes | int]:
    summary: list[bytes | int] = []
    for row in rows:
        summary += [channel_id(f.domain, row.config), row.max_claimable, row.total_claimed]
    return summary


def settle(f: Facilitator, order: SettleOrder, merchant: Merchant, request: Request) -> Settled:
    """Transfer to a receiver what was claimed for it. Raises Refusal, RpcUnavailable, ChainLost."""
    if order.token != f.contracts.token:
        raise Refusal(Code.BATCH_ASSET, "this token is not accepted here")
    claimed, settled = f.onchain.receiver_totals(order.receiver, order.token)
    if claimed <= settled:
        raise Refusal(Code.BATCH_NOTHING_TO_SETTLE, "all that was claimed is settled")
    key = settlements.hash_of(b"settle", order.receiver, order.token, claimed)
    identity = Identity(merchant.merchant_id, key, Kind.SETTLE, key)
    settlement = settlements.find_under_way(f, identity)
    if settlement is None:
        data = abi.settle(order.receiver, order.token)
        why = f.onchain.simulate(f.contracts.escrow, data, settlements.gas_most())
        if why is not None:
            raise Refusal(Code.BATCH_SETTLE_SIMULATION, f"the settlement would revert: {why}")
        placed = Order(f.contracts.escrow, data, order.receiver)
        settlement = settlements.place(f, identity, placed, request, _nothing)
    tx_hash, receipt = _finish(f, settlement, Code.BATCH_SETTLE_FAILED, Code.BATCH_SETTLE_SIMULATION)
    return Settled(f.network, tx_hash, amount=_settled_amount(f, order, receipt))


def _settled_amount(f: Facilitator, order: SettleOrder, receipt: Receipt | None) -> str:
    topics = (abi.SETTLED_TOPIC, bytes(12) + order.receiver, bytes(12) + order.token)
    for log in receipt.logs if receipt is not None else ():
        if log.address == f.contracts.escrow and log.topics[:3] == topics:
            return str(int.from_bytes(log.data, "big"))
    return ""


def _finish(f: Facilitator, settlement: Settlement, failed: Code, unfeasible: Code) -> tuple[str, Receipt | None]:
    outcome = settlements.carry_out(f, settlement)
    tx_hash = settlements.require_mined(outcome, None, failed, unfeasible)
    if outcome.receipt is not None:
        with f.pool.connection() as connection:
            apply_receipt(connection, outcome.receipt)
    return tx_hash, outcome.receipt


def _nothing(_connection: psycopg.Connection[Any]) -> None:
    return None
