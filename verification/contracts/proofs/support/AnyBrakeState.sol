// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EmergencyBrake} from "src/emergency/EmergencyBrake.sol";
import {IEmergencyBrake} from "src/emergency/IEmergencyBrake.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Messages, Unpause} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {svm, vm} from "./Cheats.sol";
import {AnyMembers, AnyVerifier} from "./Neighbours.sol";

/// @notice The brake itself, with one more thing to look at.
contract SeenBrake is EmergencyBrake {
    constructor(Neighbours memory neighbours, Delays memory delays)
        EmergencyBrake(neighbours, delays, new Sentinel[](0))
    {}

    /// @notice Who stands behind an `Unpause` so far, as the mapping in the brake's fourth slot says.
    function consentsTo(bytes32 digest) external view returns (bool validators, bool guardians_) {
        bytes32 slot = keccak256(abi.encode(digest, 3));
        uint256 word;
        assembly ("memory-safe") {
            word := sload(slot)
        }
        return (word & 0xff != 0, (word >> 8) & 0xff != 0);
    }
}

/// @notice The brake in any state, and any call to it by anybody.
abstract contract AnyBrakeState {
    enum Verb {
        PauseBySentinel,
        PauseByGuardians,
        ProposeUnpause,
        ConsentUnpause,
        VetoHeal,
        Unpause,
        Rearm,
        RevokeSentinel
    }

    struct Step {
        Verb verb;
        address sender;
        address sentinel;
        uint64 id;
        uint64 time;
        Unpause message;
        bytes signature;
    }

    /// @dev All that `lastPause` and `status` say.
    struct Status {
        uint64 id;
        IEmergencyBrake.Kind kind;
        uint64 until;
        uint64 reducedUntil;
        bool paused;
    }

    uint64 internal constant SENTINEL_PAUSE = 6 hours;
    uint64 internal constant SENTINEL_KEY = 30 days;
    uint64 internal constant ENDING = 1 hours;
    uint64 internal constant REDUCED = 24 hours;
    uint64 internal constant WITHOUT_END = type(uint64).max;
    uint64 internal constant NEVER = type(uint64).max;
    address internal constant GUARD = address(0x6A);

    SeenBrake internal brake;
    AnyVerifier internal verifier;
    AnyMembers internal guardians;

    function setUp() external {
        verifier = new AnyVerifier();
        guardians = new AnyMembers();
        brake = new SeenBrake(
            EmergencyBrake.Neighbours(GUARD, ICertificateVerifier(address(verifier)), IGuardians(address(guardians))),
            EmergencyBrake.Delays(SENTINEL_PAUSE, SENTINEL_KEY, ENDING, REDUCED)
        );
        svm.enableSymbolicStorage(address(brake));
        svm.enableSymbolicStorage(address(verifier));
        svm.enableSymbolicStorage(address(guardians));
        vm.warp(svm.createUint(40, "now"));
    }

    function anyStep() internal returns (Step memory step) {
        uint256 verb = svm.createUint(8, "verb");
        vm.assume(verb <= uint8(type(Verb).max));
        step = stepOf(Verb(verb));
    }

    function stepOf(Verb verb) internal returns (Step memory step) {
        step.verb = verb;
        step.sender = svm.createAddress("sender");
        step.sentinel = svm.createAddress("sentinel");
        step.id = uint64(svm.createUint(64, "id"));
        step.time = uint64(svm.createUint(64, "time"));
        step.message.pauseId = step.id;
        step.message.epoch = uint64(svm.createUint(64, "epoch"));
        step.message.validUntil = step.time;
        step.message.factsHash = svm.createBytes32("factsHash");
        step.signature = svm.createBytes(65, "signature");
    }

    function run(Step memory step) internal returns (bool success) {
        bytes memory data = _encode(step);
        vm.prank(step.sender);
        (success,) = address(brake).call(data);
    }

    function status() internal view returns (Status memory all) {
        (all.id, all.kind, all.until, all.reducedUntil) = brake.lastPause();
        all.paused = brake.isPaused();
    }

    function passes(uint64 secondsOfTime) internal {
        vm.warp(block.timestamp + secondsOfTime);
    }

    function digestOf(bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", brake.domainSeparator(), structHash));
    }

    function digestOf(Unpause memory message) internal view returns (bytes32) {
        return digestOf(Messages.hash(message));
    }

    function same(Status memory one, Status memory other) internal pure returns (bool) {
        return one.id == other.id && one.kind == other.kind && one.until == other.until
            && one.reducedUntil == other.reducedUntil;
    }

    function _encode(Step memory step) private view returns (bytes memory) {
        if (step.verb == Verb.PauseBySentinel) {
            return abi.encodeCall(brake.pauseBySentinel, (step.sentinel, step.id, step.time, step.signature));
        }
        if (step.verb == Verb.PauseByGuardians) return abi.encodeCall(brake.pauseByGuardians, (step.id, ""));
        if (step.verb == Verb.ProposeUnpause) return abi.encodeCall(brake.proposeUnpause, (step.message, ""));
        if (step.verb == Verb.ConsentUnpause) return abi.encodeCall(brake.consentUnpause, (step.message, ""));
        if (step.verb == Verb.VetoHeal) return abi.encodeCall(brake.vetoHeal, (step.id));
        if (step.verb == Verb.Unpause) return abi.encodeCall(brake.unpause, (step.id));
        if (step.verb == Verb.Rearm) return abi.encodeCall(brake.rearm, (step.sentinel, step.time, ""));
        return abi.encodeCall(brake.revokeSentinel, (step.sentinel));
    }
}
