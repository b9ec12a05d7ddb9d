// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBatchSettlementErrors as Errors} from "src/escrow/IBatchSettlementErrors.sol";
import {IBatchSettlementEvents as Events} from "src/escrow/IBatchSettlementEvents.sol";
import {VoucherClaim} from "src/escrow/ChannelTypes.sol";
import {Base} from "../support/Base.sol";

contract RefundTest is Base {
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        id = fund(channel(), 10e6);
    }

    function test_partThenAllThatIsLeft() public {
        uint256 before = token.balanceOf(payer);
        vm.expectEmit(address(escrow));
        emit Events.Refunded(id, authorizer, 3e6);
        refundAs(authorizer, 3e6);
        assertChannel(id, 7e6, 0);
        claimAs(authorizer, one(row(channel(), 2e6, 2e6)));
        refundAs(receiver, type(uint128).max);
        assertChannel(id, 2e6, 2e6);
        vm.assertEq(token.balanceOf(payer), before + 8e6);
        vm.assertEq(escrow.refundNonce(id), 2);
    }

    function test_nothingLeftStillMovesTheNonce() public {
        claimAs(authorizer, one(row(channel(), 10e6, 10e6)));
        vm.recordLogs();
        refundAs(receiver, 1);
        vm.assertEq(vm.getRecordedLogs().length, 0);
        vm.assertEq(escrow.refundNonce(id), 1);
    }

    function test_shrinksAPendingWithdrawal() public {
        initiate(6e6);
        refundAs(receiver, 2e6);
        (uint128 amount, uint40 since) = escrow.pendingWithdrawals(id);
        vm.assertEq(amount, 4e6);
        vm.assertEq(since, block.timestamp);
    }

    function test_clearsAPendingWithdrawal() public {
        initiate(6e6);
        refundAs(receiver, 6e6);
        (uint128 amount, uint40 since) = escrow.pendingWithdrawals(id);
        vm.assertEq(amount, 0);
        vm.assertEq(since, 0);
    }

    function test_RevertWhen_senderIsNotTheReceiversSide() public {
        address[2] memory senders = [stranger, payer];
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(senders[i]);
            vm.expectRevert(Errors.NotAuthorizedToRefund.selector);
            escrow.refund(channel(), 1);
        }
    }

    function test_RevertWhen_zero() public {
        vm.prank(receiver);
        vm.expectRevert(Errors.ZeroRefund.selector);
        escrow.refund(channel(), 0);
        vm.assertEq(escrow.refundNonce(id), 0);
    }

    function test_withSignatureByAnybodyOnce() public {
        bytes memory signature = sign(AUTHORIZER_KEY, escrow.getRefundDigest(id, 0, 3e6));
        vm.expectEmit(address(escrow));
        emit Events.Refunded(id, stranger, 3e6);
        vm.prank(stranger);
        escrow.refundWithSignature(channel(), 3e6, 0, signature);
        vm.expectRevert(Errors.InvalidRefundNonce.selector);
        escrow.refundWithSignature(channel(), 3e6, 0, signature);
        vm.expectRevert(Errors.InvalidSignature.selector);
        escrow.refundWithSignature(channel(), 3e6, 1, signature);
        assertChannel(id, 7e6, 0);
    }

    function test_RevertWhen_signedForAnotherAmountOrByAnother() public {
        bytes memory signature = sign(AUTHORIZER_KEY, escrow.getRefundDigest(id, 0, 3e6));
        vm.expectRevert(Errors.InvalidSignature.selector);
        escrow.refundWithSignature(channel(), 4e6, 0, signature);
        bytes memory payers = sign(PAYER_KEY, escrow.getRefundDigest(id, 0, 3e6));
        vm.expectRevert(Errors.InvalidSignature.selector);
        escrow.refundWithSignature(channel(), 3e6, 0, payers);
    }

    function test_directRefundVoidsASignedOne() public {
        bytes memory signature = sign(AUTHORIZER_KEY, escrow.getRefundDigest(id, 0, 3e6));
        refundAs(receiver, 1);
        vm.expectRevert(Errors.InvalidRefundNonce.selector);
        escrow.refundWithSignature(channel(), 3e6, 0, signature);
    }

    /// @notice How facilitators close a channel: claim and refund in one call, or neither.
    function test_multicallClaimsAndRefundsTogether() public {
        VoucherClaim[] memory rows = one(row(channel(), 4e6, 4e6));
        bytes memory batch = sign(AUTHORIZER_KEY, escrow.getClaimBatchDigest(rows));
        bytes memory refund = sign(AUTHORIZER_KEY, escrow.getRefundDigest(id, 0, 6e6));
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(escrow.claimWithSignature, (rows, batch));
        calls[1] = abi.encodeCall(escrow.refundWithSignature, (channel(), 6e6, 1, refund));
        vm.expectRevert(Errors.InvalidRefundNonce.selector);
        escrow.multicall(calls);
        assertChannel(id, 10e6, 0);

        calls[1] = abi.encodeCall(escrow.refundWithSignature, (channel(), 6e6, 0, refund));
        uint256 before = token.balanceOf(payer);
        escrow.multicall(calls);
        assertChannel(id, 4e6, 4e6);
        vm.assertEq(token.balanceOf(payer), before + 6e6);
    }

    function testFuzz_neverMoreThanIsFree(uint128 claimed, uint128 asked) public {
        claimed = claimed % (10e6 + 1);
        vm.assume(asked > 0);
        if (claimed > 0) claimAs(authorizer, one(row(channel(), claimed, claimed)));
        uint256 before = token.balanceOf(payer);
        refundAs(receiver, asked);
        uint128 free = 10e6 - claimed;
        uint128 paid = asked < free ? asked : free;
        vm.assertEq(token.balanceOf(payer), before + paid);
        assertChannel(id, 10e6 - paid, claimed);
    }

    function refundAs(address sender, uint128 amount) private {
        vm.prank(sender);
        escrow.refund(channel(), amount);
    }

    function initiate(uint128 amount) private {
        vm.prank(payer);
        escrow.initiateWithdraw(channel(), amount);
    }
}
