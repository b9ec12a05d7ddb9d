// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IActions} from "src/governance/IActions.sol";
import {Vm} from "../support/Vm.sol";
import {ActionsHandler} from "./ActionsHandler.sol";

/// @notice Over random histories: an action is taken at most once, by its opener, within its window, and never after its end.
contract ActionsInvariants {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    ActionsHandler private handler;

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function setUp() public {
        handler = new ActionsHandler();
    }

    /// @dev Read by forge: only the handler's steps are taken.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory steps = new bytes4[](5);
        steps[0] = handler.pass.selector;
        steps[1] = handler.open.selector;
        steps[2] = handler.schedule.selector;
        steps[3] = handler.take.selector;
        steps[4] = handler.end.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), steps);
    }

    /// @dev Read by forge: only the handler is called.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_takenOnceWithinItsWindowAndNeverAfterItsEnd() external view {
        for (uint256 i = 1; i < handler.count(); ++i) {
            ActionsHandler.Ghost memory kept = handler.ghost(i);
            vm.assertLe(kept.timesTaken, 1, "taken twice");
            if (kept.takenAt != 0) {
                vm.assertGe(kept.takenAt, kept.readyAt, "taken before readyAt");
                vm.assertLe(kept.takenAt, kept.readyAt + handler.WINDOW(), "taken after expiresAt");
                vm.assertTrue(!kept.ended, "taken and ended");
            }
        }
    }

    function invariant_nothingForbiddenSucceeded() external view {
        vm.assertEq(handler.wrong(), "");
    }

    function invariant_stateIsWhatHappened() external view {
        IActions machine = handler.machine();
        for (uint256 i = 1; i < handler.count(); ++i) {
            ActionsHandler.Ghost memory kept = handler.ghost(i);
            IActions.State state = kept.takenAt != 0
                ? IActions.State.Taken
                : kept.ended ? IActions.State.Ended : kept.readyAt != 0 ? IActions.State.Scheduled : IActions.State.Open;
            vm.assertEq(uint256(machine.get(uint64(i)).state), uint256(state), "state");
            bool within = block.timestamp >= kept.readyAt && block.timestamp <= kept.readyAt + handler.WINDOW();
            vm.assertTrue(machine.isReady(uint64(i)) == (state == IActions.State.Scheduled && within), "ready");
        }
    }

    /// @notice The handler does what it is for: its steps take and end actions.
    function test_handlerReachesEveryStep() external {
        handler.schedule(1, 1 days, true);
        handler.schedule(2, 3 days, true);
        handler.pass(2 days);
        handler.take(1, false);
        handler.take(1, true);
        handler.end(2, 1);
        handler.end(3, 3);
        handler.open(0, true);
        handler.end(8, 2);
        vm.assertEq(handler.taken(), 1);
        vm.assertGe(handler.ended(), 2, "ended");
        vm.assertEq(handler.wrong(), "");
    }
}
