// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @dev EIP-712 digest of the high-value protocol, for any guard and chain: written a second time, not by the code under test.
function digestFor(address guard, uint256 chain, bytes32 structHash) pure returns (bytes32) {
    bytes32 domain = keccak256(
        abi.encode(
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
            keccak256("Lockgate Settlement"),
            keccak256("1"),
            chain,
            guard
        )
    );
    return keccak256(abi.encodePacked(hex"1901", domain, structHash));
}
