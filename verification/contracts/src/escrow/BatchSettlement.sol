// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IEmergencyBrake} from "../emergency/IEmergencyBrake.sol";
import {ChannelDigests} from "./ChannelDigests.sol";
import {ChannelTotals} from "./ChannelTotals.sol";
import {ChannelConfig, VoucherClaim, WithdrawalState} from "./ChannelTypes.sol";
import {IBatchSettlementErrors} from "./IBatchSettlementErrors.sol";
import {IBatchSettlementEvents} from "./IBatchSettlementEvents.sol";
import {IDepositCollector} from "./IDepositCollector.sol";
import {ReceiverTotals} from "./ReceiverTotals.sol";
import {TypedDomain, typedDomain} from "./TypedDomain.sol";
import {VoucherSignature} from "./VoucherSignature.sol";

/// @title Escrow of payment channels
/// @notice One-way channels from payers to receivers, settled in batches: the x402 `batch-settlement` scheme on EVM. A payer
///         deposits, signs cumulative vouchers off chain, and takes back what was not claimed. Compatible by ABI, EIP-712,
///         events and errors with the public x402 contract, so official clients work against it unchanged.
///         All amounts are in the token's smallest unit, all times in Unix seconds.
/// @dev Nothing is stored by the constructor, so the code also works where it is only copied to. Two properties hold always:
///      no more of a token leaves than came in, per channel and in total; and a channel's `totalClaimed` never falls.
///      Only `deposit` asks the emergency brake; claims, settles, refunds and withdrawals cannot be stopped by anybody.
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

    /// @notice Stops deposits while it is paused; where it has no code there are none either.
    IEmergencyBrake public immutable brake;

    /// @dev What is kept of a channel.
    struct Channel {
        ChannelTotals totals;
        WithdrawalState withdrawal;
        uint256 refunds;
    }

    mapping(bytes32 channelId => Channel) private _channels;
    mapping(address receiver => mapping(address token => ReceiverTotals)) private _receivers;

    constructor(IEmergencyBrake brake_) {
        brake = brake_;
    }

    /// @notice A channel's totals; free money is `balance - totalClaimed`.
    function channels(bytes32 channelId) external view returns (uint128 balance, uint128 totalClaimed) {
        ChannelTotals totals = _channels[channelId].totals;
        return (totals.balance(), totals.totalClaimed());
    }

    /// @notice A payer's withdrawal on its way; `initiatedAt` is zero when there is none.
    function pendingWithdrawals(bytes32 channelId) external view returns (uint128 amount, uint40 initiatedAt) {
        WithdrawalState memory pending = _channels[channelId].withdrawal;
        return (pending.amount, pending.initiatedAt);
    }

    /// @notice How many refunds a channel has had; a signed refund is for exactly one count.
    function refundNonce(bytes32 channelId) external view returns (uint256) {
        return _channels[channelId].refunds;
    }

    /// @notice What `receiver` has claimed of `token` in all of its channels, and how much of that it was paid.
    function receivers(address receiver, address token)
        external
        view
        returns (uint128 totalClaimed, uint128 totalSettled)
    {
        ReceiverTotals totals = _receivers[receiver][token];
        return (totals.claimed(), totals.settled());
    }

    /// @notice Adds `amount` to a channel. Anyone may send it; `collector` pulls the tokens by the payer's authorization.
    /// @param collectorData The collector's own encoding of that authorization.
    function deposit(ChannelConfig calldata config, uint128 amount, address collector, bytes calldata collectorData)
        external
        nonReentrant
    {
        if (brake.isPaused()) revert DepositsPaused();
        _requireFundable(config);
        if (amount == 0) revert ZeroDeposit();
        if (collector == address(0)) revert InvalidCollector();

        bytes32 channelId = getChannelId(config);
        Channel storage channel = _channels[channelId];
        ChannelTotals before = channel.totals;
        if (amount > type(uint128).max - before.balance()) revert DepositOverflow();
        uint128 newBalance = before.balance() + amount;
        channel.totals = before.withBalance(newBalance);

        _collect(config, amount, channelId, collector, collectorData);

        if (_isEmpty(before)) emit ChannelCreated(channelId, config);
        emit Deposited(channelId, msg.sender, amount, newBalance);
    }

    /// @notice Books vouchers to their receivers; the sender is the receiver or the receiverAuthorizer of every row.
    /// @dev One bad row reverts all. A row that is not above what is claimed already is skipped.
    function claim(VoucherClaim[] calldata voucherClaims) external nonReentrant {
        if (voucherClaims.length == 0) revert EmptyBatch();
        _claimAll(voucherClaims, address(0));
    }

    /// @notice As `claim`, but sent by anyone with the receiverAuthorizer's signature over `getClaimBatchDigest`.
    ///         All rows have the same receiverAuthorizer.
    function claimWithSignature(VoucherClaim[] calldata voucherClaims, bytes calldata authorizerSignature)
        external
        nonReentrant
    {
        if (voucherClaims.length == 0) revert EmptyBatch();
        address authorizer = voucherClaims[0].voucher.channel.receiverAuthorizer;
        _requireSignature(authorizer, getClaimBatchDigest(voucherClaims), authorizerSignature);
        _claimAll(voucherClaims, authorizer);
    }

    /// @notice Transfers to `receiver` all that was claimed for it and not yet transferred. Anyone may send it.
    function settle(address receiver, address token) external nonReentrant {
        ReceiverTotals totals = _receivers[receiver][token];
        uint128 amount = totals.claimed() - totals.settled();
        if (amount == 0) return;
        _receivers[receiver][token] = totals.settleAll();
        IERC20(token).safeTransfer(receiver, amount);
        emit Settled(receiver, token, msg.sender, amount);
    }

    /// @notice Starts the payer's way out, which needs nobody's consent: `amount` is free after `withdrawDelay`.
    /// @dev Unclaimed vouchers reserve nothing; the receiver has the delay to claim them.
    function initiateWithdraw(ChannelConfig calldata config, uint128 amount) external nonReentrant {
        if (!_isPayerSide(config)) revert InvalidChannel();
        if (amount == 0) revert NothingToWithdraw();
        bytes32 channelId = getChannelId(config);
        Channel storage channel = _channels[channelId];
        if (channel.withdrawal.initiatedAt != 0) revert WithdrawalAlreadyPending();
        if (amount > channel.totals.available()) revert WithdrawAmountExceedsAvailable();

        uint40 initiatedAt = uint40(block.timestamp);
        channel.withdrawal = WithdrawalState(amount, initiatedAt);
        emit WithdrawInitiated(channelId, amount, initiatedAt + config.withdrawDelay);
    }

    /// @notice Ends a withdrawal whose delay is over; pays what was asked for, or what is left if that is less.
    function finalizeWithdraw(ChannelConfig calldata config) external nonReentrant {
        if (!_isPayerSide(config)) revert NotAuthorizedToFinalizeWithdraw();
        bytes32 channelId = getChannelId(config);
        Channel storage channel = _channels[channelId];
        WithdrawalState memory pending = channel.withdrawal;
        if (pending.initiatedAt == 0) revert WithdrawalNotPending();
        if (block.timestamp < uint256(pending.initiatedAt) + config.withdrawDelay) revert WithdrawDelayNotElapsed();

        delete channel.withdrawal;
        uint128 amount = _min(pending.amount, channel.totals.available());
        _take(channel, amount);
        emit WithdrawFinalized(channelId, msg.sender, amount);
        _payBack(channelId, channel, config, amount);
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
        if (nonce != _channels[channelId].refunds) revert InvalidRefundNonce();
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

    /// @dev Neighbouring rows with one receiver side make a run: it is authorized once and booked in one write. A payer's
    ///      ERC-1271 wallet, asked in between by a static call, sees the receiver's total from before the run.
    /// @param signedFor The receiverAuthorizer that signed the batch; zero if the sender must be on every row's receiver side.
    function _claimAll(VoucherClaim[] calldata rows, address signedFor) private {
        TypedDomain domain = typedDomain(_domainSeparatorV4());
        ChannelConfig calldata run = rows[0].voucher.channel;
        _requireMayClaim(run, signedFor);
        uint256 amount;
        for (uint256 i = 0; i < rows.length; ++i) {
            VoucherClaim calldata row = rows[i];
            if (!_sameReceiverSide(row.voucher.channel, run)) {
                _book(run, amount);
                run = row.voucher.channel;
                _requireMayClaim(run, signedFor);
                amount = 0;
            }
            unchecked {
                amount += _claim(domain, row); // 128 bits each: no batch is long enough to overflow
            }
        }
        _book(run, amount);
    }

    /// @dev Raises one channel's total; returns by how much.
    function _claim(TypedDomain domain, VoucherClaim calldata row) private returns (uint128 amount) {
        bytes32 channelId = _channelId(domain, row.voucher.channel);
        Channel storage channel = _channels[channelId];
        ChannelTotals totals = channel.totals;
        uint128 totalClaimed = row.totalClaimed;
        uint128 ceiling = row.voucher.maxClaimableAmount;
        if (totalClaimed <= totals.totalClaimed()) return 0;
        if (totalClaimed > ceiling) revert ClaimExceedsCeiling();
        if (totalClaimed > totals.balance()) revert ClaimExceedsBalance();
        _requireVoucherSignature(row, _voucherDigest(domain, channelId, ceiling));

        unchecked {
            amount = totalClaimed - totals.totalClaimed();
        }
        channel.totals = totals.withClaimed(totalClaimed);
        emit Claimed(channelId, msg.sender, amount, totalClaimed);
    }

    function _book(ChannelConfig calldata run, uint256 amount) private {
        if (amount == 0) return;
        mapping(address token => ReceiverTotals) storage totals = _receivers[run.receiver];
        totals[run.token] = totals[run.token].addClaimed(amount);
    }

    function _requireMayClaim(ChannelConfig calldata config, address signedFor) private view {
        if (signedFor == address(0)) {
            if (!_isReceiverSide(config)) revert NotAuthorizedToClaim();
        } else if (config.receiverAuthorizer != signedFor) {
            revert NotReceiverAuthorizer();
        }
    }

    /// @dev Compares receiver, receiverAuthorizer and token as they stand in the calldata; the run's first row is decoded, hence
    ///      checked, by the callers.
    function _sameReceiverSide(ChannelConfig calldata a, ChannelConfig calldata b) private pure returns (bool same) {
        assembly ("memory-safe") {
            same := and(
                and(
                    eq(calldataload(add(a, 0x40)), calldataload(add(b, 0x40))),
                    eq(calldataload(add(a, 0x60)), calldataload(add(b, 0x60)))
                ),
                eq(calldataload(add(a, 0x80)), calldataload(add(b, 0x80)))
            )
        }
    }

    /// @dev The nonce moves even when nothing is left, so a signed refund can never be used later.
    function _refund(bytes32 channelId, ChannelConfig calldata config, uint128 requested) private {
        if (requested == 0) revert ZeroRefund();
        Channel storage channel = _channels[channelId];
        ++channel.refunds;
        uint128 amount = _min(requested, channel.totals.available());
        if (amount == 0) return;

        _take(channel, amount);
        _shrinkWithdrawal(channel, amount);
        emit Refunded(channelId, msg.sender, amount);
        _payBack(channelId, channel, config, amount);
    }

    /// @dev What was refunded need not be withdrawn any more.
    function _shrinkWithdrawal(Channel storage channel, uint128 amount) private {
        WithdrawalState memory pending = channel.withdrawal;
        if (pending.initiatedAt == 0) return;
        if (amount >= pending.amount) delete channel.withdrawal;
        else channel.withdrawal.amount = pending.amount - amount;
    }

    function _take(Channel storage channel, uint128 amount) private {
        channel.totals = channel.totals.withBalance(channel.totals.balance() - amount);
    }

    function _payBack(bytes32 channelId, Channel storage channel, ChannelConfig calldata config, uint128 amount)
        private
    {
        if (_isEmpty(channel.totals)) emit ChannelClosed(channelId, config);
        if (amount > 0) IERC20(config.token).safeTransfer(config.payer, amount);
    }

    /// @dev A named payerAuthorizer signs by ECDSA only: a contract could change its mind after the voucher was served.
    function _requireVoucherSignature(VoucherClaim calldata row, bytes32 digest) private view {
        address payerAuthorizer = row.voucher.channel.payerAuthorizer;
        if (payerAuthorizer == address(0)) {
            _requireSignature(row.voucher.channel.payer, digest, row.signature);
        } else if (VoucherSignature.recover(digest, row.signature) != payerAuthorizer) {
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

    function _isEmpty(ChannelTotals totals) private pure returns (bool) {
        return ChannelTotals.unwrap(totals) == 0;
    }

    function _min(uint128 a, uint128 b) private pure returns (uint128) {
        return a < b ? a : b;
    }
}
