"""Every digest equals what eth_account makes of the same typed data."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account.messages import SignableMessage, _hash_eip191_message, encode_typed_data
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st
from x402.mechanisms.evm.batch_settlement.constants import (
    CHANNEL_CONFIG_TYPES,
    CLAIM_BATCH_TYPES,
    RECEIVE_AUTHORIZATION_TYPES,
    REFUND_TYPES,
    VOUCHER_TYPES,
)
from x402.mechanisms.evm.batch_settlement.encoding import build_erc3009_deposit_nonce

from tests.support.vouchers import Signer
from verification.signatures.eip712 import (
    ChannelConfig,
    ClaimEntry,
    Domain,
    TokenAuthorization,
    address_word,
    channel_id,
    claim_batch_digest,
    deposit_nonce,
    escrow_domain,
    receive_authorization_digest,
    refund_digest,
    transfer_authorization_digest,
    voucher_digest,
    word,
)

ADDRESS = st.binary(min_size=20, max_size=20)
BYTES32 = st.binary(min_size=32, max_size=32)
UINT40 = st.integers(0, (1 << 40) - 1)
UINT128 = st.integers(0, (1 << 128) - 1)
UINT256 = st.integers(0, (1 << 256) - 1)
DOMAINS = st.builds(Domain, st.text(max_size=40), st.text(max_size=8), UINT256, ADDRESS)
CONFIGS = st.builds(ChannelConfig, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, UINT40, BYTES32)
AUTHORIZATIONS = st.builds(TokenAuthorization, ADDRESS, ADDRESS, UINT256, UINT256, UINT256, BYTES32)
TRANSFER_TYPES = {"TransferWithAuthorization": RECEIVE_AUTHORIZATION_TYPES["ReceiveWithAuthorization"]}


def typed(domain: Domain, types: dict[str, Any], message: dict[str, Any]) -> SignableMessage:
    return encode_typed_data(
        domain_data={
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chain_id,
            "verifyingContract": to_checksum_address(domain.verifying_contract),
        },
        message_types=types,
        message_data=message,
    )


def reference(domain: Domain, types: dict[str, Any], message: dict[str, Any]) -> bytes:
    return bytes(_hash_eip191_message(typed(domain, types, message)))


def config_message(config: ChannelConfig) -> dict[str, Any]:
    return {
        "payer": to_checksum_address(config.payer),
        "payerAuthorizer": to_checksum_address(config.payer_authorizer),
        "receiver": to_checksum_address(config.receiver),
        "receiverAuthorizer": to_checksum_address(config.receiver_authorizer),
        "token": to_checksum_address(config.token),
        "withdrawDelay": config.withdraw_delay,
        "salt": config.salt,
    }


def authorization_message(authorization: TokenAuthorization) -> dict[str, Any]:
    return {
        "from": to_checksum_address(authorization.sender),
        "to": to_checksum_address(authorization.recipient),
        "value": authorization.value,
        "validAfter": authorization.valid_after,
        "validBefore": authorization.valid_before,
        "nonce": authorization.nonce,
    }


@given(DOMAINS, BYTES32, UINT128)
def test_voucher_and_domain(domain: Domain, channel: bytes, maximum: int) -> None:
    message = {"channelId": channel, "maxClaimableAmount": maximum}
    assert voucher_digest(domain, channel, maximum) == reference(domain, VOUCHER_TYPES, message)
    assert domain.separator == typed(domain, VOUCHER_TYPES, message).header


@given(DOMAINS, CONFIGS)
def test_channel_id(domain: Domain, config: ChannelConfig) -> None:
    assert channel_id(domain, config) == reference(domain, CHANNEL_CONFIG_TYPES, config_message(config))


@given(DOMAINS, BYTES32, UINT256, UINT128)
def test_refund(domain: Domain, channel: bytes, nonce: int, amount: int) -> None:
    message = {"channelId": channel, "nonce": nonce, "amount": amount}
    assert refund_digest(domain, channel, nonce, amount) == reference(domain, REFUND_TYPES, message)


@given(DOMAINS, st.lists(st.builds(ClaimEntry, BYTES32, UINT128, UINT128), max_size=4))
def test_claim_batch(domain: Domain, entries: list[ClaimEntry]) -> None:
    claims = [
        {"channelId": e.channel_id, "maxClaimableAmount": e.max_claimable, "totalClaimed": e.total_claimed}
        for e in entries
    ]
    assert claim_batch_digest(domain, entries) == reference(domain, CLAIM_BATCH_TYPES, {"claims": claims})


@given(DOMAINS, AUTHORIZATIONS)
def test_both_token_authorizations(domain: Domain, authorization: TokenAuthorization) -> None:
    message = authorization_message(authorization)
    assert transfer_authorization_digest(domain, authorization) == reference(domain, TRANSFER_TYPES, message)
    assert receive_authorization_digest(domain, authorization) == reference(
        domain, RECEIVE_AUTHORIZATION_TYPES, message
    )


@given(BYTES32, UINT256)
def test_deposit_nonce(channel: bytes, salt: int) -> None:
    assert "0x" + deposit_nonce(channel, salt).hex() == build_erc3009_deposit_nonce("0x" + channel.hex(), str(salt))


VECTOR_DOMAIN = escrow_domain(84532, bytes.fromhex("4020074e9dF2ce1deE5A9C1b5c3f541D02a10003"))
VECTOR_CHANNEL = bytes.fromhex("fee9aa1d9ebf9c393f70fa61870715c672025530312996e1c32e6de06efd5c02")


def test_published_vector() -> None:
    payer = bytes.fromhex("70997970C51812dc3A010C7d01b50e0d17dc79C8")
    config = ChannelConfig(
        payer=payer,
        payer_authorizer=payer,
        receiver=bytes.fromhex("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
        receiver_authorizer=bytes.fromhex("90F79bf6EB2c4f870365E785982E1f101E93b906"),
        token=bytes.fromhex("036CbD53842c5426634e7929541eC2318f3dCF7e"),
        withdraw_delay=3600,
        salt=bytes(32),
    )
    domain, channel = VECTOR_DOMAIN, VECTOR_CHANNEL
    row = ClaimEntry(channel, 1500, 1500)
    made = {
        "separator": domain.separator,
        "channel": channel_id(domain, config),
        "voucher": voucher_digest(domain, channel, 1500),
        "refund": refund_digest(domain, channel, 0, 500),
        "claims": claim_batch_digest(domain, [row]),
        "nonce": deposit_nonce(channel, 1),
    }
    assert {name: value.hex() for name, value in made.items()} == {
        "separator": "fdef80764086b1e0fc6ba99f0cb9aa1d59109fda7c23d60334c89d2de44dffce",
        "channel": channel.hex(),
        "voucher": "98ad56d549dcf9abdcea6cc26e5ea5e08031fb1a05ca81a4b44c25929f54a3ea",
        "refund": "202cdc550e58010c05b3726894da82cf62f8ef803f8a71bb722d2cfc6a3ca338",
        "claims": "0af02ebe780b62115ebc3ba55772258108a89114b84b7fca338628df9a070f87",
        "nonce": "2adb5ea535cec1ecb734c16b82e005b6fc752c8c550299f96404b05e90f6a8f4",
    }


def test_parts_of_a_wrong_size_are_refused() -> None:
    good = ChannelConfig(bytes(20), bytes(20), bytes(20), bytes(20), bytes(20), 900, bytes(32))
    wrong = [
        ChannelConfig(bytes(19), bytes(20), bytes(20), bytes(20), bytes(20), 900, bytes(32)),
        ChannelConfig(bytes(20), bytes(20), bytes(20), bytes(20), bytes(21), 900, bytes(32)),
        ChannelConfig(bytes(20), bytes(20), bytes(20), bytes(20), bytes(20), 900, bytes(31)),
        ChannelConfig(bytes(20), bytes(20), bytes(20), bytes(20), bytes(20), 1 << 40, bytes(32)),
        ChannelConfig(bytes(20), bytes(20), bytes(20), bytes(20), bytes(20), -1, bytes(32)),
    ]
    assert len(channel_id(VECTOR_DOMAIN, good)) == 32
    for config in wrong:
        with pytest.raises(ValueError):
            channel_id(VECTOR_DOMAIN, config)
    with pytest.raises(ValueError):
        address_word(bytes(32))
    short = TokenAuthorization(bytes(20), bytes(20), 1, 0, 1, bytes(31))
    with pytest.raises(ValueError):
        transfer_authorization_digest(VECTOR_DOMAIN, short)


@pytest.mark.parametrize("value", [-1, 1 << 256])
def test_a_word_holds_a_uint256(value: int) -> None:
    with pytest.raises(OverflowError):
        word(value)


def test_the_signer_of_the_tests_signs_the_digest_itself() -> None:
    """So that a fault in the helper cannot hide one in the code: eth_account recovers its address."""
    from eth_account import Account

    signer = Signer("anybody")
    digest = voucher_digest(VECTOR_DOMAIN, VECTOR_CHANNEL, 7)
    recovered = Account._recover_hash(digest, signature=signer.sign(digest))
    assert recovered == to_checksum_address(signer.address)
