"""Recovery is as strict as the escrow, and where both accept it names the signer that eth_account names."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_utils.address import to_canonical_address
from hypothesis import given
from hypothesis import strategies as st

from tests.support.vouchers import CURVE_ORDER, Signer, compact, with_high_s
from verification.signatures.recovery import canonical_signature, recover_address

SIGNER = Signer("recovery")
DIGEST = bytes(range(32))
SIGNATURE = SIGNER.sign(DIGEST)
PARITY = SIGNATURE[64] - 27


@given(st.binary(min_size=32, max_size=32), st.text(max_size=4))
def test_names_the_signer(digest: bytes, name: str) -> None:
    signer = Signer(name)
    assert recover_address(digest, signer.sign(digest)) == signer.address


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.integers(0, 255), st.data())
def test_agrees_with_eth_account(digest: bytes, r: bytes, v: int, data: st.DataObject) -> None:
    half = CURVE_ORDER // 2
    s = data.draw(st.one_of(st.integers(0, half), st.integers(half + 1, (1 << 256) - 1)))
    signature = r + s.to_bytes(32, "big") + bytes([v])
    ours = recover_address(digest, signature)
    if ours is None:
        return
    assert s <= half
    assert v in (0, 1, 27, 28)
    assert ours == to_canonical_address(Account._recover_hash(digest, signature=signature))


@pytest.mark.parametrize("v", range(256))
def test_v_is_one_of_four(v: int) -> None:
    recovered = recover_address(DIGEST, SIGNATURE[:64] + bytes([v]))
    if v in (PARITY, 27 + PARITY):
        assert recovered == SIGNER.address
    elif v in (1 - PARITY, 28 - PARITY):
        assert recovered not in (None, SIGNER.address)
    else:
        assert recovered is None


def test_high_s_is_refused_although_it_recovers() -> None:
    high = with_high_s(SIGNATURE)
    assert to_canonical_address(Account._recover_hash(DIGEST, signature=high)) == SIGNER.address
    assert recover_address(DIGEST, high) is None


def test_s_at_half_the_order() -> None:
    half = CURVE_ORDER // 2
    assert recover_address(DIGEST, SIGNATURE[:32] + half.to_bytes(32, "big") + b"\x1b") is not None
    assert recover_address(DIGEST, SIGNATURE[:32] + (half + 1).to_bytes(32, "big") + b"\x1b") is None


@pytest.mark.parametrize("length", [0, 1, 63, 64, 66, 130])
def test_only_65_bytes(length: int) -> None:
    assert recover_address(DIGEST, (SIGNATURE * 2)[:length]) is None


def test_compact_form_is_refused() -> None:
    assert recover_address(DIGEST, compact(SIGNATURE)) is None


@pytest.mark.parametrize("value", [0, CURVE_ORDER, (1 << 256) - 1])
def test_r_and_s_out_of_range(value: int) -> None:
    part = value.to_bytes(32, "big")
    assert recover_address(DIGEST, part + SIGNATURE[32:]) is None
    assert recover_address(DIGEST, SIGNATURE[:32] + part + SIGNATURE[64:]) is None


@pytest.mark.parametrize(("given_v", "canonical"), [(0, 27), (1, 28), (27, 27), (28, 28)])
def test_canonical_form(given_v: int, canonical: int) -> None:
    assert canonical_signature(SIGNATURE[:64] + bytes([given_v])) == SIGNATURE[:64] + bytes([canonical])
