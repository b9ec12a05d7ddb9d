// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IEmergencyBrake} from "src/emergency/IEmergencyBrake.sol";
import {Messages} from "src/governance/Messages.sol";
import {AnyBrakeState} from "../support/AnyBrakeState.sol";
import {svm, vm} from "../support/Cheats.sol";

/// @notice Any call by anybody, in any state: while paused only the guardians' quorum puts another pause in its place, never a
///         shorter one; a guardians' pause ends an hour after both quorums signed the same message, a sentinel's an hour after
///         the validators', unless a guardian vetoed, and then limits are at a tenth for a day.
contract APauseEndsByWhoMayEndIt is AnyBrakeState {
    function check_onlyGuardiansReplaceAPauseAndNeverShortenIt() external {
        Step memory step = anyStep();
        Status memory before = status();
        vm.assume(before.paused);
        bool signed = guardians.signed(digestOf(Messages.pause(step.id, WITHOUT_END)));
        run(step);
        Status memory found = status();
        if (found.id == before.id) return;
        assert(step.verb == Verb.PauseByGuardians && signed && step.id == before.id + 1 && found.id == step.id);
        assert(found.until == WITHOUT_END && found.kind == IEmergencyBrake.Kind.Guardian);
    }

    function check_onlyUnpauseEndsAPause() external {
        Step memory step = anyStep();
        Status memory before = status();
        vm.assume(before.paused);
        uint64 from = brake.endsFrom(before.id);
        run(step);
        Status memory found = status();
        if (found.until == before.until && found.kind == before.kind) return;
        if (step.verb == Verb.PauseByGuardians) return; // as said above
        assert(step.verb == Verb.Unpause && step.id == before.id && found.id == before.id);
        assert(from != 0 && from != NEVER && from <= block.timestamp && found.until == block.timestamp);
    }

    /// @notice A pause's end is set once, an hour from now, when those have signed whom its kind asks for.
    function check_theEndIsAnHourAfterTheLastConsent(uint64 id) external {
        Step memory step = anyStep();
        Status memory before = status();
        uint64 from = brake.endsFrom(id);
        bool guardian = guardians.isGuardian(step.sender);
        run(step);
        uint64 found = brake.endsFrom(id);
        if (found == from) return;
        assert(before.paused && before.id == id && step.id == id);
        if (step.verb == Verb.VetoHeal) {
            assert(guardian && before.kind == IEmergencyBrake.Kind.Sentinel && found == NEVER);
            return;
        }
        (bool validators, bool theirs) = brake.consentsTo(digestOf(step.message));
        assert(from == 0 && found == block.timestamp + ENDING && validators);
        if (before.kind != IEmergencyBrake.Kind.Sentinel) assert(theirs);
    }

    /// @notice A consent is a quorum's signature over the message itself, for the pause of now; the validators' in its time.
    function check_consentsAreQuorums(bytes32 digest) external {
        Step memory step = anyStep();
        Status memory before = status();
        (bool validators, bool theirs) = brake.consentsTo(digest);
        bool signed = verifier.signed(digestOf(step.message), step.message.epoch);
        bool guardiansSigned = guardians.signed(digestOf(step.message));
        run(step);
        (bool validatorsNow, bool theirsNow) = brake.consentsTo(digest);
        if (validators == validatorsNow && theirs == theirsNow) return;
        assert(digest == digestOf(step.message) && before.paused && step.message.pauseId == before.id);
        if (validators != validatorsNow) {
            assert(step.verb == Verb.ProposeUnpause && validatorsNow && signed);
            assert(block.timestamp <= step.message.validUntil);
        } else {
            assert(step.verb == Verb.ConsentUnpause && theirsNow && guardiansSigned);
        }
    }

    function check_aVetoIsForGood() external {
        Step memory step = anyStep();
        Status memory before = status();
        vm.assume(before.paused && brake.endsFrom(before.id) == NEVER);
        run(step);
        assert(brake.endsFrom(before.id) == NEVER);
        if (step.verb == Verb.Unpause) assert(brake.isPaused());
    }

    /// @notice After a heal a day at a tenth; nothing else starts or ends that.
    function check_healedIsReducedForADay() external {
        Step memory step = anyStep();
        Status memory before = status();
        vm.assume(before.reducedUntil <= block.timestamp + REDUCED);
        run(step);
        Status memory found = status();
        bool healed =
            step.verb == Verb.Unpause && before.paused && !found.paused && before.kind == IEmergencyBrake.Kind.Sentinel;
        assert(found.reducedUntil == (healed ? block.timestamp + REDUCED : before.reducedUntil));
    }

    /// @notice And it can be ended: with both quorums' word, an hour later, by anyone.
    function check_bothQuorumsEndIt(uint32 later) external {
        Step memory step = stepOf(Verb.ProposeUnpause);
        Status memory before = status();
        bytes32 digest = digestOf(step.message);
        (bool validators, bool theirs) = brake.consentsTo(digest);
        vm.assume(before.paused && before.until == WITHOUT_END && before.kind == IEmergencyBrake.Kind.Guardian);
        vm.assume(!validators && theirs && brake.endsFrom(before.id) == 0 && step.message.pauseId == before.id);
        vm.assume(verifier.signed(digest, step.message.epoch) && block.timestamp <= step.message.validUntil);
        assert(run(step));
        passes(later);
        step.verb = Verb.Unpause;
        assert(run(step) == (later >= ENDING));
        assert(brake.isPaused() == (later < ENDING));
    }

    function reaches_aGuardiansPauseEnded() external {
        Step memory step = stepOf(Verb.Unpause);
        Status memory before = status();
        vm.assume(before.paused && before.kind == IEmergencyBrake.Kind.Guardian);
        run(step);
        assert(brake.isPaused());
    }

    function reaches_aHeal() external {
        Step memory step = stepOf(Verb.ProposeUnpause);
        vm.assume(status().kind == IEmergencyBrake.Kind.Sentinel && brake.endsFrom(step.id) == 0);
        if (!run(step)) return;
        passes(ENDING);
        step.verb = Verb.Unpause;
        run(step);
        (,, bool reduced) = brake.status();
        assert(!reduced);
    }

    function reaches_anotherPauseInItsPlace() external {
        vm.assume(brake.isPaused());
        assert(!run(stepOf(Verb.PauseByGuardians)));
    }
}
