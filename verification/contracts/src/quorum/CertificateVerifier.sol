// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LibBit} from "solady/utils/LibBit.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {BLS} from "./BLS.sol";
import {ICertificateVerifier} from "./ICertificateVerifier.sol";
import {IValidatorRegistry} from "./IValidatorRegistry.sol";

/// @title Verifier of quorum signatures: f of n = 3f + 1 validators may be faulty, so 2f + 1 must have signed
/// @notice Holds no state and has no owner; who the validators are is the registry's to say.
contract CertificateVerifier is ICertificateVerifier {
    uint256 private constant _BITMAP_BYTES = 32;
    uint256 private constant _LEAST_VALIDATORS = 4;
    /// @dev draft-irtf-cfrg-bls-signature, section 4.2.3: signatures of the proof-of-possession scheme.
    bytes private constant _SUITE = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

    IValidatorRegistry public immutable registry;

    constructor(IValidatorRegistry registry_) {
        registry = registry_;
    }

    /// @inheritdoc ICertificateVerifier
    function verify(bytes32 digest, uint64 epoch, bytes calldata quorumSignature) external view {
        if (quorumSignature.length != _BITMAP_BYTES + BLS.G2_BYTES) revert MalformedSignature();
        (uint64 current, address pointer) = registry.current();
        if (epoch != current) revert WrongEpoch(epoch, current);

        bytes memory keys = SSTORE2.read(pointer);
        uint256 bitmap = uint256(bytes32(quorumSignature));
        _checkQuorum(bitmap, keys.length / BLS.G1_BYTES);

        bytes memory signature = quorumSignature[_BITMAP_BYTES:];
        if (BLS.isInfinity(signature)) revert InfinityPoint();
        if (!_isSignedBy(keys, bitmap, digest, signature)) revert InvalidSignature();
    }

    /// @dev Reverts unless `bitmap` names at least n - floor((n - 1) / 3) of `n` validators, and nobody else.
    function _checkQuorum(uint256 bitmap, uint256 n) internal pure {
        if (n < _LEAST_VALIDATORS) revert TooFewValidators();
        if (bitmap >> n != 0) revert UnknownValidator();
        uint256 signers = LibBit.popCount(bitmap);
        uint256 needed = n - (n - 1) / 3;
        if (signers < needed) revert BelowQuorum(signers, needed);
    }

    /// @dev Virtual so that a proof may take the curve as uninterpreted. The keys were proven when they were registered, so no
    ///      signer can have chosen its key after the others' to cancel them (rogue key).
    function _isSignedBy(bytes memory keys, uint256 bitmap, bytes32 digest, bytes memory signature)
        internal
        view
        virtual
        returns (bool)
    {
        bytes memory aggregate = BLS.sum(keys, bitmap);
        if (BLS.isInfinity(aggregate)) revert InfinityPoint();
        return BLS.isSignedBy(aggregate, abi.encodePacked(digest), _SUITE, signature);
    }
}
