// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bucket, Buckets} from "src/safe/Bucket.sol";
import {Vm} from "../support/Vm.sol";

/// @notice The bucket against what it is for: every window of 24 hours, summed up.
contract BucketTest {
    using Buckets for Bucket;

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 private constant _STEPS = 40;

    function testFuzz_noWindowOf24HoursLetsOutMoreThanL(uint128 daily, uint256 seed) public pure {
        daily = uint128(bound(daily, seed));
        uint256[_STEPS] memory times;
        uint256[_STEPS] memory amounts;
        Bucket memory bucket;
        uint256 time = 1_760_000_000;
        for (uint256 i = 0; i < _STEPS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            time += seed % 3 == 0 ? 0 : (seed >> 8) % 20_000;
            uint256 level = bucket.levelAt(daily, time);
            uint256 room = Buckets.roomAbove(level, daily);
            // Greedy more often than not: all that fits.
            uint256 amount = seed % 4 == 0 ? (room == 0 ? 0 : (seed >> 16) % room) : room;
            bucket = Buckets.filled(level, amount, time);
            (times[i], amounts[i]) = (time, amount);
        }
        for (uint256 i = 0; i < _STEPS; ++i) {
            uint256 sum = 0;
            for (uint256 j = i; j < _STEPS && times[j] <= times[i] + 1 days; ++j) {
                sum += amounts[j];
            }
            vm.assertLe(sum, daily, "a window above L");
        }
    }

    function testFuzz_theRoomIsTheMostThatFits(uint128 daily, uint192 level) public pure {
        uint256 room = Buckets.roomAbove(level, daily);
        uint256 brim = uint256(daily) * 86_400;
        vm.assertTrue(room == 0 || uint256(level) + room * 172_800 <= brim, "too much");
        vm.assertTrue(uint256(level) + (room + 1) * 172_800 > brim, "too little");
    }

    function testFuzz_drainingInPartsIsDrainingAtOnce(uint128 daily, uint192 level, uint32 first, uint32 second)
        public
        pure
    {
        uint256 start = 1_760_000_000;
        Bucket memory bucket = Bucket(level, uint64(start));
        Bucket memory half = Buckets.filled(bucket.levelAt(daily, start + first), 0, start + first);
        uint256 whole = bucket.levelAt(daily, start + first + second);
        vm.assertEq(half.levelAt(daily, start + uint256(first) + second), whole);
    }

    function testFuzz_aLevelNeverLeavesItsType(uint128 daily, uint192 level) public pure {
        uint256 room = Buckets.roomAbove(level, daily);
        if (room == 0) return;
        vm.assertEq(Buckets.filled(level, room, 1).level, uint256(level) + room * 172_800);
    }

    function test_halfOfLAtOnceThenHalfADayLater() public pure {
        Bucket memory bucket = Buckets.filled(0, 500, 1000);
        vm.assertEq(Buckets.roomAbove(bucket.level, 1000), 0);
        // A unit drains in 172.8 s: not after 172, but after 173.
        vm.assertEq(Buckets.roomAbove(bucket.levelAt(1000, 1172), 1000), 0);
        vm.assertEq(Buckets.roomAbove(bucket.levelAt(1000, 1173), 1000), 1);
        vm.assertEq(Buckets.roomAbove(bucket.levelAt(1000, 1000 + 86_400), 1000), 500);
        vm.assertEq(Buckets.roomAbove(bucket.levelAt(1000, 1000 + 86_399), 1000), 499);
    }

    /// @dev Small limits, where rounding would show, as often as any.
    function bound(uint128 daily, uint256 seed) private pure returns (uint256) {
        return seed % 2 == 0 ? daily : daily % 1000;
    }
}
