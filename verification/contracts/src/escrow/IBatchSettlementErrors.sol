// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Why the escrow refuses
/// @notice Names and selectors are those of the public x402 batch-settlement contract, so that clients can decode them; all but
///         `DepositsPaused`, which only ours has.
interface IBatchSettlementErrors {
    /// @notice Payer, receiver, receiverAuthorizer or token is zero; or the caller of `initiateWithdraw` is not the payer's side.
    error InvalidChannel();
    /// @notice The emergency brake holds; money that is in already can be claimed, settled, refunded and withdrawn.
    error DepositsPaused();
    error ZeroDeposit();
    /// @notice The channel's balance would not fit in 128 bits.
    error DepositOverflow();
    error InvalidSignature();
    /// @notice A row of `claimWithSignature` names another receiverAuthorizer than the first row.
    error NotReceiverAuthorizer();
    error NotAuthorizedToClaim();
    error NotAuthorizedToRefund();
    /// @notice A row claims more than its voucher allows.
    error ClaimExceedsCeiling();
    /// @notice A row claims more than the channel holds.
    error ClaimExceedsBalance();
    error WithdrawalAlreadyPending();
    error WithdrawalNotPending();
    error NotAuthorizedToFinalizeWithdraw();
    error WithdrawDelayNotElapsed();
    /// @notice A withdrawal of zero.
    error NothingToWithdraw();
    error WithdrawAmountExceedsAvailable();
    error WithdrawDelayOutOfRange();
    error EmptyBatch();
    /// @notice The collector did not bring exactly the amount.
    error DepositCollectionFailed();
    error InvalidCollector();
    error InvalidRefundNonce();
    error ZeroRefund();
}
