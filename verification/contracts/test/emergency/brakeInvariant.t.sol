// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "../support/Vm.sol";
import {BrakeHandler} from "./BrakeHandler.sol";

/// @notice Over random histories: a sentinel stops for six hours at most and once, guardians' pauses end by both quorums and an
///         hour, heals are unvetoed and an hour old, and no message ends another pause than its own.
contract BrakeInvariants {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    BrakeHandler private handler;

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function setUp() public {
        handler = new BrakeHandler();
    }

    /// @dev Read by forge: only the handler's steps are taken.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory steps = new bytes4[](9);
        steps[0] = handler.pass.selector;
        steps[1] = handler.sentinelPause.selector;
        steps[2] = handler.guardiansPause.selector;
        steps[3] = handler.rearmAgain.selector;
        steps[4] = handler.revoke.selector;
        steps[5] = handler.propose.selector;
        steps[6] = handler.consent.selector;
        steps[7] = handler.veto.selector;
        steps[8] = handler.unpause.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), steps);
    }

    /// @dev Read by forge: only the handler is called.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_nothingForbiddenSucceeded() external view {
        vm.assertEq(handler.wrong(), "");
    }

    function invariant_pausedAndReducedExactlyWhenTheyShouldBe() external view {
        (uint64 pauseId, bool paused, bool reduced) = handler.status();
        BrakeHandler.Ghost memory ghost = handler.ghost();
        vm.assertEq(pauseId, ghost.pauseId, "pauseId");
        vm.assertTrue(paused == handler.shouldBePaused(), "paused");
        vm.assertTrue(reduced == handler.shouldBeReduced(), "reduced");
        if (paused && !ghost.byGuardians) {
            vm.assertTrue(block.timestamp < ghost.startedAt + 6 hours, "a sentinel stopped for longer than six hours");
        }
    }

    /// @notice The handler does what it is for: its steps pause, heal and end.
    function test_handlerReachesEveryStep() external {
        handler.sentinelPause(6 hours, 1);
        handler.propose(1);
        handler.pass(1 hours);
        handler.unpause(1);
        handler.guardiansPause(0);
        handler.propose(1);
        handler.consent(1);
        handler.pass(1 hours);
        handler.unpause(1);
        handler.rearmAgain();
        handler.sentinelPause(1 hours, 1);
        handler.veto(0);
        vm.assertEq(handler.sentinelPauses(), 2);
        vm.assertEq(handler.guardianPauses(), 1);
        vm.assertEq(handler.heals(), 1);
        vm.assertEq(handler.endings(), 2);
        vm.assertEq(handler.wrong(), "");
    }
}
