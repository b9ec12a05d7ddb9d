// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {ValidatorRegistry} from "src/quorum/ValidatorRegistry.sol";

/// @notice In place of the curve: knows which digests the validators of which epoch signed, whatever epoch the digest speaks
///         of. The epoch is the real registry's. A signature is the digest, nine times.
contract SignedDigests is ICertificateVerifier {
    ValidatorRegistry private immutable _registry;
    address private immutable _signer;
    mapping(bytes32 digest => mapping(uint64 epoch => bool)) private _signed;

    constructor(ValidatorRegistry registry) {
        (_registry, _signer) = (registry, msg.sender);
    }

    function sign(bytes32 digest) external {
        require(msg.sender == _signer);
        _signed[digest][_registry.epoch()] = true;
    }

    function verify(bytes32 digest, uint64 epoch, bytes calldata quorumSignature) external view {
        uint64 current = _registry.epoch();
        if (epoch != current) revert WrongEpoch(epoch, current);
        if (quorumSignature.length != 288) revert MalformedSignature();
        if (keccak256(quorumSignature) != keccak256(signature(digest))) revert InvalidSignature();
        if (!_signed[digest][epoch]) revert InvalidSignature();
    }

    function signature(bytes32 d) public pure returns (bytes memory) {
        return bytes.concat(d, d, d, d, d, d, d, d, d);
    }
}
