// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title BLS signatures over BLS12-381: keys in G1, signatures in G2, by the precompiles of EIP-2537
/// @notice A point is its EIP-2537 encoding: coordinates of 64 bytes big-endian, the upper 16 zero; 128 bytes in G1, 256 in G2
///         (c0 before c1). Hashing to G2 is RFC 9380 with SHA-256, the suite's domain separation tag given by the caller.
/// @dev Who checks points: ADD and MAP check encoding and curve but not the subgroup, PAIRING all three (EIP-2537). So the
///      subgroup of a signature, a proof and an (aggregated) key is checked by the pairing that they enter, and each key that
///      is aggregated was checked before by the pairing of its proof of possession. An encoding that is not canonical (a
///      coordinate of p or more, dirty upper bytes) is refused by every precompile. Infinity is refused by nobody but
///      `isInfinity`: each caller asks it of each point it was given and of each sum.
///      Every call of a precompile checks the size of what came back: before Prague these addresses answer success and
///      nothing. A refusal costs all gas given, of which a 64th stays here (EIP-150), enough to say why.
library BLS {
    uint256 internal constant G1_BYTES = 128;
    uint256 internal constant G2_BYTES = 256;

    uint256 private constant _SHA256 = 0x02;
    uint256 private constant _MODEXP = 0x05;
    uint256 private constant _G1_ADD = 0x0b;
    uint256 private constant _G2_ADD = 0x0d;
    uint256 private constant _PAIRING = 0x0f;
    uint256 private constant _MAP_TO_G2 = 0x11;

    /// @dev The generator of G1 with its y negated.
    bytes private constant _NEGATED_GENERATOR = hex"0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0f"
        hex"c3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
        hex"00000000000000000000000000000000114d1d6855d545a8aa7d76c8cf2e21f2"
        hex"67816aef1db507c96655b9d5caac42364e6f38ba0ecb751bad54dcd6b939c2ca";
    // The field's p and (p - 1) / 2.
    bytes32 private constant _P_HIGH = 0x000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd7;
    bytes32 private constant _P_LOW = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
    bytes32 private constant _HALF_HIGH = 0x000000000000000000000000000000000d0088f51cbff34d258dd3db21a5d66b;
    bytes32 private constant _HALF_LOW = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;

    error PrecompileFailed(uint256 precompile);

    /// @notice Whether `signature` (G2) is by the secret of `key` (G1) over `message` in the suite `tag`. What is not a
    ///         point of its group counts as no. Infinity is the caller's to refuse: infinity "signs" everything for the key infinity.
    function isSignedBy(bytes memory key, bytes memory message, bytes memory tag, bytes memory signature)
        internal
        view
        returns (bool)
    {
        // A longer one would bring pairs of its own into the product below, and with them any result.
        if (key.length != G1_BYTES || signature.length != G2_BYTES) return false;
        // e(-g, signature) * e(key, hash) == 1
        bytes memory pairs = bytes.concat(_NEGATED_GENERATOR, signature, key, hashToG2(message, tag));
        return _run(_PAIRING, pairs, 0, pairs.length, pairs, 0, 32) && uint256(bytes32(pairs)) == 1;
    }

    /// @param point Of either group.
    function isInfinity(bytes memory point) internal pure returns (bool) {
        uint256 bits = 0;
        assembly ("memory-safe") {
            let word := add(point, 0x20)
            for { let end := add(word, mload(point)) } lt(word, end) { word := add(word, 0x80) } {
                bits := or(bits, or(mload(word), mload(add(word, 0x20))))
                bits := or(bits, or(mload(add(word, 0x40)), mload(add(word, 0x60))))
            }
        }
        return bits == 0;
    }

    /// @notice Sum of those of the concatenated G1 `points` whose bit is set in `bitmap`, the lowest bit for the first; infinity
    ///         when there is none. Bits beyond the points do not count.
    function sum(bytes memory points, uint256 bitmap) internal view returns (bytes memory) {
        bytes memory pair = new bytes(2 * G1_BYTES); // the sum so far and the next point
        bool done = true;
        assembly ("memory-safe") {
            let total := add(pair, 0x20)
            let place := total // of the next point: the first one is the sum
            let point := add(points, 0x20)
            let rest := and(bitmap, sub(shl(shr(7, mload(points)), 1), 1))
            for {} rest { rest := shr(1, rest) } {
                if and(rest, 1) {
                    mcopy(place, point, 0x80)
                    if gt(place, total) {
                        done := and(done, staticcall(gas(), _G1_ADD, total, 0x100, total, 0x80))
                        done := and(done, eq(returndatasize(), 0x80))
                    }
                    place := add(total, 0x80)
                }
                point := add(point, 0x80)
            }
            mstore(pair, 0x80) // only the sum is left of it
        }
        if (!done) revert PrecompileFailed(_G1_ADD);
        return pair;
    }

    /// @notice The 48-byte encoding of a G1 point that is not infinity: x, with the compression bit and the sign of y on top
    ///         (what draft-irtf-cfrg-bls-signature calls point_to_pubkey).
    function compress(bytes memory point) internal pure returns (bytes memory) {
        (uint256 xHigh, bytes32 xLow, bytes32 yHigh, bytes32 yLow) =
            abi.decode(point, (uint256, bytes32, bytes32, bytes32));
        bool isUpper = yHigh > _HALF_HIGH || (yHigh == _HALF_HIGH && yLow > _HALF_LOW);
        uint128 flags = uint128(isUpper ? 0xa0 : 0x80) << 120;
        return abi.encodePacked(uint128(xHigh) | flags, xLow);
    }

    /// @notice RFC 9380 section 3, hash_to_curve for BLS12381G2_XMD:SHA-256_SSWU_RO_ with the domain separation tag `tag`.
    function hashToG2(bytes memory message, bytes memory tag) internal view returns (bytes memory) {
        // hash_to_field: two elements of Fp2, so four of Fp, from 64 bytes each (L of section 8.8.2)
        bytes memory field = expandMessage(message, tag, 256);
        _reduceEach(field);
        bytes memory points = new bytes(2 * G2_BYTES);
        _mustRun(_MAP_TO_G2, field, 0, 128, points, 0, G2_BYTES);
        _mustRun(_MAP_TO_G2, field, 128, 128, points, G2_BYTES, G2_BYTES);
        _mustRun(_G2_ADD, points, 0, 2 * G2_BYTES, field, 0, G2_BYTES);
        return field;
    }

    /// @notice RFC 9380 section 5.3.1, expand_message_xmd with SHA-256.
    /// @param tag At most 255 bytes.
    /// @param length Bytes wanted, a multiple of 32, at most 255 * 32.
    function expandMessage(bytes memory message, bytes memory tag, uint256 length)
        internal
        view
        returns (bytes memory uniform)
    {
        // Z_pad || message || length || 0 || tag'. Of this the end, from 32 bytes before the 0, is the input of the blocks:
        // b_0 ^ b_(i-1) || i || tag'.
        bytes memory padded =
            abi.encodePacked(bytes32(0), bytes32(0), message, uint16(length), uint8(0), tag, uint8(tag.length));
        uint256 size = 34 + tag.length;
        uniform = new bytes(length);
        bool done;
        assembly ("memory-safe") {
            let input := add(add(padded, 0x42), mload(message))
            done := staticcall(gas(), _SHA256, add(padded, 0x20), mload(padded), input, 0x20)
            done := and(done, eq(returndatasize(), 0x20))
            let first := mload(input)
            let output := uniform
            let last := add(uniform, length)
            for { let i := 1 } lt(output, last) { i := add(i, 1) } {
                output := add(output, 0x20)
                mstore8(add(input, 0x20), i)
                done := and(done, staticcall(gas(), _SHA256, input, size, output, 0x20))
                done := and(done, eq(returndatasize(), 0x20))
                mstore(input, xor(first, mload(output)))
            }
        }
        if (!done) revert PrecompileFailed(_SHA256);
    }

    /// @dev Reduces each 64 bytes of `numbers` modulo p, in place. EIP-198: lengths of base, exponent and modulus, then they;
    ///      the base to the power of one.
    function _reduceEach(bytes memory numbers) private view {
        bytes memory input =
            abi.encodePacked(uint256(64), uint256(1), uint256(64), bytes32(0), bytes32(0), uint8(1), _P_HIGH, _P_LOW);
        bool done = true;
        assembly ("memory-safe") {
            let element := add(numbers, 0x20)
            for { let end := add(element, mload(numbers)) } lt(element, end) { element := add(element, 0x40) } {
                mcopy(add(input, 0x80), element, 0x40)
                done := and(done, staticcall(gas(), _MODEXP, add(input, 0x20), mload(input), element, 0x40))
                done := and(done, eq(returndatasize(), 0x40))
            }
        }
        if (!done) revert PrecompileFailed(_MODEXP);
    }

    function _mustRun(
        uint256 precompile,
        bytes memory input,
        uint256 inputAt,
        uint256 inputSize,
        bytes memory output,
        uint256 outputAt,
        uint256 outputSize
    ) private view {
        if (!_run(precompile, input, inputAt, inputSize, output, outputAt, outputSize)) {
            revert PrecompileFailed(precompile);
        }
    }

    /// @dev Whether the precompile succeeded and wrote exactly `outputSize` bytes at `outputAt` of `output`.
    function _run(
        uint256 precompile,
        bytes memory input,
        uint256 inputAt,
        uint256 inputSize,
        bytes memory output,
        uint256 outputAt,
        uint256 outputSize
    ) private view returns (bool done) {
        assembly ("memory-safe") {
            let from := add(add(input, 0x20), inputAt)
            let to := add(add(output, 0x20), outputAt)
            done := staticcall(gas(), precompile, from, inputSize, to, outputSize)
            done := and(done, eq(returndatasize(), outputSize))
        }
    }
}
