// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Unpause} from "../governance/Messages.sol";

/// @notice Stops guarded transfers, payouts and deposits; never a claim, a settle or a payer's withdrawal.
interface IEmergencyBrake {
    enum Kind {
        None,
        Sentinel, // at most 6 h, lapses by itself, heals by a certificate and an unvetoed hour
        Guardian // until unpaused by certificate, guardian quorum and an hour
    }

    event Paused(uint64 indexed pauseId, Kind kind, uint64 until);
    event UnpauseProposed(uint64 indexed pauseId, bytes32 digest, uint64 readyAt);
    event UnpauseConsented(uint64 indexed pauseId, uint64 readyAt);
    event HealVetoed(uint64 indexed pauseId, address indexed guardian);
    event Unpaused(uint64 indexed pauseId, Kind kind);
    event SentinelRearmed(address indexed sentinel, uint64 expires);
    event SentinelRevoked(address indexed sentinel, address indexed guardian);

    error WrongPauseId();
    error AlreadyPaused();
    error NotPaused();
    error NotArmed();
    error NotBySentinel();
    error PauseTooLong();
    error NotAGuardian();
    error OutOfRange();
    error MessageUsed();
    error MessageExpired();
    error NotProposed();
    error HealIsVetoed();
    error TooEarly(uint64 readyAt);
    error NotAGuardianPause();
    error NotASentinelPause();

    /// @notice One read for the guard: the last pause's id, whether it holds now, and whether limits are at a tenth. They are
    ///         for 24 h after a heal, and nothing ends that early: no new pause, and no other end of one.
    function status() external view returns (uint64 pauseId, bool paused, bool reduced);
    function isPaused() external view returns (bool);
    /// @notice Unix seconds before which the sentinel may pause once; zero when it is not armed (any more).
    function armedUntil(address sentinel) external view returns (uint64);

    /// @notice Anyone, with the sentinel's signature over `Pause(pauseId, until)`: pauseId = current + 1, not paused now,
    ///         now < until <= now + 6 h. Spends the sentinel.
    function pauseBySentinel(address sentinel, uint64 pauseId, uint64 until, bytes calldata signature) external;
    /// @notice Anyone, with the guardian quorum's signatures over `Pause(pauseId, type(uint64).max)`; replaces any pause.
    function pauseByGuardians(uint64 pauseId, bytes calldata guardianSignatures) external;
    /// @notice Anyone, with a quorum signature of the current epoch over `message` for the pause that holds now, up to
    ///         validUntil. A heal (sentinel pause) is ready an hour later.
    function proposeUnpause(Unpause calldata message, bytes calldata quorumSignature) external;
    /// @notice Guardian pause: the guardian quorum's signatures over the same `Unpause`, before or after the validators' (they alone are
    ///         held to validUntil). Ready an hour after the later of the two; the first such pair counts. Guardians who think
    ///         better of it pause again.
    function consentUnpause(Unpause calldata message, bytes calldata guardianSignatures) external;
    /// @notice Sentinel pause: one guardian stops the heal of this pause for good, proposed or not.
    function vetoHeal(uint64 pauseId) external;
    /// @notice Anyone, once ready; the pause must still be the current one.
    function unpause(uint64 pauseId) external;

    /// @notice Anyone, with the guardian quorum's signatures over `Rearm(sentinel, expires)`, each message once.
    function rearm(address sentinel, uint64 expires, bytes calldata guardianSignatures) external;
    /// @notice One guardian, at once.
    function revokeSentinel(address sentinel) external;
}
