// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Buckets} from "src/safe/Bucket.sol";

/// @notice However outflows are timed, from whatever level, what leaves in any 24 hours is at most L, to the unit.
/// @dev Levels are scaled by 172,800; `level + amount * SCALE <= brim` is what it means that an amount fits (RoomReachesTheBrim), and
///      LevelDrainsAtL says how it drains. One step says what any number of outflows adds up to: `left + level <= first level +
///      drained`, and the brim is kept, so left <= brim + a day's draining = L. Two and three outflows are stated whole.
contract BucketBoundsADay {
    /// @notice What went in is still in or has drained.
    function oneOutflow(uint192 level, uint192 drained, uint128 daily, uint128 amount) external pure {
        uint256 next = _outflow(level, drained, daily, amount);
        assert(next + drained >= level + uint256(amount) * Buckets.SCALE);
    }

    function aDaysDrainingIsHalfOfL(uint128 daily, uint32 dt) external pure {
        require(dt <= 1 days);
        assert(uint256(dt) * daily <= uint256(daily) * (Buckets.SCALE - Buckets.BRIM));
    }

    function twoOutflows(uint192 level, uint128 daily, uint32 dt, uint128 one, uint128 two) external pure {
        require(dt <= 1 days);
        uint256 next = _outflow(level, 0, daily, one);
        _outflow(next, uint256(dt) * daily, daily, two);
        assert(uint256(one) + two <= daily);
    }

    /// @param drained Between the first and the second, and `again` between the second and the third, together a day's at most.
    function threeOutflows(
        uint192 level,
        uint128 daily,
        uint192 drained,
        uint192 again,
        uint128 one,
        uint128 two,
        uint128 three
    ) external pure {
        require(uint256(drained) + again <= uint256(daily) * (Buckets.SCALE - Buckets.BRIM));
        uint256 next = _outflow(level, 0, daily, one);
        next = _outflow(next, drained, daily, two);
        _outflow(next, again, daily, three);
        assert(uint256(one) + two + three <= daily);
    }

    function _outflow(uint256 level, uint256 drained, uint128 daily, uint128 amount) private pure returns (uint256) {
        uint256 left = drained >= level ? 0 : level - drained;
        uint256 filled = left + uint256(amount) * Buckets.SCALE;
        require(filled <= uint256(daily) * Buckets.BRIM);
        return filled;
    }
}
