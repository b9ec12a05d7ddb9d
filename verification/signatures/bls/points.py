"""BLS12-381 points on the wire: compressed (48 and 96 bytes) and as EIP-2537 has them (128 and 256 bytes).

Plain integers only. These functions see whether bytes are canonical, on the curve and not infinity; whether a point
lies in its subgroup, the backends see. Sources: the serialisation appendix of draft-irtf-cfrg-bls-signature (after
ZCash), EIP-2537, RFC 9380 section 8.8 for the curve.
"""

from __future__ import annotations

P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
"""The field's modulus; p = 3 mod 4, so a square root is one power."""
ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
"""The order of both subgroups."""

KEY_LENGTH = 48
SIGNATURE_LENGTH = 96
EVM_KEY_LENGTH = 128
EVM_SIGNATURE_LENGTH = 256

_COORDINATE = 48
_EVM_COORDINATE = 64
_COMPRESSED, _INFINITY, _GREATER = 0x80, 0x40, 0x20

Fp2 = tuple[int, int]
"""c0 + c1 * u with u^2 = -1."""


class MalformedPoint(ValueError):
    """Bytes that are no point we accept: length, encoding, curve, subgroup, or the point at infinity."""


def key_to_evm(key: bytes) -> bytes:
    """A compressed key (48 bytes) as 128 bytes x || y of EIP-2537. Raises MalformedPoint."""
    x, greater = _parse(key, KEY_LENGTH)
    y = _square_root((pow(x[0], 3, P) + 4) % P)
    return _evm(x[0], y if _is_greater((y, 0)) == greater else P - y)


def key_from_evm(encoded: bytes) -> bytes:
    """The reverse, 48 bytes. Raises MalformedPoint, also when y is not on the curve."""
    x, y = _evm_parse(encoded, EVM_KEY_LENGTH)
    if (y * y - pow(x, 3, P) - 4) % P:
        raise MalformedPoint("not on the curve")
    return _compress((x,), (y, 0))


def signature_to_evm(signature: bytes) -> bytes:
    """A compressed signature (96 bytes) as 256 bytes x.c0 || x.c1 || y.c0 || y.c1. Raises MalformedPoint."""
    x, greater = _parse(signature, SIGNATURE_LENGTH)
    x1, x0 = x
    y0, y1 = _square_root2(_right_side((x0, x1)))
    if _is_greater((y0, y1)) != greater:
        y0, y1 = -y0 % P, -y1 % P
    return _evm(x0, x1, y0, y1)


def signature_from_evm(encoded: bytes) -> bytes:
    """The reverse, 96 bytes. Raises MalformedPoint, also when y is not on the curve."""
    x0, x1, y0, y1 = _evm_parse(encoded, EVM_SIGNATURE_LENGTH)
    if _multiply((y0, y1), (y0, y1)) != _right_side((x0, x1)):
        raise MalformedPoint("not on the curve")
    return _compress((x1, x0), (y0, y1))


def check_encoding(compressed: bytes, length: int) -> None:
    """Whether bytes can be a compressed point at all, the curve apart. Raises MalformedPoint."""
    _parse(compressed, length)


def _parse(compressed: bytes, length: int) -> tuple[tuple[int, ...], bool]:
    """The coordinates of x in the order of the bytes, and whether y is the greater of the two."""
    if len(compressed) != length:
        raise MalformedPoint(f"{len(compressed)} bytes where a compressed point has {length}")
    flags = compressed[0]
    if not flags & _COMPRESSED:
        raise MalformedPoint("not marked as compressed")
    if flags & _INFINITY:
        raise MalformedPoint("the point at infinity, or bytes that pretend to be it")
    plain = bytes([flags & 0x1F]) + compressed[1:]
    x = tuple(int.from_bytes(plain[start : start + _COORDINATE], "big") for start in range(0, length, _COORDINATE))
    if max(x) >= P:
        raise MalformedPoint("a coordinate is not reduced")
    return x, bool(flags & _GREATER)


def _compress(x: tuple[int, ...], y: Fp2) -> bytes:
    plain = b"".join(part.to_bytes(_COORDINATE, "big") for part in x)
    return bytes([plain[0] | _COMPRESSED | (_GREATER if _is_greater(y) else 0)]) + plain[1:]


def _evm(*coordinates: int) -> bytes:
    return b"".join(part.to_bytes(_EVM_COORDINATE, "big") for part in coordinates)


def _evm_parse(encoded: bytes, length: int) -> tuple[int, ...]:
    if len(encoded) != length:
        raise MalformedPoint(f"{len(encoded)} bytes where an EIP-2537 point has {length}")
    if not any(encoded):
        raise MalformedPoint("the point at infinity")
    coordinates = tuple(
        int.from_bytes(encoded[start : start + _EVM_COORDINATE], "big") for start in range(0, length, _EVM_COORDINATE)
    )
    if max(coordinates) >= P:
        raise MalformedPoint("a coordinate is not reduced")
    return coordinates


def _is_greater(y: Fp2) -> bool:
    """Whether y is above -y, the imaginary part first."""
    return 2 * (y[1] or y[0]) > P


def _multiply(a: Fp2, b: Fp2) -> Fp2:
    return (a[0] * b[0] - a[1] * b[1]) % P, (a[0] * b[1] + a[1] * b[0]) % P


def _right_side(x: Fp2) -> Fp2:
    """x^3 + 4(1 + u), the right side of the twist's equation."""
    c0, c1 = _multiply(_multiply(x, x), x)
    return (c0 + 4) % P, (c1 + 4) % P


def _square_root(square: int) -> int:
    root = pow(square, (P + 1) // 4, P)
    if root * root % P != square:
        raise MalformedPoint("not on the curve")
    return root


def _square_root2(square: Fp2) -> Fp2:
    """A root in Fp2 by the norm: with n^2 = c0^2 + c1^2, the root's real part squared is (c0 +- n) / 2."""
    c0, c1 = square
    norm = _square_root((c0 * c0 + c1 * c1) % P)
    half = (P + 1) // 2
    for sign in (norm, -norm):
        real_square = (c0 + sign) * half % P
        real = pow(real_square, (P + 1) // 4, P)
        if real * real % P == real_square and real:
            root = (real, c1 * half * pow(real, -1, P) % P)
            if _multiply(root, root) == square:
                return root
    # What is left are roots without a real part: minus a square of the prime field.
    root = (0, pow(-c0 % P, (P + 1) // 4, P))
    if _multiply(root, root) != square:
        raise MalformedPoint("not on the curve")
    return root
