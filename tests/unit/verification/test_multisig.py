"""Safe hashes are eth_account's; owners' signatures count in every form, once, and only for the owners of now."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account as EthAccount
from eth_account.messages import _hash_eip191_message, encode_defunct, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.committee import Account
from tests.support.vouchers import compact, with_high_s
from verification.multisig import (
    SafeTransaction,
    SignatureKind,
    SignatureRefusal,
    SignatureRefused,
    approved_hash,
    count_approvals,
    read_signature,
    split_signatures,
)
from verification.signatures.eip712 import word

SOME = settings(max_examples=40, deadline=None)
ADDRESS = st.binary(min_size=20, max_size=20)
UINT256 = st.integers(0, 2**256 - 1)
TRANSACTIONS = st.builds(
    SafeTransaction,
    ADDRESS,
    UINT256,
    st.binary(max_size=80),
    UINT256,
    st.integers(0, 1),
    UINT256,
    UINT256,
    UINT256,
    ADDRESS,
    ADDRESS,
)
OWNERS = [Account(f"owner {number}") for number in range(4)]
ADDRESSES = [owner.address for owner in OWNERS]
HASH = SafeTransaction(b"\1" * 20, 0, b"", 3).hash(31337, b"\2" * 20)


def reason(signature: bytes, owners: list[bytes] = ADDRESSES) -> SignatureRefusal:
    with pytest.raises(SignatureRefused) as raised:
        read_signature(HASH, signature, owners)
    return raised.value.reason


def with_v(signature: bytes, v: int) -> bytes:
    return signature[:64] + bytes([v])


@SOME
@given(TRANSACTIONS, UINT256, ADDRESS)
def test_hash_is_eth_accounts(transaction: SafeTransaction, chain_id: int, safe: bytes) -> None:
    kinds = {
        "to": "address", "value": "uint256", "data": "bytes", "operation": "uint8", "safeTxGas": "uint256",
        "baseGas": "uint256", "gasPrice": "uint256", "gasToken": "address", "refundReceiver": "address",
        "nonce": "uint256",
    }  # fmt: skip
    message: dict[str, Any] = {
        "to": "0x" + transaction.to.hex(), "value": transaction.value, "data": transaction.data,
        "operation": transaction.operation, "safeTxGas": transaction.safe_tx_gas, "baseGas": transaction.base_gas,
        "gasPrice": transaction.gas_price, "gasToken": "0x" + transaction.gas_token.hex(),
        "refundReceiver": "0x" + transaction.refund_receiver.hex(), "nonce": transaction.nonce,
    }  # fmt: skip
    signable = encode_typed_data(
        {"chainId": chain_id, "verifyingContract": "0x" + safe.hex()},
        {"SafeTx": [{"name": name, "type": kind} for name, kind in kinds.items()]},
        message,
    )
    assert transaction.hash(chain_id, safe) == _hash_eip191_message(signable)


@pytest.mark.parametrize(
    "wrong", [{"operation": 256}, {"operation": -1}, {"value": 2**256}, {"nonce": -1}, {"to": b""}]
)
def test_fields_out_of_range(wrong: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"to": b"\1" * 20, "value": 0, "data": b"", "nonce": 0} | wrong
    with pytest.raises((ValueError, OverflowError)):
        SafeTransaction(**fields).hash(1, b"\2" * 20)


# Reading


@SOME
@given(st.sampled_from(OWNERS), st.binary(min_size=32, max_size=32))
def test_every_v_of_every_wallet_is_stored_in_one_form(owner: Account, digest: bytes) -> None:
    plain = owner.sign(digest)
    bit = plain[64] - 27
    for v in (bit, 27 + bit, 31 + bit):
        read = read_signature(digest, with_v(plain, v), ADDRESSES)
        assert (read.owner, read.kind, read.encoded) == (owner.address, SignatureKind.EIP712, plain)
    prefixed = owner.eth_sign(digest)
    bit = prefixed[64] - 31
    for v in (bit, 27 + bit, 31 + bit):
        read = read_signature(digest, with_v(prefixed, v), ADDRESSES)
        assert (read.owner, read.kind, read.encoded) == (owner.address, SignatureKind.ETH_SIGN, prefixed)


def test_eth_sign_is_of_the_32_bytes() -> None:
    """What wallets call personal_sign, by an independent implementation."""
    signed = EthAccount.sign_message(encode_defunct(HASH), OWNERS[0].private_key)
    read = read_signature(HASH, bytes(signed.signature), ADDRESSES)
    assert (read.owner, read.kind) == (ADDRESSES[0], SignatureKind.ETH_SIGN)
    assert read.encoded == OWNERS[0].eth_sign(HASH)


def test_approved_hash() -> None:
    signature = bytes(12) + ADDRESSES[1] + bytes(32) + b"\1"
    read = read_signature(HASH, signature, ADDRESSES)
    assert (read.owner, read.kind, read.encoded) == (ADDRESSES[1], SignatureKind.APPROVED_HASH, signature)
    assert reason(signature, ADDRESSES[:1]) is SignatureRefusal.NOT_BY_AN_OWNER
    assert reason(signature[:63] + b"\1\1") is SignatureRefusal.MALFORMED


def test_contract_signature_is_refused_by_name() -> None:
    for signature in (bytes(12) + ADDRESSES[0] + word(130) + b"\0", bytes(65)):
        assert reason(signature) is SignatureRefusal.CONTRACT_SIGNATURE


def test_signatures_that_cannot_count() -> None:
    good = OWNERS[0].sign(HASH)
    assert reason(Account("stranger").sign(HASH)) is SignatureRefusal.NOT_BY_AN_OWNER
    assert reason(OWNERS[0].sign(b"\1" * 32)) is SignatureRefusal.NOT_BY_AN_OWNER
    assert reason(good, []) is SignatureRefusal.NOT_BY_AN_OWNER
    assert reason(with_high_s(good)) is SignatureRefusal.MALFORMED
    for malformed in (
        b"",
        good[:64],
        compact(good),
        good + b"\0",
        *(with_v(good, v) for v in (2, 26, 29, 30, 33, 255)),
    ):
        assert reason(malformed) is SignatureRefusal.MALFORMED


@SOME
@given(st.binary(min_size=65, max_size=65))
def test_noise_is_refused(noise: bytes) -> None:
    assert reason(noise) in SignatureRefusal


def test_split() -> None:
    signatures = [owner.sign(HASH) for owner in OWNERS]
    assert split_signatures(b"".join(signatures)) == signatures
    assert split_signatures(b"") == []
    with pytest.raises(SignatureRefused):
        split_signatures(b"".join(signatures) + b"\0")


# Counting


def read_all(owners: list[Account]) -> list[Any]:
    return [read_signature(HASH, owner.sign(HASH), ADDRESSES) for owner in owners]


@SOME
@given(st.data())
def test_exactly_the_threshold_ascending_whatever_the_order(data: st.DataObject) -> None:
    signers = data.draw(st.lists(st.sampled_from(OWNERS), max_size=8))
    owners = data.draw(st.lists(st.sampled_from(ADDRESSES), min_size=1, unique=True))
    on_chain = data.draw(st.sets(st.sampled_from(ADDRESSES)))
    threshold = data.draw(st.integers(1, len(owners)))
    approvals = count_approvals(read_all(signers), owners, threshold, on_chain)
    expected = ({signer.address for signer in signers} | on_chain) & set(owners)
    assert [each.owner for each in approvals.counted] == sorted(expected)
    assert approvals.is_enough is (len(expected) >= threshold)
    if approvals.is_enough:
        encoded = split_signatures(approvals.encode())
        assert len(encoded) == threshold
        assert [read_signature(HASH, each, owners).owner for each in encoded] == sorted(expected)[:threshold]
    else:
        with pytest.raises(ValueError, match=f"{len(expected)} of {threshold}"):
            approvals.encode()


def test_owner_who_left_and_threshold_that_rose() -> None:
    signatures = read_all(OWNERS[:2])
    assert count_approvals(signatures, ADDRESSES, 2, ()).is_enough
    assert not count_approvals(signatures, ADDRESSES, 3, ()).is_enough
    assert not count_approvals(signatures, ADDRESSES[1:], 2, ()).is_enough
    assert count_approvals(signatures, ADDRESSES[1:], 1, ()).counted == (signatures[1],)


def test_approved_hash_counts_only_while_the_chain_has_it() -> None:
    claimed = [approved_hash(ADDRESSES[0])]
    assert not count_approvals(claimed, ADDRESSES, 1, ()).is_enough
    counted = count_approvals(claimed, ADDRESSES, 1, {ADDRESSES[0]})
    assert counted.encode() == bytes(12) + ADDRESSES[0] + bytes(32) + b"\1"
    assert count_approvals([], ADDRESSES, 1, {ADDRESSES[0]}) == counted


@pytest.mark.parametrize("threshold", [-1, 0, 5])
def test_threshold_that_no_safe_has(threshold: int) -> None:
    with pytest.raises(ValueError, match="threshold"):
        count_approvals([], ADDRESSES, threshold, ())
