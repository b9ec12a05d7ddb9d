// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {ChannelConfig, VoucherClaim} from "src/escrow/ChannelTypes.sol";
import {AnyEscrow} from "../support/AnyEscrow.sol";
import {vm} from "../support/Cheats.sol";

/// @notice A voucher that was served is paid in every state of everything else: no pause, no pending withdrawal, no stranger
///         stops its claim, and no state stops what was claimed from being settled, or free money from going back. What each
///         needs is written out, and the brake, which answers anything or reverts, is not among it.
contract NothingBlocksAClaim is AnyEscrow {
    function check_aGoodVoucherIsAlwaysClaimed() external {
        Step memory step = stepOf(Verb.Claim);
        VoucherClaim memory row = step.rows[0];
        ChannelConfig memory config = step.config;
        (uint128 balance, uint128 claimed) = escrow.channels(escrow.getChannelId(config));
        (uint128 booked,) = escrow.receivers(config.receiver, config.token);
        vm.assume(step.sender == config.receiver || step.sender == config.receiverAuthorizer);
        vm.assume(config.payerAuthorizer != address(0) && _signer(row) == config.payerAuthorizer);
        vm.assume(row.totalClaimed <= row.voucher.maxClaimableAmount && row.totalClaimed <= balance);
        vm.assume(row.totalClaimed > claimed);
        vm.assume(uint256(booked) + (row.totalClaimed - claimed) <= type(uint128).max);
        bool success = run(step);
        assert(success);
        (, uint128 afterwards) = escrow.channels(escrow.getChannelId(config));
        assert(afterwards == row.totalClaimed);
    }

    function check_whatIsBookedIsAlwaysSettled() external {
        Step memory step = stepOf(Verb.Settle);
        ChannelConfig memory config = step.config;
        (uint128 booked, uint128 settled) = escrow.receivers(config.receiver, config.token);
        uint256 held = token.balanceOf(address(escrow));
        vm.assume(settled <= booked && held >= booked - settled && config.receiver != address(escrow));
        bool success = run(step);
        assert(success);
        (, uint128 settledAfter) = escrow.receivers(config.receiver, config.token);
        assert(settledAfter == booked);
        assert(held - token.balanceOf(address(escrow)) == booked - settled);
    }

    /// @notice The same by anyone, with the receiver's authorizer's signature.
    function check_aGoodSignedBatchIsAlwaysClaimed() external {
        Step memory step = stepOf(Verb.ClaimWithSignature);
        VoucherClaim memory row = step.rows[0];
        ChannelConfig memory config = step.config;
        (uint128 balance, uint128 claimed) = escrow.channels(escrow.getChannelId(config));
        (uint128 booked,) = escrow.receivers(config.receiver, config.token);
        (address authorizer,,) = ECDSA.tryRecover(escrow.getClaimBatchDigest(step.rows), step.signature);
        vm.assume(authorizer != address(0) && authorizer == config.receiverAuthorizer && authorizer.code.length == 0);
        vm.assume(config.payerAuthorizer != address(0) && _signer(row) == config.payerAuthorizer);
        vm.assume(row.totalClaimed <= row.voucher.maxClaimableAmount && row.totalClaimed <= balance);
        vm.assume(row.totalClaimed > claimed);
        vm.assume(uint256(booked) + (row.totalClaimed - claimed) <= type(uint128).max);
        assert(run(step));
    }

    function check_aWithdrawalIsAlwaysInitiated() external {
        Step memory step = stepOf(Verb.InitiateWithdraw);
        ChannelConfig memory config = step.config;
        bytes32 channelId = escrow.getChannelId(config);
        (uint128 balance, uint128 claimed) = escrow.channels(channelId);
        (, uint40 initiatedAt) = escrow.pendingWithdrawals(channelId);
        vm.assume(step.sender == config.payer || step.sender == config.payerAuthorizer);
        vm.assume(initiatedAt == 0 && step.amount != 0 && claimed <= balance && step.amount <= balance - claimed);
        vm.assume(block.timestamp + config.withdrawDelay <= type(uint40).max); // it is announced as 40 bits
        assert(run(step));
    }

    function check_aRefundIsAlwaysMade() external {
        Step memory step = stepOf(Verb.Refund);
        ChannelConfig memory config = step.config;
        bytes32 channelId = escrow.getChannelId(config);
        (uint128 balance, uint128 claimed) = escrow.channels(channelId);
        vm.assume(step.sender == config.receiver || step.sender == config.receiverAuthorizer);
        vm.assume(step.amount != 0 && claimed <= balance && token.balanceOf(address(escrow)) >= balance);
        vm.assume(escrow.refundNonce(channelId) != type(uint256).max);
        assert(run(step));
    }

    function _signer(VoucherClaim memory row) private view returns (address signer) {
        bytes32 channelId = escrow.getChannelId(row.voucher.channel);
        bytes32 digest = escrow.getVoucherDigest(channelId, row.voucher.maxClaimableAmount);
        (signer,,) = ECDSA.tryRecover(digest, row.signature);
    }
}
