"""The scheme's own part of a payment, kind by kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.x402 import wire
from gateway.x402.codes import Code
from gateway.x402.messages import Refusal
from gateway.x402.wire import InvalidPayload, Members
from verification.amounts import UINT128_MAX, UINT256_MAX
from verification.signatures.eip712 import ChannelConfig, TokenAuthorization

CLAIMS_MOST = 100


@dataclass(frozen=True, slots=True)
class ExactPayment:
    """`exact` by EIP-3009."""

    authorization: TokenAuthorization
    signature: bytes


@dataclass(frozen=True, slots=True)
class Voucher:
    channel_id: bytes
    max_claimable: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class DepositAuthorization:
    """EIP-3009 `ReceiveWithAuthorization` for the deposit collector; its nonce follows from channel and salt."""

    valid_after: int
    valid_before: int
    salt: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class DepositPayment:
    config: ChannelConfig
    voucher: Voucher
    amount: int
    authorization: DepositAuthorization


@dataclass(frozen=True, slots=True)
class VoucherPayment:
    config: ChannelConfig
    voucher: Voucher


@dataclass(frozen=True, slots=True)
class RefundPayment:
    """A client's wish for its money back; no amount means all that is left."""

    config: ChannelConfig
    voucher: Voucher
    amount: int | None


@dataclass(frozen=True, slots=True)
class VoucherClaim:
    """One row of a claim: a voucher and how much of it is claimed, both cumulative."""

    config: ChannelConfig
    max_claimable: int
    signature: bytes
    total_claimed: int


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """A refund as a resource server orders it: resolved amount, nonce, claims first. Signatures may be left to us."""

    config: ChannelConfig
    voucher: Voucher
    amount: int
    nonce: int
    claims: tuple[VoucherClaim, ...]
    refund_signature: bytes | None
    claim_signature: bytes | None


@dataclass(frozen=True, slots=True)
class ClaimOrder:
    claims: tuple[VoucherClaim, ...]
    signature: bytes | None


@dataclass(frozen=True, slots=True)
class SettleOrder:
    receiver: bytes
    token: bytes


BatchPayload = DepositPayment | VoucherPayment | RefundPayment | RefundOrder | ClaimOrder | SettleOrder


def read_exact(payload: Members) -> ExactPayment:
    """Raises InvalidPayload, and Refusal for what is well-formed and not offered here."""
    if "permit2Authorization" in payload:
        raise Refusal(Code.PERMIT2_NOT_SUPPORTED, "pay by EIP-3009: Permit2 is not offered here")
    members = wire.read_object(payload, "authorization")
    authorization = TokenAuthorization(
        sender=wire.read_address(members, "from"),
        recipient=wire.read_address(members, "to"),
        value=wire.read_amount(members, "value", most=UINT128_MAX),
        valid_after=wire.read_amount(members, "validAfter", most=UINT256_MAX),
        valid_before=wire.read_amount(members, "validBefore", most=UINT256_MAX),
        nonce=wire.read_bytes32(members, "nonce"),
    )
    return ExactPayment(authorization, wire.read_hex(payload, "signature"))


def read_batch(payload: Members) -> BatchPayload:
    """Raises InvalidPayload, and Refusal for what is well-formed and not offered here."""
    kind = wire.read_text(payload, "type")
    reader = _READERS.get(kind)
    if reader is None:
        raise Refusal(Code.BATCH_PAYLOAD_TYPE, f"no payload of batch-settlement is called {kind[:32]!r}")
    return reader(payload)


def _read_deposit(payload: Members) -> DepositPayment:
    config, voucher = _read_config(payload, "channelConfig"), _read_voucher(payload)
    deposit = wire.read_object(payload, "deposit")
    amount = wire.read_amount(deposit, "amount", most=UINT128_MAX)
    authorizations = wire.read_object(deposit, "authorization")
    members = wire.optional(authorizations, "erc3009Authorization", wire.read_object)
    if members is None:
        if wire.optional(authorizations, "permit2Authorization", wire.read_object) is None:
            raise InvalidPayload("authorization names neither erc3009Authorization nor permit2Authorization")
        raise Refusal(Code.BATCH_ERC3009_REQUIRED, "deposit by EIP-3009: Permit2 is not offered here", config.payer)
    authorization = DepositAuthorization(
        valid_after=wire.read_amount(members, "validAfter", most=UINT256_MAX),
        valid_before=wire.read_amount(members, "validBefore", most=UINT256_MAX),
        salt=wire.read_uint_or_hex(members, "salt", most=UINT256_MAX),
        signature=wire.read_hex(members, "signature"),
    )
    return DepositPayment(config, voucher, amount, authorization)


def _read_voucher_payment(payload: Members) -> VoucherPayment:
    return VoucherPayment(_read_config(payload, "channelConfig"), _read_voucher(payload))


def _read_refund(payload: Members) -> RefundPayment | RefundOrder:
    config, voucher = _read_config(payload, "channelConfig"), _read_voucher(payload)
    if "refundNonce" not in payload and "claims" not in payload:
        amount = wire.read_amount(payload, "amount", most=UINT128_MAX) if "amount" in payload else None
        return RefundPayment(config, voucher, amount)
    return RefundOrder(
        config,
        voucher,
        amount=wire.read_amount(payload, "amount", most=UINT128_MAX),
        nonce=wire.read_amount(payload, "refundNonce", most=UINT256_MAX),
        claims=_read_claims(payload),
        refund_signature=wire.optional(payload, "refundAuthorizerSignature", wire.read_hex),
        claim_signature=wire.optional(payload, "claimAuthorizerSignature", wire.read_hex),
    )


def _read_claim(payload: Members) -> ClaimOrder:
    claims = _read_claims(payload)
    if not claims:
        raise InvalidPayload("claims is empty")
    return ClaimOrder(claims, wire.optional(payload, "claimAuthorizerSignature", wire.read_hex))


def _read_settle(payload: Members) -> SettleOrder:
    return SettleOrder(wire.read_address(payload, "receiver"), wire.read_address(payload, "token"))


_READERS: dict[str, Callable[[Members], BatchPayload]] = {
    "deposit": _read_deposit,
    "voucher": _read_voucher_payment,
    "refund": _read_refund,
    "claim": _read_claim,
    "settle": _read_settle,
}


def _read_config(source: Members, name: str) -> ChannelConfig:
    members = wire.read_object(source, name)
    return ChannelConfig(
        payer=wire.read_address(members, "payer"),
        payer_authorizer=wire.read_address(members, "payerAuthorizer"),
        receiver=wire.read_address(members, "receiver"),
        receiver_authorizer=wire.read_address(members, "receiverAuthorizer"),
        token=wire.read_address(members, "token"),
        withdraw_delay=wire.read_integer(members, "withdrawDelay"),
        salt=wire.read_bytes32(members, "salt"),
    )


def _read_voucher(payload: Members) -> Voucher:
    members = wire.read_object(payload, "voucher")
    return Voucher(
        wire.read_bytes32(members, "channelId"),
        wire.read_amount(members, "maxClaimableAmount", most=UINT128_MAX),
        wire.read_hex(members, "signature"),
    )


def _read_claims(payload: Members) -> tuple[VoucherClaim, ...]:
    claims = []
    for entry in wire.read_list(payload, "claims", most=CLAIMS_MOST):
        if not isinstance(entry, dict):
            raise InvalidPayload("claims holds an entry that is not an object")
        voucher = wire.read_object(entry, "voucher")
        claims.append(
            VoucherClaim(
                config=_read_config(voucher, "channel"),
                max_claimable=wire.read_amount(voucher, "maxClaimableAmount", most=UINT128_MAX),
                signature=wire.read_hex(entry, "signature"),
                total_claimed=wire.read_amount(entry, "totalClaimed", most=UINT128_MAX),
            )
        )
    return tuple(claims)
