// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IGuardManager} from "@safe-global/safe-smart-account/contracts/interfaces/IGuardManager.sol";
import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Messages} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {IEvacuator} from "src/safe/IEvacuator.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {GuardToken} from "../support/GuardDoubles.sol";
import {GuardBase} from "../support/GuardBase.sol";

contract EvacuateTest is GuardBase {
    uint64 private constant _PAUSE = 3;
    uint64 private constant _EPOCH = 7;

    function setUp() public override {
        super.setUp();
        pause();
    }

    function test_everythingGoesToTheVaultAndIsWrittenDown() public {
        evacuator.evacuate(_PAUSE, _EPOCH, safe, address(token), votes(_PAUSE, _EPOCH, safe, address(token)));
        vm.assertEq(token.balanceOf(safe), 0);
        vm.assertEq(token.balanceOf(address(vault)), FUNDS);
        vm.assertEq(vault.heldFor(safe, address(token)), FUNDS);
    }

    function test_guardiansMayInstead() public {
        bytes memory word = consent(_PAUSE, _EPOCH);
        vm.expectRevert(IGuardians.BelowGuardianQuorum.selector);
        evacuator.evacuateByGuardians(_PAUSE, _EPOCH, safe, address(token), "");
        evacuator.evacuateByGuardians(_PAUSE, _EPOCH, safe, address(token), word);
        vm.assertEq(vault.heldFor(safe, address(token)), FUNDS);
    }

    function test_guardiansNameTheEpochToo() public {
        bytes memory word = consent(_PAUSE, _EPOCH - 1);
        vm.expectRevert(IEvacuator.WrongEpoch.selector);
        evacuator.evacuateByGuardians(_PAUSE, _EPOCH - 1, safe, address(token), word);
    }

    function test_onlyWhilePausedAndForThatPause() public {
        brake.set(_PAUSE, false, false);
        expect(IEvacuator.NotPaused.selector, _PAUSE);
        brake.set(_PAUSE + 1, true, false);
        expect(IEvacuator.WrongPauseId.selector, _PAUSE);
        brake.set(_PAUSE - 1, true, false);
        expect(IEvacuator.WrongPauseId.selector, _PAUSE);
    }

    function test_eachMessageOnceWhoeverSigned() public {
        bytes memory word = consent(_PAUSE, _EPOCH);
        evacuator.evacuate(_PAUSE, _EPOCH, safe, address(token), votes(_PAUSE, _EPOCH, safe, address(token)));
        token.mint(safe, 1);
        expect(IEvacuator.MessageUsed.selector, _PAUSE);
        vm.expectRevert(IEvacuator.MessageUsed.selector);
        evacuator.evacuateByGuardians(_PAUSE, _EPOCH, safe, address(token), word);
    }

    function test_votesAreForOneSafeOneTokenAndTheCurrentEpoch() public {
        bytes memory others = votes(_PAUSE, _EPOCH, payee, address(token));
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        evacuator.evacuate(_PAUSE, _EPOCH, safe, address(token), others);
        others = votes(_PAUSE, _EPOCH, safe, payee);
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        evacuator.evacuate(_PAUSE, _EPOCH, safe, address(token), others);
        bytes memory old = votes(_PAUSE, _EPOCH, safe, address(token));
        quorum.startEpoch();
        vm.expectRevert(abi.encodeWithSelector(ICertificateVerifier.WrongEpoch.selector, _EPOCH, _EPOCH + 1));
        evacuator.evacuate(_PAUSE, _EPOCH, safe, address(token), old);
    }

    function test_standingBucketAndListingDoNotMatter() public {
        GuardToken other = new GuardToken();
        other.mint(safe, FUNDS);
        evacuator.evacuate(_PAUSE, _EPOCH, safe, address(other), votes(_PAUSE, _EPOCH, safe, address(other)));
        vm.assertEq(vault.heldFor(safe, address(other)), FUNDS);
        vm.assertEq(guard.room(groupOfSafe(), address(token)), 0);
        brake.set(_PAUSE, false, false);
        vm.assertEq(guard.room(groupOfSafe(), address(token)), DAILY / 2);
    }

    function test_thereIsNothingToEvacuate() public {
        vm.prank(safe);
        token.transfer(address(0xDEAD), FUNDS);
        expect(IEvacuator.NothingToEvacuate.selector, _PAUSE);
    }

    function test_aTokenThatFailsLeavesTheMessageUnused() public {
        token.turn(GuardToken.Mood.SaysFalse);
        expect(ITransferGuard.BalanceMismatch.selector, _PAUSE);
        token.turn(GuardToken.Mood.SaysFalseButMoves);
        expect(IEvacuator.TransferFailed.selector, _PAUSE);
        token.turn(GuardToken.Mood.TakesFee);
        expect(ITransferGuard.BalanceMismatch.selector, _PAUSE);
        token.turn(GuardToken.Mood.Good);
        test_everythingGoesToTheVaultAndIsWrittenDown();
    }

    function test_anAddressWithoutCodeIsNoToken() public {
        bytes memory signature = votes(_PAUSE, _EPOCH, safe, payee);
        vm.expectRevert(IEvacuator.TokenHasNoCode.selector);
        evacuator.evacuate(_PAUSE, _EPOCH, safe, payee, signature);
    }

    function test_aSafeThatLeftIsNotReached() public {
        brake.set(_PAUSE, false, false);
        matureExit();
        send(safe, abi.encodeCall(IGuardManager.setGuard, (address(0))));
        pause();
        expect(IEvacuator.NotRegistered.selector, _PAUSE);
    }

    function test_norWhenItLeftTheModuleGuardToo() public {
        brake.set(_PAUSE, false, false);
        matureExit();
        send(safe, abi.encodeWithSignature("setModuleGuard(address)", address(0)));
        send(safe, abi.encodeCall(IGuardManager.setGuard, (address(0))));
        pause();
        expect(IEvacuator.NotRegistered.selector, _PAUSE);
    }

    function test_aSafeThatRemovedItsModuleGuardIsStillEvacuatedExactly() public {
        brake.set(_PAUSE, false, false);
        matureExit();
        send(safe, abi.encodeWithSignature("setModuleGuard(address)", address(0)));
        pause();
        token.turn(GuardToken.Mood.TakesFee);
        expect(IEvacuator.TransferFailed.selector, _PAUSE);
        token.turn(GuardToken.Mood.Good);
        test_everythingGoesToTheVaultAndIsWrittenDown();
    }

    function test_theEvacuatorReachesTheVaultOnly() public {
        vm.prank(safe);
        vm.expectRevert(ITransferGuard.NotToVault.selector);
        guard.checkModuleTransaction(address(token), 0, transferOf(payee, 1), Enum.Operation.Call, address(evacuator));
    }

    function votes(uint64 pauseId, uint64 epoch, address of_, address token_) private view returns (bytes memory) {
        return quorum.signature(digestOf(Messages.evacuate(pauseId, epoch, of_, token_)));
    }

    function consent(uint64 pauseId, uint64 epoch) private view returns (bytes memory) {
        return abi.encode(digestOf(Messages.evacuate(pauseId, epoch, safe, address(token))));
    }

    function expect(bytes4 why, uint64 pauseId) private {
        bytes memory signature = votes(pauseId, _EPOCH, safe, address(token));
        vm.expectRevert(why);
        evacuator.evacuate(pauseId, _EPOCH, safe, address(token), signature);
    }
}
