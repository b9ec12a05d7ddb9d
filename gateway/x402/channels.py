"""What has to hold of a channel and its voucher before anything else is asked."""

from __future__ import annotations

from gateway.payments.facts import ChannelFacts
from gateway.x402.codes import Code
from gateway.x402.facilitator import Facilitator, Merchant, TermCodes
from gateway.x402.messages import Refusal, Requirements
from gateway.x402.onchain import WalletSignature
from gateway.x402.payloads import Voucher
from verification.signatures.eip712 import ChannelConfig, channel_id, voucher_digest
from verification.signatures.recovery import recover_address
from verification.vouchers import ZERO_ADDRESS

WITHDRAW_DELAY_LEAST = 15 * 60
WITHDRAW_DELAY_MOST = 30 * 24 * 3600
TERM_CODES = TermCodes(
    receiver=Code.BATCH_RECEIVER,
    asset=Code.BATCH_ASSET,
    amount=Code.INVALID_PAYMENT_REQUIREMENTS,
    may_ask_less=True,
)


def check_config(f: Facilitator, config: ChannelConfig, claimed_id: bytes, asked: Requirements) -> None:
    """The channel is the one it says it is, and the one that the requirements ask for. Raises Refusal."""
    if channel_id(f.domain, config) != claimed_id:
        raise Refusal(Code.BATCH_CHANNEL_ID, "channelId is not the EIP-712 hash of channelConfig")
    if config.receiver != asked.pay_to:
        raise Refusal(Code.BATCH_RECEIVER, "channelConfig.receiver is not payTo")
    if not _names(asked.extra.get("receiverAuthorizer"), config.receiver_authorizer):
        raise Refusal(Code.BATCH_RECEIVER_AUTHORIZER, "channelConfig.receiverAuthorizer is not the one asked for")
    if config.token != asked.asset:
        raise Refusal(Code.BATCH_ASSET, "channelConfig.token is not the asset")
    delay = asked.extra.get("withdrawDelay")
    if delay is not None and (type(delay) is not int or delay != config.withdraw_delay):
        raise Refusal(Code.BATCH_WITHDRAW_DELAY, "channelConfig.withdrawDelay is not the number asked for")
    check_withdraw_delay(config)
    check_token(f, config)


def check_token(f: Facilitator, config: ChannelConfig) -> None:
    """Another token's code could do anything with the gas that we pay for. Raises Refusal."""
    if config.token != f.contracts.token:
        raise Refusal(Code.ASSET_NOT_SUPPORTED, "this token is not accepted here")


def check_withdraw_delay(config: ChannelConfig) -> None:
    """Raises Refusal."""
    if not WITHDRAW_DELAY_LEAST <= config.withdraw_delay <= WITHDRAW_DELAY_MOST:
        raise Refusal(Code.BATCH_WITHDRAW_DELAY_RANGE, "withdrawDelay is from 900 to 2592000 seconds")


def check_ours(f: Facilitator, config: ChannelConfig) -> None:
    """A channel whose totals we keep has to name us, or we could never claim it. Raises Refusal."""
    if config.receiver_authorizer != f.authorizer.address:
        raise Refusal(Code.BATCH_AUTHORIZER_ADDRESS, "we keep totals only of channels that name our authorizer")


def _names(text: object, address: bytes) -> bool:
    return isinstance(text, str) and text.lower() == "0x" + address.hex() and address != ZERO_ADDRESS


def check_voucher_signature(f: Facilitator, config: ChannelConfig, voucher: Voucher) -> None:
    """As the escrow checks it: a named authorizer by recovery alone, else whatever the payer's account accepts.

    Raises Refusal, and RpcUnavailable for a channel without authorizer.
    """
    digest = voucher_digest(f.domain, voucher.channel_id, voucher.max_claimable)
    if config.payer_authorizer != ZERO_ADDRESS:
        valid = recover_address(digest, voucher.signature) == config.payer_authorizer
    else:
        valid = f.onchain.check_signature(config.payer, digest, voucher.signature) is WalletSignature.VALID
    if not valid:
        raise Refusal(Code.BATCH_VOUCHER_SIGNATURE, "the voucher is not signed by the channel's payer authorizer")


def channel_facts(f: Facilitator, merchant: Merchant, channel_no: int, config: ChannelConfig) -> ChannelFacts:
    """For the checks; `channel_no` is 0 for a channel that does not exist yet."""
    return ChannelFacts(
        merchant_id=merchant.merchant_id,
        channel_no=channel_no,
        channel_id=channel_id(f.domain, config),
        payer=config.payer,
        payer_authorizer=config.payer_authorizer,
        receiver=config.receiver,
        receiver_authorizer=config.receiver_authorizer,
        token=config.token,
        chain_id=f.contracts.chain_id,
        withdraw_delay=config.withdraw_delay,
        policy=f.facts.policy(f.contracts.token_decimals),
    )
