// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice Says whether a quorum of the current validators signed a digest.
/// @dev A quorum signature is 288 bytes: `uint256 bitmap` (bit i is validator i) and the aggregate G2 signature in EIP-2537
///      encoding (256 bytes). Suite BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_, message = the 32-byte EIP-712 digest.
interface ICertificateVerifier {
    error WrongEpoch(uint64 given, uint64 current);
    error MalformedSignature();
    error TooFewValidators();
    error UnknownValidator();
    error BelowQuorum(uint256 signers, uint256 needed);
    error InfinityPoint();
    error InvalidSignature();

    /// @notice Reverts unless `quorumSignature` is by at least n - floor((n-1)/3) validators of epoch `epoch`, which must be
    ///         the current one.
    function verify(bytes32 digest, uint64 epoch, bytes calldata quorumSignature) external view;
}
