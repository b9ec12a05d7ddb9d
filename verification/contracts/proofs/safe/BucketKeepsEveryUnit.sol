// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bucket, Buckets} from "src/safe/Bucket.sol";
import {vm} from "../support/Cheats.sol";

/// @notice No rounding and no cut: what fits is kept whole, and what drains is L times the seconds, to nothing and no further. That
///         these bound any day by L is proved by the compiler: modelChecker/BucketBoundsADay.
contract BucketKeepsEveryUnit {
    function check_whatFitsIsKeptWhole(uint192 level, uint128 daily, uint128 amount, uint64 time) external pure {
        uint256 filled = level + uint256(amount) * Buckets.SCALE;
        vm.assume(filled <= uint256(daily) * Buckets.BRIM);
        Bucket memory bucket = Buckets.filled(level, amount, time);
        assert(bucket.level == filled && bucket.time == time);
    }

    function check_drainsAtL(uint192 before, uint64 since, uint128 daily, uint64 time) external pure {
        vm.assume(since <= time);
        uint256 level = Buckets.levelAt(Bucket(before, since), daily, time);
        uint256 drained = uint256(time - since) * daily;
        assert(drained >= before ? level == 0 : level == before - drained);
    }
}
