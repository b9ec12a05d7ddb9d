// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IActions} from "../governance/IActions.sol";
import {IGuardians} from "../governance/IGuardians.sol";
import {MemberSignatures} from "../governance/MemberSignatures.sol";
import {Messages, Return} from "../governance/Messages.sol";
import {SettlementDomain} from "../governance/SettlementDomain.sol";
import {ICertificateVerifier} from "../quorum/ICertificateVerifier.sol";
import {IColdVault} from "./IColdVault.sol";

/// @title The cold vault
/// @notice Its only way out is back to the Safe that the money came from. Its owners are fixed for good; if their keys are
///         lost, the guardians stand in for them, with a longer delay. Never without a certificate.
/// @dev Money sent here without `record` belongs to no Safe and stays.
contract ColdVault is IColdVault, SettlementDomain {
    using MemberSignatures for MemberSignatures.Set;
    using SafeERC20 for IERC20;

    struct Neighbours {
        address guard;
        ICertificateVerifier verifier;
        IGuardians guardians;
        IActions actions;
        address evacuator;
    }

    /// @dev Seconds from consent to return.
    struct Delays {
        uint64 owners; // 48 h in production
        uint64 guardians; // 14 d
    }

    struct Scheduled {
        uint64 actionId;
        address safe;
        address token;
        uint256 amount;
    }

    ICertificateVerifier public immutable verifier;
    IGuardians public immutable guardians;
    IActions public immutable actions;
    address public immutable evacuator;
    uint64 public immutable ownersDelay;
    uint64 public immutable guardiansDelay;

    MemberSignatures.Set private _owners;
    /// @inheritdoc IColdVault
    uint64 public lastReturnId;
    /// @inheritdoc IColdVault
    mapping(address safe => mapping(address token => uint256)) public heldFor;
    mapping(uint64 returnId => Scheduled) private _returns;

    constructor(Neighbours memory neighbours, Delays memory delays, address[] memory owners_, uint256 threshold_)
        SettlementDomain(neighbours.guard)
    {
        verifier = neighbours.verifier;
        guardians = neighbours.guardians;
        actions = neighbours.actions;
        evacuator = neighbours.evacuator;
        ownersDelay = delays.owners;
        guardiansDelay = delays.guardians;
        if (!MemberSignatures.isValid(owners_, threshold_)) revert InvalidOwners();
        _owners.replace(owners_, threshold_);
    }

    /// @notice The vault's owners, strictly ascending.
    function owners() external view returns (address[] memory) {
        return _owners.members;
    }

    /// @notice How many of them must sign.
    function threshold() external view returns (uint256) {
        return _owners.threshold;
    }

    /// @inheritdoc IColdVault
    function record(address safe, address token, uint256 amount) external {
        if (msg.sender != evacuator) revert OnlyEvacuator();
        heldFor[safe][token] += amount;
        emit Received(safe, token, amount);
    }

    /// @inheritdoc IColdVault
    function scheduleReturn(Return calldata order, bytes calldata quorumSignature, bytes calldata ownerSignatures)
        external
        returns (uint64 actionId)
    {
        _checkOwners(_certified(order, quorumSignature), ownerSignatures);
        return _schedule(order, ownersDelay);
    }

    /// @inheritdoc IColdVault
    function scheduleReturnByGuardians(
        Return calldata order,
        bytes calldata quorumSignature,
        bytes calldata guardianSignatures
    ) external returns (uint64 actionId) {
        guardians.check(_certified(order, quorumSignature), guardianSignatures);
        return _schedule(order, guardiansDelay);
    }

    /// @inheritdoc IColdVault
    function executeReturn(uint64 returnId) external {
        Scheduled memory due = _returns[returnId];
        if (due.actionId == 0) revert UnknownReturn();
        actions.take(due.actionId);
        _checkHeld(due.safe, due.token, due.amount);

        heldFor[due.safe][due.token] -= due.amount;
        IERC20 token = IERC20(due.token);
        uint256 before = token.balanceOf(address(this));
        token.safeTransfer(due.safe, due.amount);
        // No fee and no hook may take more with it, and a token that moved less has not returned it.
        if (before - token.balanceOf(address(this)) != due.amount) revert TransferFailed();
        emit Returned(returnId, due.safe, due.token, due.amount);
    }

    /// @dev The order's digest, when a quorum of the current validators signed it.
    function _certified(Return calldata order, bytes calldata quorumSignature) private view returns (bytes32 digest) {
        if (order.returnId != lastReturnId + 1) revert WrongReturnId();
        _checkHeld(order.safe, order.token, order.amount);
        digest = _digest(Messages.hash(order));
        verifier.verify(digest, order.epoch, quorumSignature);
    }

    function _schedule(Return calldata order, uint64 delay) private returns (uint64 actionId) {
        lastReturnId = order.returnId;
        actionId = actions.open({vetoable: false});
        _returns[order.returnId] = Scheduled(actionId, order.safe, order.token, order.amount);
        actions.schedule(actionId, uint64(block.timestamp) + delay);
        emit ReturnScheduled(order.returnId, actionId, order.safe, order.token, order.amount);
    }

    function _checkOwners(bytes32 digest, bytes calldata signatures) private view {
        (uint256 count, address stranger) = _owners.signersOf(digest, signatures);
        if (stranger != address(0)) revert NotAnOwner(stranger);
        if (count < _owners.threshold) revert BelowOwnerQuorum();
    }

    function _checkHeld(address safe, address token, uint256 amount) private view {
        uint256 held = heldFor[safe][token];
        if (amount > held) revert ExceedsEvacuated(held);
    }
}
