// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice The guardians and their quorum. Replaced only by the governor.
interface IGuardians {
    event GuardiansReplaced(address[] guardians, uint256 threshold);

    error BelowGuardianQuorum();
    error NotAGuardian(address signer);
    error OutOfOrder();
    error InvalidGuardians();
    error OnlyGovernor();

    function isGuardian(address account) external view returns (bool);

    /// @notice Reverts unless `signatures` (65 bytes each, signers strictly ascending) are by at least the threshold.
    function check(bytes32 digest, bytes calldata signatures) external view;

    /// @notice Only the governor. Strictly ascending, no zero; 2 * threshold > number of guardians.
    function replace(address[] calldata guardians, uint256 threshold) external;
}
