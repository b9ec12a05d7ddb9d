// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IGuardians} from "./IGuardians.sol";
import {MemberSignatures} from "./MemberSignatures.sol";

/// @title The guardians: they pause, veto, consent and evacuate to the vault; alone they move nothing
/// @notice Digests are made by who asks. The first guardians are the constructor's, every later set the governor's.
contract Guardians is IGuardians {
    using MemberSignatures for MemberSignatures.Set;

    address public immutable governor;

    MemberSignatures.Set private _set;

    constructor(address governor_, address[] memory guardians, uint256 threshold_) {
        governor = governor_;
        _replace(guardians, threshold_);
    }

    /// @inheritdoc IGuardians
    function isGuardian(address account) external view returns (bool) {
        return _set.contains[account];
    }

    /// @notice All guardians, strictly ascending.
    function members() external view returns (address[] memory) {
        return _set.members;
    }

    /// @notice How many of them are the quorum.
    function threshold() external view returns (uint256) {
        return _set.threshold;
    }

    /// @inheritdoc IGuardians
    function check(bytes32 digest, bytes calldata signatures) external view {
        (uint256 count, address stranger) = _set.signersOf(digest, signatures);
        if (stranger != address(0)) revert NotAGuardian(stranger);
        if (count < _set.threshold) revert BelowGuardianQuorum();
    }

    /// @inheritdoc IGuardians
    function replace(address[] calldata guardians, uint256 threshold_) external {
        if (msg.sender != governor) revert OnlyGovernor();
        _replace(guardians, threshold_);
    }

    /// @dev More than half, so that two quorums always share a guardian.
    function _replace(address[] memory guardians, uint256 threshold_) private {
        bool majority = threshold_ > guardians.length / 2;
        if (!majority || !MemberSignatures.isValid(guardians, threshold_)) revert InvalidGuardians();
        _set.replace(guardians, threshold_);
        emit GuardiansReplaced(guardians, threshold_);
    }
}
