// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title The part of ERC-3009 that the deposit collector needs
/// @notice The overload with signature bytes, as FiatToken v2.2 has it; OpenZeppelin's interface has only `v, r, s`.
interface IERC3009 {
    /// @param validAfter Unix seconds, exclusive.
    /// @param validBefore Unix seconds, exclusive.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;
}
