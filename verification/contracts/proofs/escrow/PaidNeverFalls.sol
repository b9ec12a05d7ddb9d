// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AnyEscrow} from "../support/AnyEscrow.sol";
import {vm} from "../support/Cheats.sol";

/// @notice Whatever anybody calls, what any channel has paid to its receiver never falls, nor what a receiver was paid.
contract PaidNeverFalls is AnyEscrow {
    function check_totalClaimedOfAnyChannelNeverFalls(bytes32 channelId) external {
        (, uint128 before) = escrow.channels(channelId);
        run(anyStep());
        (, uint128 afterwards) = escrow.channels(channelId);
        assert(afterwards >= before);
    }

    function check_totalSettledOfAnyReceiverNeverFalls(address receiver, address asset) external {
        (uint128 claimedBefore, uint128 settledBefore) = escrow.receivers(receiver, asset);
        vm.assume(settledBefore <= claimedBefore);
        run(anyStep());
        (uint128 claimed, uint128 settled) = escrow.receivers(receiver, asset);
        assert(claimed >= claimedBefore && settled >= settledBefore && settled <= claimed);
    }
}
