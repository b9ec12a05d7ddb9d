// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ChannelConfig} from "src/escrow/ChannelTypes.sol";
import {AnyEscrow} from "../support/AnyEscrow.sol";
import {vm} from "../support/Cheats.sol";

/// @notice A payer takes free money back exactly `withdrawDelay` seconds after it asked for it, not a second before; nobody can
///         stop it then, and without it or the receiver's side nothing goes back.
contract WithdrawOnlyAfterTheDelay is AnyEscrow {
    /// @notice The clock starts at the block's time, by the payer's side, and is not running already.
    function check_theClockStartsNow() external {
        Step memory step = anyStep();
        (, uint40 before) = _pending(step.config);
        run(step);
        (uint128 amount, uint40 initiatedAt) = _pending(step.config);
        if (initiatedAt == before || initiatedAt == 0) return;
        assert(before == 0 && step.verb == Verb.InitiateWithdraw);
        assert(initiatedAt == block.timestamp && amount == step.amount);
        assert(step.sender == step.config.payer || step.sender == step.config.payerAuthorizer);
    }

    /// @notice Once it runs, what was asked for never grows.
    function check_theAmountAskedForNeverGrows() external {
        Step memory step = anyStep();
        (uint128 before, uint40 initiatedAt) = _pending(step.config);
        vm.assume(initiatedAt != 0);
        run(step);
        (uint128 amount,) = _pending(step.config);
        assert(amount <= before);
    }

    /// @notice A second too early reverts, whoever asks.
    function check_neverBeforeTheDelay() external {
        Step memory step = stepOf(Verb.FinalizeWithdraw);
        (, uint40 initiatedAt) = _pending(step.config);
        bool over = block.timestamp >= uint256(initiatedAt) + step.config.withdrawDelay;
        if (run(step)) assert(over && initiatedAt != 0);
    }

    /// @notice From the exact second on, it works in any state of everything else and pays what was asked for or what is left.
    function check_fromTheExactSecondOnNothingStopsIt() external {
        Step memory step = stepOf(Verb.FinalizeWithdraw);
        ChannelConfig memory config = step.config;
        (uint128 amount, uint40 initiatedAt) = _pending(config);
        (uint128 balance, uint128 claimed) = escrow.channels(escrow.getChannelId(config));
        uint256 held = token.balanceOf(address(escrow));
        vm.assume(initiatedAt != 0 && block.timestamp >= uint256(initiatedAt) + config.withdrawDelay);
        vm.assume(claimed <= balance && held >= balance && config.payer != address(escrow));
        vm.assume(step.sender == config.payer || step.sender == config.payerAuthorizer);
        bool success = run(step);
        assert(success);
        uint256 due = amount < balance - claimed ? amount : balance - claimed;
        assert(held - token.balanceOf(address(escrow)) == due);
    }

    /// @notice A channel's balance falls only by the payer's finished withdrawal or by the receiver's side's refund, to the payer.
    function check_balanceFallsOnlyToThePayer() external {
        Step memory step = anyStep();
        ChannelConfig memory config = step.config;
        vm.assume(config.payer != address(escrow));
        (uint128 balance, uint128 claimed) = escrow.channels(escrow.getChannelId(config));
        vm.assume(claimed <= balance);
        uint256 purse = token.balanceOf(config.payer);
        run(step);
        (uint128 left,) = escrow.channels(escrow.getChannelId(config));
        if (left >= balance) return;
        unchecked {
            assert(token.balanceOf(config.payer) - purse == balance - left);
        }
        assert(balance - left <= balance - claimed);
        if (step.verb == Verb.FinalizeWithdraw) return;
        if (step.verb == Verb.RefundWithSignature) return;
        assert(step.verb == Verb.Refund);
        assert(step.sender == config.receiver || step.sender == config.receiverAuthorizer);
    }

    function _pending(ChannelConfig memory config) private view returns (uint128 amount, uint40 initiatedAt) {
        return escrow.pendingWithdrawals(escrow.getChannelId(config));
    }
}
