// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {OtherAttacks} from "./OtherAttacks.sol";
import {SignedDigests} from "./Quorums.sol";

/// @notice All steps and attacks, over a double of the verifier: fast.
contract GuardedHandler is OtherAttacks {
    function _newVerifier() internal override returns (ICertificateVerifier) {
        return new SignedDigests(registry);
    }

    function _votes(bytes32 digest) internal override returns (bytes memory) {
        SignedDigests(address(verifier)).sign(digest);
        return SignedDigests(address(verifier)).signature(digest);
    }

    function _forgedVotes(bytes32 digest, uint256 how) internal view override returns (bytes memory) {
        if (how % 3 == 0) return new bytes(288);
        if (how % 3 == 1) return SignedDigests(address(verifier)).signature(digest ^ bytes32(uint256(1)));
        return new bytes(287);
    }
}
