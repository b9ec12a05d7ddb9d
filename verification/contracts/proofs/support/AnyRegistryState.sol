// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IActions} from "src/governance/IActions.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Rotate} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {ValidatorRegistry} from "src/quorum/ValidatorRegistry.sol";
import {svm, vm} from "./Cheats.sol";
import {AnyMembers} from "./Neighbours.sol";

/// @notice The registry over an uninterpreted curve: which proofs of possession hold is anything.
contract AnyProofs is ValidatorRegistry {
    mapping(bytes32 question => bool) private _answers;

    constructor(Neighbours memory neighbours, Delays memory delays, bytes memory keys, bytes[] memory proofs)
        ValidatorRegistry(neighbours, delays, keys, proofs)
    {}

    function holds(bytes memory key, bytes memory proof) external view returns (bool) {
        return _answers[keccak256(bytes.concat(key, proof))];
    }

    /// @dev The constructor's own keys are taken as proven: storage has no answers yet.
    function _isSignedBy(bytes memory key, bytes memory, bytes memory proof) internal view override returns (bool) {
        return address(this).code.length == 0 || _answers[keccak256(bytes.concat(key, proof))];
    }
}

/// @notice The registry in any state, and any call to it by anybody.
/// @custom:bound sets of four validators
abstract contract AnyRegistryState {
    enum Verb {
        Prove,
        ScheduleRotation,
        OpenRecovery,
        ScheduleRecovery,
        StartEpoch
    }

    struct Step {
        Verb verb;
        address sender;
        Rotate rotate;
        uint64 id;
        bytes keys;
        bytes key;
        bytes proof;
    }

    uint64 internal constant ROTATION = 24 hours;
    uint64 internal constant RECOVERY = 14 days;
    address internal constant GUARD = address(0x6A);
    AnyProofs internal registry;
    AnyMembers internal guardians;

    function deployed(address actions, address verifier) internal {
        guardians = new AnyMembers();
        registry = new AnyProofs(
            ValidatorRegistry.Neighbours(
                GUARD, IActions(actions), ICertificateVerifier(verifier), IGuardians(address(guardians))
            ),
            ValidatorRegistry.Delays(ROTATION, RECOVERY),
            _firstKeys(),
            _firstProofs()
        );
        svm.enableSymbolicStorage(address(registry));
        svm.enableSymbolicStorage(address(guardians));
        vm.warp(svm.createUint(40, "now"));
        vm.assume(registry.epoch() != 0 && registry.epoch() < type(uint64).max);
    }

    function anyStep() internal returns (Step memory step) {
        uint256 verb = svm.createUint(8, "verb");
        vm.assume(verb <= uint8(type(Verb).max));
        step = stepOf(Verb(verb));
    }

    function stepOf(Verb verb) internal returns (Step memory step) {
        step.verb = verb;
        step.sender = svm.createAddress("sender");
        step.rotate.newEpoch = uint64(svm.createUint(64, "newEpoch"));
        step.rotate.keysHash = svm.createBytes32("keysHash");
        step.rotate.notBefore = uint64(svm.createUint(64, "notBefore"));
        step.id = uint64(svm.createUint(64, "id"));
        step.keys = svm.createBytes(512, "keys");
        step.key = svm.createBytes(128, "key");
        step.proof = svm.createBytes(256, "proof");
    }

    function run(Step memory step) internal returns (bool success) {
        bytes memory data = _encode(step);
        vm.prank(step.sender);
        (success,) = address(registry).call(data);
    }

    function digestOf(bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", registry.domainSeparator(), structHash));
    }

    function _encode(Step memory step) private view returns (bytes memory) {
        if (step.verb == Verb.Prove) return abi.encodeCall(registry.prove, (step.key, step.proof));
        if (step.verb == Verb.ScheduleRotation) {
            return abi.encodeCall(registry.scheduleRotation, (step.rotate, step.keys, ""));
        }
        if (step.verb == Verb.OpenRecovery) return abi.encodeCall(registry.openRecovery, ());
        if (step.verb == Verb.ScheduleRecovery) {
            return abi.encodeCall(registry.scheduleRecovery, (step.id, step.keys, ""));
        }
        return abi.encodeCall(registry.startEpoch, (step.id, step.keys));
    }

    function _firstKeys() private pure returns (bytes memory keys) {
        for (uint256 i = 1; i <= 4; ++i) {
            keys = bytes.concat(keys, abi.encode(i, i, i, i));
        }
    }

    function _firstProofs() private pure returns (bytes[] memory proofs) {
        proofs = new bytes[](4);
        for (uint256 i = 0; i < 4; ++i) {
            proofs[i] = new bytes(256);
            proofs[i][255] = 0x01;
        }
    }
}
