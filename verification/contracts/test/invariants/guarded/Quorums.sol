// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {ValidatorRegistry} from "src/quorum/ValidatorRegistry.sol";

/// @notice In place of the curve: knows which digests a quorum signed in which epoch. The epoch is the real registry's.
contract SignedDigests is ICertificateVerifier {
    ValidatorRegistry private immutable _registry;
    address private immutable _signer;
    mapping(bytes32 digest => mapping(uint64 epoch => bool)) private _signed;

    constructor(ValidatorRegistry registry) {
        (_registry, _signer) = (registry, msg.sender);
    }

    function sign(bytes32 digest, uint64 epoch) external {
        require(msg.sender == _signer);
        _signed[digest][epoch] = true;
    }

    function verify(bytes32 digest, uint64 epoch, bytes calldata quorumSignature) external view {
        uint64 current = _registry.epoch();
        if (epoch != current) revert WrongEpoch(epoch, current);
        if (quorumSignature.length != 288) revert MalformedSignature();
        if (!_signed[digest][epoch]) revert InvalidSignature();
    }
}
