// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title How tokens get into the escrow
/// @notice One collector for each way of pulling; the escrow checks by its own balance that exactly the amount came.
interface IDepositCollector {
    /// @notice Moves `amount` of `token` from `payer` to the calling escrow, or reverts.
    /// @param amount In the token's smallest unit.
    /// @param channelId What the payer's authorization must be bound to.
    /// @param collectorData The collector's own encoding of the authorization.
    function collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata collectorData)
        external;
}
