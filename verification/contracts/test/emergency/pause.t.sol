// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EmergencyBrake} from "src/emergency/EmergencyBrake.sol";
import {IEmergencyBrake} from "src/emergency/IEmergencyBrake.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Messages} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {BrakeBase} from "./BrakeBase.sol";
import {digestFor} from "../support/Digest.sol";
import {Members} from "../support/Members.sol";

contract PauseTest is BrakeBase {
    using Members for uint256[];

    uint64 private constant UNTIL = START + 6 hours;

    function test_notPausedAtFirst() public view {
        assertStatus(0, false, false);
        vm.assertEq(brake.armedUntil(sentinel), START + 30 days);
        vm.assertEq(brake.armedUntil(STRANGER), 0);
    }

    function test_sentinelPausesSixHoursAtMost() public {
        bytes memory signature = bySentinel(1, UNTIL + 1);
        vm.expectRevert(IEmergencyBrake.PauseTooLong.selector);
        brake.pauseBySentinel(sentinel, 1, UNTIL + 1, signature);

        signature = bySentinel(1, UNTIL);
        vm.expectEmit(address(brake));
        emit IEmergencyBrake.Paused(1, IEmergencyBrake.Kind.Sentinel, UNTIL);
        vm.prank(STRANGER);
        brake.pauseBySentinel(sentinel, 1, UNTIL, signature);
        assertStatus(1, true, false);
        vm.warp(UNTIL - 1);
        assertStatus(1, true, false);
        vm.recordLogs();
        vm.warp(UNTIL);
        assertStatus(1, false, false);
        vm.assertEq(vm.getRecordedLogs().length, 0);
    }

    function test_aPauseThatIsOverBeforeItBegins() public {
        bytes memory signature = bySentinel(1, START);
        vm.expectRevert(IEmergencyBrake.MessageExpired.selector);
        brake.pauseBySentinel(sentinel, 1, START, signature);
        brake.pauseBySentinel(sentinel, 1, START + 1, bySentinel(1, START + 1));
        assertStatus(1, true, false);
    }

    function test_singleShot() public {
        pauseBySentinel(UNTIL);
        vm.assertEq(brake.armedUntil(sentinel), 0);
        vm.warp(UNTIL);
        bytes memory signature = bySentinel(2, UNTIL + 1);
        vm.expectRevert(IEmergencyBrake.NotArmed.selector);
        brake.pauseBySentinel(sentinel, 2, UNTIL + 1, signature);
    }

    function test_armedToTheSecond() public {
        vm.warp(START + 30 days - 1);
        vm.assertEq(brake.armedUntil(sentinel), START + 30 days);
        vm.warp(START + 30 days);
        vm.assertEq(brake.armedUntil(sentinel), 0);
        bytes memory signature = bySentinel(1, START + 30 days + 1);
        vm.expectRevert(IEmergencyBrake.NotArmed.selector);
        brake.pauseBySentinel(sentinel, 1, START + 30 days + 1, signature);
        vm.warp(START + 30 days - 1);
        brake.pauseBySentinel(sentinel, 1, START + 30 days + 1, signature);
    }

    function test_theNextPauseId() public {
        uint64[2] memory others = [uint64(0), 2];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory signature = bySentinel(others[i], UNTIL);
            vm.expectRevert(IEmergencyBrake.WrongPauseId.selector);
            brake.pauseBySentinel(sentinel, others[i], UNTIL, signature);
            signature = byGuardians(Messages.pause(others[i], type(uint64).max));
            vm.expectRevert(IEmergencyBrake.WrongPauseId.selector);
            brake.pauseByGuardians(others[i], signature);
        }
    }

    function test_theSentinelsOwnSignature() public {
        bytes memory signature = Members.signature(sentinelKeys[1], digestOf(Messages.pause(1, UNTIL)));
        vm.expectRevert(IEmergencyBrake.NotBySentinel.selector);
        brake.pauseBySentinel(sentinel, 1, UNTIL, signature);
        vm.expectRevert(IEmergencyBrake.NotArmed.selector);
        brake.pauseBySentinel(vm.addr(sentinelKeys[1]), 1, UNTIL, signature);
        // For another time, another chain, another guard.
        vm.expectRevert(IEmergencyBrake.NotBySentinel.selector);
        brake.pauseBySentinel(sentinel, 1, UNTIL - 1, bySentinel(1, UNTIL));
        signature =
            Members.signature(sentinelKeys[0], digestFor(address(limits), block.chainid + 1, Messages.pause(1, UNTIL)));
        vm.expectRevert(IEmergencyBrake.NotBySentinel.selector);
        brake.pauseBySentinel(sentinel, 1, UNTIL, signature);
        signature =
            Members.signature(sentinelKeys[0], digestFor(address(brake), block.chainid, Messages.pause(1, UNTIL)));
        vm.expectRevert(IEmergencyBrake.NotBySentinel.selector);
        brake.pauseBySentinel(sentinel, 1, UNTIL, signature);
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureLength.selector, 0));
        brake.pauseBySentinel(sentinel, 1, UNTIL, "");
        assertStatus(0, false, false);
    }

    function test_aSentinelNeverReplacesAPause() public {
        rearm(vm.addr(sentinelKeys[1]), START + 1 days);
        pauseBySentinel(UNTIL);
        bytes memory signature = Members.signature(sentinelKeys[1], digestOf(Messages.pause(2, UNTIL)));
        vm.warp(UNTIL - 1);
        vm.expectRevert(IEmergencyBrake.AlreadyPaused.selector);
        brake.pauseBySentinel(vm.addr(sentinelKeys[1]), 2, UNTIL, signature);

        pauseByGuardians();
        signature = Members.signature(sentinelKeys[1], digestOf(Messages.pause(3, UNTIL)));
        vm.expectRevert(IEmergencyBrake.AlreadyPaused.selector);
        brake.pauseBySentinel(vm.addr(sentinelKeys[1]), 3, UNTIL, signature);
        assertKind(IEmergencyBrake.Kind.Guardian, type(uint64).max);
    }

    function test_afterALapseTheNextPauseIdFollows() public {
        pauseBySentinel(UNTIL);
        vm.warp(UNTIL);
        pauseByGuardians();
        assertStatus(2, true, false);
    }

    function test_guardiansPauseWithoutEnd() public {
        bytes memory few = byTwoGuardians(Messages.pause(1, type(uint64).max));
        vm.expectRevert(IGuardians.BelowGuardianQuorum.selector);
        brake.pauseByGuardians(1, few);
        bytes memory signatures = byGuardians(Messages.pause(1, type(uint64).max));
        vm.expectEmit(address(brake));
        emit IEmergencyBrake.Paused(1, IEmergencyBrake.Kind.Guardian, type(uint64).max);
        vm.prank(STRANGER);
        brake.pauseByGuardians(1, signatures);
        vm.expectRevert(IEmergencyBrake.WrongPauseId.selector);
        brake.pauseByGuardians(1, signatures);
        vm.warp(START + 3650 days);
        assertStatus(1, true, false);
    }

    function test_guardiansReplaceAnyPauseNeverShorteningIt() public {
        pauseBySentinel(UNTIL);
        pauseByGuardians();
        assertStatus(2, true, false);
        assertKind(IEmergencyBrake.Kind.Guardian, type(uint64).max);
        pauseByGuardians();
        assertStatus(3, true, false);
        assertKind(IEmergencyBrake.Kind.Guardian, type(uint64).max);
    }

    function test_guardiansOfAnEarlierEndPauseNothing() public {
        bytes memory signatures = byGuardians(Messages.pause(1, UNTIL));
        (bool success,) = address(brake).call(abi.encodeCall(brake.pauseByGuardians, (1, signatures)));
        vm.assertTrue(!success, "a guardian pause has no end of its own");
    }

    function test_rearm() public {
        address next = vm.addr(sentinelKeys[1]);
        bytes memory few = byTwoGuardians(Messages.rearm(next, START + 1));
        vm.expectRevert(IGuardians.BelowGuardianQuorum.selector);
        brake.rearm(next, START + 1, few);
        bytes memory signatures = byGuardians(Messages.rearm(next, START + 30 days));
        vm.expectEmit(address(brake));
        emit IEmergencyBrake.SentinelRearmed(next, START + 30 days);
        vm.prank(STRANGER);
        brake.rearm(next, START + 30 days, signatures);
        vm.assertEq(brake.armedUntil(next), START + 30 days);
        vm.expectRevert(IEmergencyBrake.MessageUsed.selector);
        brake.rearm(next, START + 30 days, signatures);
    }

    function test_rearmWithinThirtyDays() public {
        uint64[2] memory outside = [START, START + 30 days + 1];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory signatures = byGuardians(Messages.rearm(sentinel, outside[i]));
            vm.expectRevert(IEmergencyBrake.OutOfRange.selector);
            brake.rearm(sentinel, outside[i], signatures);
        }
        rearm(sentinel, START + 1);
        vm.assertEq(brake.armedUntil(sentinel), START + 1);
    }

    /// @notice A spent or revoked sentinel is not armed again by the message that armed it before.
    function test_rearmCountsOnce() public {
        bytes memory signatures = byGuardians(Messages.rearm(sentinel, START + 2 days));
        brake.rearm(sentinel, START + 2 days, signatures);
        pauseBySentinel(UNTIL);
        vm.warp(UNTIL);
        vm.expectRevert(IEmergencyBrake.MessageUsed.selector);
        brake.rearm(sentinel, START + 2 days, signatures);
        rearm(sentinel, START + 3 days);
        brake.pauseBySentinel(sentinel, 2, UNTIL + 1, bySentinel(2, UNTIL + 1));
        assertStatus(2, true, false);
    }

    function test_oneGuardianRevokesAtOnce() public {
        vm.expectRevert(IEmergencyBrake.NotAGuardian.selector);
        brake.revokeSentinel(sentinel);
        vm.prank(sentinel);
        vm.expectRevert(IEmergencyBrake.NotAGuardian.selector);
        brake.revokeSentinel(sentinel);
        bytes memory signature = bySentinel(1, UNTIL);
        vm.expectEmit(address(brake));
        emit IEmergencyBrake.SentinelRevoked(sentinel, vm.addr(guardianKeys[4]));
        vm.prank(vm.addr(guardianKeys[4]));
        brake.revokeSentinel(sentinel);
        vm.assertEq(brake.armedUntil(sentinel), 0);
        vm.expectRevert(IEmergencyBrake.NotArmed.selector);
        brake.pauseBySentinel(sentinel, 1, UNTIL, signature);
    }

    function test_constructorHasTheSameRange() public {
        _constructorRefuses(START);
        _constructorRefuses(START + 30 days + 1);
    }

    function _constructorRefuses(uint64 expires) private {
        vm.expectRevert(IEmergencyBrake.OutOfRange.selector);
        this.newBrake(expires);
    }

    /// @dev A call of its own, so that the test goes on after the revert.
    function newBrake(uint64 expires) external {
        EmergencyBrake.Sentinel[] memory sentinels = new EmergencyBrake.Sentinel[](1);
        sentinels[0] = EmergencyBrake.Sentinel(sentinel, expires);
        new EmergencyBrake(
            EmergencyBrake.Neighbours(address(limits), ICertificateVerifier(verifier), guardians),
            EmergencyBrake.Delays(6 hours, 30 days, 1 hours, 24 hours),
            sentinels
        );
    }
}
