// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice Totals of one channel in one storage word, in the token's smallest unit: `balance` (deposited less refunded and
///         withdrawn; a claim leaves it as it is) below, `totalClaimed` (of all claims since the first deposit ever) above.
/// @dev A claim reads and writes this word once; as a struct of two members it would touch it four times.
type ChannelTotals is uint256;

using {balance, totalClaimed, available, withBalance, withClaimed} for ChannelTotals global;

function balance(ChannelTotals self) pure returns (uint128) {
    return uint128(ChannelTotals.unwrap(self));
}

function totalClaimed(ChannelTotals self) pure returns (uint128) {
    return uint128(ChannelTotals.unwrap(self) >> 128);
}

/// @dev What neither the receiver has claimed nor the payer taken back. Claims are capped by the balance, so never negative.
function available(ChannelTotals self) pure returns (uint128) {
    return self.balance() - self.totalClaimed();
}

function withBalance(ChannelTotals self, uint128 newBalance) pure returns (ChannelTotals) {
    return ChannelTotals.wrap(((ChannelTotals.unwrap(self) >> 128) << 128) | newBalance);
}

function withClaimed(ChannelTotals self, uint128 newTotalClaimed) pure returns (ChannelTotals) {
    return ChannelTotals.wrap((uint256(newTotalClaimed) << 128) | self.balance());
}
