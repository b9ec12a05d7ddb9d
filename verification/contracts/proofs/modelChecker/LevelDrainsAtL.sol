// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bucket, Buckets} from "src/safe/Bucket.sol";

/// @notice A level drains by L times the seconds passed, to nothing and no further.
contract LevelDrainsAtL {
    function drains(uint192 before, uint64 since, uint128 daily, uint64 time) external pure {
        require(since <= time);
        uint256 level = Buckets.levelAt(Bucket(before, since), daily, time);
        uint256 drained = uint256(time - since) * daily;
        assert(drained >= before ? level == 0 : level == before - drained);
    }
}
