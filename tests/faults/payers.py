"""What a payer signs, as the bytes that go over the wire: the same object always gives the same bytes."""

from __future__ import annotations

import time
from typing import Any

from tests.faults.world import World, dumps, hexed, raw
from tests.support.vouchers import PayerChannel, Signer
from verification.signatures.eip712 import (
    ChannelConfig,
    TokenAuthorization,
    deposit_nonce,
    receive_authorization_digest,
    transfer_authorization_digest,
    word,
)

DELAY = 3600
FOR_EVER = 2**48
Document = dict[str, Any]


def channel_of(world: World, signer: Signer, salt: int, *, withdraw_delay: int = DELAY) -> PayerChannel:
    """A channel from the signer to the stack's merchant; not opened yet."""
    config = ChannelConfig(
        payer=signer.address,
        payer_authorizer=signer.address,
        receiver=world.receiver,
        receiver_authorizer=raw(world.contracts.receiver_authorizer),
        token=raw(world.contracts.token.address),
        withdraw_delay=withdraw_delay,
        salt=word(salt),
    )
    return PayerChannel(signer, config, world.escrow)


def voucher(channel: PayerChannel, maximum: int) -> Document:
    return {
        "channelId": hexed(channel.channel_id),
        "maxClaimableAmount": str(maximum),
        "signature": hexed(channel.sign(maximum)),
    }


def payment(channel: PayerChannel, amount: int, maximum: int) -> Document:
    """The body of POST /v1/payments."""
    return {"voucher": voucher(channel, maximum), "amount": str(amount)}


def batch(payments: list[Document]) -> bytes:
    """The body of POST /v1/payments/batch."""
    return dumps({"payments": payments})


def settle_voucher(world: World, channel: PayerChannel, amount: int, maximum: int) -> bytes:
    """A voucher for the facilitator to charge."""
    payload = {"type": "voucher", "channelConfig": _config(channel), "voucher": voucher(channel, maximum)}
    return _settle(world, "batch-settlement", amount, payload, channel.config.withdraw_delay)


def settle_deposit(world: World, channel: PayerChannel, deposit: int, salt: int, amount: int, maximum: int) -> bytes:
    """A deposit for the facilitator to relay, with the voucher of a payment of `amount`."""
    signed = TokenAuthorization(
        sender=channel.config.payer,
        recipient=raw(world.contracts.erc3009_collector),
        value=deposit,
        valid_after=0,
        valid_before=FOR_EVER,
        nonce=deposit_nonce(channel.channel_id, salt),
    )
    authorization = {
        "validAfter": "0",
        "validBefore": str(FOR_EVER),
        "salt": hexed(word(salt)),
        "signature": hexed(channel.signer.sign(receive_authorization_digest(world.token, signed))),
    }
    payload = {
        "type": "deposit",
        "channelConfig": _config(channel),
        "voucher": voucher(channel, maximum),
        "deposit": {"amount": str(deposit), "authorization": {"erc3009Authorization": authorization}},
    }
    return _settle(world, "batch-settlement", amount, payload, channel.config.withdraw_delay)


def settle_exact(world: World, signer: Signer, amount: int, nonce: bytes) -> bytes:
    """A transfer for the facilitator to relay."""
    signed = TokenAuthorization(signer.address, world.receiver, amount, 0, int(time.time()) + DELAY, nonce)
    authorization = {
        "from": hexed(signed.sender),
        "to": hexed(signed.recipient),
        "value": str(signed.value),
        "validAfter": "0",
        "validBefore": str(signed.valid_before),
        "nonce": hexed(nonce),
    }
    signature = hexed(signer.sign(transfer_authorization_digest(world.token, signed)))
    return _settle(world, "exact", amount, {"authorization": authorization, "signature": signature}, DELAY)


def _settle(world: World, scheme: str, amount: int, payload: Document, withdraw_delay: int) -> bytes:
    token = world.contracts.token
    extra: Document = {"name": token.name, "version": token.version}
    if scheme == "batch-settlement":
        extra |= {
            "receiverAuthorizer": world.contracts.receiver_authorizer,
            "withdrawDelay": withdraw_delay,
            "bookkeeper": "facilitator",
        }
    asked = {
        "scheme": scheme,
        "network": f"eip155:{world.chain_id}",
        "asset": token.address,
        "amount": str(amount),
        "payTo": world.contracts.treasury_safe,
        "maxTimeoutSeconds": 300,
        "extra": extra,
    }
    body = {
        "x402Version": 2,
        "paymentPayload": {"x402Version": 2, "payload": payload, "accepted": asked},
        "paymentRequirements": asked,
    }
    return dumps(body)


def _config(channel: PayerChannel) -> Document:
    config = channel.config
    return {
        "payer": hexed(config.payer),
        "payerAuthorizer": hexed(config.payer_authorizer),
        "receiver": hexed(config.receiver),
        "receiverAuthorizer": hexed(config.receiver_authorizer),
        "token": hexed(config.token),
        "withdrawDelay": config.withdraw_delay,
        "salt": hexed(config.salt),
    }
