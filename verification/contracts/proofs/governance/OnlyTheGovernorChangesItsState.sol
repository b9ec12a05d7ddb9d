// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Governor} from "src/governance/Governor.sol";
import {IActions} from "src/governance/IActions.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {IPayoutModule} from "src/safe/IPayoutModule.sol";
import {IStandingRegistry} from "src/standing/IStandingRegistry.sol";
import {svm, vm} from "../support/Cheats.sol";
import {Governed} from "../support/Governed.sol";
import {AnyActions, AnyVerifier} from "../support/Neighbours.sol";

/// @notice Whoever calls whichever function with whatever, also one that is written later: numbers are given by `schedule` alone, and
///         policy, model and payout keys change by `execute` alone.
/// @dev That it executes only what is ready, once, and what was scheduled: governance/GovernorObeysItsQuorumsAndTheOwners.
/// @custom:bound signatures of 0 and 65 bytes, up to two members
/// @custom:halmos --default-bytes-lengths 0,65 --default-array-lengths 0,2
contract OnlyTheGovernorChangesItsState {
    Governor private governor;
    Governed private governed;
    AnyActions private actions;
    AnyVerifier private verifier;

    function setUp() external {
        (governed, actions, verifier) = (new Governed(), new AnyActions(), new AnyVerifier());
        governor = new Governor(
            Governor.Neighbours(
                address(governed),
                IActions(address(actions)),
                ICertificateVerifier(address(verifier)),
                IPayoutModule(address(governed)),
                IGuardians(address(governed)),
                IStandingRegistry(address(governed))
            ),
            Governor.Delays(48 hours, 14 days),
            0
        );
        svm.enableSymbolicStorage(address(governor));
        svm.enableSymbolicStorage(address(governed));
        svm.enableSymbolicStorage(address(actions));
        svm.enableSymbolicStorage(address(verifier));
        vm.warp(svm.createUint(40, "now"));
    }

    function check_numbersByScheduleAlone(address sender) external {
        uint64 last = governor.lastGovernId();
        vm.assume(last < type(uint64).max);
        bytes4 selector = _call(sender);
        if (governor.lastGovernId() == last) return;
        assert(selector == governor.schedule.selector && governor.lastGovernId() == last + 1);
    }

    function check_policyAndModelByExecutionAlone(address sender, bytes32 group) external {
        (bytes32 policy, bytes32 model) = (governor.policyHash(group), governor.modelHash());
        bytes4 selector = _call(sender);
        if (governor.policyHash(group) == policy && governor.modelHash() == model) return;
        assert(selector == governor.execute.selector);
    }

    function check_payoutKeysByExecutionAlone(address sender, bytes32 group) external {
        address key = governed.payoutKey(group);
        bytes4 selector = _call(sender);
        if (governed.payoutKey(group) != key) assert(selector == governor.execute.selector);
    }

    function reaches_anotherPolicy(address sender, bytes32 group) external {
        bytes32 policy = governor.policyHash(group);
        _call(sender);
        assert(governor.policyHash(group) == policy);
    }

    function _call(address sender) private returns (bytes4) {
        bytes memory data = svm.createCalldata("Governor");
        vm.prank(sender);
        (bool success,) = address(governor).call(data);
        success;
        return bytes4(data);
    }
}
