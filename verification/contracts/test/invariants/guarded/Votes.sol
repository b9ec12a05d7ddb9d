// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CertificateVerifier} from "src/quorum/CertificateVerifier.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {ValidatorRegistry} from "src/quorum/ValidatorRegistry.sol";
import {Committee} from "../../support/Committee.sol";

/// @notice Who signs as the validators, and who verifies it: this or that campaign's.
abstract contract Votes {
    uint256 internal constant VALIDATORS = 4;
    uint256 internal constant GENERATIONS = 3;

    /// @notice The first that it creates.
    function verifierOf(ValidatorRegistry registry) external virtual returns (ICertificateVerifier);

    /// @notice A quorum's signature over `digest`, of that generation of validators, 288 bytes.
    function sign(bytes32 digest, uint256 generation) external virtual returns (bytes memory);

    /// @notice What looks like one and is not.
    function forge(bytes32 digest, uint256 generation, uint256 how) external view virtual returns (bytes memory);
}

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

/// @notice Fast.
contract SignedVotes is Votes {
    SignedDigests private _verifier;

    function verifierOf(ValidatorRegistry registry) external override returns (ICertificateVerifier) {
        _verifier = new SignedDigests(registry);
        return _verifier;
    }

    function sign(bytes32 digest, uint256) external override returns (bytes memory) {
        _verifier.sign(digest);
        return _verifier.signature(digest);
    }

    function forge(bytes32 digest, uint256, uint256 how) external view override returns (bytes memory) {
        if (how % 3 == 0) return new bytes(288);
        if (how % 3 == 1) return _verifier.signature(keccak256(abi.encode(digest)));
        return new bytes(287);
    }
}

/// @notice BLS signatures, and the real verifier.
contract CurveVotes is Votes {
    uint256 private constant _ALL = 0xf;

    uint256[][GENERATIONS] private _validators;

    constructor() {
        for (uint256 i = 0; i < GENERATIONS; ++i) {
            _validators[i] = Committee.secrets(i + 1, VALIDATORS);
        }
    }

    function verifierOf(ValidatorRegistry registry) external override returns (ICertificateVerifier) {
        return new CertificateVerifier(registry);
    }

    /// @dev By all, or by all but one.
    function sign(bytes32 digest, uint256 generation) external view override returns (bytes memory) {
        uint256 absent = uint256(digest) % (VALIDATORS + 1);
        uint256 bitmap = absent == VALIDATORS ? _ALL : _ALL ^ (1 << absent);
        return Committee.quorumSignature(_validators[generation], bitmap, digest);
    }

    /// @dev Nobody's, a minority's, a minority's that says it is a quorum's, of those who are no validators now, of another
    ///      digest, and with a bit for a validator who does not exist.
    function forge(bytes32 digest, uint256 generation, uint256 how) external view override returns (bytes memory) {
        how = (how + uint256(digest)) % 6;
        if (how == 0) return new bytes(288);
        if (how == 1) return Committee.quorumSignature(_validators[generation], 0x3, digest);
        if (how == 2) return Committee.quorumSignature(_validators[(generation + 1) % GENERATIONS], _ALL, digest);
        if (how == 3) return Committee.quorumSignature(_validators[generation], _ALL, keccak256(abi.encode(digest)));
        bytes memory signature = Committee.quorumSignature(_validators[generation], how == 4 ? 0x3 : _ALL, digest);
        signature[31] = how == 4 ? bytes1(0x07) : bytes1(0x1f);
        return signature;
    }
}
