// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ChannelConfig} from "src/escrow/ChannelTypes.sol";
import {AnyEscrow} from "../support/AnyEscrow.sol";
import {vm} from "../support/Cheats.sol";

/// @notice A row that was claimed, handed in again by anybody at any time, changes nothing.
/// @dev After a claim the channel's total is at least the row's and never falls (PaidNeverFalls), so one step from any state with
///      such a total covers every later one.
contract ReplayedVoucherMovesNothing is AnyEscrow {
    function check_rowNotAboveTheTotalMovesNothing() external {
        Step memory step = anyStep();
        vm.assume(step.verb == Verb.Claim || step.verb == Verb.ClaimWithSignature);
        (, uint128 claimed) = escrow.channels(escrow.getChannelId(step.config));
        vm.assume(step.rows[0].totalClaimed <= claimed);
        bytes32 before = _print(step.config);
        run(step);
        assert(_print(step.config) == before);
    }

    function check_claimedRowIsAtMostTheTotal() external {
        Step memory step = stepOf(Verb.Claim);
        vm.assume(run(step));
        (, uint128 claimed) = escrow.channels(escrow.getChannelId(step.config));
        assert(step.rows[0].totalClaimed <= claimed);
    }

    /// @notice A refund's signature is for one count of refunds, which every use of it raises, even one that finds nothing.
    function check_signedRefundIsSpent() external {
        Step memory step = stepOf(Verb.RefundWithSignature);
        uint256 before = escrow.refundNonce(escrow.getChannelId(step.config));
        vm.assume(before < type(uint256).max);
        vm.assume(run(step));
        assert(step.nonce == before);
        assert(escrow.refundNonce(escrow.getChannelId(step.config)) == before + 1);
    }

    function _print(ChannelConfig memory config) private view returns (bytes32) {
        (uint128 balance, uint128 claimed) = escrow.channels(escrow.getChannelId(config));
        (uint128 booked, uint128 settled) = escrow.receivers(config.receiver, config.token);
        uint256 held = token.balanceOf(address(escrow));
        return keccak256(abi.encode(balance, claimed, booked, settled, held));
    }
}
