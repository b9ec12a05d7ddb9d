// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title The EIP-712 domain `Lockgate Settlement`, version 1, of one guard
/// @notice Every message of the high-value protocol is signed for one chain and one guard, whichever contract checks it.
/// @dev The separator is made for each digest, so it follows a fork of the chain and nothing depends on the constructor's
///      chain. No initialiser: the guard's address is known before it exists (CREATE3).
abstract contract SettlementDomain {
    bytes32 private constant _DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant _NAME_HASH = keccak256("Lockgate Settlement");
    bytes32 private constant _VERSION_HASH = keccak256("1");

    /// @notice The verifying contract of the domain.
    address public immutable guard;

    constructor(address guard_) {
        guard = guard_;
    }

    /// @notice EIP-712 domain separator on this chain.
    function domainSeparator() public view returns (bytes32) {
        return keccak256(abi.encode(_DOMAIN_TYPEHASH, _NAME_HASH, _VERSION_HASH, block.chainid, guard));
    }

    function _digest(bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domainSeparator(), structHash));
    }
}
