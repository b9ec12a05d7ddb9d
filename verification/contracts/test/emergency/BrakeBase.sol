// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IEmergencyBrake} from "src/emergency/IEmergencyBrake.sol";
import {Messages} from "src/governance/Messages.sol";
import {EmergencyBase} from "../support/EmergencyBase.sol";
import {Members} from "../support/Members.sol";

/// @notice Pauses in one line.
abstract contract BrakeBase is EmergencyBase {
    function bySentinel(uint64 pauseId, uint64 until) internal view returns (bytes memory) {
        return Members.signature(sentinelKeys[0], digestOf(Messages.pause(pauseId, until)));
    }

    function pauseBySentinel(uint64 until) internal returns (uint64 pauseId) {
        pauseId = _next();
        brake.pauseBySentinel(sentinel, pauseId, until, bySentinel(pauseId, until));
    }

    function pauseByGuardians() internal returns (uint64 pauseId) {
        pauseId = _next();
        brake.pauseByGuardians(pauseId, byGuardians(Messages.pause(pauseId, type(uint64).max)));
    }

    function rearm(address who, uint64 expires) internal {
        brake.rearm(who, expires, byGuardians(Messages.rearm(who, expires)));
    }

    function assertStatus(uint64 pauseId, bool paused, bool reduced) internal view {
        (uint64 actualId, bool actualPaused, bool actualReduced) = brake.status();
        vm.assertEq(actualId, pauseId, "pauseId");
        vm.assertTrue(actualPaused == paused, "paused");
        vm.assertTrue(actualReduced == reduced, "reduced");
        vm.assertTrue(brake.isPaused() == paused, "isPaused");
    }

    function assertKind(IEmergencyBrake.Kind kind, uint64 until) internal view {
        (, IEmergencyBrake.Kind actual, uint64 actualUntil,) = brake.lastPause();
        vm.assertEq(uint256(actual), uint256(kind), "kind");
        vm.assertEq(actualUntil, until, "until");
    }

    function _next() private view returns (uint64) {
        (uint64 pauseId,,) = brake.status();
        return pauseId + 1;
    }
}
