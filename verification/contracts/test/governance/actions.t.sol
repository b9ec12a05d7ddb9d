// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Actions} from "src/governance/Actions.sol";
import {IActions} from "src/governance/IActions.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Messages} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {EmergencyBase} from "../support/EmergencyBase.sol";

contract ActionsTest is EmergencyBase {
    uint64 private readyAt = START + 14 days;

    function _open(bool vetoable) private returns (uint64 actionId) {
        vm.prank(REGISTRY);
        return actions.open(vetoable);
    }

    function _scheduled(bool vetoable) private returns (uint64 actionId) {
        actionId = _open(vetoable);
        vm.prank(REGISTRY);
        actions.schedule(actionId, readyAt);
    }

    function _take(uint64 actionId) private {
        vm.prank(REGISTRY);
        actions.take(actionId);
    }

    function _stateIs(uint64 actionId, IActions.State state) private view {
        vm.assertEq(uint256(actions.get(actionId).state), uint256(state), "state");
    }

    function test_onlyTheFourOpen() public {
        address[4] memory openers = [REGISTRY, address(governor), address(limits), address(vault)];
        for (uint64 i = 0; i < 4; ++i) {
            vm.expectEmit(address(actions));
            emit IActions.Opened(i + 1, openers[i]);
            vm.prank(openers[i]);
            vm.assertEq(actions.open(i % 2 == 0), i + 1);
            vm.assertEq(actions.last(), i + 1);
            IActions.Action memory action = actions.get(i + 1);
            vm.assertEq(action.opener, openers[i]);
            vm.assertTrue(action.vetoable == (i % 2 == 0));
            _stateIs(i + 1, IActions.State.Open);
        }
        address[3] memory others = [address(brake), address(guardians), STRANGER];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(IActions.NotAnOpener.selector);
            actions.open(true);
        }
        vm.assertEq(actions.last(), 4);
    }

    function test_scheduleOnce() public {
        uint64 actionId = _open(true);
        vm.assertTrue(actions.isPending(actionId) && !actions.isReady(actionId));
        vm.expectEmit(address(actions));
        emit IActions.Scheduled(actionId, readyAt, readyAt + 7 days);
        vm.prank(REGISTRY);
        actions.schedule(actionId, readyAt);
        IActions.Action memory action = actions.get(actionId);
        vm.assertEq(action.readyAt, readyAt);
        vm.assertEq(action.expiresAt, readyAt + 7 days);
        vm.prank(REGISTRY);
        vm.expectRevert(IActions.NotOpen.selector);
        actions.schedule(actionId, readyAt + 1);
    }

    function test_scheduleTimes() public {
        uint64 actionId = _open(true);
        vm.prank(REGISTRY);
        vm.expectRevert(IActions.InvalidTimes.selector);
        actions.schedule(actionId, time() - 1);
        vm.prank(REGISTRY);
        vm.expectRevert(IActions.InvalidTimes.selector);
        actions.schedule(actionId, type(uint64).max - 7 days + 1);
        vm.prank(REGISTRY);
        actions.schedule(actionId, time());
        _take(actionId);

        actionId = _open(true);
        vm.prank(REGISTRY);
        actions.schedule(actionId, type(uint64).max - 7 days);
        vm.assertEq(actions.get(actionId).expiresAt, type(uint64).max);
    }

    function test_takenFromTheFirstSecond() public {
        uint64 actionId = _scheduled(false);
        vm.warp(readyAt - 1);
        vm.assertTrue(!actions.isReady(actionId) && actions.isPending(actionId));
        vm.prank(REGISTRY);
        expectRevert(IActions.TooEarly.selector, readyAt);
        actions.take(actionId);
        vm.warp(readyAt);
        vm.assertTrue(actions.isReady(actionId));
        vm.expectEmit(address(actions));
        emit IActions.Taken(actionId);
        _take(actionId);
        _stateIs(actionId, IActions.State.Taken);
        vm.assertTrue(!actions.isReady(actionId) && !actions.isPending(actionId));
        vm.prank(REGISTRY);
        vm.expectRevert(IActions.NotScheduled.selector);
        actions.take(actionId);
    }

    function test_takenUntilTheLastSecond() public {
        uint64 first = _scheduled(false);
        uint64 second = _scheduled(false);
        vm.warp(readyAt + 7 days);
        vm.assertTrue(actions.isReady(first) && actions.isPending(first));
        _take(first);
        vm.warp(readyAt + 7 days + 1);
        vm.assertTrue(!actions.isReady(second) && !actions.isPending(second));
        vm.prank(REGISTRY);
        expectRevert(IActions.Expired.selector, readyAt + 7 days);
        actions.take(second);
    }

    function test_anOpenActionIsNotTaken() public {
        uint64 actionId = _open(false);
        vm.warp(readyAt);
        vm.assertTrue(actions.isPending(actionId) && !actions.isReady(actionId));
        vm.prank(REGISTRY);
        vm.expectRevert(IActions.NotScheduled.selector);
        actions.take(actionId);
    }

    function test_anothersActionIsNotYours() public {
        uint64 actionId = _open(true);
        vm.prank(address(governor));
        vm.expectRevert(IActions.NotYours.selector);
        actions.schedule(actionId, readyAt);
        vm.prank(REGISTRY);
        actions.schedule(actionId, readyAt);
        vm.warp(readyAt);
        vm.prank(address(governor));
        vm.expectRevert(IActions.NotYours.selector);
        actions.take(actionId);
        vm.prank(address(governor));
        vm.expectRevert(IActions.NotYours.selector);
        actions.withdraw(actionId);
    }

    function test_anUnknownActionIsNobodys() public {
        vm.assertTrue(!actions.isPending(0) && !actions.isReady(0) && !actions.isPending(1));
        vm.prank(REGISTRY);
        vm.expectRevert(IActions.NotYours.selector);
        actions.take(1);
        bytes memory certificate = certify(Messages.cancel(1, EPOCH));
        vm.expectRevert(IActions.NotPending.selector);
        actions.cancel(1, EPOCH, certificate);
        bytes memory signatures = byGuardians(Messages.veto(1));
        vm.expectRevert(IActions.NotVetoable.selector);
        actions.veto(1, signatures);
    }

    function test_withdraw() public {
        uint64 open = _open(false);
        uint64 scheduled = _scheduled(false);
        vm.expectEmit(address(actions));
        emit IActions.Withdrawn(open);
        vm.prank(REGISTRY);
        actions.withdraw(open);
        vm.prank(REGISTRY);
        actions.withdraw(scheduled);
        _isOver(open);
        _isOver(scheduled);
    }

    function test_cancelByCertificateOfTheCurrentEpoch() public {
        uint64 open = _open(false);
        uint64 scheduled = _scheduled(false);
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        actions.cancel(open, EPOCH, CERTIFICATE);
        bytes memory certificate = certify(Messages.cancel(open, EPOCH));
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        actions.cancel(scheduled, EPOCH, certificate);

        verifier.startEpoch(2);
        vm.expectRevert(abi.encodeWithSelector(ICertificateVerifier.WrongEpoch.selector, 1, 2));
        actions.cancel(open, EPOCH, certificate);
        verifier.startEpoch(1);

        vm.expectEmit(address(actions));
        emit IActions.Cancelled(open);
        vm.prank(STRANGER);
        actions.cancel(open, EPOCH, certificate);
        vm.warp(readyAt + 7 days);
        certificate = certify(Messages.cancel(scheduled, EPOCH));
        actions.cancel(scheduled, EPOCH, certificate);
        _isOver(open);
        _isOver(scheduled);
        vm.expectRevert(IActions.NotPending.selector);
        actions.cancel(open, EPOCH, certificate);
    }

    function test_vetoByTheGuardianQuorum() public {
        uint64 actionId = _scheduled(true);
        bytes memory few = byTwoGuardians(Messages.veto(actionId));
        vm.expectRevert(IGuardians.BelowGuardianQuorum.selector);
        actions.veto(actionId, few);
        bytes memory signatures = byGuardians(Messages.veto(actionId));
        vm.warp(readyAt + 7 days);
        vm.expectEmit(address(actions));
        emit IActions.Vetoed(actionId);
        vm.prank(STRANGER);
        actions.veto(actionId, signatures);
        _isOver(actionId);
        vm.expectRevert(IActions.NotPending.selector);
        actions.veto(actionId, signatures);
    }

    function test_vetoOnlyOfVetoableOnes() public {
        uint64 actionId = _scheduled(false);
        bytes memory signatures = byGuardians(Messages.veto(actionId));
        vm.expectRevert(IActions.NotVetoable.selector);
        actions.veto(actionId, signatures);
        vm.warp(readyAt);
        _take(actionId);
    }

    function test_aTakenActionIsNotEnded() public {
        uint64 actionId = _scheduled(true);
        vm.warp(readyAt);
        _take(actionId);
        _refusesToEnd(actionId);
        _stateIs(actionId, IActions.State.Taken);
    }

    function test_anExpiredActionIsNotEnded() public {
        uint64 actionId = _scheduled(true);
        vm.warp(readyAt + 7 days + 1);
        _refusesToEnd(actionId);
    }

    function test_aNeighbourWithoutCodeRefuses() public {
        Actions lonely = new Actions(
            Actions.Neighbours(
                address(limits),
                ICertificateVerifier(address(0xDEAD)),
                IGuardians(address(0xBEEF)),
                REGISTRY,
                address(governor),
                address(vault)
            ),
            7 days
        );
        vm.prank(REGISTRY);
        lonely.open(true);
        vm.expectRevert();
        lonely.cancel(1, EPOCH, CERTIFICATE);
        vm.expectRevert();
        lonely.veto(1, "");
        vm.assertTrue(lonely.isPending(1));
    }

    function _refusesToEnd(uint64 actionId) private {
        bytes memory certificate = certify(Messages.cancel(actionId, EPOCH));
        vm.expectRevert(IActions.NotPending.selector);
        actions.cancel(actionId, EPOCH, certificate);
        bytes memory signatures = byGuardians(Messages.veto(actionId));
        vm.expectRevert(IActions.NotPending.selector);
        actions.veto(actionId, signatures);
        vm.prank(REGISTRY);
        vm.expectRevert(IActions.NotPending.selector);
        actions.withdraw(actionId);
    }

    /// @dev Ended, whatever is tried and whenever.
    function _isOver(uint64 actionId) private {
        _stateIs(actionId, IActions.State.Ended);
        vm.assertTrue(!actions.isPending(actionId) && !actions.isReady(actionId));
        vm.warp(readyAt);
        vm.assertTrue(!actions.isReady(actionId));
        vm.prank(REGISTRY);
        vm.expectRevert(IActions.NotScheduled.selector);
        actions.take(actionId);
        vm.prank(REGISTRY);
        vm.expectRevert(IActions.NotOpen.selector);
        actions.schedule(actionId, readyAt);
        vm.prank(REGISTRY);
        vm.expectRevert(IActions.NotPending.selector);
        actions.withdraw(actionId);
    }
}
