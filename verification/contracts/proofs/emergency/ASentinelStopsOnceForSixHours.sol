// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IEmergencyBrake} from "src/emergency/IEmergencyBrake.sol";
import {Messages} from "src/governance/Messages.sol";
import {AnyBrakeState} from "../support/AnyBrakeState.sol";
import {svm, vm} from "../support/Cheats.sol";

/// @notice Any call by anybody, in any state: a sentinel pauses only what runs, with an armed key of its own, once, and for six
///         hours at most; keys come from the guardians' quorum, for thirty days at most, and any guardian takes one away.
/// @dev Recovery of a signer is uninterpreted.
contract ASentinelStopsOnceForSixHours is AnyBrakeState {
    function check_itsPauseIsSignedShortAndTheNext() external {
        Step memory step = stepOf(Verb.PauseBySentinel);
        Status memory before = status();
        uint64 armedUntil = brake.armedUntil(step.sentinel);
        (address signer,,) = ECDSA.tryRecover(digestOf(Messages.pause(step.id, step.time)), step.signature);
        if (!run(step)) return;
        Status memory found = status();
        assert(!before.paused && armedUntil > block.timestamp && signer == step.sentinel && signer != address(0));
        assert(found.paused && found.kind == IEmergencyBrake.Kind.Sentinel);
        assert(found.id == step.id && step.id == before.id + 1);
        assert(found.until == step.time && step.time <= block.timestamp + SENTINEL_PAUSE);
    }

    function check_revertsWhilePaused() external {
        vm.assume(brake.isPaused());
        assert(!run(stepOf(Verb.PauseBySentinel)));
    }

    /// @notice The shot is spent, and stays so, until guardians arm the key again.
    function check_oneShot(uint32 later) external {
        Step memory step = stepOf(Verb.PauseBySentinel);
        if (!run(step)) return;
        assert(brake.armedUntil(step.sentinel) == 0);
        passes(later);
        Step memory again = stepOf(Verb.PauseBySentinel);
        again.sentinel = step.sentinel;
        assert(!run(again));
    }

    function check_whatIsSpentStaysSpentButByArming(address sentinel) external {
        Step memory step = anyStep();
        uint64 armedUntil = brake.armedUntil(sentinel);
        bool signed = guardians.signed(digestOf(Messages.rearm(step.sentinel, step.time)));
        run(step);
        uint64 found = brake.armedUntil(sentinel);
        if (found == armedUntil || found == 0) return;
        assert(step.verb == Verb.Rearm && step.sentinel == sentinel && signed);
        assert(found == step.time && found <= block.timestamp + SENTINEL_KEY);
    }

    /// @notice So no old message arms a key again that was spent or taken away.
    function check_eachArmingCountsOnce(uint32 later) external {
        Step memory step = stepOf(Verb.Rearm);
        if (!run(step)) return;
        if (!run(anyStep())) return;
        passes(later);
        assert(!run(step));
    }

    function check_anyGuardianRevokesAtOnce() external {
        Step memory step = stepOf(Verb.RevokeSentinel);
        bool guardian = guardians.isGuardian(step.sender);
        bool success = run(step);
        assert(success == guardian);
        if (success) assert(brake.armedUntil(step.sentinel) == 0);
    }

    /// @notice A lapsed pause holds no more, whoever does what; so a sentinel alone stops nothing for longer than six hours.
    function check_itsPauseLapses() external {
        Step memory step = stepOf(Verb.PauseBySentinel);
        if (!run(step)) return;
        passes(SENTINEL_PAUSE);
        assert(!brake.isPaused());
    }

    function reaches_aPause() external {
        assert(!run(stepOf(Verb.PauseBySentinel)));
    }

    function reaches_aPauseAfterArming() external {
        Step memory step = stepOf(Verb.Rearm);
        vm.assume(brake.armedUntil(step.sentinel) == 0);
        if (!run(step)) return;
        Step memory pause = stepOf(Verb.PauseBySentinel);
        pause.sentinel = step.sentinel;
        assert(!run(pause));
    }
}
