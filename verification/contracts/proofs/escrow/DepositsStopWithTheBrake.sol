// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AnyEscrow} from "../support/AnyEscrow.sol";
import {vm} from "../support/Cheats.sol";

/// @notice No deposit while the brake holds, nor while it cannot be asked: it reverts, or has no code.
/// @dev That nothing else asks it: NothingBlocksAClaim and WithdrawOnlyAfterTheDelay, with a brake that answers anything or reverts.
contract DepositsStopWithTheBrake is AnyEscrow {
    function check_noneWhilePausedOrBroken() external {
        Step memory step = stepOf(Verb.Deposit);
        vm.assume(brake.paused() || brake.broken());
        assert(!run(step));
    }

    function check_noneWithoutABrake() external {
        Step memory step = stepOf(Verb.Deposit);
        vm.etch(address(brake), "");
        assert(!run(step));
    }

    function reaches_aDeposit() external {
        Step memory step = stepOf(Verb.Deposit);
        assert(!run(step));
    }

    function reaches_aDepositedChannelIsRefundedWhileBroken() external {
        Step memory step = stepOf(Verb.Refund);
        vm.assume(brake.paused() && brake.broken() && step.amount != 0);
        uint256 held = token.balanceOf(address(escrow));
        run(step);
        assert(token.balanceOf(address(escrow)) == held);
    }
}
