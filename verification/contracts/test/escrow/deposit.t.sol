// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ChannelConfig} from "src/escrow/ChannelTypes.sol";
import {DepositCollector} from "src/escrow/DepositCollector.sol";
import {ERC3009DepositCollector} from "src/escrow/ERC3009DepositCollector.sol";
import {IBatchSettlementErrors as Errors} from "src/escrow/IBatchSettlementErrors.sol";
import {IBatchSettlementEvents as Events} from "src/escrow/IBatchSettlementEvents.sol";
import {Base} from "../support/Base.sol";
import {Vm} from "../support/Vm.sol";
import {FeeToken, LooseCollector, Reenterer} from "../support/Doubles.sol";

contract DepositTest is Base {
    function test_createsAndAdds() public {
        bytes32 id = escrow.getChannelId(channel());
        vm.expectEmit(address(escrow));
        emit Events.ChannelCreated(id, channel());
        vm.expectEmit(address(escrow));
        emit Events.Deposited(id, address(this), 10e6, 10e6);
        fund(channel(), 10e6);

        vm.expectEmit(address(escrow));
        emit Events.Deposited(id, address(this), 5e6, 15e6);
        fund(channel(), 5e6);
        assertChannel(id, 15e6, 0);
        vm.assertEq(token.balanceOf(address(escrow)), 15e6);
        vm.assertEq(token.balanceOf(address(collector)), 0);
    }

    function test_secondDepositDoesNotCreate() public {
        fund(channel(), 1e6);
        vm.recordLogs();
        fund(channel(), 1e6);
        vm.assertEq(countCreations(), 0);
    }

    function test_drainedAndFundedAgainContinuesTheTotals() public {
        bytes32 id = fund(channel(), 10e6);
        claimAs(authorizer, one(row(channel(), 4e6, 4e6)));
        vm.prank(receiver);
        escrow.refund(channel(), 6e6);
        assertChannel(id, 4e6, 4e6);

        vm.recordLogs();
        fund(channel(), 3e6);
        vm.assertEq(countCreations(), 0);
        assertChannel(id, 7e6, 4e6);
        // The old voucher moves nothing; the next one counts on from the old total.
        claimAs(authorizer, one(row(channel(), 4e6, 4e6)));
        assertChannel(id, 7e6, 4e6);
        claimAs(authorizer, one(row(channel(), 7e6, 7e6)));
        assertChannel(id, 7e6, 7e6);
        assertReceiver(receiver, 7e6, 0);
    }

    function test_closedWithoutClaimsIsCreatedAgainAndKeepsItsRefundNonce() public {
        bytes32 id = fund(channel(), 2e6);
        vm.prank(receiver);
        vm.expectEmit(address(escrow));
        emit Events.ChannelClosed(id, channel());
        escrow.refund(channel(), 2e6);

        vm.recordLogs();
        fund(channel(), 2e6);
        vm.assertEq(countCreations(), 1);
        vm.assertEq(escrow.refundNonce(id), 1);
    }

    function test_RevertWhen_partyIsZero() public {
        for (uint256 i = 0; i < 4; ++i) {
            ChannelConfig memory config = channel();
            if (i == 0) config.payer = address(0);
            if (i == 1) config.receiver = address(0);
            if (i == 2) config.receiverAuthorizer = address(0);
            if (i == 3) config.token = address(0);
            vm.expectRevert(Errors.InvalidChannel.selector);
            escrow.deposit(config, 1, address(collector), "");
        }
    }

    function test_delayBounds() public {
        ChannelConfig memory config = channel();
        config.withdrawDelay = 15 minutes;
        fund(config, 1);
        config.withdrawDelay = 30 days;
        fund(config, 1);
        config.withdrawDelay = 15 minutes - 1;
        vm.expectRevert(Errors.WithdrawDelayOutOfRange.selector);
        escrow.deposit(config, 1, address(collector), "");
        config.withdrawDelay = 30 days + 1;
        vm.expectRevert(Errors.WithdrawDelayOutOfRange.selector);
        escrow.deposit(config, 1, address(collector), "");
    }

    function test_RevertWhen_zero() public {
        vm.expectRevert(Errors.ZeroDeposit.selector);
        escrow.deposit(channel(), 0, address(collector), "");
    }

    function test_RevertWhen_collectorIsZero() public {
        vm.expectRevert(Errors.InvalidCollector.selector);
        escrow.deposit(channel(), 1, address(0), "");
    }

    function test_RevertWhen_balanceOverflows() public {
        LooseCollector loose = new LooseCollector();
        token.mint(address(loose), type(uint128).max);
        escrow.deposit(channel(), type(uint128).max, address(loose), "");
        vm.expectRevert(Errors.DepositOverflow.selector);
        escrow.deposit(channel(), 1, address(loose), "");
    }

    function test_RevertWhen_collectorBringsLessOrMore() public {
        LooseCollector loose = new LooseCollector();
        token.mint(address(loose), 100);
        for (int256 difference = -1; difference <= 1; difference += 2) {
            loose.setDifference(difference);
            vm.expectRevert(Errors.DepositCollectionFailed.selector);
            escrow.deposit(channel(), 10, address(loose), "");
        }
    }

    function test_RevertWhen_tokenTakesAFee() public {
        FeeToken fee = new FeeToken();
        LooseCollector loose = new LooseCollector();
        fee.mint(address(loose), 100);
        ChannelConfig memory config = channel();
        config.token = address(fee);
        vm.expectRevert(Errors.DepositCollectionFailed.selector);
        escrow.deposit(config, 10, address(loose), "");
    }

    function test_RevertWhen_authorizationIsOfAnotherChannel() public {
        bytes memory data = authorization(channelWithSalt(1), 1e6, 1, PAYER_KEY);
        vm.expectRevert((abi.encodeWithSignature("Error(string)", "FiatTokenV2: invalid signature")));
        escrow.deposit(channel(), 1e6, address(collector), data);
    }

    function test_RevertWhen_authorizationIsUsedTwice() public {
        bytes memory data = authorization(channel(), 1e6, 99, PAYER_KEY);
        escrow.deposit(channel(), 1e6, address(collector), data);
        vm.expectRevert(
            bytes(abi.encodeWithSignature("Error(string)", "FiatTokenV2: authorization is used or canceled"))
        );
        escrow.deposit(channel(), 1e6, address(collector), data);
    }

    function test_RevertWhen_collectorIsCalledByAnother() public {
        vm.expectRevert(DepositCollector.OnlyX402BatchSettlement.selector);
        collector.collect(payer, address(token), 1, 0, "");
    }

    function test_RevertWhen_collectorServesNobody() public {
        vm.expectRevert(DepositCollector.InvalidX402BatchSettlementAddress.selector);
        new ERC3009DepositCollector(address(0));
    }

    /// @notice A word with dirty upper bits would make another channel id for the same addresses: it must not be fundable.
    function test_RevertWhen_addressHasDirtyBits() public {
        LooseCollector loose = new LooseCollector();
        token.mint(address(loose), 100);
        bytes memory data = abi.encodeCall(escrow.deposit, (channel(), 10, address(loose), ""));
        (bool clean,) = address(escrow).call(data);
        vm.assertTrue(clean);
        for (uint256 member = 0; member < 6; ++member) {
            bytes memory dirty = bytes.concat(data);
            dirty[4 + 32 * member] = 0x01;
            (bool success,) = address(escrow).call(dirty);
            vm.assertTrue(!success);
        }
    }

    function test_RevertWhen_tokenReenters() public {
        Reenterer evil = new Reenterer();
        ChannelConfig memory config = channel();
        config.token = address(evil);
        evil.arm(abi.encodeCall(escrow.settle, (receiver, address(token))));
        escrow.deposit(config, 10, address(evil), "");
        vm.assertEq(
            evil.failure(), abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
    }

    function countCreations() private returns (uint256 count) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == Events.ChannelCreated.selector) ++count;
        }
    }

    function test_whilePausedNothingComesInAndEverythingGoesOut() public {
        bytes32 id = fund(channel(), 10e6);
        bytes memory data = authorization(channel(), 1e6, 77, PAYER_KEY);
        brake.pull(true);
        vm.expectRevert(Errors.DepositsPaused.selector);
        escrow.deposit(channel(), 1e6, address(collector), data);

        claimAs(authorizer, one(row(channel(), 4e6, 4e6)));
        escrow.settle(receiver, address(token));
        vm.assertEq(token.balanceOf(receiver), 4e6);
        vm.prank(receiver);
        escrow.refund(channel(), 1e6);
        vm.prank(payer);
        escrow.initiateWithdraw(channel(), 5e6);
        vm.warp(block.timestamp + DELAY);
        vm.prank(payer);
        escrow.finalizeWithdraw(channel());
        assertChannel(id, 4e6, 4e6);

        brake.pull(false);
        escrow.deposit(channel(), 1e6, address(collector), data);
        assertChannel(id, 5e6, 4e6);
    }

    function test_noDepositsWhereTheBrakeHasNoCode() public {
        bytes memory data = authorization(channel(), 1e6, 77, PAYER_KEY);
        vm.etch(address(brake), "");
        vm.expectRevert();
        escrow.deposit(channel(), 1e6, address(collector), data);
    }
}
