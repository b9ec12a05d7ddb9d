// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice Totals of one (receiver, token) in one storage word, in the token's smallest unit: `claimed` from all of its channels
///         below, `settled` (already transferred) above, which is never the larger.
type ReceiverTotals is uint256;

using {claimed, settled, addClaimed, settleAll} for ReceiverTotals global;

function claimed(ReceiverTotals self) pure returns (uint128) {
    return uint128(ReceiverTotals.unwrap(self));
}

function settled(ReceiverTotals self) pure returns (uint128) {
    return uint128(ReceiverTotals.unwrap(self) >> 128);
}

/// @dev Reverts when the sum does not fit in 128 bits.
function addClaimed(ReceiverTotals self, uint256 amount) pure returns (ReceiverTotals) {
    uint128 sum = SafeCast.toUint128(self.claimed() + amount);
    return ReceiverTotals.wrap((uint256(self.settled()) << 128) | sum);
}

function settleAll(ReceiverTotals self) pure returns (ReceiverTotals) {
    return ReceiverTotals.wrap((uint256(self.claimed()) << 128) | self.claimed());
}
