// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IEmergencyBrake} from "src/emergency/IEmergencyBrake.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Messages, Unpause} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {BrakeBase} from "./BrakeBase.sol";
import {Members} from "../support/Members.sol";

contract UnpauseTest is BrakeBase {
    using Members for uint256[];

    uint64 private constant UNTIL = START + 6 hours;
    uint64 private constant HOUR = START + 1 hours;

    function _message(uint64 pauseId) private pure returns (Unpause memory) {
        return Unpause(pauseId, EPOCH, START + 1 hours, keccak256("facts"));
    }

    function _propose(Unpause memory message) private {
        brake.proposeUnpause(message, certify(Messages.hash(message)));
    }

    function _consent(Unpause memory message) private {
        brake.consentUnpause(message, byGuardians(Messages.hash(message)));
    }

    function _refusesProposal(Unpause memory message, bytes4 why) private {
        bytes memory certificate = certify(Messages.hash(message));
        vm.expectRevert(why);
        brake.proposeUnpause(message, certificate);
    }

    function _refusesConsent(Unpause memory message, bytes4 why) private {
        bytes memory signatures = byGuardians(Messages.hash(message));
        vm.expectRevert(why);
        brake.consentUnpause(message, signatures);
    }

    function _veto(uint64 pauseId) private {
        vm.prank(vm.addr(guardianKeys[2]));
        brake.vetoHeal(pauseId);
    }

    // Healing a sentinel's pause.

    function test_healAfterAnHourThenATenthForADay() public {
        pauseBySentinel(UNTIL);
        Unpause memory message = _message(1);
        bytes memory certificate = certify(Messages.hash(message));
        vm.expectEmit(address(brake));
        emit IEmergencyBrake.UnpauseProposed(1, digestOf(Messages.hash(message)), HOUR);
        vm.prank(STRANGER);
        brake.proposeUnpause(message, certificate);
        vm.assertEq(brake.endsFrom(1), HOUR);

        vm.warp(HOUR - 1);
        expectRevert(IEmergencyBrake.TooEarly.selector, HOUR);
        brake.unpause(1);
        assertStatus(1, true, false);
        vm.warp(HOUR);
        vm.expectEmit(address(brake));
        emit IEmergencyBrake.Unpaused(1, IEmergencyBrake.Kind.Sentinel);
        vm.prank(STRANGER);
        brake.unpause(1);
        assertStatus(1, false, true);
        vm.warp(HOUR + 24 hours - 1);
        assertStatus(1, false, true);
        vm.warp(HOUR + 24 hours);
        assertStatus(1, false, false);
    }

    function test_healedOnce() public {
        pauseBySentinel(UNTIL);
        _propose(_message(1));
        vm.warp(HOUR);
        brake.unpause(1);
        vm.expectRevert(IEmergencyBrake.NotPaused.selector);
        brake.unpause(1);
        _refusesProposal(_message(1), IEmergencyBrake.NotPaused.selector);
    }

    function test_aLapsedPauseIsNotHealed() public {
        pauseBySentinel(HOUR + 1);
        _propose(_message(1));
        vm.warp(HOUR + 1);
        vm.expectRevert(IEmergencyBrake.NotPaused.selector);
        brake.unpause(1);
        assertStatus(1, false, false);
        vm.warp(HOUR);
        brake.unpause(1);
    }

    function test_oneGuardianStopsAHeal() public {
        pauseBySentinel(UNTIL);
        _propose(_message(1));
        vm.warp(UNTIL - 1);
        vm.expectEmit(address(brake));
        emit IEmergencyBrake.HealVetoed(1, vm.addr(guardianKeys[2]));
        _veto(1);
        vm.expectRevert(IEmergencyBrake.HealIsVetoed.selector);
        brake.unpause(1);
    }

    function test_aVetoHoldsForThisPauseAlone() public {
        pauseBySentinel(UNTIL);
        _veto(1);
        _propose(_message(1)); // says nothing any more
        Unpause memory other = _message(1);
        other.factsHash = keccak256("other facts");
        _propose(other);
        vm.assertEq(brake.endsFrom(1), type(uint64).max);
        vm.warp(UNTIL - 1);
        vm.expectRevert(IEmergencyBrake.HealIsVetoed.selector);
        brake.unpause(1);

        vm.warp(UNTIL);
        rearm(sentinel, UNTIL + 1 days);
        pauseBySentinel(UNTIL + 2 hours);
        Unpause memory message = Unpause(2, EPOCH, UNTIL, keccak256("facts"));
        _propose(message);
        vm.warp(UNTIL + 1 hours);
        brake.unpause(2);
        assertStatus(2, false, true);
    }

    function test_whoMayVetoAndWhat() public {
        vm.expectRevert(IEmergencyBrake.NotAGuardian.selector);
        brake.vetoHeal(0);
        vm.prank(vm.addr(guardianKeys[2]));
        vm.expectRevert(IEmergencyBrake.NotPaused.selector);
        brake.vetoHeal(0);
        pauseBySentinel(UNTIL);
        vm.prank(vm.addr(guardianKeys[2]));
        vm.expectRevert(IEmergencyBrake.WrongPauseId.selector);
        brake.vetoHeal(2);
        vm.warp(UNTIL);
        vm.prank(vm.addr(guardianKeys[2]));
        vm.expectRevert(IEmergencyBrake.NotPaused.selector);
        brake.vetoHeal(1);
        pauseByGuardians();
        vm.prank(vm.addr(guardianKeys[2]));
        vm.expectRevert(IEmergencyBrake.NotASentinelPause.selector);
        brake.vetoHeal(2);
    }

    function test_aSecondProposalNeitherHastensNorDelays() public {
        pauseBySentinel(UNTIL);
        _propose(_message(1));
        vm.warp(START + 10 minutes);
        _refusesProposal(_message(1), IEmergencyBrake.MessageUsed.selector);
        Unpause memory other = _message(1);
        other.validUntil += 1;
        _propose(other);
        vm.assertEq(brake.endsFrom(1), HOUR);
    }

    function test_proposedUpToValidUntil() public {
        pauseBySentinel(UNTIL);
        vm.warp(HOUR + 1);
        _refusesProposal(_message(1), IEmergencyBrake.MessageExpired.selector);
        vm.warp(HOUR);
        _propose(_message(1));
    }

    function test_certificateOfThisMessageInThisEpoch() public {
        pauseBySentinel(UNTIL);
        Unpause memory message = _message(1);
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        brake.proposeUnpause(message, CERTIFICATE);
        verifier.startEpoch(2);
        bytes memory certificate = certify(Messages.hash(message));
        vm.expectRevert(abi.encodeWithSelector(ICertificateVerifier.WrongEpoch.selector, 1, 2));
        brake.proposeUnpause(message, certificate);
        message.epoch = 2;
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        brake.proposeUnpause(message, certificate);
    }

    function test_onlyThePauseThatHolds() public {
        _refusesProposal(_message(0), IEmergencyBrake.NotPaused.selector);
        _refusesProposal(_message(1), IEmergencyBrake.WrongPauseId.selector);
        pauseBySentinel(UNTIL);
        _refusesProposal(_message(0), IEmergencyBrake.WrongPauseId.selector);
        _refusesProposal(_message(2), IEmergencyBrake.WrongPauseId.selector);
        vm.expectRevert(IEmergencyBrake.WrongPauseId.selector);
        brake.unpause(2);
        vm.expectRevert(IEmergencyBrake.NotProposed.selector);
        brake.unpause(1);
        _refusesConsent(_message(1), IEmergencyBrake.NotAGuardianPause.selector);
    }

    /// @notice What was signed to end one pause says nothing of the next.
    function test_aNewPauseVoidsAHealUnderWay() public {
        pauseBySentinel(UNTIL);
        _propose(_message(1));
        pauseByGuardians();
        vm.warp(HOUR);
        vm.expectRevert(IEmergencyBrake.WrongPauseId.selector);
        brake.unpause(1);
        vm.expectRevert(IEmergencyBrake.NotProposed.selector);
        brake.unpause(2);
        assertStatus(2, true, false);
    }

    /// @notice Nothing but time ends the day of small limits.
    function test_reducedThroughALaterPause() public {
        pauseBySentinel(UNTIL);
        _propose(_message(1));
        vm.warp(HOUR);
        brake.unpause(1);
        pauseByGuardians();
        assertStatus(2, true, true);
        Unpause memory message = Unpause(2, EPOCH, HOUR, keccak256("facts"));
        _propose(message);
        _consent(message);
        vm.warp(HOUR + 1 hours);
        brake.unpause(2);
        assertStatus(2, false, true);
        vm.warp(HOUR + 24 hours);
        assertStatus(2, false, false);
    }

    // Ending a guardians' pause.

    function test_guardianPauseEndsByBothQuorumsAndAnHour() public {
        pauseByGuardians();
        Unpause memory message = _message(1);
        bytes memory certificate = certify(Messages.hash(message));
        vm.expectEmit(address(brake));
        emit IEmergencyBrake.UnpauseProposed(1, digestOf(Messages.hash(message)), 0);
        brake.proposeUnpause(message, certificate);
        vm.warp(START + 30 minutes);
        bytes memory signatures = byGuardians(Messages.hash(message));
        vm.expectEmit(address(brake));
        emit IEmergencyBrake.UnpauseConsented(1, START + 90 minutes);
        vm.prank(STRANGER);
        brake.consentUnpause(message, signatures);
        _endsAt(START + 90 minutes);
    }

    function test_consentMayComeFirst() public {
        pauseByGuardians();
        _consent(_message(1));
        vm.assertEq(brake.endsFrom(1), 0);
        vm.warp(START + 30 minutes);
        _propose(_message(1));
        _endsAt(START + 90 minutes);
    }

    /// @notice The certificate is held to validUntil when it is given; guardians may take longer.
    function test_consentMayComeAfterValidUntil() public {
        pauseByGuardians();
        _propose(_message(1));
        vm.warp(START + 2 days);
        _consent(_message(1));
        _endsAt(START + 2 days + 1 hours);
    }

    function _endsAt(uint64 readyAt) private {
        vm.assertEq(brake.endsFrom(1), readyAt);
        vm.warp(readyAt - 1);
        expectRevert(IEmergencyBrake.TooEarly.selector, readyAt);
        brake.unpause(1);
        vm.warp(readyAt);
        vm.expectEmit(address(brake));
        emit IEmergencyBrake.Unpaused(1, IEmergencyBrake.Kind.Guardian);
        vm.prank(STRANGER);
        brake.unpause(1);
        assertStatus(1, false, false);
        vm.expectRevert(IEmergencyBrake.NotPaused.selector);
        brake.unpause(1);
    }

    function test_neitherQuorumAlone() public {
        pauseByGuardians();
        _propose(_message(1));
        vm.warp(START + 30 days);
        vm.expectRevert(IEmergencyBrake.NotProposed.selector);
        brake.unpause(1);

        pauseByGuardians();
        _consent(_message(2));
        vm.warp(START + 60 days);
        vm.expectRevert(IEmergencyBrake.NotProposed.selector);
        brake.unpause(2);
    }

    function test_bothOverTheSameMessage() public {
        pauseByGuardians();
        Unpause memory other = _message(1);
        other.factsHash = keccak256("other facts");
        _propose(_message(1));
        _consent(other);
        vm.warp(HOUR);
        vm.expectRevert(IEmergencyBrake.NotProposed.selector);
        brake.unpause(1);
        _propose(other);
        vm.assertEq(brake.endsFrom(1), HOUR + 1 hours);
        _consent(_message(1));
        vm.assertEq(brake.endsFrom(1), HOUR + 1 hours);
    }

    function test_consentByTheQuorumOnce() public {
        pauseByGuardians();
        Unpause memory message = _message(1);
        bytes memory few = byTwoGuardians(Messages.hash(message));
        vm.expectRevert(IGuardians.BelowGuardianQuorum.selector);
        brake.consentUnpause(message, few);
        _refusesConsent(_message(2), IEmergencyBrake.WrongPauseId.selector);
        _consent(message);
        _refusesConsent(message, IEmergencyBrake.MessageUsed.selector);
    }

    function test_consentNeedsAPause() public {
        _refusesConsent(_message(0), IEmergencyBrake.NotPaused.selector);
    }

    /// @notice Guardians who think better of it pause again: both consents are void.
    function test_aNewGuardianPauseVoidsBothConsents() public {
        pauseByGuardians();
        _propose(_message(1));
        _consent(_message(1));
        vm.warp(HOUR);
        pauseByGuardians();
        vm.expectRevert(IEmergencyBrake.WrongPauseId.selector);
        brake.unpause(1);
        vm.warp(HOUR + 1 days);
        vm.expectRevert(IEmergencyBrake.NotProposed.selector);
        brake.unpause(2);
    }
}
