// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MemberSignatures} from "../governance/MemberSignatures.sol";
import {GrantStanding, Messages} from "../governance/Messages.sol";
import {SettlementDomain} from "../governance/SettlementDomain.sol";
import {IStandingRegistry} from "./IStandingRegistry.sol";

/// @title Standing of accounts: granted by several attesters for days, taken away by any one at once
/// @dev A new set of attesters leaves standings as they are; they end within `maxValidity`, or by `revoke`.
contract StandingRegistry is IStandingRegistry, SettlementDomain {
    using MemberSignatures for MemberSignatures.Set;

    /// @dev Two slots; the first is all that validity needs.
    struct Record {
        uint64 expiry;
        uint64 classes;
        uint32 issuer;
        uint64 lastGrantId;
        bytes32 commitment;
    }

    address public immutable governor;
    /// @notice Seconds from now that a grant may last at most: 7 days in production.
    uint64 public immutable maxValidity;

    MemberSignatures.Set private _attesters;
    mapping(address account => Record) private _records;
    mapping(uint32 issuer => bool) public isDisabled;

    constructor(address guard_, address governor_, uint64 maxValidity_, address[] memory attesters_, uint256 threshold_)
        SettlementDomain(guard_)
    {
        governor = governor_;
        maxValidity = maxValidity_;
        _replace(attesters_, threshold_);
    }

    /// @inheritdoc IStandingRegistry
    function standingOf(address account) external view returns (Standing memory) {
        Record memory kept = _records[account];
        return Standing(kept.expiry, kept.classes, kept.issuer, kept.commitment);
    }

    /// @inheritdoc IStandingRegistry
    function isValid(address account) external view returns (bool) {
        Record storage kept = _records[account];
        return block.timestamp < kept.expiry && !isDisabled[kept.issuer];
    }

    /// @inheritdoc IStandingRegistry
    function lastGrantId(address account) external view returns (uint64) {
        return _records[account].lastGrantId;
    }

    function isAttester(address account) external view returns (bool) {
        return _attesters.contains[account];
    }

    /// @notice All attesters, strictly ascending.
    function attesters() external view returns (address[] memory) {
        return _attesters.members;
    }

    /// @notice How many of them must sign.
    function threshold() external view returns (uint256) {
        return _attesters.threshold;
    }

    /// @inheritdoc IStandingRegistry
    function check(bytes32 digest, bytes calldata signatures) public view {
        (uint256 count, address stranger) = _attesters.signersOf(digest, signatures);
        if (stranger != address(0)) revert NotAnAttester(stranger);
        if (count < _attesters.threshold) revert BelowAttesterQuorum();
    }

    /// @inheritdoc IStandingRegistry
    function grant(GrantStanding calldata standing, bytes calldata attesterSignatures) external {
        if (standing.grantId != _records[standing.account].lastGrantId + 1) revert WrongGrantId();
        if (standing.expiry <= block.timestamp || standing.expiry > block.timestamp + maxValidity) {
            revert ExpiryOutOfRange();
        }
        if (standing.classes == 0) revert NoClasses();
        if (isDisabled[standing.issuer]) revert IssuerIsDisabled();
        check(_digest(Messages.hash(standing)), attesterSignatures);

        _records[standing.account] =
            Record(standing.expiry, standing.classes, standing.issuer, standing.grantId, standing.commitment);
        emit StandingGranted(standing.account, standing.grantId, standing.expiry, standing.classes, standing.issuer);
    }

    /// @inheritdoc IStandingRegistry
    function revoke(address account) external {
        _onlyAttester();
        uint64 spent = _records[account].lastGrantId + 1;
        _records[account] = Record(0, 0, 0, spent, 0);
        emit StandingRevoked(account, msg.sender);
    }

    /// @inheritdoc IStandingRegistry
    function disableIssuer(uint32 issuer) external {
        _onlyAttester();
        isDisabled[issuer] = true;
        emit IssuerDisabled(issuer, msg.sender);
    }

    /// @inheritdoc IStandingRegistry
    function replaceAttesters(address[] calldata attesters_, uint256 threshold_) external {
        if (msg.sender != governor) revert OnlyGovernor();
        _replace(attesters_, threshold_);
    }

    function _replace(address[] memory attesters_, uint256 threshold_) private {
        if (!MemberSignatures.isValid(attesters_, threshold_)) revert InvalidAttesters();
        _attesters.replace(attesters_, threshold_);
        emit AttestersReplaced(attesters_, threshold_);
    }

    function _onlyAttester() private view {
        if (!_attesters.contains[msg.sender]) revert NotAnAttester(msg.sender);
    }
}
