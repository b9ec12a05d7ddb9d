// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Hash of a guarded Safe's transaction, as its owners signed it
/// @notice Safe v1.5, EIP-712. Operation and the five refund fields are zero: the guard lets no others through.
library SafeTransaction {
    bytes32 private constant _DOMAIN_TYPEHASH = keccak256("EIP712Domain(uint256 chainId,address verifyingContract)");
    bytes32 private constant _TYPEHASH = keccak256(
        "SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)"
    );

    function hash(address safe, address to, uint256 value, bytes calldata data, uint256 nonce)
        internal
        view
        returns (bytes32)
    {
        bytes32 domain = keccak256(abi.encode(_DOMAIN_TYPEHASH, block.chainid, safe));
        bytes32 dataHash = keccak256(data);
        bytes32 structHash = keccak256(abi.encode(_TYPEHASH, to, value, dataHash, 0, 0, 0, 0, 0, 0, nonce));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
