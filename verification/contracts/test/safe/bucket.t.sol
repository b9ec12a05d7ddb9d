// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Buckets} from "src/safe/Bucket.sol";
import {Vm} from "../support/Vm.sol";

/// @notice The bucket against what it is for: every window of 24 hours, summed up.
contract BucketTest {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 private constant _STEPS = 40;
    uint256 private constant _NOW = 1_760_000_000;

    function testFuzz_noWindowOf24HoursLetsOutMoreThanL(uint96 daily, uint256 seed) public pure {
        assertBounded([bound(daily, seed), bound(daily, seed)], seed);
    }

    /// @notice Where L changes on the way, what leaves is at most the larger one.
    function testFuzz_norWhereLChanges(uint96 one, uint96 other, uint256 seed) public pure {
        assertBounded([bound(one, seed), bound(other, seed >> 1)], seed);
    }

    function testFuzz_theRoomIsTheMostThatFits(uint96 daily, uint64 level) public pure {
        vm.assume(daily != 0);
        uint256 room = Buckets.roomAbove(level, daily);
        uint64 brim = uint64((_NOW << 24) + Buckets.BRIM);
        vm.assertTrue(room == 0 || Buckets.filled(level, room, daily, _NOW) <= brim, "too much");
        if (level <= Buckets.BRIM) vm.assertTrue(Buckets.filled(level, room + 1, daily, _NOW) > brim, "too little");
    }

    function testFuzz_anOutflowTakesItsShareOrMore(uint96 daily, uint96 amount) public pure {
        vm.assume(daily != 0 && amount <= daily);
        uint256 level = Buckets.filled(0, amount, daily, _NOW) - (_NOW << 24);
        uint256 asked = uint256(amount) * Buckets.SCALE;
        vm.assertTrue(level * daily >= asked, "too little");
        vm.assertTrue(level * daily < asked + daily, "a tick or more too much");
    }

    function testFuzz_drainsASecondASecond(uint32 level, uint32 passed) public pure {
        uint64 drainedAt = uint64((_NOW + level) << 24);
        vm.assertEq(Buckets.levelAt(drainedAt, _NOW + passed), passed >= level ? 0 : uint256(level - passed) << 24);
    }

    function test_aLimitOfZeroTakesNothing() public pure {
        vm.assertEq(Buckets.roomAbove(0, 0), 0);
        vm.assertEq(Buckets.filled(7, 0, 0, 1), (1 << 24) + 7);
    }

    function test_halfOfLAtOnceThenHalfADayLater() public pure {
        uint64 drainedAt = Buckets.filled(0, 500, 1000, 1000);
        vm.assertEq(roomAt(drainedAt, 1000), 0);
        // A unit drains in 172.8 s: not after 172, but after 173.
        vm.assertEq(roomAt(drainedAt, 1172), 0);
        vm.assertEq(roomAt(drainedAt, 1173), 1);
        vm.assertEq(roomAt(drainedAt, 1000 + 86_400), 500);
        vm.assertEq(roomAt(drainedAt, 1000 + 86_399), 499);
    }

    function roomAt(uint64 drainedAt, uint256 time) private pure returns (uint256) {
        return Buckets.roomAbove(Buckets.levelAt(drainedAt, time), 1000);
    }

    function assertBounded(uint96[2] memory limits, uint256 seed) private pure {
        uint256[_STEPS] memory times;
        uint256[_STEPS] memory amounts;
        uint256 most = limits[0] > limits[1] ? limits[0] : limits[1];
        uint64 drainedAt = 0;
        uint256 time = _NOW;
        for (uint256 i = 0; i < _STEPS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            time += seed % 3 == 0 ? 0 : (seed >> 8) % 20_000;
            uint256 daily = limits[(seed >> 4) % 2];
            uint256 level = Buckets.levelAt(drainedAt, time);
            uint256 room = Buckets.roomAbove(level, daily);
            // Greedy more often than not: all that fits.
            uint256 amount = seed % 4 == 0 ? (room == 0 ? 0 : (seed >> 16) % room) : room;
            drainedAt = Buckets.filled(level, amount, daily, time);
            (times[i], amounts[i]) = (time, amount);
        }
        for (uint256 i = 0; i < _STEPS; ++i) {
            uint256 sum = 0;
            for (uint256 j = i; j < _STEPS && times[j] <= times[i] + 1 days; ++j) {
                sum += amounts[j];
            }
            vm.assertLe(sum, most, "a window above L");
        }
    }

    /// @dev Small limits, where rounding would show, as often as any.
    function bound(uint96 daily, uint256 seed) private pure returns (uint96) {
        return seed % 2 == 0 ? daily : daily % 1000;
    }
}
