// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ColdVault} from "src/emergency/ColdVault.sol";
import {IColdVault} from "src/emergency/IColdVault.sol";
import {IActions} from "src/governance/IActions.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Messages, Return} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {EmergencyBase} from "../support/EmergencyBase.sol";
import {MoodyToken} from "../support/EmergencyDoubles.sol";
import {Members} from "../support/Members.sol";

contract VaultTest is EmergencyBase {
    using Members for uint256[];

    address private constant SAFE = address(0x5AFE);
    address private constant OTHER_SAFE = address(0x5AFE2);
    uint64 private constant OWNERS_DUE = START + 48 hours;
    uint64 private constant GUARDIANS_DUE = START + 14 days;
    MoodyToken private token;

    function setUp() public {
        token = new MoodyToken();
        _evacuate(SAFE, 100);
        _evacuate(OTHER_SAFE, 1000);
    }

    function _evacuate(address safe, uint256 amount) private {
        token.mint(address(vault), amount);
        vm.prank(EVACUATOR);
        vault.record(safe, address(token), amount);
    }

    function _order(uint64 returnId, uint256 amount) private view returns (Return memory) {
        return Return(returnId, EPOCH, SAFE, address(token), amount);
    }

    function _byOwners(Return memory order) private view returns (bytes memory) {
        return ownerKeys.sign(0x6, digestOf(Messages.hash(order)));
    }

    function _schedule(uint64 returnId, uint256 amount) private returns (uint64 actionId) {
        Return memory order = _order(returnId, amount);
        return vault.scheduleReturn(order, certify(Messages.hash(order)), _byOwners(order));
    }

    function _assertBalances(uint256 inVault, uint256 inSafe) private view {
        vm.assertEq(token.balanceOf(address(vault)), inVault, "vault");
        vm.assertEq(token.balanceOf(SAFE), inSafe, "safe");
    }

    function test_onlyTheEvacuatorRecords() public {
        vm.assertEq(vault.heldFor(SAFE, address(token)), 100);
        vm.expectRevert(IColdVault.OnlyEvacuator.selector);
        vault.record(SAFE, address(token), 1);
        vm.prank(vm.addr(ownerKeys[0]));
        vm.expectRevert(IColdVault.OnlyEvacuator.selector);
        vault.record(SAFE, address(token), 1);
        vm.expectEmit(address(vault));
        emit IColdVault.Received(SAFE, address(token), 5);
        vm.prank(EVACUATOR);
        vault.record(SAFE, address(token), 5);
        vm.assertEq(vault.heldFor(SAFE, address(token)), 105);
        vm.assertEq(vault.heldFor(OTHER_SAFE, address(token)), 1000);
    }

    function test_ownersReturnAfterFortyEightHours() public {
        Return memory order = _order(1, 60);
        bytes memory certificate = certify(Messages.hash(order));
        bytes memory signatures = _byOwners(order);
        vm.expectEmit(address(vault));
        emit IColdVault.ReturnScheduled(1, 1, SAFE, address(token), 60);
        vm.prank(STRANGER);
        vm.assertEq(vault.scheduleReturn(order, certificate, signatures), 1);
        vm.assertEq(vault.lastReturnId(), 1);
        vm.assertEq(actions.get(1).opener, address(vault));
        vm.assertTrue(!actions.get(1).vetoable);
        _returnedAt(OWNERS_DUE, 60);
    }

    function test_guardiansReturnAfterFourteenDays() public {
        Return memory order = _order(1, 100);
        vault.scheduleReturnByGuardians(order, certify(Messages.hash(order)), byGuardians(Messages.hash(order)));
        _returnedAt(GUARDIANS_DUE, 100);
    }

    function _returnedAt(uint64 due, uint256 amount) private {
        vm.warp(due - 1);
        expectRevert(IActions.TooEarly.selector, due);
        vault.executeReturn(1);
        _assertBalances(1100, 0);
        vm.warp(due + 7 days + 1);
        expectRevert(IActions.Expired.selector, due + 7 days);
        vault.executeReturn(1);
        vm.warp(due);
        vm.expectEmit(address(vault));
        emit IColdVault.Returned(1, SAFE, address(token), amount);
        vm.prank(STRANGER);
        vault.executeReturn(1);
        _assertBalances(1100 - amount, amount);
        vm.assertEq(vault.heldFor(SAFE, address(token)), 100 - amount);
        vm.assertEq(vault.heldFor(OTHER_SAFE, address(token)), 1000);
        vm.expectRevert(IActions.NotScheduled.selector);
        vault.executeReturn(1);
    }

    function test_neverWithoutACertificate() public {
        Return memory order = _order(1, 60);
        bytes memory owners = _byOwners(order);
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        vault.scheduleReturn(order, CERTIFICATE, owners);
        bytes memory guards = byGuardians(Messages.hash(order));
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        vault.scheduleReturnByGuardians(order, CERTIFICATE, guards);
        verifier.startEpoch(2);
        bytes memory certificate = certify(Messages.hash(order));
        vm.expectRevert(abi.encodeWithSelector(ICertificateVerifier.WrongEpoch.selector, 1, 2));
        vault.scheduleReturn(order, certificate, owners);
    }

    function test_neverByACertificateAlone() public {
        Return memory order = _order(1, 60);
        bytes memory certificate = certify(Messages.hash(order));
        bytes memory one = ownerKeys.sign(0x4, digestOf(Messages.hash(order)));
        vm.expectRevert(IColdVault.BelowOwnerQuorum.selector);
        vault.scheduleReturn(order, certificate, one);
        bytes memory guards = guardianKeys.sign(0x1f, digestOf(Messages.hash(order)));
        vm.expectRevert(abi.encodeWithSelector(IColdVault.NotAnOwner.selector, vm.addr(guardianKeys[0])));
        vault.scheduleReturn(order, certificate, guards);
        one = Members.signature(ownerKeys[0], digestOf(Messages.hash(order)));
        vm.expectRevert(IColdVault.OutOfOrder.selector);
        vault.scheduleReturn(order, certificate, bytes.concat(one, one));

        bytes memory two = byTwoGuardians(Messages.hash(order));
        vm.expectRevert(IGuardians.BelowGuardianQuorum.selector);
        vault.scheduleReturnByGuardians(order, certificate, two);
        bytes memory owners = _byOwners(order);
        vm.expectRevert(abi.encodeWithSelector(IGuardians.NotAGuardian.selector, vm.addr(ownerKeys[1])));
        vault.scheduleReturnByGuardians(order, certificate, owners);
        vm.assertEq(vault.lastReturnId(), 0);
    }

    function test_ownersOfAnotherMessage() public {
        Return memory order = _order(1, 60);
        bytes memory certificate = certify(Messages.hash(order));
        bytes memory owners = _byOwners(_order(1, 59));
        (bool success,) = address(vault).call(abi.encodeCall(vault.scheduleReturn, (order, certificate, owners)));
        vm.assertTrue(!success, "owners signed another amount");
    }

    function test_returnIdIsTheNext() public {
        Return memory order = _order(2, 60);
        bytes memory certificate = certify(Messages.hash(order));
        bytes memory owners = _byOwners(order);
        vm.expectRevert(IColdVault.WrongReturnId.selector);
        vault.scheduleReturn(order, certificate, owners);
        bytes memory guards = byGuardians(Messages.hash(order));
        vm.expectRevert(IColdVault.WrongReturnId.selector);
        vault.scheduleReturnByGuardians(order, certificate, guards);

        _schedule(1, 10);
        order = _order(1, 10);
        certificate = certify(Messages.hash(order));
        owners = _byOwners(order);
        vm.expectRevert(IColdVault.WrongReturnId.selector);
        vault.scheduleReturn(order, certificate, owners);
        _schedule(2, 10);
    }

    function test_unknownReturn() public {
        vm.expectRevert(IColdVault.UnknownReturn.selector);
        vault.executeReturn(0);
        vm.expectRevert(IColdVault.UnknownReturn.selector);
        vault.executeReturn(1);
    }

    function test_noMoreThanWasEvacuatedFromThisSafe() public {
        Return memory order = _order(1, 101);
        bytes memory certificate = certify(Messages.hash(order));
        bytes memory owners = _byOwners(order);
        vm.expectRevert(abi.encodeWithSelector(IColdVault.ExceedsEvacuated.selector, 100));
        vault.scheduleReturn(order, certificate, owners);
        order = Return(1, EPOCH, STRANGER, address(token), 1);
        certificate = certify(Messages.hash(order));
        owners = _byOwners(order);
        vm.expectRevert(abi.encodeWithSelector(IColdVault.ExceedsEvacuated.selector, 0));
        vault.scheduleReturn(order, certificate, owners);
    }

    function test_noMoreThanIsLeftAtExecution() public {
        _schedule(1, 60);
        _schedule(2, 60);
        _schedule(3, 40);
        vm.warp(OWNERS_DUE);
        vault.executeReturn(1);
        vm.expectRevert(abi.encodeWithSelector(IColdVault.ExceedsEvacuated.selector, 40));
        vault.executeReturn(2);
        vault.executeReturn(3);
        _assertBalances(1000, 100);
    }

    function test_cancelledByACertificate() public {
        uint64 actionId = _schedule(1, 60);
        actions.cancel(actionId, EPOCH, certify(Messages.cancel(actionId, EPOCH)));
        vm.warp(OWNERS_DUE);
        vm.expectRevert(IActions.NotScheduled.selector);
        vault.executeReturn(1);
        vm.assertEq(vault.lastReturnId(), 1);
    }

    function test_tokensThatMisbehave() public {
        _schedule(1, 60);
        vm.warp(OWNERS_DUE);
        token.turn(MoodyToken.Mood.ReturnsFalse);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        vault.executeReturn(1);
        token.turn(MoodyToken.Mood.TakesFeeOnTop);
        vm.expectRevert(IColdVault.TransferFailed.selector);
        vault.executeReturn(1);
        token.turn(MoodyToken.Mood.MovesHalf);
        vm.expectRevert(IColdVault.TransferFailed.selector);
        vault.executeReturn(1);
        _assertBalances(1100, 0);
        token.turn(MoodyToken.Mood.Good);
        vault.executeReturn(1);
        _assertBalances(1040, 60);
    }

    function test_reentrancyReturnsNothingTwice() public {
        _schedule(1, 60);
        _schedule(2, 30);
        vm.warp(OWNERS_DUE);
        token.reenter(abi.encodeCall(vault.executeReturn, (1)));
        vm.expectRevert(IActions.NotScheduled.selector);
        vault.executeReturn(1);
        token.reenter(abi.encodeCall(vault.executeReturn, (2)));
        vm.expectRevert(IColdVault.TransferFailed.selector);
        vault.executeReturn(1);
        _assertBalances(1100, 0);
    }

    function test_ownersAreAValidSet() public {
        vm.assertEq(vault.owners().length, 3);
        vm.assertEq(vault.threshold(), 2);
        address[] memory owners = ownerKeys.addresses();
        _constructorRefuses(owners, 0);
        _constructorRefuses(owners, 4);
        (owners[0], owners[1]) = (owners[1], owners[0]);
        _constructorRefuses(owners, 2);
    }

    function _constructorRefuses(address[] memory owners, uint256 threshold) private {
        vm.expectRevert(IColdVault.InvalidOwners.selector);
        this.newVault(owners, threshold);
    }

    /// @dev A call of its own, so that the test goes on after the revert.
    function newVault(address[] calldata owners, uint256 threshold) external {
        new ColdVault(
            ColdVault.Neighbours(address(limits), verifier, guardians, actions, EVACUATOR),
            ColdVault.Delays(48 hours, 14 days),
            owners,
            threshold
        );
    }
}
