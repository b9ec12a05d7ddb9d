// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SafeProxy} from "@safe-global/safe-smart-account/contracts/proxies/SafeProxy.sol";
import {GuardedSafes} from "src/safe/GuardedSafes.sol";
import {GuardedSafeSetup} from "src/safe/GuardedSafeSetup.sol";
import {GuardBase} from "../support/GuardBase.sol";

/// @notice The contracts tell what they were told: by this a deployment is verified.
contract AnswersTest is GuardBase {
    function test_theGuardsNeighboursDelaysAndCode() public view {
        GuardedSafes.Neighbours memory known = guard.neighbours();
        vm.assertEq(known.factory, address(factory));
        vm.assertEq(address(known.governor), address(governor));
        vm.assertEq(address(known.verifier), address(quorum));
        vm.assertEq(address(known.standing), address(standing));
        vm.assertEq(address(known.brake), address(brake));
        vm.assertEq(address(known.guardians), address(guardians));
        vm.assertEq(address(known.actions), address(actions));
        vm.assertEq(known.payoutModule, address(payouts));
        vm.assertEq(known.evacuator, address(evacuator));
        vm.assertEq(known.vault, address(vault));
        vm.assertEq(guard.delays().notice, NOTICE);
        vm.assertEq(guard.delays().exit, EXIT);
        vm.assertEq(guard.safeCode().singleton, singleton);
        vm.assertEq(guard.safeCode().proxyCodehash, keccak256(type(SafeProxy).runtimeCode));
        vm.assertEq(guard.guard(), address(guard));
    }

    function test_theModulesNeighbours() public view {
        vm.assertEq(payouts.guard(), address(guard));
        vm.assertEq(payouts.governor(), address(governor));
        vm.assertEq(address(payouts.standing()), address(standing));
        vm.assertEq(payouts.payeeDelay(), PAYEE);
        vm.assertEq(evacuator.guard(), address(guard));
        vm.assertEq(address(evacuator.brake()), address(brake));
        vm.assertEq(address(evacuator.verifier()), address(quorum));
        vm.assertEq(address(evacuator.registry()), address(quorum));
        vm.assertEq(address(evacuator.guardians()), address(guardians));
        vm.assertEq(address(evacuator.vault()), address(vault));
    }

    function test_theFactorysNeighbours() public view {
        GuardedSafeSetup setup = factory.setup();
        vm.assertEq(address(factory.guard()), address(guard));
        vm.assertEq(factory.safeSingleton(), singleton);
        vm.assertEq(setup.guard(), address(guard));
        vm.assertEq(setup.payoutModule(), address(payouts));
        vm.assertEq(setup.evacuator(), address(evacuator));
    }
}
