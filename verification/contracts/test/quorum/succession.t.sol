// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Actions} from "src/governance/Actions.sol";
import {Guardians} from "src/governance/Guardians.sol";
import {IActions} from "src/governance/IActions.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Messages, Rotate} from "src/governance/Messages.sol";
import {CertificateVerifier} from "src/quorum/CertificateVerifier.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {ValidatorRegistry} from "src/quorum/ValidatorRegistry.sol";
import {Committee} from "../support/Committee.sol";
import {Members} from "../support/Members.sol";
import {QuorumBase} from "../support/QuorumBase.sol";

/// @notice Registry, verifier, delay machine and guardians together, nothing doubled: who can stop what.
contract SuccessionTest is QuorumBase {
    uint256[] private _guardianKeys = Members.keys("guardian", 3);
    Actions private _actions;
    bytes private _next;

    function setUp() public override {
        vm.chainId(31337);
        vm.warp(NOW);
        validators = Committee.secrets(1, 4);
        uint256 nonce = vm.getNonce(address(this));
        ValidatorRegistry registryToBe = ValidatorRegistry(vm.computeCreateAddress(address(this), nonce + 2));
        verifier = new CertificateVerifier(registryToBe);
        Guardians known = new Guardians(address(0x60), Members.addresses(_guardianKeys), 2);
        Actions actionsToBe = Actions(vm.computeCreateAddress(address(this), nonce + 3));
        registry = new ValidatorRegistry(
            ValidatorRegistry.Neighbours(GUARD, actionsToBe, verifier, known),
            ValidatorRegistry.Delays(ROTATION, RECOVERY),
            Committee.keys(validators),
            Committee.proofs(validators)
        );
        _actions = new Actions(
            Actions.Neighbours(GUARD, verifier, known, address(registry), address(0x60), address(0x61)), 7 days
        );
        _next = Committee.keys(successors(2, 4));
    }

    function test_rotation() public {
        uint64 actionId = _rotation();
        vm.warp(NOW + ROTATION);
        registry.startEpoch(actionId, _next);
        vm.assertEq(registry.epoch(), 2);
    }

    function test_guardians_veto_a_rotation() public {
        uint64 actionId = _rotation();
        _actions.veto(actionId, Members.sign(_guardianKeys, 6, typed(Messages.veto(actionId))));
        _notStarted(actionId, NOW + ROTATION);
    }

    function test_validators_cancel_a_rotation() public {
        uint64 actionId = _rotation();
        _actions.cancel(actionId, 1, quorum(7, typed(Messages.cancel(actionId, 1))));
        _notStarted(actionId, NOW + ROTATION);
    }

    function test_recovery_by_guardians() public {
        uint64 actionId = _recovery();
        vm.warp(NOW + RECOVERY);
        registry.startEpoch(actionId, _next);
        vm.assertEq(registry.epoch(), 2);
    }

    function test_one_guardian_recovers_nothing() public {
        uint64 actionId = registry.openRecovery();
        bytes32 digest = typed(Messages.recover(actionId, keccak256(_next)));
        bytes memory alone = Members.sign(_guardianKeys, 1, digest);
        vm.expectRevert(IGuardians.BelowGuardianQuorum.selector);
        registry.scheduleRecovery(actionId, _next, alone);
    }

    function test_guardians_cannot_veto_a_recovery() public {
        uint64 actionId = _recovery();
        bytes memory signatures = Members.sign(_guardianKeys, 7, typed(Messages.veto(actionId)));
        vm.expectRevert(IActions.NotVetoable.selector);
        _actions.veto(actionId, signatures);
    }

    function test_validators_cancel_a_recovery() public {
        uint64 actionId = _recovery();
        vm.warp(NOW + RECOVERY);
        _actions.cancel(actionId, 1, quorum(7, typed(Messages.cancel(actionId, 1))));
        _notStarted(actionId, NOW + RECOVERY);
    }

    /// @dev Neither their rotations nor their cancellations count once others are the validators.
    function test_former_validators_stop_nothing() public {
        uint64 recovery = _recovery();
        uint64 rotation = _rotation();
        vm.warp(NOW + ROTATION);
        registry.startEpoch(rotation, _next);
        bytes memory former = quorum(15, typed(Messages.cancel(recovery, 1)));
        vm.expectRevert(abi.encodeWithSelector(ICertificateVerifier.WrongEpoch.selector, 1, 2));
        _actions.cancel(recovery, 1, former);
        former = quorum(15, typed(Messages.cancel(recovery, 2)));
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        _actions.cancel(recovery, 2, former);
        vm.warp(NOW + RECOVERY);
        registry.startEpoch(recovery, _next);
        vm.assertEq(registry.epoch(), 3);
    }

    function _rotation() private returns (uint64) {
        Rotate memory rotate = Rotate(2, keccak256(_next), uint64(NOW) + ROTATION);
        return registry.scheduleRotation(rotate, _next, quorum(7, typed(Messages.hash(rotate))));
    }

    function _recovery() private returns (uint64 actionId) {
        actionId = registry.openRecovery();
        bytes32 digest = typed(Messages.recover(actionId, keccak256(_next)));
        registry.scheduleRecovery(actionId, _next, Members.sign(_guardianKeys, 3, digest));
    }

    function _notStarted(uint64 actionId, uint256 time) private {
        vm.warp(time);
        vm.expectRevert(IActions.NotScheduled.selector);
        registry.startEpoch(actionId, _next);
        vm.assertEq(registry.epoch(), 1);
    }
}
