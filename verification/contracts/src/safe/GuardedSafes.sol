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
import {Buckets} from "./Bucket.sol";
import {ITransferGuard} from "./ITransferGuard.sol";
import {ISafeStorageReader, SafeConfig} from "./SafeConfig.sol";
import {Entry} from "./TransferTable.sol";

/// @title What the guard knows of each Safe and each group
/// @notice Who is guarded and how it is configured, what a group may let out, what was announced, accepted, and asked to end.
///         The factory registers, a Safe speaks for itself, the governor sets limits; nobody else changes anything.
abstract contract GuardedSafes is ITransferGuard, ISafeStorageReader, SettlementDomain {
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

    /// @dev Of a token of a group: its limits, in the token's smallest unit, and the bucket (see `Buckets`). An amount below
    ///      `smallBelow`, which is the lower of the two `From`s, needs neither certificate nor notice; most transfers read no
    ///      more than the first slot.
    struct Outflow {
        uint96 daily;
        uint96 smallBelow;
        uint64 drainedAt;
        uint96 certifiedFrom;
        uint96 noticeFrom;
    }

    uint256 private constant _REDUCTION = 10;

    address internal immutable _factory;
    IGovernor internal immutable _governor;
    ICertificateVerifier internal immutable _verifier;
    IStandingRegistry internal immutable _standing;
    IEmergencyBrake internal immutable _brake;
    IGuardians internal immutable _guardians;
    IActions internal immutable _actions;
    address internal immutable _payoutModule;
    address internal immutable _evacuator;
    address internal immutable _vault;
    address internal immutable _safeSingleton;
    bytes32 internal immutable _proxyCodehash;
    uint64 internal immutable _noticeDelay;
    uint64 internal immutable _exitDelay;

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

    constructor(Neighbours memory neighbours_, Delays memory delays_, SafeCode memory code)
        SettlementDomain(address(this))
    {
        _factory = neighbours_.factory;
        _governor = neighbours_.governor;
        _verifier = neighbours_.verifier;
        _standing = neighbours_.standing;
        _brake = neighbours_.brake;
        _guardians = neighbours_.guardians;
        _actions = neighbours_.actions;
        _payoutModule = neighbours_.payoutModule;
        _evacuator = neighbours_.evacuator;
        _vault = neighbours_.vault;
        _noticeDelay = delays_.notice;
        _exitDelay = delays_.exit;
        _safeSingleton = code.singleton;
        _proxyCodehash = code.proxyCodehash;
    }

    /// @notice What the constructor was told. Three functions and not fourteen: a call looks for its function one by one, and
    ///         every guarded transaction pays for that twice.
    function neighbours() external view returns (Neighbours memory all) {
        all.factory = _factory;
        all.governor = _governor;
        all.verifier = _verifier;
        all.standing = _standing;
        all.brake = _brake;
        all.guardians = _guardians;
        all.actions = _actions;
        all.payoutModule = _payoutModule;
        all.evacuator = _evacuator;
        all.vault = _vault;
    }

    function delays() external view returns (Delays memory) {
        return Delays(_noticeDelay, _exitDelay);
    }

    function safeCode() external view returns (SafeCode memory) {
        return SafeCode(_safeSingleton, _proxyCodehash);
    }

    /// @inheritdoc ISafeStorageReader
    function readSafeStorage() external view {
        SafeConfig.answerOfThis();
    }

    /// @inheritdoc ITransferGuard
    function limitsOf(bytes32 group, address token) external view returns (Limits memory) {
        Outflow storage outflow = _outflows[group][token];
        return Limits(outflow.daily, outflow.certifiedFrom, outflow.noticeFrom);
    }

    /// @inheritdoc ITransferGuard
    function room(bytes32 group, address token) external view returns (uint256) {
        (, bool paused, bool reduced) = _brake.status();
        if (paused) return 0;
        Outflow memory outflow = _outflows[group][token];
        uint256 daily = _effective(outflow.daily, reduced);
        return Buckets.roomAbove(Buckets.levelAt(outflow.drainedAt, block.timestamp), daily);
    }

    /// @inheritdoc ITransferGuard
    function register(address safe, bytes32 wanted, address[] calldata tokens, Limits[] calldata limits) external {
        if (msg.sender != _factory) revert OnlyFactory();
        if (groupOf[safe] != 0) revert AlreadyRegistered();
        if (tokens.length != limits.length || (wanted != 0 && tokens.length != 0)) revert InvalidConfig();
        if (!SafeConfig.isGenuine(safe, _safeSingleton, _proxyCodehash)) revert InvalidConfig();
        bytes memory encoded = _configOf(safe);
        SafeConfig.Config memory config = SafeConfig.decode(encoded);
        bool fresh = _keepsGuardAndHandler(config) && _hasBothModules(config) && ISafe(payable(safe)).nonce() == 0;
        if (!fresh) revert InvalidConfig();

        bytes32 own = bytes32(uint256(uint160(safe)));
        groupOf[safe] = own;
        wantedBy[safe] = wanted;
        configHashOf[safe] = keccak256(encoded);
        emit SafeRegistered(safe, own, configHashOf[safe]);
        for (uint256 i = 0; i < tokens.length; ++i) {
            _setLimits(own, tokens[i], limits[i]);
        }
    }

    /// @inheritdoc ITransferGuard
    function announce(bytes32 safeTxHash) external onlyGuarded {
        uint64 from = uint64(block.timestamp) + _noticeDelay;
        announcedFrom[msg.sender][safeTxHash] = from;
        emit Announced(msg.sender, safeTxHash, from);
    }

    /// @inheritdoc ITransferGuard
    function accept(uint64 governId, bytes32 digest) external onlyGuarded {
        if (digest == 0 || _governor.pendingDigest(governId) != digest) revert GovernNotPending();
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
        if (_actions.isPending(exitOf[msg.sender])) revert ExitAlreadyScheduled();
        actionId = _actions.open({vetoable: false});
        exitOf[msg.sender] = actionId;
        emit ExitScheduled(msg.sender, actionId);
    }

    /// @inheritdoc ITransferGuard
    function consentExit(uint64 actionId, address safe, bytes calldata guardianSignatures) external {
        if (actionId == 0 || exitOf[safe] != actionId) revert NoExit();
        _guardians.check(_digest(Messages.exit(actionId, safe)), guardianSignatures);
        uint64 readyAt = uint64(block.timestamp) + _exitDelay;
        _actions.schedule(actionId, readyAt); // once: it reverts unless the action is open
        emit ExitConsented(safe, actionId, readyAt);
    }

    /// @inheritdoc ITransferGuard
    function cancelExit(uint64 actionId) external onlyGuarded {
        if (actionId == 0 || exitOf[msg.sender] != actionId) revert NoExit();
        exitOf[msg.sender] = 0;
        _actions.withdraw(actionId);
        emit ExitCancelled(msg.sender, actionId);
    }

    /// @inheritdoc ITransferGuard
    function setLimits(bytes32 group, address token, Limits calldata limits) external {
        if (msg.sender != address(_governor)) revert OnlyGovernor();
        _setLimits(group, token, limits);
    }

    function _setLimits(bytes32 group, address token, Limits calldata limits) private {
        Outflow storage outflow = _outflows[group][token];
        (outflow.daily, outflow.certifiedFrom, outflow.noticeFrom) =
        (limits.daily, limits.certifiedFrom, limits.noticeFrom);
        outflow.smallBelow = limits.certifiedFrom < limits.noticeFrom ? limits.certifiedFrom : limits.noticeFrom;
        emit LimitsChanged(group, token, limits);
    }

    /// @dev The Safe's last act under this guard. Its group goes on with its other members.
    function _unregister(address safe) internal {
        uint64 actionId = exitOf[safe];
        _actions.take(actionId);
        exitOf[safe] = 0;
        groupOf[safe] = 0;
        wantedBy[safe] = 0;
        configHashOf[safe] = 0;
        emit Exited(safe, actionId);
    }

    /// @dev What goes out without a certificate, for which the amount was found small enough.
    function _fillBucket(Outflow storage outflow, uint256 amount, bool reduced) internal {
        uint256 daily = _effective(outflow.daily, reduced);
        uint256 level = Buckets.levelAt(outflow.drainedAt, block.timestamp);
        uint256 fits = Buckets.roomAbove(level, daily);
        if (amount > fits) revert BucketExceeded(amount, fits);
        outflow.drainedAt = Buckets.filled(level, amount, daily, block.timestamp);
    }

    /// @dev Of a genuine Safe, else it reverts.
    function _configOf(address safe) internal view returns (bytes memory encoded) {
        encoded = SafeConfig.encodedOf(safe, address(this));
        if (encoded.length == 0) revert InvalidConfig();
    }

    function _keepsGuardAndHandler(SafeConfig.Config memory config) internal view returns (bool) {
        return config.guard == address(this) && config.handler == address(0);
    }

    /// @dev In the order in which the factory's set-up leaves them.
    function _hasBothModules(SafeConfig.Config memory config) private view returns (bool) {
        return config.moduleGuard == address(this) && config.modules.length == 2 && config.modules[0] == _evacuator
            && config.modules[1] == _payoutModule;
    }

    /// @dev For a day after a heal (see the brake) a tenth, rounded down.
    function _effective(uint256 limit, bool reduced) internal pure returns (uint256) {
        return reduced ? limit / _REDUCTION : limit;
    }
}
