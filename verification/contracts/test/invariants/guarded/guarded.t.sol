// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "../../support/Vm.sol";
import {GuardedHandler} from "./GuardedHandler.sol";
import {SignedVotes} from "./Votes.sol";

/// @notice Over random histories of the whole guarded set, honest and hostile: nothing that must never happen happened. What
///         that is, `Ghost` states one by one; its own account is compared with the contracts after every step.
/// @custom:campaign depth=256 share=12
contract GuardedInvariants {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    GuardedHandler private handler;

    function setUp() public {
        handler = new GuardedHandler(new SignedVotes());
    }

    /// @dev Read by forge: only the handler is called.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev A step that the contracts refuse reverts.
    /// forge-config: default.invariant.fail-on-revert = false
    function invariant_nothingForbiddenHappened() external view {
        vm.assertEq(handler.wrong(), "");
    }
}
