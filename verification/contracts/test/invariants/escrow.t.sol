// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TestUSD} from "src/token/TestUSD.sol";
import {Base} from "../support/Base.sol";
import {EscrowHandler} from "./EscrowHandler.sol";

/// @notice Invariants 4 and 5 of the design, over random histories of many channels, two receivers and two tokens.
contract EscrowInvariants is Base {
    EscrowHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new EscrowHandler();
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    /// @dev Read by forge: only the handler's steps are taken.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory steps = new bytes4[](8);
        steps[0] = handler.deposit.selector;
        steps[1] = handler.claim.selector;
        steps[2] = handler.claimTwo.selector;
        steps[3] = handler.replay.selector;
        steps[4] = handler.initiateWithdraw.selector;
        steps[5] = handler.finalizeWithdraw.selector;
        steps[6] = handler.refund.selector;
        steps[7] = handler.settle.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), steps);
    }

    /// @dev Read by forge: only the handler is called.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @notice 4, per channel: paid to receiver and payer together never above what was deposited; and nothing is lost.
    function invariant_channelNeverPaysMoreThanWasDeposited() external view {
        for (uint256 i = 0; i < handler.CHANNELS(); ++i) {
            (uint256 deposited, uint256 returned, uint256 highest) = handler.ghost(i);
            (uint128 balance, uint128 claimed) = escrow.channels(handler.idOf(i));
            vm.assertLe(uint256(claimed) + returned, deposited, "a channel paid more than it was given");
            vm.assertEq(uint256(balance) + returned, deposited, "balance");
            vm.assertLe(claimed, balance, "claimed is covered");
            vm.assertEq(claimed, highest, "5: the total is the highest claim that succeeded");
        }
    }

    /// @notice 4, in total: the escrow holds, of each token, what channels have free and receivers have not been paid.
    function invariant_escrowIsSolventPerToken() external view {
        for (uint256 t = 0; t < handler.TOKENS(); ++t) {
            (uint256 deposited, uint256 paidOut, uint256 owed) = handler.totals(t);
            TestUSD asset = handler.tokens(t);
            vm.assertLe(paidOut, deposited, "the escrow paid more than it was given");
            vm.assertEq(asset.balanceOf(address(escrow)), deposited - paidOut, "holdings");
            vm.assertEq(asset.balanceOf(address(escrow)), owed, "holdings are what is owed");
        }
    }

    /// @notice Receivers' totals are the sums of their channels', and never paid beyond them.
    function invariant_receiversAreBookedWhatTheirChannelsClaimed() external view {
        for (uint256 r = 0; r < handler.RECEIVERS(); ++r) {
            for (uint256 t = 0; t < handler.TOKENS(); ++t) {
                (uint128 claimed, uint128 settled) = escrow.receivers(handler.receivers(r), address(handler.tokens(t)));
                vm.assertEq(claimed, handler.claimedFor(r, t), "receiver claimed");
                vm.assertLe(settled, claimed, "settled beyond claimed");
                vm.assertEq(handler.tokens(t).balanceOf(handler.receivers(r)), settled, "receiver was paid");
            }
        }
    }

    /// @notice 5: no step lowered a channel's total, and no old or replayed voucher moved anything.
    function invariant_totalsNeverFellAndReplaysMovedNothing() external view {
        vm.assertTrue(!handler.totalFell(), "a channel's total fell");
        vm.assertTrue(!handler.replayMoved(), "a replayed voucher moved something");
    }

    /// @notice The handler does what it is for: random histories reach every kind of step.
    function test_handlerReachesEveryStep() external {
        handler.deposit(0, 1000);
        handler.claim(0, 400, 601, true);
        handler.claimTwo(0, 1, 501, 701);
        handler.replay(0, 0);
        handler.initiateWithdraw(0, 100);
        handler.finalizeWithdraw(0, true);
        handler.refund(0, 50, false);
        handler.settle(0);
        vm.assertGe(handler.steps(), 8, "steps that changed something");
    }
}
