// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Buckets} from "src/safe/Bucket.sol";

/// @notice However outflows are timed, from whatever level, their shares in any 24 hours are together at most one: SCALE ticks.
/// @dev `level + share <= BRIM` is what it means that an amount fits (RoomReachesTheBrim), its share is at least amount / L
///      (OutflowTakesItsShare), and SharesOfADayAreL says what that comes to. One step says what any number of outflows adds up to:
///      `went in + level <= first level + drained`, and the brim is kept, so went in <= brim + a day's draining = SCALE. Two and
///      three outflows are stated whole.
contract BucketBoundsADay {
    /// @notice A level drains a tick a tick, to nothing and no further.
    function drains(uint64 drainedAt, uint32 time) external pure {
        uint256 level = Buckets.levelAt(drainedAt, time);
        uint256 now_ = uint256(time) << 24;
        assert(drainedAt <= now_ ? level == 0 : level == drainedAt - now_);
    }

    /// @notice What went in is still in or has drained.
    function oneOutflow(uint64 level, uint64 drained, uint64 share) external pure {
        uint256 next = _outflow(level, drained, share);
        assert(next + drained >= uint256(level) + share);
    }

    function aDaysDrainingIsTheRest(uint32 dt) external pure {
        require(dt <= 1 days);
        assert(uint256(dt) * 2 ** 24 <= Buckets.SCALE - Buckets.BRIM);
    }

    function twoOutflows(uint64 level, uint32 dt, uint64 one, uint64 two) external pure {
        require(dt <= 1 days);
        uint256 next = _outflow(level, 0, one);
        _outflow(next, uint256(dt) * 2 ** 24, two);
        assert(uint256(one) + two <= Buckets.SCALE);
    }

    /// @param drained Between the first and the second, and `again` between the second and the third, together a day's at most.
    function threeOutflows(uint64 level, uint64 drained, uint64 again, uint64 one, uint64 two, uint64 three)
        external
        pure
    {
        require(uint256(drained) + again <= Buckets.SCALE - Buckets.BRIM);
        uint256 next = _outflow(level, 0, one);
        next = _outflow(next, drained, two);
        _outflow(next, again, three);
        assert(uint256(one) + two + three <= Buckets.SCALE);
    }

    function _outflow(uint256 level, uint256 drained, uint64 share) private pure returns (uint256) {
        uint256 left = drained >= level ? 0 : level - drained;
        uint256 filled = left + share;
        require(filled <= Buckets.BRIM);
        return filled;
    }
}
