// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {IActions} from "../governance/IActions.sol";
import {IGuardians} from "../governance/IGuardians.sol";
import {Messages, Rotate} from "../governance/Messages.sol";
import {SettlementDomain} from "../governance/SettlementDomain.sol";
import {BLS} from "./BLS.sol";
import {ICertificateVerifier} from "./ICertificateVerifier.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";

/// @title The validators' keys, replaced by themselves or, when they are lost, by the guardians
/// @notice The first keys are the constructor's; every later set waits as an action. Nobody owns the registry.
contract ValidatorRegistry is IValidatorRegistry, SettlementDomain {
    struct Neighbours {
        address guard;
        IActions actions;
        ICertificateVerifier verifier;
        IGuardians guardians;
    }

    /// @dev Seconds.
    struct Delays {
        uint64 rotation;
        uint64 recovery;
    }

    struct Epoch {
        uint64 number;
        address pointer;
    }

    /// @dev What an action will do. A recovery is for no epoch in particular: `forEpoch` is zero. One that guardians have not
    ///      signed has no keys yet.
    struct Succession {
        uint64 forEpoch;
        bool isRecovery;
        bytes32 keysHash;
    }

    uint256 private constant _LEAST_KEYS = 4;
    /// @dev Far below the 191 that fit in a contract's code (EIP-170), so that a quorum of them verifies in an ordinary block.
    uint256 private constant _MOST_KEYS = 100;
    /// @dev draft-irtf-cfrg-bls-signature, section 4.2.3: proofs of possession.
    bytes private constant _PROOF_SUITE = "BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

    IActions public immutable actions;
    ICertificateVerifier public immutable verifier;
    IGuardians public immutable guardians;
    /// @notice Seconds between a rotation's submission and its start, at least.
    uint64 public immutable rotationDelay;
    /// @notice Seconds between the guardians' consent to a recovery and its start.
    uint64 public immutable recoveryDelay;

    Epoch private _current;
    mapping(uint64 epoch => address pointer) private _pointers;
    mapping(bytes32 keyHash => bool) public isProven;
    mapping(bytes32 digest => bool) private _used;
    mapping(uint64 actionId => Succession) private _successions;

    /// @param keys The first epoch's, 128 bytes each, strictly ascending.
    /// @param proofs Their proofs of possession in the same order, 256 bytes each.
    constructor(Neighbours memory neighbours, Delays memory delays, bytes memory keys, bytes[] memory proofs)
        SettlementDomain(neighbours.guard)
    {
        actions = neighbours.actions;
        verifier = neighbours.verifier;
        guardians = neighbours.guardians;
        rotationDelay = delays.rotation;
        recoveryDelay = delays.recovery;
        if (proofs.length != keys.length / BLS.G1_BYTES) revert InvalidProof();
        for (uint256 i = 0; i < proofs.length; ++i) {
            _prove(_keyAt(keys, i), proofs[i]);
        }
        _start(1, _checked(keys), keys);
    }

    /// @inheritdoc IValidatorRegistry
    function epoch() external view returns (uint64) {
        return _current.number;
    }

    /// @inheritdoc IValidatorRegistry
    function current() external view returns (uint64 number, address pointer) {
        return (_current.number, _current.pointer);
    }

    /// @inheritdoc IValidatorRegistry
    function keysOf(uint64 number) external view returns (bytes memory) {
        address pointer = _pointers[number];
        if (pointer == address(0)) revert WrongEpoch();
        return SSTORE2.read(pointer);
    }

    /// @inheritdoc IValidatorRegistry
    function prove(bytes calldata key, bytes calldata proof) external {
        if (key.length != BLS.G1_BYTES) revert MalformedKeys();
        _prove(key, proof);
    }

    /// @inheritdoc IValidatorRegistry
    function scheduleRotation(Rotate calldata rotate, bytes calldata keys, bytes calldata quorumSignature)
        external
        returns (uint64 actionId)
    {
        uint64 signers = _current.number;
        if (rotate.newEpoch != signers + 1) revert WrongEpoch();
        if (rotate.notBefore < block.timestamp + rotationDelay) revert NoticeTooShort();
        bytes32 keysHash = _checked(keys);
        if (rotate.keysHash != keysHash) revert WrongKeys();
        bytes32 digest = _digest(Messages.hash(rotate));
        if (_used[digest]) revert MessageUsed();
        verifier.verify(digest, signers, quorumSignature);

        _used[digest] = true;
        actionId = actions.open({vetoable: true});
        _successions[actionId] = Succession(rotate.newEpoch, false, keysHash);
        actions.schedule(actionId, rotate.notBefore);
        emit RotationScheduled(actionId, rotate.newEpoch, keysHash, rotate.notBefore);
    }

    /// @inheritdoc IValidatorRegistry
    function openRecovery() external returns (uint64 actionId) {
        actionId = actions.open({vetoable: false});
        _successions[actionId].isRecovery = true;
        emit RecoveryOpened(actionId);
    }

    /// @inheritdoc IValidatorRegistry
    function scheduleRecovery(uint64 actionId, bytes calldata keys, bytes calldata guardianSignatures) external {
        Succession storage succession = _successions[actionId];
        if (!succession.isRecovery) revert UnknownAction();
        bytes32 keysHash = _checked(keys);
        guardians.check(_digest(Messages.recover(actionId, keysHash)), guardianSignatures);

        succession.keysHash = keysHash;
        uint64 readyAt = uint64(block.timestamp) + recoveryDelay;
        actions.schedule(actionId, readyAt); // once: it reverts unless the action is open
        emit RecoveryScheduled(actionId, keysHash, readyAt);
    }

    /// @inheritdoc IValidatorRegistry
    function startEpoch(uint64 actionId, bytes calldata keys) external {
        Succession memory succession = _successions[actionId];
        if (succession.keysHash == 0) revert UnknownAction();
        uint64 next = _current.number + 1;
        if (!succession.isRecovery && succession.forEpoch != next) revert WrongEpoch();
        // Their form and proofs were checked when this hash was stored.
        if (keccak256(keys) != succession.keysHash) revert WrongKeys();
        actions.take(actionId);
        _start(next, succession.keysHash, keys);
    }

    function _start(uint64 number, bytes32 keysHash, bytes memory keys) private {
        address pointer = SSTORE2.write(keys);
        _current = Epoch(number, pointer);
        _pointers[number] = pointer;
        emit EpochStarted(number, keysHash, pointer);
    }

    function _prove(bytes memory key, bytes memory proof) private {
        if (BLS.isInfinity(key) || BLS.isInfinity(proof)) revert InvalidProof();
        if (!_isSignedBy(key, BLS.compress(key), proof)) revert InvalidProof();
        bytes32 keyHash = keccak256(key);
        isProven[keyHash] = true;
        emit KeyProven(keyHash);
    }

    /// @dev Virtual so that a proof may take the curve as uninterpreted.
    function _isSignedBy(bytes memory key, bytes memory message, bytes memory proof)
        internal
        view
        virtual
        returns (bool)
    {
        return BLS.isSignedBy(key, message, _PROOF_SUITE, proof);
    }

    /// @dev The keys' hash. Reverts unless they may be a set: few and many enough, in order, each proven. The order is by x
    ///      alone, so that a key and its negation are never both in.
    function _checked(bytes memory keys) private view returns (bytes32) {
        if (keys.length % BLS.G1_BYTES != 0) revert MalformedKeys();
        uint256 count = keys.length / BLS.G1_BYTES;
        if (count < _LEAST_KEYS) revert TooFewKeys();
        if (count > _MOST_KEYS) revert TooManyKeys();
        bytes32 lastHigh = 0;
        bytes32 lastLow = 0;
        for (uint256 i = 0; i < count; ++i) {
            bytes memory key = _keyAt(keys, i);
            (bytes32 high, bytes32 low,,) = abi.decode(key, (bytes32, bytes32, bytes32, bytes32));
            if (high < lastHigh || (high == lastHigh && low <= lastLow)) revert KeysNotAscending();
            if (!isProven[keccak256(key)]) revert KeyNotProven(i);
            (lastHigh, lastLow) = (high, low);
        }
        return keccak256(keys);
    }

    function _keyAt(bytes memory keys, uint256 index) private pure returns (bytes memory key) {
        key = new bytes(BLS.G1_BYTES);
        assembly ("memory-safe") {
            mcopy(add(key, 0x20), add(add(keys, 0x20), mul(index, 0x80)), 0x80)
        }
    }
}
