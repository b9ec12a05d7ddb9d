// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rotate} from "../governance/Messages.sol";

/// @notice The validators' keys, epoch by epoch.
/// @dev Keys are G1 points in EIP-2537 encoding (128 bytes each), concatenated, strictly ascending by their x coordinate (so a
///      key and its negation are never both in). They are kept as contract code: first byte STOP, then the keys.
interface IValidatorRegistry {
    event KeyProven(bytes32 indexed keyHash);
    event RotationScheduled(uint64 indexed actionId, uint64 newEpoch, bytes32 keysHash, uint64 notBefore);
    event RecoveryOpened(uint64 indexed actionId);
    event RecoveryScheduled(uint64 indexed actionId, bytes32 keysHash, uint64 readyAt);
    event EpochStarted(uint64 indexed epoch, bytes32 keysHash, address pointer);

    error TooFewKeys();
    error TooManyKeys();
    error MalformedKeys();
    error KeysNotAscending();
    error KeyNotProven(uint256 index);
    error InvalidProof();
    error WrongEpoch();
    error NoticeTooShort();
    error WrongKeys();
    error MessageUsed();
    error UnknownAction();

    /// @notice The current epoch, from 1; zero never is one.
    function epoch() external view returns (uint64);
    /// @notice The current epoch and the contract whose code holds its keys.
    function current() external view returns (uint64 epoch_, address pointer);
    function keysOf(uint64 epoch_) external view returns (bytes memory keys);

    /// @notice Anyone: checks the proof of possession (suite BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_ over the compressed
    ///         key) of one 128-byte key and remembers it.
    function prove(bytes calldata key, bytes calldata proof) external;
    function isProven(bytes32 keyHash) external view returns (bool);

    /// @notice Anyone, with a quorum signature of the current epoch over `rotate`: newEpoch = current + 1, notBefore at least the
    ///         rotation delay away, keys proven. Each message once, so what was vetoed is not scheduled again by the same
    ///         signature. Opens a vetoable action.
    function scheduleRotation(Rotate calldata rotate, bytes calldata keys, bytes calldata quorumSignature)
        external
        returns (uint64 actionId);
    /// @notice Anyone: an action for a recovery, which guardians may then sign. Its id is given before they sign, since a
    ///         signed guess of the next id could be spoilt by whoever opens another action first.
    function openRecovery() external returns (uint64 actionId);
    /// @notice Anyone, with the guardian quorum's signatures over `Recover(actionId, keysHash)`, `actionId` from `openRecovery`:
    ///         ready after the recovery delay, not vetoable. Keys proven.
    function scheduleRecovery(uint64 actionId, bytes calldata keys, bytes calldata guardianSignatures) external;
    /// @notice Anyone, once a scheduled rotation or recovery is ready: its keys start the next epoch. A rotation is void when
    ///         another epoch started since it was scheduled (its signers are no longer the validators); a recovery is not, and
    ///         starts the epoch after the one of that moment, whichever it is.
    function startEpoch(uint64 actionId, bytes calldata keys) external;
}
