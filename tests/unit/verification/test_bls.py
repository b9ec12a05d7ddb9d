"""The backend that runs gives py-ecc's bytes on random input, and both refuse the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from py_ecc.bls.ciphersuites import G2ProofOfPossession
from py_ecc.bls.g2_primitives import pubkey_to_G1, signature_to_G2
from py_ecc.bls.point_compression import modular_squareroot_in_FQ2
from py_ecc.fields import optimized_bls12_381_FQ2 as FQ2
from py_ecc.optimized_bls12_381.optimized_curve import normalize

from verification.signatures.bls import (
    BLS,
    PROOF_SUITE,
    SIGNATURE_SUITE,
    Backend,
    MalformedPoint,
    SecretKey,
    generate,
    key_from_evm,
    key_to_evm,
    signature_from_evm,
    signature_to_evm,
)
from verification.signatures.bls.points import ORDER, P
from verification.signatures.bls.reference import PyEccBackend

REFERENCE = PyEccBackend()
BACKENDS = [pytest.param(BLS, id="blst"), pytest.param(REFERENCE, id="py-ecc")]
SECRETS = st.integers(1, ORDER - 1).map(SecretKey)
FEW = settings(max_examples=15, deadline=None)
"""A pairing of py-ecc takes a third of a second."""
SOME = settings(max_examples=60, deadline=None)

KEY_INFINITY = b"\xc0" + bytes(47)
SIGNATURE_INFINITY = b"\xc0" + bytes(95)
FIRST, SECOND = (generate(bytes([number]) * 32) for number in (1, 2))
KEY = BLS.public_key(FIRST)
MESSAGE = bytes(range(32))
SIGNATURE = BLS.sign(FIRST, MESSAGE)


def negated(point: bytes) -> bytes:
    return bytes([point[0] ^ 0x20]) + point[1:]


@FEW
@given(SECRETS, st.binary(max_size=200))
@example(SecretKey(1), b"")
@example(SecretKey(ORDER - 1), bytes(32))
def test_same_bytes(secret: SecretKey, message: bytes) -> None:
    key, signature = BLS.public_key(secret), BLS.sign(secret, message)
    assert key == REFERENCE.public_key(secret)
    assert signature == REFERENCE.sign(secret, message)
    assert BLS.prove_possession(secret) == REFERENCE.prove_possession(secret)
    assert BLS.verify(key, message, signature)
    assert not BLS.verify(key, message + b"\0", signature)
    assert not BLS.verify(key, message, negated(signature))


@FEW
@given(st.lists(SECRETS, min_size=1, max_size=9), st.binary(min_size=32, max_size=32))
def test_same_aggregate(secrets: list[SecretKey], message: bytes) -> None:
    signatures = [BLS.sign(secret, message) for secret in secrets]
    keys = [BLS.public_key(secret) for secret in secrets]
    aggregate = BLS.aggregate(signatures)
    assert aggregate == REFERENCE.aggregate(signatures)
    assert BLS.verify_aggregate(keys, message, aggregate)
    assert not BLS.verify_aggregate(keys[:-1], message, aggregate)
    assert not BLS.verify_aggregate([*keys, KEY], message, aggregate)


@pytest.mark.parametrize("backend", BACKENDS)
def test_verification_and_possession(backend: Backend) -> None:
    proof = backend.prove_possession(FIRST)
    assert backend.verify(KEY, MESSAGE, SIGNATURE)
    assert backend.verify_possession(KEY, proof)
    assert not backend.verify_possession(KEY, backend.sign(FIRST, KEY)), "a vote over the key is no proof"
    assert not backend.verify(KEY, KEY, proof), "a proof is no vote"
    assert not backend.verify_possession(BLS.public_key(SECOND), proof)
    keys = [KEY, BLS.public_key(SECOND)]
    both = backend.aggregate([SIGNATURE, backend.sign(SECOND, MESSAGE)])
    assert backend.verify_aggregate(keys, MESSAGE, both)
    assert not backend.verify_aggregate(keys, bytes(32), both)


@FEW
@given(st.binary(max_size=64), st.sampled_from([SIGNATURE_SUITE, PROOF_SUITE, b"", b"s" * 255]))
def test_same_hash_to_curve(message: bytes, suite: bytes) -> None:
    assert BLS.hash_to_curve(message, suite) == REFERENCE.hash_to_curve(message, suite)


@pytest.mark.parametrize("backend", BACKENDS)
def test_suite_too_long(backend: Backend) -> None:
    with pytest.raises(ValueError, match=r"DST|Dst"):
        backend.hash_to_curve(b"", b"s" * 256)


# Malformed points. Flipping a bit of a good point gives every kind: other flags, off the curve, outside the subgroup.


def refuses(check: Callable[[bytes], None], point: bytes) -> bool:
    try:
        check(point)
    except MalformedPoint:
        return True
    return False


def flipped(point: bytes) -> st.SearchStrategy[bytes]:
    bit = st.integers(0, 8 * len(point) - 1)
    return bit.map(lambda at: (int.from_bytes(point, "big") ^ 1 << at).to_bytes(len(point), "big"))


@SOME
@given(flipped(KEY) | st.binary(max_size=50) | st.binary(min_size=48, max_size=48).map(lambda x: b"\x80" + x[1:]))
@example(KEY_INFINITY)
@example(b"\xe0" + bytes(47))
@example(negated(KEY))
def test_same_keys_are_refused(key: bytes) -> None:
    refused = refuses(REFERENCE.check_key, key)
    assert refuses(BLS.check_key, key) == refused
    if refused:
        assert not BLS.verify(key, MESSAGE, SIGNATURE)
        assert not BLS.verify_aggregate([KEY, key], MESSAGE, SIGNATURE)


@SOME
@given(
    flipped(SIGNATURE) | st.binary(max_size=98) | st.binary(min_size=96, max_size=96).map(lambda x: b"\x80" + x[1:])
)
@example(SIGNATURE_INFINITY)
@example(b"\xe0" + bytes(95))
@example(negated(SIGNATURE))
def test_same_signatures_are_refused(signature: bytes) -> None:
    refused = refuses(REFERENCE.check_signature, signature)
    assert refuses(BLS.check_signature, signature) == refused
    assert not BLS.verify(KEY, MESSAGE, signature) or signature == SIGNATURE
    if refused:
        with pytest.raises(MalformedPoint):
            BLS.aggregate([SIGNATURE, signature])


@pytest.mark.parametrize("backend", BACKENDS)
def test_infinity_and_nothing_are_refused(backend: Backend) -> None:
    """Raw pairings accept all of these."""
    assert not backend.verify(KEY_INFINITY, MESSAGE, SIGNATURE_INFINITY)
    assert not backend.verify(KEY, MESSAGE, SIGNATURE_INFINITY)
    assert not backend.verify(KEY_INFINITY, MESSAGE, SIGNATURE)
    assert not backend.verify_possession(KEY_INFINITY, SIGNATURE_INFINITY)
    assert not backend.verify_aggregate([], MESSAGE, SIGNATURE_INFINITY)
    assert not backend.verify_aggregate([KEY, KEY_INFINITY], MESSAGE, SIGNATURE)
    for signatures in ([], [SIGNATURE_INFINITY], [SIGNATURE, SIGNATURE_INFINITY], [SIGNATURE, negated(SIGNATURE)]):
        with pytest.raises(MalformedPoint):
            backend.aggregate(signatures)


@pytest.mark.parametrize("backend", BACKENDS)
def test_keys_that_cancel_out_are_refused(backend: Backend) -> None:
    opposite = negated(KEY)
    backend.check_key(opposite)
    assert not backend.verify_aggregate([KEY, opposite], MESSAGE, SIGNATURE_INFINITY)


@pytest.mark.parametrize("backend", BACKENDS)
def test_rogue_key_has_no_proof_of_possession(backend: Backend) -> None:
    """The attacker's key is his own minus the victim's: the aggregate forges, and only the proof stops him."""
    rogue = bytes(
        G2ProofOfPossession._AggregatePKs([BLS.public_key(SECOND), negated(KEY)])  # type: ignore[list-item]
    )
    forged = backend.sign(SECOND, MESSAGE)
    assert backend.verify_aggregate([KEY, rogue], MESSAGE, forged)
    assert not backend.verify_possession(rogue, backend.sign(SECOND, rogue))
    assert not backend.verify_possession(rogue, backend.prove_possession(SECOND))


# EIP-2537


@SOME
@given(SECRETS)
def test_evm_encoding_of_keys(secret: SecretKey) -> None:
    key = BLS.public_key(secret)
    x, y = normalize(pubkey_to_G1(key))  # type: ignore[arg-type]
    assert key_to_evm(key) == int(x).to_bytes(64, "big") + int(y).to_bytes(64, "big")
    assert key_from_evm(key_to_evm(key)) == key


@SOME
@given(SECRETS, st.binary(max_size=8))
def test_evm_encoding_of_signatures(secret: SecretKey, message: bytes) -> None:
    signature = BLS.sign(secret, message)
    x, y = normalize(signature_to_G2(signature))  # type: ignore[arg-type]
    coordinates = b"".join(int(part).to_bytes(64, "big") for part in (*x.coeffs, *y.coeffs))
    assert signature_to_evm(signature) == coordinates
    assert signature_from_evm(coordinates) == signature


@SOME
@given(st.tuples(st.integers(0, P - 1), st.integers(0, P - 1)), st.booleans())
@example((0, 0), True)
@example((1, 0), False)
@example((P - 1, P - 1), False)
def test_any_x_of_the_twist(x: tuple[int, int], greater: bool) -> None:
    """Also outside the subgroup: whether there is a y, and which, is what py-ecc says."""
    compressed = (0x80 | 0x20 * greater) << 376 | x[1]
    encoded = compressed.to_bytes(48, "big") + x[0].to_bytes(48, "big")
    field = FQ2(x)
    root = modular_squareroot_in_FQ2(field * field * field + FQ2([4, 4]))
    if root is None:
        with pytest.raises(MalformedPoint, match="curve"):
            signature_to_evm(encoded)
    else:
        y = [int(part) for part in (root if greater else -root).coeffs]
        assert signature_to_evm(encoded) == b"".join(part.to_bytes(64, "big") for part in (*x, *y))


def coordinates(point: bytes) -> list[int]:
    return [int.from_bytes(point[at : at + 64], "big") for at in range(0, len(point), 64)]


def joined(parts: list[int]) -> bytes:
    return b"".join(part.to_bytes(64, "big") for part in parts)


@pytest.mark.parametrize(
    ("point", "read"),
    [(key_to_evm(KEY), key_from_evm), (signature_to_evm(SIGNATURE), signature_from_evm)],
    ids=["key", "signature"],
)
def test_malformed_evm_points_are_refused(point: bytes, read: Callable[[bytes], bytes]) -> None:
    parts = coordinates(point)
    for at, part in enumerate(parts):
        for changed, why in (
            ((part + P), "not reduced"),
            ((part + 1) % P, "curve"),
            (part | 1 << 400, "not reduced"),
        ):
            with pytest.raises(MalformedPoint, match=why):
                read(joined([*parts[:at], changed, *parts[at + 1 :]]))
    for bad, why in ((bytes(len(point)), "infinity"), (point[1:], "bytes where"), (point + b"\0", "bytes where")):
        with pytest.raises(MalformedPoint, match=why):
            read(bad)


NOT_REDUCED = [(P + more | 1 << 383).to_bytes(48, "big") for more in (0, 1)]


@pytest.mark.parametrize(
    "bad", [b"", KEY_INFINITY, b"\xe0" + bytes(47), bytes(48), KEY[:-1], SIGNATURE, *NOT_REDUCED]
)
def test_malformed_keys_have_no_evm_encoding(bad: bytes) -> None:
    with pytest.raises(MalformedPoint):
        key_to_evm(bad)


@pytest.mark.parametrize(
    "bad",
    [b"", SIGNATURE_INFINITY, bytes(96), SIGNATURE[:-1], KEY]
    + [half + bytes(48) for half in NOT_REDUCED]
    + [b"\x80" + bytes(47) + bytes([half[0] & 0x1F]) + half[1:] for half in NOT_REDUCED],
)
def test_malformed_signatures_have_no_evm_encoding(bad: bytes) -> None:
    with pytest.raises(MalformedPoint):
        signature_to_evm(bad)


# Secrets


@pytest.mark.parametrize("scalar", [-1, 0, ORDER, ORDER + 1])
def test_secret_out_of_range(scalar: int) -> None:
    with pytest.raises(ValueError, match="between 1") as raised:
        SecretKey(scalar)
    assert str(ORDER + 1) not in str(raised.value)


def test_secret_hides_itself() -> None:
    assert str(FIRST.scalar) not in repr(FIRST)
    assert FIRST.to_bytes().hex() not in str(FIRST)
    assert SecretKey.from_bytes(FIRST.to_bytes()) == FIRST
    with pytest.raises(ValueError, match="31") as raised:
        SecretKey.from_bytes(FIRST.to_bytes()[:31])
    assert FIRST.to_bytes()[:31].hex() not in str(raised.value)


@FEW
@given(st.binary(min_size=32, max_size=80), st.binary(max_size=20))
def test_generate_is_py_eccs(key_material: bytes, key_info: bytes) -> None:
    assert generate(key_material, key_info).scalar == G2ProofOfPossession.KeyGen(key_material, key_info)


def test_too_little_key_material() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        generate(b"short")
