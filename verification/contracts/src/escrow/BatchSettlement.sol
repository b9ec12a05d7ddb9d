// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ChannelDigests} from "./ChannelDigests.sol";
import {ChannelConfig, ChannelState, ReceiverState, VoucherClaim, WithdrawalState} from "./ChannelTypes.sol";
import {IBatchSettlementErrors} from "./IBatchSettlementErrors.sol";
import {IBatchSettlementEvents} from "./IBatchSettlementEvents.sol";
import {IDepositCollector} from "./IDepositCollector.sol";

/// @title Escrow of payment channels
/// @notice One-way channels from payers to receivers, settled in batches: the x402 `batch-settlement` scheme on EVM. A payer
///         deposits, signs cumulative vouchers off chain, and takes back what was not claimed. Compatible by ABI, EIP-712,
///         events and errors with the public x402 contract, so official clients work against it unchanged.
///         All amounts are in the token's smallest unit, all times in Unix seconds.
/// @dev Nothing is stored by the constructor, so the code also works where it is only copied to. Two properties hold always:
///      no more of a token leaves than came in, per channel and in total; and a channel's `totalClaimed` never falls.
///      Claims and withdrawals cannot be stopped by anybody.
contract BatchSettlement is
    IBatchSettlementErrors,
    IBatchSettlementEvents,
    ChannelDigests,
    Multicall,
    ReentrancyGuardTransient
{
    using SafeERC20 for IERC20;

    uint40 public constant MIN_WITHDRAW_DELAY = 15 minutes;
    uint40 public constant MAX_WITHDRAW_DELAY = 30 days;

    mapping(bytes32 channelId => ChannelState) public channels;
    /// @notice Counts the refunds of a channel; a signed refund is for exactly one count.
    mapping(bytes32 channelId => uint256) public refundNonce;
    mapping(bytes32 channelId => WithdrawalState) public pendingWithdrawals;
    mapping(address receiver => mapping(address token => ReceiverState)) public receivers;

    /// @notice Adds `amount` to a channel. Anyone may send it; `collector` pulls the tokens by the payer's authorization.
    /// @param collectorData The collector's own encoding of that authorization.
    function deposit(ChannelConfig calldata config, uint128 amount, address collector, bytes calldata collectorData)
        external
        nonReentrant
    {
        _requireFundable(config);
        if (amount == 0) revert ZeroDeposit();
        if (collector == address(0)) revert InvalidCollector();

        bytes32 channelId = getChannelId(config);
        ChannelState storage channel = channels[channelId];
        uint128 balance = channel.balance;
        if (amount > type(uint128).max - balance) revert DepositOverflow();
        bool isNew = balance == 0 && channel.totalClaimed == 0;
        balance += amount;
        channel.balance = balance;

        _collect(config, amount, channelId, collector, collectorData);

        if (isNew) emit ChannelCreated(channelId, config);
        emit Deposited(channelId, msg.sender, amount, balance);
    }

    /// @notice Books vouchers to their receivers; the sender is the receiver or the receiverAuthorizer of every row.
    /// @dev One bad row reverts all. A row that is not above what is claimed already is skipped.
    function claim(VoucherClaim[] calldata voucherClaims) external nonReentrant {
        uint256 count = voucherClaims.length;
        if (count == 0) revert EmptyBatch();
        bytes32 domain = _domainSeparatorV4();
        for (uint256 i = 0; i < count; ++i) {
            VoucherClaim calldata row = voucherClaims[i];
            if (!_isReceiverSide(row.voucher.channel)) revert NotAuthorizedToClaim();
            _claim(domain, row);
        }
    }

    /// @notice As `claim`, but sent by anyone with the receiverAuthorizer's signature over `getClaimBatchDigest`.
    ///         All rows have the same receiverAuthorizer.
    function claimWithSignature(VoucherClaim[] calldata voucherClaims, bytes calldata authorizerSignature)
        external
        nonReentrant
    {
        uint256 count = voucherClaims.length;
        if (count == 0) revert EmptyBatch();
        address authorizer = voucherClaims[0].voucher.channel.receiverAuthorizer;
        _requireSignature(authorizer, getClaimBatchDigest(voucherClaims), authorizerSignature);
        bytes32 domain = _domainSeparatorV4();
        for (uint256 i = 0; i < count; ++i) {
            VoucherClaim calldata row = voucherClaims[i];
            if (row.voucher.channel.receiverAuthorizer != authorizer) revert NotReceiverAuthorizer();
            _claim(domain, row);
        }
    }

    /// @notice Transfers to `receiver` all that was claimed for it and not yet transferred. Anyone may send it.
    function settle(address receiver, address token) external nonReentrant {
        ReceiverState storage state = receivers[receiver][token];
        uint128 totalClaimed = state.totalClaimed;
        uint128 amount = totalClaimed - state.totalSettled;
        if (amount == 0) return;
        state.totalSettled = totalClaimed;
        IERC20(token).safeTransfer(receiver, amount);
        emit Settled(receiver, token, msg.sender, amount);
    }

    /// @notice Starts the payer's way out, which needs nobody's consent: `amount` is free after `withdrawDelay`.
    /// @dev Unclaimed vouchers reserve nothing; the receiver has the delay to claim them.
    function initiateWithdraw(ChannelConfig calldata config, uint128 amount) external nonReentrant {
        if (!_isPayerSide(config)) revert InvalidChannel();
        if (amount == 0) revert NothingToWithdraw();
        bytes32 channelId = getChannelId(config);
        if (pendingWithdrawals[channelId].initiatedAt != 0) revert WithdrawalAlreadyPending();
        if (amount > _available(channels[channelId])) revert WithdrawAmountExceedsAvailable();

        uint40 initiatedAt = uint40(block.timestamp);
        pendingWithdrawals[channelId] = WithdrawalState(amount, initiatedAt);
        emit WithdrawInitiated(channelId, amount, initiatedAt + config.withdrawDelay);
    }

    /// @notice Ends a withdrawal whose delay is over; pays what was asked for, or what is left if that is less.
    function finalizeWithdraw(ChannelConfig calldata config) external nonReentrant {
        if (!_isPayerSide(config)) revert NotAuthorizedToFinalizeWithdraw();
        bytes32 channelId = getChannelId(config);
        WithdrawalState memory pending = pendingWithdrawals[channelId];
        if (pending.initiatedAt == 0) revert WithdrawalNotPending();
        if (block.timestamp < uint256(pending.initiatedAt) + config.withdrawDelay) revert WithdrawDelayNotElapsed();

        delete pendingWithdrawals[channelId];
        uint128 amount = _min(pending.amount, _available(channels[channelId]));
        channels[channelId].balance -= amount;
        emit WithdrawFinalized(channelId, msg.sender, amount);
        _payBack(channelId, config, amount);
    }

    /// @notice Gives free money back to the payer at once; the sender is the receiver or the receiverAuthorizer.
    /// @param amount Capped to what is free.
    function refund(ChannelConfig calldata config, uint128 amount) external nonReentrant {
        if (!_isReceiverSide(config)) revert NotAuthorizedToRefund();
        _refund(getChannelId(config), config, amount);
    }

    /// @notice As `refund`, but sent by anyone with the receiverAuthorizer's signature over `getRefundDigest`.
    /// @param nonce The channel's `refundNonce`.
    function refundWithSignature(
        ChannelConfig calldata config,
        uint128 amount,
        uint256 nonce,
        bytes calldata receiverAuthorizerSignature
    ) external nonReentrant {
        bytes32 channelId = getChannelId(config);
        if (nonce != refundNonce[channelId]) revert InvalidRefundNonce();
        bytes32 digest = getRefundDigest(channelId, nonce, amount);
        _requireSignature(config.receiverAuthorizer, digest, receiverAuthorizerSignature);
        _refund(channelId, config, amount);
    }

    /// @dev Pulls by the collector, which the sender chose, and believes only the balance.
    function _collect(
        ChannelConfig calldata config,
        uint128 amount,
        bytes32 channelId,
        address collector,
        bytes calldata collectorData
    ) private {
        uint256 before = IERC20(config.token).balanceOf(address(this));
        IDepositCollector(collector).collect(config.payer, config.token, amount, channelId, collectorData);
        if (IERC20(config.token).balanceOf(address(this)) != before + amount) revert DepositCollectionFailed();
    }

    function _claim(bytes32 domain, VoucherClaim calldata row) private {
        bytes32 channelId = _channelId(domain, row.voucher.channel);
        ChannelState storage channel = channels[channelId];
        uint128 alreadyClaimed = channel.totalClaimed;
        uint128 totalClaimed = row.totalClaimed;
        uint128 ceiling = row.voucher.maxClaimableAmount;
        if (totalClaimed <= alreadyClaimed) return;
        if (totalClaimed > ceiling) revert ClaimExceedsCeiling();
        if (totalClaimed > channel.balance) revert ClaimExceedsBalance();
        _requireVoucherSignature(row, _voucherDigest(domain, channelId, ceiling));

        uint128 amount = totalClaimed - alreadyClaimed;
        channel.totalClaimed = totalClaimed;
        receivers[row.voucher.channel.receiver][row.voucher.channel.token].totalClaimed += amount;
        emit Claimed(channelId, msg.sender, amount, totalClaimed);
    }

    /// @dev The nonce moves even when nothing is left, so a signed refund can never be used later.
    function _refund(bytes32 channelId, ChannelConfig calldata config, uint128 requested) private {
        if (requested == 0) revert ZeroRefund();
        ++refundNonce[channelId];
        uint128 amount = _min(requested, _available(channels[channelId]));
        if (amount == 0) return;

        channels[channelId].balance -= amount;
        _shrinkWithdrawal(channelId, amount);
        emit Refunded(channelId, msg.sender, amount);
        _payBack(channelId, config, amount);
    }

    /// @dev What was refunded need not be withdrawn any more.
    function _shrinkWithdrawal(bytes32 channelId, uint128 amount) private {
        WithdrawalState storage pending = pendingWithdrawals[channelId];
        if (pending.initiatedAt == 0) return;
        if (amount >= pending.amount) delete pendingWithdrawals[channelId];
        else pending.amount -= amount;
    }

    function _payBack(bytes32 channelId, ChannelConfig calldata config, uint128 amount) private {
        ChannelState storage channel = channels[channelId];
        if (channel.balance == 0 && channel.totalClaimed == 0) emit ChannelClosed(channelId, config);
        if (amount > 0) IERC20(config.token).safeTransfer(config.payer, amount);
    }

    /// @dev A named payerAuthorizer signs by ECDSA only: a contract could change its mind after the voucher was served.
    function _requireVoucherSignature(VoucherClaim calldata row, bytes32 digest) private view {
        address payerAuthorizer = row.voucher.channel.payerAuthorizer;
        if (payerAuthorizer == address(0)) {
            _requireSignature(row.voucher.channel.payer, digest, row.signature);
        } else if (ECDSA.recoverCalldata(digest, row.signature) != payerAuthorizer) {
            revert InvalidSignature();
        }
    }

    function _requireSignature(address signer, bytes32 digest, bytes calldata signature) private view {
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature)) revert InvalidSignature();
    }

    function _requireFundable(ChannelConfig calldata config) private pure {
        if (config.payer == address(0) || config.receiver == address(0)) revert InvalidChannel();
        if (config.receiverAuthorizer == address(0) || config.token == address(0)) revert InvalidChannel();
        if (config.withdrawDelay < MIN_WITHDRAW_DELAY || config.withdrawDelay > MAX_WITHDRAW_DELAY) {
            revert WithdrawDelayOutOfRange();
        }
    }

    function _isReceiverSide(ChannelConfig calldata config) private view returns (bool) {
        return msg.sender == config.receiverAuthorizer || msg.sender == config.receiver;
    }

    function _isPayerSide(ChannelConfig calldata config) private view returns (bool) {
        return msg.sender == config.payer || msg.sender == config.payerAuthorizer;
    }

    function _available(ChannelState storage channel) private view returns (uint128) {
        return channel.balance - channel.totalClaimed;
    }

    function _min(uint128 a, uint128 b) private pure returns (uint128) {
        return a < b ? a : b;
    }
}
