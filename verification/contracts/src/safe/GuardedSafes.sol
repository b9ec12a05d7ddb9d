// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {IEmergencyBrake} from "../emergency/IEmergencyBrake.sol";
import {IActions} from "../governance/IActions.sol";
import {IGovernor} from "../governance/IGovernor.sol";
import {IGuardians} from "../governance/IGuardians.sol";
import {Messages} from "../governance/Messages.sol";
import {SettlementDomain} from "../governance/SettlementDomain.sol";
import {ICertificateVerifier} from "../quorum/ICertificateVerifier.sol";
import {IStandingRegistry} from "../standing/IStandingRegistry.sol";
import {Bucket, Buckets} from "./Bucket.sol";
import {ITransferGuard} from "./ITransferGuard.sol";
import {SafeConfig} from "./SafeConfig.sol";

/// @title What the guard knows of each Safe and each group
/// @notice Who is guarded and how it is configured, what a group may let out, what was announced, accepted, and asked to end.
///         The factory registers, a Safe speaks for itself, the governor sets limits; nobody else changes anything.
abstract contract GuardedSafes is ITransferGuard, SettlementDomain {
    using Buckets for Bucket;
    using SafeConfig for SafeConfig.Config;

    struct Neighbours {
        address factory;
        IGovernor governor;
        ICertificateVerifier verifier;
        IStandingRegistry standing;
        IEmergencyBrake brake;
        IGuardians guardians;
        IActions actions;
        address payoutModule;
        address evacuator;
        address vault;
    }

    /// @dev Seconds.
    struct Delays {
        uint64 notice; // from the announcement of a transfer to its execution: 24 h in production
        uint64 exit; // from the guardians' consent to an exit: 14 d
    }

    /// @dev The code of a genuine Safe.
    struct SafeCode {
        address singleton;
        bytes32 proxyCodehash;
    }

    /// @dev Of a token of a group.
    struct Outflow {
        Limits limits;
        Bucket bucket;
    }

    uint256 private constant _REDUCTION = 10;

    address public immutable factory;
    IGovernor public immutable governor;
    ICertificateVerifier public immutable verifier;
    IStandingRegistry public immutable standing;
    IEmergencyBrake public immutable brake;
    IGuardians public immutable guardians;
    IActions public immutable actions;
    address public immutable payoutModule;
    address public immutable evacuator;
    address public immutable vault;
    address public immutable safeSingleton;
    bytes32 public immutable proxyCodehash;
    uint64 public immutable noticeDelay;
    uint64 public immutable exitDelay;

    /// @inheritdoc ITransferGuard
    mapping(address safe => bytes32 group) public groupOf;
    /// @inheritdoc ITransferGuard
    mapping(address safe => bytes32 group) public wantedBy;
    /// @inheritdoc ITransferGuard
    mapping(address safe => bytes32) public configHashOf;
    /// @inheritdoc ITransferGuard
    mapping(address safe => uint64 actionId) public exitOf;
    /// @inheritdoc ITransferGuard
    mapping(address safe => mapping(bytes32 safeTxHash => uint64)) public announcedFrom;
    /// @inheritdoc ITransferGuard
    mapping(bytes32 group => mapping(uint64 governId => bytes32 digest)) public accepted;
    mapping(bytes32 group => mapping(address token => Outflow)) internal _outflows;

    modifier onlyGuarded() {
        if (groupOf[msg.sender] == 0) revert OnlySafe();
        _;
    }

    constructor(Neighbours memory neighbours, Delays memory delays, SafeCode memory code)
        SettlementDomain(address(this))
    {
        factory = neighbours.factory;
        governor = neighbours.governor;
        verifier = neighbours.verifier;
        standing = neighbours.standing;
        brake = neighbours.brake;
        guardians = neighbours.guardians;
        actions = neighbours.actions;
        payoutModule = neighbours.payoutModule;
        evacuator = neighbours.evacuator;
        vault = neighbours.vault;
        noticeDelay = delays.notice;
        exitDelay = delays.exit;
        safeSingleton = code.singleton;
        proxyCodehash = code.proxyCodehash;
    }

    /// @inheritdoc ITransferGuard
    function limitsOf(bytes32 group, address token) external view returns (Limits memory) {
        return _outflows[group][token].limits;
    }

    /// @inheritdoc ITransferGuard
    function room(bytes32 group, address token) external view returns (uint256) {
        (, bool paused, bool reduced) = brake.status();
        if (paused) return 0;
        Outflow memory outflow = _outflows[group][token];
        return outflow.bucket.roomAt(_effective(outflow.limits.daily, reduced), block.timestamp);
    }

    /// @inheritdoc ITransferGuard
    function register(address safe, bytes32 wanted, address[] calldata tokens, Limits[] calldata limits) external {
        if (msg.sender != factory) revert OnlyFactory();
        if (groupOf[safe] != 0) revert AlreadyRegistered();
        if (tokens.length != limits.length || (wanted != 0 && tokens.length != 0)) revert InvalidConfig();
        SafeConfig.Config memory config = SafeConfig.read(safe);
        if (!_isGenuine(config) || !_hasBothModules(config) || ISafe(payable(safe)).nonce() != 0) {
            revert InvalidConfig();
        }

        bytes32 own = bytes32(uint256(uint160(safe)));
        groupOf[safe] = own;
        wantedBy[safe] = wanted;
        configHashOf[safe] = config.hash();
        emit SafeRegistered(safe, own, configHashOf[safe]);
        for (uint256 i = 0; i < tokens.length; ++i) {
            _outflows[own][tokens[i]].limits = limits[i];
            emit LimitsChanged(own, tokens[i], limits[i]);
        }
    }

    /// @inheritdoc ITransferGuard
    function announce(bytes32 safeTxHash) external onlyGuarded {
        uint64 from = uint64(block.timestamp) + noticeDelay;
        announcedFrom[msg.sender][safeTxHash] = from;
        emit Announced(msg.sender, safeTxHash, from);
    }

    /// @inheritdoc ITransferGuard
    function accept(uint64 governId, bytes32 digest) external onlyGuarded {
        if (digest == 0 || governor.pendingDigest(governId) != digest) revert GovernNotPending();
        bytes32 group = groupOf[msg.sender];
        accepted[group][governId] = digest;
        emit GovernAccepted(group, governId, digest);
    }

    /// @inheritdoc ITransferGuard
    /// @dev A Safe that waits itself is a member of nothing that it could take others into.
    function admit(address safe) external onlyGuarded {
        if (groupOf[safe] == 0) revert NotRegistered();
        bytes32 group = groupOf[msg.sender];
        if (groupOf[safe] == group) revert AlreadyAdmitted();
        if (wantedBy[msg.sender] != 0 || wantedBy[safe] != group) revert NotWanted();
        groupOf[safe] = group;
        wantedBy[safe] = 0;
        emit Admitted(safe, group, msg.sender);
    }

    /// @inheritdoc ITransferGuard
    function scheduleExit() external onlyGuarded returns (uint64 actionId) {
        if (actions.isPending(exitOf[msg.sender])) revert ExitAlreadyScheduled();
        actionId = actions.open({vetoable: false});
        exitOf[msg.sender] = actionId;
        emit ExitScheduled(msg.sender, actionId);
    }

    /// @inheritdoc ITransferGuard
    function consentExit(uint64 actionId, address safe, bytes calldata guardianSignatures) external {
        if (actionId == 0 || exitOf[safe] != actionId) revert NoExit();
        guardians.check(_digest(Messages.exit(actionId, safe)), guardianSignatures);
        uint64 readyAt = uint64(block.timestamp) + exitDelay;
        actions.schedule(actionId, readyAt); // once: it reverts unless the action is open
        emit ExitConsented(safe, actionId, readyAt);
    }

    /// @inheritdoc ITransferGuard
    function cancelExit(uint64 actionId) external onlyGuarded {
        if (actionId == 0 || exitOf[msg.sender] != actionId) revert NoExit();
        exitOf[msg.sender] = 0;
        actions.withdraw(actionId);
        emit ExitCancelled(msg.sender, actionId);
    }

    /// @inheritdoc ITransferGuard
    /// @dev What drained so far drained at the old limit: a change does not reach into the past.
    function setLimits(bytes32 group, address token, Limits calldata limits) external {
        if (msg.sender != address(governor)) revert OnlyGovernor();
        (,, bool reduced) = brake.status();
        Outflow storage outflow = _outflows[group][token];
        uint256 daily = _effective(outflow.limits.daily, reduced);
        outflow.bucket = outflow.bucket.settle(daily, block.timestamp);
        outflow.limits = limits;
        emit LimitsChanged(group, token, limits);
    }

    /// @dev The Safe's last act under this guard. Its group goes on with its other members.
    function _unregister(address safe) internal {
        uint64 actionId = exitOf[safe];
        actions.take(actionId);
        exitOf[safe] = 0;
        groupOf[safe] = 0;
        wantedBy[safe] = 0;
        configHashOf[safe] = 0;
        emit Exited(safe, actionId);
    }

    /// @dev What goes out without a certificate, of one Safe's group and a listed token.
    function _fillBucket(bytes32 group, address token, uint256 amount, bool reduced) internal {
        Outflow storage outflow = _outflows[group][token];
        uint256 certifiedFrom = _effective(outflow.limits.certifiedFrom, reduced);
        if (amount >= certifiedFrom) revert CertificateNeeded(amount, certifiedFrom);
        uint256 daily = _effective(outflow.limits.daily, reduced);
        Bucket memory bucket = outflow.bucket;
        uint256 before = bucket.roomAt(daily, block.timestamp);
        if (amount > before) revert BucketExceeded(amount, before);
        outflow.bucket = bucket.fill(amount, daily, block.timestamp);
        emit UncertifiedOutflow(group, token, amount, before - amount);
    }

    /// @dev Everything but the owners and which modules are left.
    function _isGenuine(SafeConfig.Config memory config) internal view returns (bool) {
        return config.singleton == safeSingleton && config.proxyCodehash == proxyCodehash
            && config.guard == address(this) && config.handler == address(0);
    }

    /// @dev In the order in which the factory's set-up leaves them.
    function _hasBothModules(SafeConfig.Config memory config) private view returns (bool) {
        return config.moduleGuard == address(this) && config.modules.length == 2
            && config.modules[0] == evacuator && config.modules[1] == payoutModule;
    }

    /// @dev For a day after a heal (see the brake) a tenth, rounded down.
    function _effective(uint256 limit, bool reduced) private pure returns (uint256) {
        return reduced ? limit / _REDUCTION : limit;
    }
}
