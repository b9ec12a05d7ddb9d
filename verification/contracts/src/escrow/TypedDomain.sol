// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice An EIP-712 domain, ready to make digests: a pointer to 66 bytes of memory that hold 0x1901, the domain separator and
///         room for a struct hash. A claim makes two digests a row with one of these.
type TypedDomain is uint256;

using {digest} for TypedDomain global;

function typedDomain(bytes32 separator) pure returns (TypedDomain domain) {
    assembly ("memory-safe") {
        domain := mload(0x40)
        mstore(0x40, add(domain, 0x60))
        mstore(domain, shl(240, 0x1901))
        mstore(add(domain, 0x02), separator)
    }
}

function digest(TypedDomain self, bytes32 structHash) pure returns (bytes32 result) {
    assembly ("memory-safe") {
        mstore(add(self, 0x22), structHash)
        result := keccak256(self, 0x42)
    }
}
