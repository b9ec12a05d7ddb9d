// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Messages} from "../governance/Messages.sol";
import {SettlementDomain} from "../governance/SettlementDomain.sol";
import {IStandingRegistry} from "../standing/IStandingRegistry.sol";
import {IPayoutModule} from "./IPayoutModule.sol";
import {ITransferGuard} from "./ITransferGuard.sol";
import {ModuleTransfer} from "./ModuleTransfer.sol";
import {SafeConfig} from "./SafeConfig.sol";

/// @title Payouts by the gateway's key
/// @notice Each payout id of a Safe counts once, and what was once spent stays spent. Whom it may pay was decided by the Safe's
///         owners or the attesters a day before, how much by the guard.
contract PayoutModule is IPayoutModule, SettlementDomain {
    address public immutable governor;
    IStandingRegistry public immutable standing;
    /// @notice Seconds from a payee's registration to its first payout: 24 h in production.
    uint64 public immutable payeeDelay;

    /// @inheritdoc IPayoutModule
    mapping(address safe => mapping(bytes32 payoutId => bool)) public used;
    /// @inheritdoc IPayoutModule
    mapping(bytes32 group => address) public payoutKeyOf;
    /// @inheritdoc IPayoutModule
    mapping(address safe => mapping(address payee => uint64)) public payableFrom;

    constructor(address guard_, address governor_, IStandingRegistry standing_, uint64 payeeDelay_)
        SettlementDomain(guard_)
    {
        governor = governor_;
        standing = standing_;
        payeeDelay = payeeDelay_;
    }

    /// @inheritdoc IPayoutModule
    /// @dev A Safe whose module guard is another (half of an exit) is paid from no more: nothing would bound it.
    function payout(address safe, bytes32 payoutId, address token, address to, uint256 amount) external {
        _spend(safe, payoutId);
        uint64 from = payableFrom[safe][to];
        if (from == 0) revert PayeeNotRegistered(to);
        if (block.timestamp < from) revert PayeeTooNew(from);
        if (token.code.length == 0) revert TokenHasNoCode();
        if (SafeConfig.moduleGuardOf(safe) != guard) revert NotRegistered();
        if (!ModuleTransfer.send(safe, token, to, amount)) revert TransferFailed();
        emit PaidOut(safe, payoutId, token, to, amount);
    }

    /// @inheritdoc IPayoutModule
    function void(address safe, bytes32 payoutId) external {
        _spend(safe, payoutId);
        emit Voided(safe, payoutId);
    }

    /// @inheritdoc IPayoutModule
    function register(address payee) external {
        _register(msg.sender, payee);
    }

    /// @inheritdoc IPayoutModule
    function registerByAttesters(address safe, address payee, bytes calldata attesterSignatures) external {
        standing.check(_digest(Messages.registerPayee(safe, payee)), attesterSignatures);
        _register(safe, payee);
    }

    /// @inheritdoc IPayoutModule
    function setPayoutKey(bytes32 group, address key) external {
        if (msg.sender != governor) revert OnlyGovernor();
        payoutKeyOf[group] = key;
        emit PayoutKeyChanged(group, key);
    }

    function _spend(address safe, bytes32 payoutId) private {
        address key = payoutKeyOf[_groupOf(safe)];
        if (key == address(0) || msg.sender != key) revert OnlyPayoutKey();
        if (used[safe][payoutId]) revert PayoutUsed(payoutId);
        used[safe][payoutId] = true;
    }

    function _register(address safe, address payee) private {
        _groupOf(safe);
        if (payee == address(0) || payee == safe || payee == guard || payee == address(this)) revert InvalidPayee();
        if (payableFrom[safe][payee] != 0) revert AlreadyRegistered();
        uint64 from = uint64(block.timestamp) + payeeDelay;
        payableFrom[safe][payee] = from;
        emit PayeeRegistered(safe, payee, from);
    }

    function _groupOf(address safe) private view returns (bytes32 group) {
        group = ITransferGuard(guard).groupOf(safe);
        if (group == 0) revert NotRegistered();
    }
}
