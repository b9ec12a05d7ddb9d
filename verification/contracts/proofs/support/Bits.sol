// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @dev Whether a point, in whole words, is anything but zeros: infinity is all zeros.
function anyBit(bytes memory point) pure returns (bool) {
    uint256 bits = 0;
    for (uint256 i = 0x20; i <= point.length; i += 0x20) {
        assembly ("memory-safe") {
            bits := or(bits, mload(add(point, i)))
        }
    }
    return bits != 0;
}
