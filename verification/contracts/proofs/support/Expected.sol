// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @dev What is expected, written a second time and plainly.

/// @notice Hash of a Safe v1.5 transaction without refund, by CALL.
function hashOfSafeTransaction(address safe, address to, uint256 value, bytes memory data, uint256 nonce)
    view
    returns (bytes32)
{
    bytes32 domain = keccak256(
        abi.encode(keccak256("EIP712Domain(uint256 chainId,address verifyingContract)"), block.chainid, safe)
    );
    bytes32 typehash = keccak256(
        "SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)"
    );
    bytes32 structHash = keccak256(abi.encode(typehash, to, value, keccak256(data), 0, 0, 0, 0, 0, 0, nonce));
    return keccak256(abi.encodePacked(hex"1901", domain, structHash));
}
