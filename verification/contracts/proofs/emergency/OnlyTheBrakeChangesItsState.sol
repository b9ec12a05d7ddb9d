// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AnyBrakeState} from "../support/AnyBrakeState.sol";
import {svm, vm} from "../support/Cheats.sol";

/// @notice Whoever calls whichever function with whatever, also one that is written later: the status changes by the two pauses
///         and by `unpause` alone, and a sentinel's key by three.
/// @custom:bound signatures of 0 and 65 bytes in calls of any function
/// @custom:halmos --default-bytes-lengths 0,65
contract OnlyTheBrakeChangesItsState is AnyBrakeState {
    function check_threeFunctionsChangeTheStatus(address sender) external {
        bytes memory data = svm.createCalldata("EmergencyBrake");
        Status memory before = status();
        _call(sender, data);
        if (same(before, status())) return;
        bytes4 selector = bytes4(data);
        assert(
            selector == brake.pauseBySentinel.selector || selector == brake.pauseByGuardians.selector
                || selector == brake.unpause.selector
        );
    }

    function check_threeFunctionsChangeAKey(address sender, address sentinel) external {
        bytes memory data = svm.createCalldata("EmergencyBrake");
        uint64 before = brake.armedUntil(sentinel);
        _call(sender, data);
        if (brake.armedUntil(sentinel) == before) return;
        bytes4 selector = bytes4(data);
        assert(
            selector == brake.pauseBySentinel.selector || selector == brake.rearm.selector
                || selector == brake.revokeSentinel.selector
        );
    }

    /// @notice The number rises by one or stays, so what was signed for one pause counts for no other.
    function check_numbersRiseByOne(address sender) external {
        bytes memory data = svm.createCalldata("EmergencyBrake");
        Status memory before = status();
        vm.assume(before.id < type(uint64).max);
        _call(sender, data);
        uint64 found = status().id;
        assert(found == before.id || found == before.id + 1);
    }

    function reaches_aChange(address sender) external {
        bytes memory data = svm.createCalldata("EmergencyBrake");
        Status memory before = status();
        _call(sender, data);
        assert(same(before, status()));
    }

    function _call(address sender, bytes memory data) private {
        vm.prank(sender);
        (bool success,) = address(brake).call(data);
        success;
    }
}
