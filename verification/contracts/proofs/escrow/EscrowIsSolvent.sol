// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ChannelConfig, VoucherClaim} from "src/escrow/ChannelTypes.sol";
import {AnyEscrow} from "../support/AnyEscrow.sol";
import {vm} from "../support/Cheats.sol";

/// @notice The escrow holds, of each token, at least what is free in channels plus what receivers have not been paid.
/// @dev One step from any state. What is owed is the sum, over all channels, of balance - claimed and, over all receivers, of
///      booked - settled. A step touches one channel and one receiver; what it changes of them equals what it changes of the
///      holdings, and every other channel and receiver stays, so the sums follow.
contract EscrowIsSolvent is AnyEscrow {
    struct Books {
        uint256 balance;
        uint256 claimed;
        uint256 booked;
        uint256 settled;
        uint256 held;
    }

    /// @notice Per channel: never more claimed than deposited and not taken back.
    function check_noChannelIsClaimedBeyondItsBalance(bytes32 channelId) external {
        (uint128 balance, uint128 claimed) = escrow.channels(channelId);
        vm.assume(claimed <= balance);
        run(anyStep());
        (balance, claimed) = escrow.channels(channelId);
        assert(claimed <= balance);
    }

    /// @notice In total: what comes and goes is on the channel's balance or settled, and what is claimed is booked.
    function check_holdingsFollowWhatIsOwed() external {
        Step memory step = anyStep();
        vm.assume(step.config.payer != address(escrow) && step.config.receiver != address(escrow));
        Books memory before = _books(step.config);
        run(step);
        Books memory afterwards = _books(step.config);
        unchecked {
            assert(afterwards.claimed - before.claimed == afterwards.booked - before.booked);
            if (step.verb == Verb.Settle) {
                assert(before.held - afterwards.held == afterwards.settled - before.settled);
                assert(afterwards.balance == before.balance);
            } else {
                assert(afterwards.held - before.held == afterwards.balance - before.balance);
                assert(afterwards.settled == before.settled);
            }
        }
    }

    /// @notice What a step does not name, it leaves alone.
    function check_otherChannelsAndReceiversStay(bytes32 channelId, address receiver, address asset) external {
        Step memory step = anyStep();
        vm.assume(channelId != escrow.getChannelId(step.config));
        vm.assume(receiver != step.config.receiver || asset != step.config.token);
        bytes32 before = _print(channelId, receiver, asset);
        run(step);
        assert(_print(channelId, receiver, asset) == before);
    }

    /// @notice Two rows of one receiver side: the receiver is booked the sum of what both channels paid.
    function check_twoRowsOfOneReceiverBookTheirSum() external {
        (Step memory step, ChannelConfig memory other) = _twoRows();
        other.receiver = step.config.receiver;
        other.receiverAuthorizer = step.config.receiverAuthorizer;
        vm.assume(other.salt != step.config.salt);
        (Books memory one, Books memory two) = (_books(step.config), _books(other));
        run(step);
        (Books memory oneAfter, Books memory twoAfter) = (_books(step.config), _books(other));
        unchecked {
            uint256 paid = (oneAfter.claimed - one.claimed) + (twoAfter.claimed - two.claimed);
            assert(oneAfter.booked == one.booked + paid);
        }
    }

    /// @notice Two rows of two receivers: each is booked what its own channel paid.
    function check_twoRowsOfTwoReceiversBookEachItsOwn() external {
        (Step memory step, ChannelConfig memory other) = _twoRows();
        vm.assume(step.config.receiver != other.receiver);
        (Books memory one, Books memory two) = (_books(step.config), _books(other));
        run(step);
        (Books memory oneAfter, Books memory twoAfter) = (_books(step.config), _books(other));
        unchecked {
            assert(oneAfter.booked - one.booked == oneAfter.claimed - one.claimed);
            assert(twoAfter.booked - two.booked == twoAfter.claimed - two.claimed);
        }
    }

    /// @dev Vouchers signed by a payerAuthorizer: how one row is checked when there is none is part of the steps above.
    function _twoRows() private returns (Step memory step, ChannelConfig memory other) {
        step = stepOf(Verb.Claim);
        other = anyChannel("other");
        step.rows = new VoucherClaim[](2);
        step.rows[0] = anyRow(step.config, "first");
        step.rows[1] = anyRow(other, "second");
        vm.assume(step.config.payerAuthorizer != address(0) && other.payerAuthorizer != address(0));
    }

    function _books(ChannelConfig memory config) private view returns (Books memory books) {
        (books.balance, books.claimed) = escrow.channels(escrow.getChannelId(config));
        (books.booked, books.settled) = escrow.receivers(config.receiver, config.token);
        books.held = token.balanceOf(address(escrow));
    }

    function _print(bytes32 channelId, address receiver, address asset) private view returns (bytes32) {
        (uint128 balance, uint128 claimed) = escrow.channels(channelId);
        (uint128 amount, uint40 initiatedAt) = escrow.pendingWithdrawals(channelId);
        (uint128 total, uint128 settled) = escrow.receivers(receiver, asset);
        uint256 refunds = escrow.refundNonce(channelId);
        return keccak256(abi.encode(balance, claimed, amount, initiatedAt, total, settled, refunds));
    }
}
