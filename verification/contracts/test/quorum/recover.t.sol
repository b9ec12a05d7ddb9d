// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IActions} from "src/governance/IActions.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Messages, Rotate} from "src/governance/Messages.sol";
import {IValidatorRegistry as I} from "src/quorum/IValidatorRegistry.sol";
import {Committee} from "../support/Committee.sol";
import {QuorumBase} from "../support/QuorumBase.sol";

contract RecoverTest is QuorumBase {
    uint64 private constant READY = uint64(NOW) + RECOVERY;

    uint256[] private _next;
    bytes private _keys;

    function setUp() public override {
        super.setUp();
        _next = successors(2, 4);
        _keys = Committee.keys(_next);
    }

    function test_recovery() public {
        vm.expectEmit(address(registry));
        emit I.RecoveryOpened(1);
        vm.assertEq(registry.openRecovery(), 1);
        vm.assertEq(actions.get(1).opener, address(registry));
        vm.assertTrue(!actions.get(1).vetoable);

        bytes memory consent = _consent(1);
        vm.expectEmit(address(registry));
        emit I.RecoveryScheduled(1, keccak256(_keys), READY);
        registry.scheduleRecovery(1, _keys, consent);
        vm.assertEq(actions.get(1).readyAt, READY);
        vm.assertEq(registry.epoch(), 1);

        vm.warp(READY);
        registry.startEpoch(1, _keys);
        vm.assertEq(registry.epoch(), 2);
        vm.assertEq(registry.keysOf(2), _keys);
        verifier.verify(DIGEST, 2, Committee.quorumSignature(_next, 7, DIGEST));
    }

    function test_not_a_second_early_and_not_after_the_window() public {
        _schedule();
        vm.warp(READY - 1);
        vm.expectRevert(abi.encodeWithSelector(IActions.TooEarly.selector, READY));
        registry.startEpoch(1, _keys);
        vm.warp(READY + 7 days + 1);
        vm.expectRevert(abi.encodeWithSelector(IActions.Expired.selector, READY + 7 days));
        registry.startEpoch(1, _keys);
        vm.warp(READY + 7 days);
        registry.startEpoch(1, _keys);
    }

    /// @dev Strangers' actions between opening and consent spoil nothing.
    function test_recovery_is_signed_for_an_id_that_is_given() public {
        registry.openRecovery();
        actions.open(true);
        registry.openRecovery();
        actions.open(false);
        registry.scheduleRecovery(1, _keys, _consent(1));
        registry.scheduleRecovery(3, _keys, _consent(3));
    }

    function test_consent_for_another_action() public {
        registry.openRecovery();
        registry.openRecovery();
        bytes memory consent = _consent(1);
        vm.expectRevert(IGuardians.BelowGuardianQuorum.selector);
        registry.scheduleRecovery(2, _keys, consent);
    }

    function test_consent_to_other_keys() public {
        registry.openRecovery();
        bytes memory consent = _consent(1);
        bytes memory others = Committee.keys(validators);
        vm.expectRevert(IGuardians.BelowGuardianQuorum.selector);
        registry.scheduleRecovery(1, others, consent);
    }

    function test_actions_that_are_no_recovery() public {
        Rotate memory rotate = Rotate(2, keccak256(_keys), uint64(NOW) + ROTATION);
        registry.scheduleRotation(rotate, _keys, quorum(7, typed(Messages.hash(rotate))));
        actions.open(false); // somebody else's
        for (uint64 actionId = 0; actionId < 4; ++actionId) {
            bytes memory consent = _consent(actionId);
            vm.expectRevert(I.UnknownAction.selector);
            registry.scheduleRecovery(actionId, _keys, consent);
        }
    }

    function test_not_started_without_consent() public {
        registry.openRecovery();
        vm.warp(READY + 1 days);
        vm.expectRevert(I.UnknownAction.selector);
        registry.startEpoch(1, _keys);
        vm.expectRevert(I.UnknownAction.selector);
        registry.startEpoch(1, "");
    }

    function test_consent_counts_once() public {
        _schedule();
        bytes memory consent = _consent(1);
        vm.warp(NOW + 1 days);
        vm.expectRevert(IActions.NotOpen.selector);
        registry.scheduleRecovery(1, _keys, consent);
        vm.warp(READY);
        registry.startEpoch(1, _keys);
        vm.expectRevert(IActions.NotScheduled.selector);
        registry.startEpoch(1, _keys);
        vm.expectRevert(IActions.NotOpen.selector);
        registry.scheduleRecovery(1, _keys, consent);
    }

    /// @dev Other keys after the first consent: the first stands.
    function test_second_consent_changes_nothing() public {
        _schedule();
        bytes memory others = Committee.keys(validators);
        bytes memory consent = abi.encode(typed(Messages.recover(1, keccak256(others))));
        vm.expectRevert(IActions.NotOpen.selector);
        registry.scheduleRecovery(1, others, consent);
        vm.warp(READY);
        vm.expectRevert(I.WrongKeys.selector);
        registry.startEpoch(1, others);
    }

    function test_cancelled() public {
        _schedule();
        actions.end(1);
        vm.warp(READY);
        vm.expectRevert(IActions.NotScheduled.selector);
        registry.startEpoch(1, _keys);
    }

    /// @dev A recovery is for the epoch after that of its start: validators who rotate meanwhile do not stop it.
    function test_recovery_survives_a_rotation() public {
        _schedule();
        uint256[] memory others = successors(3, 4);
        bytes memory rotated = Committee.keys(others);
        Rotate memory rotate = Rotate(2, keccak256(rotated), uint64(NOW) + ROTATION);
        uint64 actionId = registry.scheduleRotation(rotate, rotated, quorum(7, typed(Messages.hash(rotate))));
        vm.warp(rotate.notBefore);
        registry.startEpoch(actionId, rotated);
        vm.assertEq(registry.epoch(), 2);
        vm.warp(READY);
        registry.startEpoch(1, _keys);
        vm.assertEq(registry.epoch(), 3);
        vm.assertEq(registry.keysOf(3), _keys);
    }

    function test_keys_that_are_no_set() public {
        registry.openRecovery();
        bytes memory few = slice(_keys, 0, 384);
        bytes memory consent = abi.encode(typed(Messages.recover(1, keccak256(few))));
        vm.expectRevert(I.TooFewKeys.selector);
        registry.scheduleRecovery(1, few, consent);
        bytes memory unproven = Committee.keys(Committee.secrets(9, 4));
        consent = abi.encode(typed(Messages.recover(1, keccak256(unproven))));
        vm.expectRevert(abi.encodeWithSelector(I.KeyNotProven.selector, 0));
        registry.scheduleRecovery(1, unproven, consent);
    }

    function _consent(uint64 actionId) private view returns (bytes memory) {
        return abi.encode(typed(Messages.recover(actionId, keccak256(_keys))));
    }

    function _schedule() private {
        registry.openRecovery();
        registry.scheduleRecovery(1, _keys, _consent(1));
    }
}
