// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice The module that moves a paused Safe's whole balance of a token to the cold vault, and nowhere else. ERC-20 only.
interface IEvacuator {
    event Evacuated(address indexed safe, address indexed token, uint256 amount, uint64 pauseId);

    error NotPaused();
    error NotRegistered();
    error WrongEpoch();
    error WrongPauseId();
    error MessageUsed();
    error NothingToEvacuate();
    error TransferFailed();
    error TokenHasNoCode();

    /// @notice Anyone, paused, with a quorum signature over `Evacuate(pauseId, epoch, safe, token)`; each message once.
    function evacuate(uint64 pauseId, uint64 epoch, address safe, address token, bytes calldata quorumSignature)
        external;
    /// @notice The same with the guardian quorum's signatures; epoch is the current one.
    function evacuateByGuardians(
        uint64 pauseId,
        uint64 epoch,
        address safe,
        address token,
        bytes calldata guardianSignatures
    ) external;
}
