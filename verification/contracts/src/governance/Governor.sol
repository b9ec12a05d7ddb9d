// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateVerifier} from "../quorum/ICertificateVerifier.sol";
import {IPayoutModule} from "../safe/IPayoutModule.sol";
import {ITransferGuard} from "../safe/ITransferGuard.sol";
import {IStandingRegistry} from "../standing/IStandingRegistry.sol";
import {IActions} from "./IActions.sol";
import {IGovernor} from "./IGovernor.sol";
import {IGuardians} from "./IGuardians.sol";
import {Govern, Messages} from "./Messages.sol";
import {SettlementDomain} from "./SettlementDomain.sol";

/// @title The governor: the only one who changes limits, payout keys, policy, model, guardians and attesters
/// @notice Validators propose, guardians may veto, and what gives a group's money more ways out needs its owners: a higher
///         limit or another payout key. So all validators together, alone, drain no Safe.
contract Governor is IGovernor, SettlementDomain {
    struct Neighbours {
        address guard;
        IActions actions;
        ICertificateVerifier verifier;
        IPayoutModule payoutModule;
        IGuardians guardians;
        IStandingRegistry standing;
    }

    /// @dev Seconds from submission to execution, at least.
    struct Delays {
        uint64 change; // 48 h in production
        uint64 guardians; // of a change of the guardians, who cannot veto it: 14 d
    }

    struct Change {
        uint64 actionId;
        Target target;
        bytes32 value;
        bytes32 digest;
    }

    IActions public immutable actions;
    ICertificateVerifier public immutable verifier;
    IPayoutModule public immutable payoutModule;
    IGuardians public immutable guardians;
    IStandingRegistry public immutable standing;
    uint64 public immutable changeDelay;
    uint64 public immutable guardiansDelay;

    /// @inheritdoc IGovernor
    uint64 public lastGovernId;
    /// @inheritdoc IGovernor
    bytes32 public modelHash;
    /// @inheritdoc IGovernor
    mapping(bytes32 group => bytes32) public policyHash;
    mapping(uint64 governId => Change) private _changes;
    /// @notice The governId executed last for a key (`Govern.key`): an older one never undoes a newer one.
    mapping(bytes32 key => uint64 governId) public executedLast;

    constructor(Neighbours memory neighbours, Delays memory delays, bytes32 modelHash_)
        SettlementDomain(neighbours.guard)
    {
        actions = neighbours.actions;
        verifier = neighbours.verifier;
        payoutModule = neighbours.payoutModule;
        guardians = neighbours.guardians;
        standing = neighbours.standing;
        changeDelay = delays.change;
        guardiansDelay = delays.guardians;
        modelHash = modelHash_;
    }

    /// @inheritdoc IGovernor
    function pendingDigest(uint64 governId) external view returns (bytes32) {
        Change storage change = _changes[governId];
        return actions.isPending(change.actionId) ? change.digest : bytes32(0);
    }

    /// @inheritdoc IGovernor
    function schedule(Govern calldata govern, Target calldata target, bytes calldata quorumSignature) external {
        if (govern.governId != lastGovernId + 1) revert WrongGovernId();
        if (!_isWellFormed(target) || govern.key != _keyOf(target)) revert KeyMismatch();
        if (!_fits(target.parameter, govern.value)) revert ValueMismatch();
        bool ofGuardians = target.parameter == Parameter.Guardians;
        if (govern.notBefore < block.timestamp + (ofGuardians ? guardiansDelay : changeDelay)) revert NoticeTooShort();
        bytes32 digest = _digest(Messages.hash(govern));
        verifier.verify(digest, govern.epoch, quorumSignature);

        lastGovernId = govern.governId;
        uint64 actionId = actions.open({vetoable: !ofGuardians});
        _changes[govern.governId] = Change(actionId, target, govern.value, digest);
        actions.schedule(actionId, govern.notBefore);
        emit Scheduled(govern.governId, actionId, target, govern.value, govern.notBefore);
    }

    /// @inheritdoc IGovernor
    function execute(uint64 governId) external {
        Change memory change = _take(governId);
        Parameter parameter = change.target.parameter;
        if (parameter <= Parameter.NoticeFrom) {
            _setLimit(governId, change);
        } else if (parameter == Parameter.PayoutKey) {
            _checkAccepted(governId, change);
            payoutModule.setPayoutKey(change.target.group, address(uint160(uint256(change.value))));
        } else if (parameter == Parameter.PolicyHash) {
            policyHash[change.target.group] = change.value;
        } else if (parameter == Parameter.ModelHash) {
            modelHash = change.value;
        } else {
            revert MembersNeeded();
        }
    }

    /// @inheritdoc IGovernor
    function executeMembers(uint64 governId, address[] calldata members, uint256 threshold) external {
        Change memory change = _take(governId);
        if (change.value != keccak256(abi.encode(members, threshold))) revert ValueMismatch();
        if (change.target.parameter == Parameter.Guardians) {
            guardians.replace(members, threshold);
        } else if (change.target.parameter == Parameter.Attesters) {
            standing.replaceAttesters(members, threshold);
        } else {
            revert ValueMismatch();
        }
    }

    function _take(uint64 governId) private returns (Change memory change) {
        change = _changes[governId];
        if (change.actionId == 0) revert UnknownGovern();
        bytes32 key = _keyOf(change.target);
        if (governId < executedLast[key]) revert Superseded();
        executedLast[key] = governId;
        actions.take(change.actionId);
        emit Executed(governId, change.target, change.value);
    }

    /// @dev A limit that lets out more than the one of this moment needs the owners; a lower one never waits for them.
    function _setLimit(uint64 governId, Change memory change) private {
        Target memory target = change.target;
        ITransferGuard.Limits memory limits = ITransferGuard(guard).limitsOf(target.group, target.token);
        uint96 value = uint96(uint256(change.value));
        uint96 before;
        if (target.parameter == Parameter.DailyLimit) {
            (before, limits.daily) = (limits.daily, value);
        } else if (target.parameter == Parameter.CertifiedFrom) {
            (before, limits.certifiedFrom) = (limits.certifiedFrom, value);
        } else {
            (before, limits.noticeFrom) = (limits.noticeFrom, value);
        }
        if (value > before) _checkAccepted(governId, change);
        ITransferGuard(guard).setLimits(target.group, target.token, limits);
    }

    /// @dev By digest: what the owners accepted is this change, not another that took its number in a reorganisation.
    function _checkAccepted(uint64 governId, Change memory change) private view {
        if (ITransferGuard(guard).accepted(change.target.group, governId) != change.digest) {
            revert OwnersHaveNotAccepted();
        }
    }

    function _keyOf(Target memory target) private pure returns (bytes32) {
        return keccak256(abi.encode(target.parameter, target.group, target.token));
    }

    /// @dev One key for each thing: what a parameter does not depend on is zero.
    function _isWellFormed(Target calldata target) private pure returns (bool) {
        if (target.parameter <= Parameter.NoticeFrom) return true;
        bool ofGroup = target.parameter <= Parameter.PolicyHash;
        return target.token == address(0) && (ofGroup || target.group == 0);
    }

    function _fits(Parameter parameter, bytes32 value) private pure returns (bool) {
        if (parameter <= Parameter.NoticeFrom) return uint256(value) <= type(uint96).max;
        if (parameter == Parameter.PayoutKey) return uint256(value) <= type(uint160).max;
        return true;
    }
}
