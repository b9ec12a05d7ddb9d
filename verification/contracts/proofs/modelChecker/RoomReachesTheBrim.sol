// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Buckets} from "src/safe/Bucket.sol";

/// @notice The room above a level is the largest amount whose share still fits under the brim.
/// @custom:engine bmc
/// @dev By the share's definition: it is the least number of ticks with `share * L >= amount * SCALE` (OutflowTakesItsShare).
contract RoomReachesTheBrim {
    function roomFits(uint64 level, uint96 daily, uint256 share) external pure {
        uint256 room = Buckets.roomAbove(level, daily);
        require(room > 0);
        // The least such number of ticks: one less would be too few.
        require(share > 0 && share <= type(uint64).max);
        require((share - 1) * daily < room * Buckets.SCALE);
        assert(level + share <= Buckets.BRIM);
    }

    function oneMoreDoesNot(uint64 level, uint96 daily, uint256 share) external pure {
        uint256 room = Buckets.roomAbove(level, daily);
        require(level <= Buckets.BRIM && share <= type(uint64).max);
        require(share * daily >= (room + 1) * Buckets.SCALE);
        assert(level + share > Buckets.BRIM);
    }
}
