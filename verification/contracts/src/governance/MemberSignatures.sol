// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title A set of keys, a threshold, and signatures by them
/// @notice The one piece of code by which guardians, attesters and vault owners are kept and their signatures checked.
/// @dev Members are plain keys: no ERC-1271, whose answer may change between two reads. Each contract names the errors.
library MemberSignatures {
    /// @dev So that a check and a replacement always fit in a block.
    uint256 internal constant MOST_MEMBERS = 32;
    /// @dev r, s, v.
    uint256 private constant _BYTES = 65;

    struct Set {
        uint256 threshold;
        address[] members;
        mapping(address member => bool) contains;
    }

    error OutOfOrder();

    /// @notice 1 to 32 members, strictly ascending (so distinct), none zero; a threshold from 1 to their number.
    function isValid(address[] memory members, uint256 threshold) internal pure returns (bool) {
        if (members.length > MOST_MEMBERS || threshold == 0 || threshold > members.length) return false;
        address previous = address(0);
        for (uint256 i = 0; i < members.length; ++i) {
            if (members[i] <= previous) return false;
            previous = members[i];
        }
        return true;
    }

    /// @notice Nobody of before remains, unless among `members`. The caller has seen that they are valid.
    function replace(Set storage set, address[] memory members, uint256 threshold) internal {
        for (uint256 i = 0; i < set.members.length; ++i) {
            set.contains[set.members[i]] = false;
        }
        for (uint256 i = 0; i < members.length; ++i) {
            set.contains[members[i]] = true;
        }
        set.members = members;
        set.threshold = threshold;
    }

    /// @notice How many members signed `digest`, and the first signer who is not a member: zero when all are.
    /// @dev Reverts unless `signatures` are of 65 bytes each (r, s, v: low s by EIP-2, v of 27 or 28) and their signers strictly
    ///      ascending, so that none counts twice.
    function signersOf(Set storage set, bytes32 digest, bytes calldata signatures)
        internal
        view
        returns (uint256 count, address stranger)
    {
        if (signatures.length % _BYTES != 0) revert ECDSA.ECDSAInvalidSignatureLength(signatures.length);
        count = signatures.length / _BYTES;
        address previous = address(0);
        for (uint256 i = 0; i < count; ++i) {
            address signer = ECDSA.recoverCalldata(digest, signatures[i * _BYTES:(i + 1) * _BYTES]);
            if (signer <= previous) revert OutOfOrder();
            if (!set.contains[signer]) return (i, signer);
            previous = signer;
        }
    }
}
