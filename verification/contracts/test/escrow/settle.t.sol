// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBatchSettlementEvents as Events} from "src/escrow/IBatchSettlementEvents.sol";
import {ChannelConfig} from "src/escrow/ChannelTypes.sol";
import {Base} from "../support/Base.sol";
import {Reenterer} from "../support/Doubles.sol";

contract SettleTest is Base {
    function test_paysAllThatIsClaimedOnce() public {
        fund(channel(), 10e6);
        claimAs(authorizer, one(row(channel(), 4e6, 4e6)));
        vm.expectEmit(address(escrow));
        emit Events.Settled(receiver, address(token), stranger, 4e6);
        vm.prank(stranger);
        escrow.settle(receiver, address(token));
        vm.assertEq(token.balanceOf(receiver), 4e6);
        assertReceiver(receiver, 4e6, 4e6);

        vm.recordLogs();
        escrow.settle(receiver, address(token));
        vm.assertEq(vm.getRecordedLogs().length, 0);
        vm.assertEq(token.balanceOf(receiver), 4e6);

        claimAs(authorizer, one(row(channel(), 9e6, 9e6)));
        escrow.settle(receiver, address(token));
        vm.assertEq(token.balanceOf(receiver), 9e6);
        vm.assertEq(token.balanceOf(address(escrow)), 1e6);
    }

    function test_payerTakingBackTheRestLeavesTheClaimedMoney() public {
        fund(channel(), 10e6);
        claimAs(authorizer, one(row(channel(), 4e6, 4e6)));
        vm.prank(receiver);
        escrow.refund(channel(), type(uint128).max);
        escrow.settle(receiver, address(token));
        vm.assertEq(token.balanceOf(receiver), 4e6);
        vm.assertEq(token.balanceOf(address(escrow)), 0);
    }

    function test_reenteringTokenIsPaidOnce() public {
        Reenterer evil = new Reenterer();
        ChannelConfig memory config = channel();
        config.token = address(evil);
        escrow.deposit(config, 10, address(evil), "");
        claimAs(authorizer, one(row(config, 4, 4)));
        evil.arm(abi.encodeCall(escrow.settle, (receiver, address(evil))));
        escrow.settle(receiver, address(evil));
        vm.assertEq(evil.balanceOf(receiver), 4);
        vm.assertEq(evil.failure(), abi.encodeWithSignature("ReentrancyGuardReentrantCall()"));
    }
}
