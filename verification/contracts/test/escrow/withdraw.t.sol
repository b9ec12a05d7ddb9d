// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBatchSettlementErrors as Errors} from "src/escrow/IBatchSettlementErrors.sol";
import {IBatchSettlementEvents as Events} from "src/escrow/IBatchSettlementEvents.sol";
import {ChannelConfig, VoucherClaim} from "src/escrow/ChannelTypes.sol";
import {Base} from "../support/Base.sol";

contract WithdrawTest is Base {
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        id = fund(channel(), 10e6);
    }

    function test_wholeWayOut() public {
        uint256 before = token.balanceOf(payer);
        vm.expectEmit(address(escrow));
        emit Events.WithdrawInitiated(id, 10e6, uint40(block.timestamp) + DELAY);
        initiate(10e6);
        assertPending(10e6, uint40(block.timestamp));

        vm.warp(block.timestamp + DELAY - 1);
        vm.prank(payer);
        vm.expectRevert(Errors.WithdrawDelayNotElapsed.selector);
        escrow.finalizeWithdraw(channel());

        vm.warp(block.timestamp + 1);
        vm.expectEmit(address(escrow));
        emit Events.WithdrawFinalized(id, payer, 10e6);
        vm.expectEmit(address(escrow));
        emit Events.ChannelClosed(id, channel());
        finalize();
        vm.assertEq(token.balanceOf(payer), before + 10e6);
        assertChannel(id, 0, 0);
        assertPending(0, 0);
    }

    function test_voucherClaimedInTheDelayCounts() public {
        initiate(10e6);
        claimAs(authorizer, one(row(channel(), 4e6, 4e6)));
        vm.warp(block.timestamp + DELAY);
        uint256 before = token.balanceOf(payer);
        finalize();
        vm.assertEq(token.balanceOf(payer), before + 6e6);
        assertChannel(id, 4e6, 4e6);
    }

    function test_everythingClaimedLeavesNothingButSucceeds() public {
        initiate(10e6);
        claimAs(authorizer, one(row(channel(), 10e6, 10e6)));
        vm.warp(block.timestamp + DELAY);
        finalize();
        assertChannel(id, 10e6, 10e6);
    }

    function test_lateVoucherIsAboveTheBalance() public {
        initiate(10e6);
        vm.warp(block.timestamp + DELAY);
        finalize();
        VoucherClaim[] memory late = one(row(channel(), 1, 1));
        vm.prank(authorizer);
        vm.expectRevert(Errors.ClaimExceedsBalance.selector);
        escrow.claim(late);
    }

    function test_payerAuthorizerMayToo() public {
        ChannelConfig memory config = channelWithSalt(5);
        config.payerAuthorizer = stranger;
        fund(config, 10);
        vm.prank(stranger);
        escrow.initiateWithdraw(config, 10);
        vm.warp(block.timestamp + DELAY);
        uint256 before = token.balanceOf(payer);
        vm.prank(stranger);
        escrow.finalizeWithdraw(config);
        vm.assertEq(token.balanceOf(payer), before + 10);
        vm.assertEq(token.balanceOf(stranger), 0);
    }

    function test_RevertWhen_senderIsNotThePayersSide() public {
        address[3] memory senders = [stranger, receiver, authorizer];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(senders[i]);
            vm.expectRevert(Errors.InvalidChannel.selector);
            escrow.initiateWithdraw(channel(), 1);
        }
        initiate(1);
        vm.warp(block.timestamp + DELAY);
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(senders[i]);
            vm.expectRevert(Errors.NotAuthorizedToFinalizeWithdraw.selector);
            escrow.finalizeWithdraw(channel());
        }
    }

    function test_RevertWhen_zero() public {
        vm.prank(payer);
        vm.expectRevert(Errors.NothingToWithdraw.selector);
        escrow.initiateWithdraw(channel(), 0);
    }

    function test_RevertWhen_alreadyPending() public {
        initiate(1);
        vm.prank(payer);
        vm.expectRevert(Errors.WithdrawalAlreadyPending.selector);
        escrow.initiateWithdraw(channel(), 1);
    }

    function test_RevertWhen_moreThanIsFree() public {
        claimAs(authorizer, one(row(channel(), 4e6, 4e6)));
        vm.prank(payer);
        vm.expectRevert(Errors.WithdrawAmountExceedsAvailable.selector);
        escrow.initiateWithdraw(channel(), 6e6 + 1);
        initiate(6e6);
    }

    function test_RevertWhen_nothingIsPending() public {
        vm.prank(payer);
        vm.expectRevert(Errors.WithdrawalNotPending.selector);
        escrow.finalizeWithdraw(channel());
    }

    function test_RevertWhen_finalizedTwice() public {
        initiate(4e6);
        vm.warp(block.timestamp + DELAY);
        finalize();
        vm.prank(payer);
        vm.expectRevert(Errors.WithdrawalNotPending.selector);
        escrow.finalizeWithdraw(channel());
        assertChannel(id, 6e6, 0);
    }

    /// @notice The delay of the channel, exactly, whatever it is.
    function testFuzz_delayIsExact(uint40 delay) public {
        delay = 15 minutes + delay % (30 days - 15 minutes + 1);
        ChannelConfig memory config = channelWithSalt(9);
        config.withdrawDelay = delay;
        fund(config, 10);
        vm.prank(payer);
        escrow.initiateWithdraw(config, 10);
        uint256 due = block.timestamp + delay;
        vm.warp(due - 1);
        vm.prank(payer);
        vm.expectRevert(Errors.WithdrawDelayNotElapsed.selector);
        escrow.finalizeWithdraw(config);
        vm.warp(due);
        vm.prank(payer);
        escrow.finalizeWithdraw(config);
    }

    function initiate(uint128 amount) private {
        vm.prank(payer);
        escrow.initiateWithdraw(channel(), amount);
    }

    function finalize() private {
        vm.prank(payer);
        escrow.finalizeWithdraw(channel());
    }

    function assertPending(uint128 amount, uint40 initiatedAt) private view {
        (uint128 actual, uint40 since) = escrow.pendingWithdrawals(id);
        vm.assertEq(actual, amount);
        vm.assertEq(since, initiatedAt);
    }
}
