"""Messages are read strictly, or not at all."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from x402.http.utils import decode_payment_required_header, decode_payment_response_header

from gateway.x402 import headers, wire
from gateway.x402.messages import Refusal, Requirements, Settled, Verified, read_envelope, read_requirements
from gateway.x402.payloads import CLAIMS_MOST, DepositPayment, RefundOrder, RefundPayment, read_batch, read_exact
from gateway.x402.wire import InvalidPayload
from verification.amounts import UINT128_MAX

ADDRESS = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
REQUIREMENTS: dict[str, Any] = {
    "scheme": "batch-settlement",
    "network": "eip155:31337",
    "asset": ADDRESS,
    "amount": "1000",
    "payTo": ADDRESS.lower(),
    "maxTimeoutSeconds": 300,
    "extra": {"name": "USDC", "version": "2"},
}
CONFIG: dict[str, Any] = {
    "payer": ADDRESS,
    "payerAuthorizer": ADDRESS,
    "receiver": ADDRESS,
    "receiverAuthorizer": ADDRESS,
    "token": ADDRESS,
    "withdrawDelay": 900,
    "salt": "0x" + "00" * 32,
}
VOUCHER: dict[str, Any] = {"channelId": "0x" + "AB" * 32, "maxClaimableAmount": "1000", "signature": "0x" + "11" * 65}
DEPOSIT: dict[str, Any] = {
    "type": "deposit",
    "channelConfig": CONFIG,
    "voucher": VOUCHER,
    "deposit": {
        "amount": "10000",
        "authorization": {
            "erc3009Authorization": {
                "validAfter": "0",
                "validBefore": str(2**256 - 1),
                "salt": "0x" + "01" * 32,
                "signature": "0x",
            }
        },
    },
}
EXACT: dict[str, Any] = {
    "authorization": {
        "from": ADDRESS,
        "to": ADDRESS,
        "value": "1000",
        "validAfter": "0",
        "validBefore": "1",
        "nonce": "0x" + "22" * 32,
    },
    "signature": "0x00",
}
NOT_AMOUNTS = [
    1000, 1000.0, "", "-1", "+1", "01", "1e3", "0x10", "1.0", " 1", "1 ", "NaN", "Infinity", "１", None, True, [], {},
    str(UINT128_MAX + 1), "9" * 400,
]  # fmt: skip


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A deep copy with one member changed."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    *way, last = path.split(".")
    at = copy
    for name in way:
        at = at[name]
    at[last] = value
    return copy


@pytest.mark.parametrize("amount", ["0", "1", str(2**63), str(UINT128_MAX)])
def test_amounts_up_to_128_bits_are_read_exactly(amount: str) -> None:
    assert read_requirements({**REQUIREMENTS, "amount": amount}).amount == int(amount)


@pytest.mark.parametrize("value", NOT_AMOUNTS, ids=repr)
def test_what_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(InvalidPayload):
        read_requirements({**REQUIREMENTS, "amount": value})
    with pytest.raises(InvalidPayload):
        read_batch(changed(DEPOSIT, "voucher.maxClaimableAmount", value))
    with pytest.raises(InvalidPayload):
        read_batch(changed(DEPOSIT, "deposit.amount", value))
    with pytest.raises(InvalidPayload):
        read_exact(changed(EXACT, "authorization.value", value))


@pytest.mark.parametrize("value", ["900", 900.0, -1, 2**40, True, None, "0x384"], ids=repr)
def test_a_number_is_a_number(value: object) -> None:
    with pytest.raises(InvalidPayload):
        read_batch(changed(DEPOSIT, "channelConfig.withdrawDelay", value))
    with pytest.raises(InvalidPayload):
        read_requirements({**REQUIREMENTS, "maxTimeoutSeconds": value})


@pytest.mark.parametrize(
    "value",
    [
        ADDRESS[:-1], ADDRESS + "0", ADDRESS[2:], "0X" + ADDRESS[2:], ADDRESS.swapcase().replace("0X", "0x"),
        "0x" + ADDRESS[2:].upper(), "vitalik.eth", 7, None, "0x" + "g" * 40,
    ],
    ids=repr,
)  # fmt: skip
def test_an_address_is_lower_case_or_checksummed(value: object) -> None:
    with pytest.raises(InvalidPayload):
        read_batch(changed(DEPOSIT, "channelConfig.payer", value))


@pytest.mark.parametrize("value", ["0x", "0x" + "1" * 63, "0x" + "1" * 65, "1" * 64, None, 1], ids=repr)
def test_thirty_two_bytes_are_thirty_two_bytes(value: object) -> None:
    for path in ("voucher.channelId", "channelConfig.salt"):
        with pytest.raises(InvalidPayload):
            read_batch(changed(DEPOSIT, path, value))


def test_a_signature_may_be_short_and_is_never_huge() -> None:
    assert read_exact(EXACT).signature == b"\x00"
    with pytest.raises(InvalidPayload):
        read_exact({**EXACT, "signature": "0x" + "00" * 4097})


def test_kinds_of_payload() -> None:
    deposit = read_batch(DEPOSIT)
    assert isinstance(deposit, DepositPayment)
    assert deposit.authorization.salt == int("01" * 32, 16)
    assert deposit.voucher.channel_id == b"\xab" * 32
    refund = {"type": "refund", "channelConfig": CONFIG, "voucher": VOUCHER}
    assert read_batch(refund) == RefundPayment(deposit.config, deposit.voucher, None)
    ordered = read_batch({**refund, "amount": "5", "refundNonce": "0", "claims": []})
    assert isinstance(ordered, RefundOrder)
    with pytest.raises(InvalidPayload):
        read_batch({**refund, "amount": None})


def test_claims_are_bounded() -> None:
    row = {"voucher": {"channel": CONFIG, "maxClaimableAmount": "1"}, "signature": "0x", "totalClaimed": "1"}
    read_batch({"type": "claim", "claims": [row] * CLAIMS_MOST})
    with pytest.raises(InvalidPayload):
        read_batch({"type": "claim", "claims": [row] * (CLAIMS_MOST + 1)})
    with pytest.raises(InvalidPayload):
        read_batch({"type": "claim", "claims": []})


BODIES = [
    b"", b"garbage", b"[]", b"null", b"1", b'"x"', b"{}", b'{"x402Version":1}', b'{"x402Version":2}', b"\xff\xfe",
    b'{"x402Version":2,"paymentPayload":{},"paymentRequirements":{}}',
    b'{"x402Version":2,"paymentPayload":[],"paymentRequirements":{}}',
    b'{"x402Version":NaN}', b"[" * 5000, b'{"a":' * 2000 + b"1" + b"}" * 2000,
    b'{"x402Version":1,"paymentPayload":{"x402Version":2,"payload":{},"accepted":{}},"paymentRequirements":{}}',
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:40]))
def test_a_body_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidPayload):
        read_envelope(body)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
PATHS = [
    "type", "channelConfig", "channelConfig.payer", "channelConfig.salt", "channelConfig.withdrawDelay", "voucher",
    "voucher.channelId", "voucher.signature", "deposit", "deposit.amount", "deposit.authorization",
    "deposit.authorization.erc3009Authorization", "deposit.authorization.erc3009Authorization.salt",
    "deposit.authorization.erc3009Authorization.validBefore",
]  # fmt: skip


@given(path=st.sampled_from(PATHS), value=ANYTHING)
def test_whatever_a_member_is_the_answer_is_a_reading_or_a_refusal(path: str, value: object) -> None:
    document = json.loads(json.dumps(DEPOSIT))
    *way, last = path.split(".")
    at = document
    for name in way:
        at = at[name]
    at[last] = value
    try:
        read_batch(document)
    except (InvalidPayload, Refusal):
        return


@given(st.text())
def test_a_header_is_read_or_refused(value: str) -> None:
    try:
        headers.decode(value)
    except InvalidPayload:
        return


@pytest.mark.parametrize("value", ["garbage", "W10=", "eyJ4IjoxfQ", "eyJ4Ijo-", "e30=\n", "é", "A" * 100_000])
def test_a_header_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(InvalidPayload):
        headers.decode(value)


def test_headers_are_what_official_clients_read() -> None:
    asked = read_requirements(REQUIREMENTS)
    resource = {"url": "https://shop.example/x"}
    offer = headers.encode({"x402Version": 2, "error": "é", "resource": resource, "accepts": [asked.document()]})
    assert base64.b64decode(offer, validate=True)
    assert headers.decode(offer)["error"] == "é"
    read = decode_payment_required_header(offer)
    assert read.accepts[0].amount == "1000"  # type: ignore[union-attr]
    settled = Settled("eip155:31337", "0x12", bytes(20), "5", {"chargedAmount": "5"})
    assert decode_payment_response_header(headers.encode(settled.document())).success is True
    refused = Refusal("some_reason", "why", transaction="0x12").settle_document("eip155:31337")
    told = decode_payment_response_header(headers.encode(refused))
    assert (told.success, told.error_reason, told.transaction) == (False, "some_reason", "0x12")


def test_extra_is_left_out_and_never_null() -> None:
    bare = Requirements("exact", "eip155:1", bytes(20), 1, bytes(20), 60)
    assert "extra" not in bare.document()
    assert "extra" not in Verified(bytes(20)).document()
    assert read_requirements({**REQUIREMENTS, "extra": None}).extra == {}


@given(st.binary(min_size=20, max_size=20))
def test_checksums_are_those_of_eip_55(address: bytes) -> None:
    from eth_utils.address import to_checksum_address

    assert wire.checksum(address) == to_checksum_address(address)
