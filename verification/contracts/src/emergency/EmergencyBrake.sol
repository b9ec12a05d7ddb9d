// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IGuardians} from "../governance/IGuardians.sol";
import {Messages, Unpause} from "../governance/Messages.sol";
import {SettlementDomain} from "../governance/SettlementDomain.sol";
import {ICertificateVerifier} from "../quorum/ICertificateVerifier.sol";
import {IEmergencyBrake} from "./IEmergencyBrake.sol";

/// @title The brake: stopped at once by few, released slowly by many
/// @notice A pause holds while now < until; a guardians' pause has no end of its own. What was signed to end one pause says
///         nothing of the next, since every such message names the pause.
contract EmergencyBrake is IEmergencyBrake, SettlementDomain {
    struct Neighbours {
        address guard;
        ICertificateVerifier verifier;
        IGuardians guardians;
    }

    /// @dev Seconds.
    struct Delays {
        uint64 sentinelPause; // a sentinel's pause at most: 6 h in production
        uint64 sentinelKey; // a sentinel's key at most: 30 d
        uint64 ending; // from the last consent to the end of a pause: 1 h
        uint64 reduced; // limits at a tenth after a heal: 24 h
    }

    struct Sentinel {
        address key;
        uint64 expires;
    }

    /// @dev One slot, so that the guard's question costs one read.
    struct Status {
        uint64 pauseId;
        uint64 until;
        uint64 reducedUntil;
        Kind kind;
    }

    /// @dev Who stands behind an `Unpause` so far. Bound to one pause, since the digest is.
    struct Consents {
        bool validators;
        bool guardians;
    }

    uint64 private constant _WITHOUT_END = type(uint64).max;
    uint64 private constant _NEVER = type(uint64).max;

    ICertificateVerifier public immutable verifier;
    IGuardians public immutable guardians;
    uint64 public immutable sentinelPause;
    uint64 public immutable sentinelKey;
    uint64 public immutable endingDelay;
    uint64 public immutable reducedDelay;

    Status private _status;
    mapping(address sentinel => uint64) private _expires;
    mapping(bytes32 digest => bool) private _rearmed;
    mapping(bytes32 digest => Consents) private _consents;
    mapping(uint64 pauseId => uint64 readyAt) private _endsFrom;

    constructor(Neighbours memory neighbours, Delays memory delays, Sentinel[] memory sentinels)
        SettlementDomain(neighbours.guard)
    {
        verifier = neighbours.verifier;
        guardians = neighbours.guardians;
        sentinelPause = delays.sentinelPause;
        sentinelKey = delays.sentinelKey;
        endingDelay = delays.ending;
        reducedDelay = delays.reduced;
        for (uint256 i = 0; i < sentinels.length; ++i) {
            _arm(sentinels[i].key, sentinels[i].expires);
        }
    }

    /// @inheritdoc IEmergencyBrake
    function status() external view returns (uint64 pauseId, bool paused, bool reduced) {
        Status memory now_ = _status;
        return (now_.pauseId, block.timestamp < now_.until, block.timestamp < now_.reducedUntil);
    }

    /// @inheritdoc IEmergencyBrake
    function isPaused() public view returns (bool) {
        return block.timestamp < _status.until;
    }

    /// @notice The last pause, which holds while now < until, and the time until which limits are at a tenth. A lapsed pause
    ///         emits nothing; an ended one has the time of its end as `until`.
    function lastPause() external view returns (uint64 pauseId, Kind kind, uint64 until, uint64 reducedUntil) {
        Status memory last = _status;
        return (last.pauseId, last.kind, last.until, last.reducedUntil);
    }

    /// @notice Unix seconds from which `unpause(pauseId)` counts; zero before all consents, type(uint64).max when vetoed.
    function endsFrom(uint64 pauseId) external view returns (uint64 readyAt) {
        return _endsFrom[pauseId];
    }

    /// @inheritdoc IEmergencyBrake
    function armedUntil(address sentinel) external view returns (uint64) {
        return _isArmed(sentinel) ? _expires[sentinel] : 0;
    }

    /// @inheritdoc IEmergencyBrake
    function pauseBySentinel(address sentinel, uint64 pauseId, uint64 until, bytes calldata signature) external {
        if (isPaused()) revert AlreadyPaused();
        if (until <= block.timestamp) revert MessageExpired();
        if (until > block.timestamp + sentinelPause) revert PauseTooLong();
        if (!_isArmed(sentinel)) revert NotArmed();
        if (ECDSA.recoverCalldata(_digest(Messages.pause(pauseId, until)), signature) != sentinel) {
            revert NotBySentinel();
        }
        _expires[sentinel] = 0;
        _pause(pauseId, until, Kind.Sentinel);
    }

    /// @inheritdoc IEmergencyBrake
    function pauseByGuardians(uint64 pauseId, bytes calldata guardianSignatures) external {
        guardians.check(_digest(Messages.pause(pauseId, _WITHOUT_END)), guardianSignatures);
        _pause(pauseId, _WITHOUT_END, Kind.Guardian);
    }

    /// @inheritdoc IEmergencyBrake
    function proposeUnpause(Unpause calldata message, bytes calldata quorumSignature) external {
        Kind kind = _current(message.pauseId);
        if (message.validUntil < block.timestamp) revert MessageExpired();
        bytes32 digest = _digest(Messages.hash(message));
        Consents storage consents = _consents[digest];
        if (consents.validators) revert MessageUsed();
        verifier.verify(digest, message.epoch, quorumSignature);

        consents.validators = true;
        if (kind == Kind.Sentinel || consents.guardians) _endAfterDelay(message.pauseId);
        emit UnpauseProposed(message.pauseId, digest, _endsFrom[message.pauseId]);
    }

    /// @inheritdoc IEmergencyBrake
    function consentUnpause(Unpause calldata message, bytes calldata guardianSignatures) external {
        if (_current(message.pauseId) != Kind.Guardian) revert NotAGuardianPause();
        bytes32 digest = _digest(Messages.hash(message));
        Consents storage consents = _consents[digest];
        if (consents.guardians) revert MessageUsed();
        guardians.check(digest, guardianSignatures);

        consents.guardians = true;
        if (consents.validators) _endAfterDelay(message.pauseId);
        emit UnpauseConsented(message.pauseId, _endsFrom[message.pauseId]);
    }

    /// @inheritdoc IEmergencyBrake
    function vetoHeal(uint64 pauseId) external {
        if (!guardians.isGuardian(msg.sender)) revert NotAGuardian();
        if (_current(pauseId) != Kind.Sentinel) revert NotASentinelPause();
        _endsFrom[pauseId] = _NEVER;
        emit HealVetoed(pauseId, msg.sender);
    }

    /// @inheritdoc IEmergencyBrake
    function unpause(uint64 pauseId) external {
        Kind kind = _current(pauseId);
        uint64 readyAt = _endsFrom[pauseId];
        if (readyAt == 0) revert NotProposed();
        if (readyAt == _NEVER) revert HealIsVetoed();
        if (block.timestamp < readyAt) revert TooEarly(readyAt);

        _status.until = uint64(block.timestamp);
        if (kind == Kind.Sentinel) _status.reducedUntil = uint64(block.timestamp) + reducedDelay;
        emit Unpaused(pauseId, kind);
    }

    /// @inheritdoc IEmergencyBrake
    function rearm(address sentinel, uint64 expires, bytes calldata guardianSignatures) external {
        bytes32 digest = _digest(Messages.rearm(sentinel, expires));
        if (_rearmed[digest]) revert MessageUsed();
        guardians.check(digest, guardianSignatures);

        _rearmed[digest] = true;
        _arm(sentinel, expires);
    }

    /// @inheritdoc IEmergencyBrake
    function revokeSentinel(address sentinel) external {
        if (!guardians.isGuardian(msg.sender)) revert NotAGuardian();
        _expires[sentinel] = 0;
        emit SentinelRevoked(sentinel, msg.sender);
    }

    /// @dev The next number, whoever pauses and whatever was before: it voids all that was signed for the last pause.
    function _pause(uint64 pauseId, uint64 until, Kind kind) private {
        Status storage current = _status;
        if (pauseId != current.pauseId + 1) revert WrongPauseId();
        current.pauseId = pauseId;
        current.until = until;
        current.kind = kind;
        emit Paused(pauseId, kind, until);
    }

    /// @dev Reverts unless `pauseId` is the pause that holds now.
    function _current(uint64 pauseId) private view returns (Kind) {
        Status memory now_ = _status;
        if (pauseId != now_.pauseId) revert WrongPauseId();
        if (block.timestamp >= now_.until) revert NotPaused();
        return now_.kind;
    }

    /// @dev The first complete consent counts: a later one neither hastens nor delays it, and none undoes a veto.
    function _endAfterDelay(uint64 pauseId) private {
        if (_endsFrom[pauseId] == 0) _endsFrom[pauseId] = uint64(block.timestamp) + endingDelay;
    }

    function _arm(address sentinel, uint64 expires) private {
        if (expires <= block.timestamp || expires > block.timestamp + sentinelKey) revert OutOfRange();
        _expires[sentinel] = expires;
        emit SentinelRearmed(sentinel, expires);
    }

    function _isArmed(address sentinel) private view returns (bool) {
        return block.timestamp < _expires[sentinel];
    }
}
