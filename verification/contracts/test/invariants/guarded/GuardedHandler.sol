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

    function _votes(bytes32 digest, uint64 epoch_) internal override returns (bytes memory) {
        SignedDigests(address(verifier)).sign(digest, epoch_);
        return new bytes(288);
    }

    function _forgedVotes(bytes32, uint256 how) internal pure override returns (bytes memory) {
        return new bytes(how % 4 == 0 ? 287 : 288);
    }
}
