// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ChannelConfig} from "./ChannelTypes.sol";

/// @title What the escrow reports
/// @notice Topics are those of the public x402 batch-settlement contract. Amounts are in the token's smallest unit.
interface IBatchSettlementEvents {
    /// @notice A channel without balance and without claims was funded. Happens again when it was closed and is funded anew.
    event ChannelCreated(bytes32 indexed channelId, ChannelConfig config);

    /// @notice A channel from which nothing was ever claimed became empty.
    event ChannelClosed(bytes32 indexed channelId, ChannelConfig config);

    event Deposited(bytes32 indexed channelId, address indexed sender, uint128 amount, uint128 newBalance);

    event Claimed(bytes32 indexed channelId, address indexed sender, uint128 claimAmount, uint128 newTotalClaimed);

    event Settled(address indexed receiver, address indexed token, address indexed sender, uint128 amount);

    event Refunded(bytes32 indexed channelId, address indexed sender, uint128 amount);

    /// @param finalizeAfter Unix seconds from which `finalizeWithdraw` succeeds.
    event WithdrawInitiated(bytes32 indexed channelId, uint128 amount, uint40 finalizeAfter);

    event WithdrawFinalized(bytes32 indexed channelId, address indexed sender, uint128 amount);
}
