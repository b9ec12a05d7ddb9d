// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Messages} from "src/governance/Messages.sol";
import {AnyRegistryState} from "../support/AnyRegistryState.sol";
import {anyBit} from "../support/Bits.sol";
import {svm} from "../support/Cheats.sol";
import {AnyActions, AnyVerifier} from "../support/Neighbours.sol";

/// @notice Any call by anybody: the epoch rises by one or stays, and with it the keys, only when a ready action is taken; it was
///         scheduled by the validators a day before or by the guardians a fortnight before, for exactly these keys, each proven.
/// @custom:halmos --loop 8
contract KeysChangeOnlyByTakenActions is AnyRegistryState {
    AnyActions private actions;
    AnyVerifier private verifier;

    function setUp() external {
        actions = new AnyActions();
        verifier = new AnyVerifier();
        svm.enableSymbolicStorage(address(actions));
        svm.enableSymbolicStorage(address(verifier));
        deployed(address(actions), address(verifier));
    }

    function check_theEpochRisesByOneWithATakenAction() external {
        Step memory step = anyStep();
        (uint64 epoch, address pointer) = registry.current();
        bool ready = actions.isReady(step.id);
        run(step);
        (uint64 next, address nextPointer) = registry.current();
        if (next == epoch && nextPointer == pointer) return;
        assert(next == epoch + 1 && step.verb == Verb.StartEpoch);
        assert(ready && actions.taken(step.id));
    }

    /// @notice Signed by a quorum of this epoch for the next one, and ready a day later at the earliest.
    function check_aRotationIsTheValidatorsOwn() external {
        Step memory step = stepOf(Verb.ScheduleRotation);
        uint64 epoch = registry.epoch();
        bool signed = verifier.signed(digestOf(Messages.hash(step.rotate)), epoch);
        if (!run(step)) return;
        assert(signed && step.rotate.newEpoch == epoch + 1 && step.rotate.keysHash == keccak256(step.keys));
        assert(step.rotate.notBefore >= block.timestamp + ROTATION);
        assert(actions.scheduledFor(actions.last()) == step.rotate.notBefore);
    }

    /// @notice Signed by the guardians for this action and these keys, and ready a fortnight after they said so.
    function check_aRecoveryIsTheGuardians() external {
        Step memory step = stepOf(Verb.ScheduleRecovery);
        bool signed = guardians.signed(digestOf(Messages.recover(step.id, keccak256(step.keys))));
        if (!run(step)) return;
        assert(signed && actions.scheduledFor(step.id) == block.timestamp + RECOVERY);
    }

    function check_nothingElseIsScheduled(uint64 id) external {
        Step memory step = anyStep();
        uint64 time = actions.scheduledFor(id);
        run(step);
        if (actions.scheduledFor(id) == time) return;
        assert(step.verb == Verb.ScheduleRotation || (step.verb == Verb.ScheduleRecovery && id == step.id));
    }

    /// @notice Ascending by x, so neither a key nor its negation is in twice; and each one's proof was seen.
    function check_onlyProvenAndDistinctKeys(bool rotation) external {
        Step memory step = stepOf(rotation ? Verb.ScheduleRotation : Verb.ScheduleRecovery);
        if (!run(step)) return;
        (bytes32 high, bytes32 low) = (0, 0);
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory key = _keyAt(step.keys, i);
            (bytes32 nextHigh, bytes32 nextLow,,) = abi.decode(key, (bytes32, bytes32, bytes32, bytes32));
            assert(nextHigh > high || (nextHigh == high && nextLow > low));
            assert(registry.isProven(keccak256(key)));
            (high, low) = (nextHigh, nextLow);
        }
    }

    /// @notice Fewer than four keys are no set of validators.
    function check_noFewerThanFour(bool rotation) external {
        Step memory step = stepOf(rotation ? Verb.ScheduleRotation : Verb.ScheduleRecovery);
        step.keys = svm.createBytes(384, "three");
        assert(!run(step));
        step.keys = "";
        assert(!run(step));
    }

    function check_onlyAHeldProofProves(bytes32 keyHash) external {
        Step memory step = anyStep();
        bool before = registry.isProven(keyHash);
        bool holds = registry.holds(step.key, step.proof);
        run(step);
        if (registry.isProven(keyHash) == before) return;
        assert(!before && step.verb == Verb.Prove && keccak256(step.key) == keyHash && holds);
        assert(anyBit(step.key) && anyBit(step.proof));
    }

    /// @notice What starts is what was scheduled, and it is kept.
    function check_theKeysThatStartAreThoseScheduled(bool rotation) external {
        Step memory step = stepOf(rotation ? Verb.ScheduleRotation : Verb.ScheduleRecovery);
        if (!run(step)) return;
        Step memory start = stepOf(Verb.StartEpoch);
        if (rotation) start.id = actions.last();
        else start.id = step.id;
        if (!run(start)) return;
        assert(keccak256(start.keys) == keccak256(step.keys));
        assert(keccak256(registry.keysOf(registry.epoch())) == keccak256(step.keys));
        if (rotation) assert(registry.epoch() == step.rotate.newEpoch);
    }

    /// @notice Its signers are no longer the validators.
    function check_aRotationIsVoidOnceAnotherEpochStarted() external {
        Step memory step = stepOf(Verb.ScheduleRotation);
        if (!run(step)) return;
        Step memory other = stepOf(Verb.StartEpoch);
        if (!run(other)) return;
        Step memory start = stepOf(Verb.StartEpoch);
        start.id = actions.last();
        assert(!run(start));
    }

    function reaches_aRotation() external {
        Step memory step = stepOf(Verb.ScheduleRotation);
        if (!run(step)) return;
        step.verb = Verb.StartEpoch;
        step.id = actions.last();
        assert(!run(step));
    }

    function reaches_aRecovery() external {
        Step memory step = stepOf(Verb.ScheduleRecovery);
        if (!run(step)) return;
        step.verb = Verb.StartEpoch;
        assert(!run(step));
    }

    function reaches_aProof() external {
        assert(!run(stepOf(Verb.Prove)));
    }

    function _keyAt(bytes memory keys, uint256 index) private pure returns (bytes memory key) {
        key = new bytes(128);
        assembly ("memory-safe") {
            mcopy(add(key, 0x20), add(add(keys, 0x20), mul(index, 0x80)), 0x80)
        }
    }
}
