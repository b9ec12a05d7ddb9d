// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What a payer and a receiver agree on; its EIP-712 digest is the channel id, so nothing in it can change.
/// @param payer Whose tokens are escrowed and to whom the rest returns.
/// @param payerAuthorizer Key that signs vouchers; zero means the payer itself, by ECDSA or ERC-1271.
/// @param receiver Who is paid by `settle`.
/// @param receiverAuthorizer Who may claim and refund for the receiver; never zero.
/// @param token ERC-20 token; neither fee-on-transfer nor rebasing.
/// @param withdrawDelay Seconds between the start and the end of a payer's withdrawal.
/// @param salt Lets one pair hold many channels.
struct ChannelConfig {
    address payer;
    address payerAuthorizer;
    address receiver;
    address receiverAuthorizer;
    address token;
    uint40 withdrawDelay;
    bytes32 salt;
}

/// @notice A payer's withdrawal on its way.
/// @param amount Smallest units asked for; capped again when it is finalized.
/// @param initiatedAt Unix seconds; zero when none is pending.
struct WithdrawalState {
    uint128 amount;
    uint40 initiatedAt;
}

/// @notice What the payer signs, without the signature.
/// @param channel The channel it is drawn on.
/// @param maxClaimableAmount Cumulative ceiling in the token's smallest unit.
struct Voucher {
    ChannelConfig channel;
    uint128 maxClaimableAmount;
}

/// @notice One row of a claim.
/// @param voucher The payer's voucher.
/// @param signature By `payerAuthorizer` (ECDSA), or by the payer if that is zero.
/// @param totalClaimed New cumulative total asked for, at most the voucher's ceiling: a replayed row moves nothing.
struct VoucherClaim {
    Voucher voucher;
    bytes signature;
    uint128 totalClaimed;
}
