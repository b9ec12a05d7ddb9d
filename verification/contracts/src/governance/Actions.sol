// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateVerifier} from "../quorum/ICertificateVerifier.sol";
import {IActions} from "./IActions.sol";
import {IGuardians} from "./IGuardians.sol";
import {Messages} from "./Messages.sol";
import {SettlementDomain} from "./SettlementDomain.sol";

/// @title The delay machine
/// @notice None -> Open -> Scheduled -> Taken; an open or scheduled action may end instead. No state is ever left backwards,
///         and what expired is as good as ended.
contract Actions is IActions, SettlementDomain {
    struct Neighbours {
        address guard;
        ICertificateVerifier verifier;
        IGuardians guardians;
        address registry;
        address governor;
        address vault;
    }

    ICertificateVerifier public immutable verifier;
    IGuardians public immutable guardians;
    address public immutable registry;
    address public immutable governor;
    address public immutable vault;
    /// @inheritdoc IActions
    uint64 public immutable window;

    /// @inheritdoc IActions
    uint64 public last;
    mapping(uint64 actionId => Action) private _actions;

    /// @param window_ Seconds; 7 days in production.
    constructor(Neighbours memory neighbours, uint64 window_) SettlementDomain(neighbours.guard) {
        verifier = neighbours.verifier;
        guardians = neighbours.guardians;
        registry = neighbours.registry;
        governor = neighbours.governor;
        vault = neighbours.vault;
        window = window_;
    }

    /// @inheritdoc IActions
    function get(uint64 actionId) external view returns (Action memory) {
        return _actions[actionId];
    }

    /// @inheritdoc IActions
    function isReady(uint64 actionId) external view returns (bool) {
        Action storage action = _actions[actionId];
        return
            action.state == State.Scheduled && action.readyAt <= block.timestamp && block.timestamp <= action.expiresAt;
    }

    /// @inheritdoc IActions
    function isPending(uint64 actionId) public view returns (bool) {
        Action storage action = _actions[actionId];
        return action.state == State.Open || (action.state == State.Scheduled && block.timestamp <= action.expiresAt);
    }

    /// @inheritdoc IActions
    function open(bool vetoable) external returns (uint64 actionId) {
        if (!_isOpener(msg.sender)) revert NotAnOpener();
        actionId = ++last;
        _actions[actionId] =
            Action({opener: msg.sender, readyAt: 0, expiresAt: 0, vetoable: vetoable, state: State.Open});
        emit Opened(actionId, msg.sender);
    }

    /// @inheritdoc IActions
    function schedule(uint64 actionId, uint64 readyAt) external {
        Action storage action = _own(actionId);
        if (action.state != State.Open) revert NotOpen();
        if (readyAt < block.timestamp || readyAt > type(uint64).max - window) revert InvalidTimes();
        action.readyAt = readyAt;
        action.expiresAt = readyAt + window;
        action.state = State.Scheduled;
        emit Scheduled(actionId, readyAt, readyAt + window);
    }

    /// @inheritdoc IActions
    function take(uint64 actionId) external {
        Action storage action = _own(actionId);
        if (action.state != State.Scheduled) revert NotScheduled();
        if (block.timestamp < action.readyAt) revert TooEarly(action.readyAt);
        if (block.timestamp > action.expiresAt) revert Expired(action.expiresAt);
        action.state = State.Taken;
        emit Taken(actionId);
    }

    /// @inheritdoc IActions
    function withdraw(uint64 actionId) external {
        _own(actionId);
        _end(actionId);
        emit Withdrawn(actionId);
    }

    /// @inheritdoc IActions
    function cancel(uint64 actionId, uint64 epoch, bytes calldata quorumSignature) external {
        verifier.verify(_digest(Messages.cancel(actionId, epoch)), epoch, quorumSignature);
        _end(actionId);
        emit Cancelled(actionId);
    }

    /// @inheritdoc IActions
    function veto(uint64 actionId, bytes calldata guardianSignatures) external {
        if (!_actions[actionId].vetoable) revert NotVetoable();
        guardians.check(_digest(Messages.veto(actionId)), guardianSignatures);
        _end(actionId);
        emit Vetoed(actionId);
    }

    function _end(uint64 actionId) private {
        if (!isPending(actionId)) revert NotPending();
        _actions[actionId].state = State.Ended;
    }

    function _own(uint64 actionId) private view returns (Action storage action) {
        action = _actions[actionId];
        if (action.opener != msg.sender) revert NotYours();
    }

    function _isOpener(address account) private view returns (bool) {
        return account == registry || account == governor || account == guard || account == vault;
    }
}
