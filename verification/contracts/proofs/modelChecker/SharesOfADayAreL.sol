// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Buckets} from "src/safe/Bucket.sol";

/// @notice Outflows whose shares are together at most one are together at most L, to the unit; where L changes between them, at most
///         the largest. Two stated, and one step for any number: `left` so far, which `used` ticks stand for, and one more.
/// @custom:engine bmc
contract SharesOfADayAreL {
    function twoOutflows(uint96 daily, uint64 one, uint64 two, uint96 first, uint96 second) external pure {
        require(uint256(one) + two <= Buckets.SCALE);
        require(uint256(first) * Buckets.SCALE <= uint256(one) * daily);
        require(uint256(second) * Buckets.SCALE <= uint256(two) * daily);
        assert(uint256(first) + second <= daily);
    }

    function oneMore(uint96 daily, uint64 used, uint64 share, uint128 left, uint96 amount) external pure {
        require(uint256(left) * Buckets.SCALE <= uint256(used) * daily);
        require(uint256(amount) * Buckets.SCALE <= uint256(share) * daily);
        assert((uint256(left) + amount) * Buckets.SCALE <= (uint256(used) + share) * daily);
    }

    function allOfADay(uint96 daily, uint64 used, uint128 left) external pure {
        require(used <= Buckets.SCALE);
        require(uint256(left) * Buckets.SCALE <= uint256(used) * daily);
        assert(left <= daily);
    }

    /// @notice A share of a lower L is one of the largest as well.
    function aLowerLimit(uint96 daily, uint96 lower, uint64 share, uint96 amount) external pure {
        require(lower <= daily);
        require(uint256(amount) * Buckets.SCALE <= uint256(share) * lower);
        assert(uint256(amount) * Buckets.SCALE <= uint256(share) * daily);
    }
}
