// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {VoucherClaim} from "src/escrow/ChannelTypes.sol";
import {AnyEscrow} from "../support/AnyEscrow.sol";
import {vm} from "../support/Cheats.sol";

/// @notice A channel pays no more than the payer's side signed for this very channel, and only when its receiver's side asks.
/// @dev Signature recovery is uninterpreted: any answer, the same for the same question.
contract ClaimAtMostTheVoucher is AnyEscrow {
    /// @notice What is claimed rises only by a claim, to the row's total, at most the voucher's ceiling and the balance.
    function check_claimRaisesToTheRowWithinCeilingAndBalance() external {
        Step memory step = anyStep();
        bytes32 channelId = escrow.getChannelId(step.config);
        (, uint128 before) = escrow.channels(channelId);
        run(step);
        (uint128 balance, uint128 claimed) = escrow.channels(channelId);
        if (claimed == before) return;
        assert(step.verb == Verb.Claim || step.verb == Verb.ClaimWithSignature);
        assert(claimed == step.rows[0].totalClaimed);
        assert(claimed <= step.rows[0].voucher.maxClaimableAmount && claimed <= balance);
    }

    /// @notice A payerAuthorizer's key signed exactly this channel and this ceiling.
    function check_payerAuthorizerSignedTheCeiling() external {
        Step memory step = _claim();
        vm.assume(step.config.payerAuthorizer != address(0));
        if (_raises(step)) assert(_recovered(step.rows[0]) == step.config.payerAuthorizer);
    }

    /// @notice Without a payerAuthorizer the payer itself signed it, by its key or, if it is a contract, by its own answer.
    function check_payerSignedTheCeiling() external {
        Step memory step = _claim();
        vm.assume(step.config.payerAuthorizer == address(0));
        vm.assume(step.config.payer.code.length == 0);
        if (_raises(step)) assert(_recovered(step.rows[0]) == step.config.payer);
    }

    /// @notice The sender is the receiver or its authorizer.
    function check_onlyTheReceiverSideClaims() external {
        Step memory step = _claim();
        if (_raises(step)) {
            assert(step.sender == step.config.receiver || step.sender == step.config.receiverAuthorizer);
        }
    }

    /// @notice Or anybody, with the receiverAuthorizer's signature over this batch.
    function check_orTheAuthorizerSignedTheBatch() external {
        Step memory step = stepOf(Verb.ClaimWithSignature);
        vm.assume(step.config.receiverAuthorizer.code.length == 0);
        bytes32 digest = escrow.getClaimBatchDigest(step.rows);
        if (_raises(step)) assert(_recover(digest, step.signature) == step.config.receiverAuthorizer);
    }

    function _claim() private returns (Step memory) {
        return stepOf(Verb.Claim);
    }

    function _raises(Step memory step) private returns (bool) {
        bytes32 channelId = escrow.getChannelId(step.config);
        (, uint128 before) = escrow.channels(channelId);
        run(step);
        (, uint128 claimed) = escrow.channels(channelId);
        return claimed > before;
    }

    function _recovered(VoucherClaim memory row) private view returns (address) {
        bytes32 channelId = escrow.getChannelId(row.voucher.channel);
        return _recover(escrow.getVoucherDigest(channelId, row.voucher.maxClaimableAmount), row.signature);
    }

    function _recover(bytes32 digest, bytes memory signature) private pure returns (address signer) {
        (signer,,) = ECDSA.tryRecover(digest, signature);
    }
}
