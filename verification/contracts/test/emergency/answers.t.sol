// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EmergencyBase} from "../support/EmergencyBase.sol";

/// @notice The contracts tell what they were told: by this a deployment is verified.
contract EmergencyAnswersTest is EmergencyBase {
    function test_theBrake() public view {
        vm.assertEq(brake.guard(), address(limits));
        vm.assertEq(address(brake.verifier()), address(verifier));
        vm.assertEq(address(brake.guardians()), address(guardians));
        vm.assertEq(brake.sentinelPause(), 6 hours);
        vm.assertEq(brake.sentinelKey(), 30 days);
        vm.assertEq(brake.endingDelay(), 1 hours);
        vm.assertEq(brake.reducedDelay(), 24 hours);
    }

    function test_theVault() public view {
        vm.assertEq(vault.guard(), address(limits));
        vm.assertEq(address(vault.verifier()), address(verifier));
        vm.assertEq(address(vault.guardians()), address(guardians));
        vm.assertEq(address(vault.actions()), address(actions));
        vm.assertEq(vault.evacuator(), EVACUATOR);
        vm.assertEq(vault.ownersDelay(), 48 hours);
        vm.assertEq(vault.guardiansDelay(), 14 days);
    }

    function test_actionsAndGovernor() public view {
        vm.assertEq(actions.guard(), address(limits));
        vm.assertEq(address(actions.verifier()), address(verifier));
        vm.assertEq(address(actions.guardians()), address(guardians));
        vm.assertEq(actions.registry(), REGISTRY);
        vm.assertEq(actions.governor(), address(governor));
        vm.assertEq(actions.vault(), address(vault));
        vm.assertEq(actions.window(), 7 days);
        vm.assertEq(address(governor.actions()), address(actions));
        vm.assertEq(address(governor.verifier()), address(verifier));
        vm.assertEq(address(governor.payoutModule()), address(payouts));
        vm.assertEq(address(governor.guardians()), address(guardians));
        vm.assertEq(address(governor.standing()), address(standing));
        vm.assertEq(governor.changeDelay(), 48 hours);
        vm.assertEq(governor.guardiansDelay(), 14 days);
        vm.assertEq(governor.modelHash(), MODEL);
    }

    function test_guardiansAndStanding() public view {
        vm.assertEq(guardians.governor(), address(governor));
        vm.assertEq(guardians.threshold(), 3);
        vm.assertEq(standing.governor(), address(governor));
        vm.assertEq(standing.maxValidity(), 7 days);
        vm.assertEq(standing.threshold(), 2);
    }
}
