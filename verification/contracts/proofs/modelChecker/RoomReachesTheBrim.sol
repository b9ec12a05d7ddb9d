// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Buckets} from "src/safe/Bucket.sol";

/// @notice The room above a level is the largest amount that still fits under the brim: nothing is rounded away.
contract RoomReachesTheBrim {
    function roomFits(uint192 level, uint128 daily) external pure {
        uint256 room = Buckets.roomAbove(level, daily);
        if (room > 0) assert(level + room * Buckets.SCALE <= uint256(daily) * Buckets.BRIM);
    }

    function oneMoreDoesNot(uint192 level, uint128 daily) external pure {
        uint256 room = Buckets.roomAbove(level, daily);
        assert(level + (room + 1) * Buckets.SCALE > uint256(daily) * Buckets.BRIM);
    }
}
