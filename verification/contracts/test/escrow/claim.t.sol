// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ChannelConfig, VoucherClaim} from "src/escrow/ChannelTypes.sol";
import {IBatchSettlementErrors as Errors} from "src/escrow/IBatchSettlementErrors.sol";
import {IBatchSettlementEvents as Events} from "src/escrow/IBatchSettlementEvents.sol";
import {Base} from "../support/Base.sol";
import {LooseCollector, Wallet} from "../support/Doubles.sol";

contract ClaimTest is Base {
    function test_booksToTheReceiver() public {
        bytes32 id = fund(channel(), 10e6);
        vm.expectEmit(address(escrow));
        emit Events.Claimed(id, authorizer, 3e6, 3e6);
        claimAs(authorizer, one(row(channel(), 4e6, 3e6)));
        vm.expectEmit(address(escrow));
        emit Events.Claimed(id, receiver, 2e6, 5e6);
        claimAs(receiver, one(row(channel(), 5e6, 5e6)));
        assertChannel(id, 10e6, 5e6);
        assertReceiver(receiver, 5e6, 0);
        vm.assertEq(token.balanceOf(receiver), 0);
    }

    function test_oldAndEqualRowsMoveNothing() public {
        bytes32 id = fund(channel(), 10e6);
        VoucherClaim[] memory old = one(row(channel(), 4e6, 4e6));
        claimAs(authorizer, old);
        claimAs(authorizer, one(row(channel(), 9e6, 6e6)));
        vm.recordLogs();
        claimAs(authorizer, old);
        claimAs(authorizer, one(row(channel(), 9e6, 6e6)));
        claimAs(authorizer, two(row(channel(), 9e6, 5e6), row(channel(), 9e6, 0)));
        vm.assertEq(vm.getRecordedLogs().length, 0);
        assertChannel(id, 10e6, 6e6);
        assertReceiver(receiver, 6e6, 0);
    }

    function test_sameChannelTwiceInOneBatchCountsOnce() public {
        bytes32 id = fund(channel(), 10e6);
        claimAs(authorizer, two(row(channel(), 4e6, 4e6), row(channel(), 7e6, 7e6)));
        assertChannel(id, 10e6, 7e6);
        assertReceiver(receiver, 7e6, 0);
    }

    /// @notice Rows of several receivers in any order: each is booked its own.
    function test_runsOfReceiversAreBookedApart() public {
        VoucherClaim[] memory rows = new VoucherClaim[](5);
        address[5] memory to = [address(1001), address(1001), address(1002), address(1001), address(1002)];
        for (uint256 i = 0; i < 5; ++i) {
            ChannelConfig memory config = channelWithSalt(i);
            config.receiver = to[i];
            fund(config, 100);
            rows[i] = row(config, 100, uint128(1 << i));
        }
        claimAs(authorizer, rows);
        assertReceiver(address(1001), 1 + 2 + 8, 0);
        assertReceiver(address(1002), 4 + 16, 0);
    }

    /// @notice One receiver with two tokens: the run ends where the token changes.
    function test_runsOfTokensAreBookedApart() public {
        LooseCollector loose = new LooseCollector();
        OtherToken other = new OtherToken(address(loose));
        ChannelConfig memory config = channelWithSalt(1);
        config.token = address(other);
        escrow.deposit(config, 100, address(loose), "");
        fund(channel(), 100);
        claimAs(authorizer, two(row(channel(), 30, 30), row(config, 50, 50)));
        assertReceiver(receiver, 30, 0);
        (uint128 claimed,) = escrow.receivers(receiver, address(other));
        vm.assertEq(claimed, 50);
    }

    /// @notice A second row with another authorizer is authorized for itself.
    function test_RevertWhen_anyRowIsNotTheSenders() public {
        ChannelConfig memory foreign = channelWithSalt(7);
        foreign.receiverAuthorizer = stranger;
        fund(channel(), 10);
        fund(foreign, 10);
        VoucherClaim[] memory rows = two(row(channel(), 5, 5), row(foreign, 5, 5));
        vm.prank(authorizer);
        vm.expectRevert(Errors.NotAuthorizedToClaim.selector);
        escrow.claim(rows);
        claimAs(receiver, rows);
        assertReceiver(receiver, 10, 0);
    }

    function test_RevertWhen_senderIsAStrangerOrThePayer() public {
        fund(channel(), 10);
        address[2] memory senders = [stranger, payer];
        for (uint256 i = 0; i < 2; ++i) {
            VoucherClaim[] memory rows = one(row(channel(), 5, 5));
            vm.prank(senders[i]);
            vm.expectRevert(Errors.NotAuthorizedToClaim.selector);
            escrow.claim(rows);
        }
    }

    function test_RevertWhen_batchIsEmpty() public {
        vm.expectRevert(Errors.EmptyBatch.selector);
        escrow.claim(new VoucherClaim[](0));
        vm.expectRevert(Errors.EmptyBatch.selector);
        escrow.claimWithSignature(new VoucherClaim[](0), "");
    }

    function test_RevertWhen_aboveTheCeiling() public {
        fund(channel(), 10);
        refused(row(channel(), 5, 6), abi.encodeWithSelector(Errors.ClaimExceedsCeiling.selector));
    }

    function test_RevertWhen_aboveTheBalance() public {
        fund(channel(), 10);
        refused(row(channel(), 11, 11), abi.encodeWithSelector(Errors.ClaimExceedsBalance.selector));
        claimAs(authorizer, one(row(channel(), 11, 10)));
    }

    function test_RevertWhen_signedByAnother() public {
        fund(channel(), 10);
        VoucherClaim memory forged = rowBy(STRANGER_KEY, channel(), 5, 5);
        refused(forged, abi.encodeWithSelector(Errors.InvalidSignature.selector));
    }

    function test_RevertWhen_voucherIsOfAnotherChannelOrChain() public {
        fund(channel(), 10);
        fund(channelWithSalt(1), 10);
        VoucherClaim memory moved = row(channel(), 5, 5);
        moved.signature = row(channelWithSalt(1), 5, 5).signature;
        refused(moved, abi.encodeWithSelector(Errors.InvalidSignature.selector));
        VoucherClaim memory changed = row(channel(), 5, 5);
        changed.voucher.maxClaimableAmount = 6;
        refused(changed, abi.encodeWithSelector(Errors.InvalidSignature.selector));
        vm.chainId(1);
        VoucherClaim memory elsewhere = row(channel(), 5, 5);
        vm.chainId(84532);
        refused(elsewhere, abi.encodeWithSelector(Errors.InvalidSignature.selector));
    }

    function test_RevertWhen_signatureIsMalleableOrMalformed() public {
        fund(channel(), 10);
        VoucherClaim memory bad = row(channel(), 5, 5);
        bytes memory good = bad.signature;
        bad.signature = highS(good);
        (, bytes32 s,) = split(bad.signature);
        refused(bad, abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, s));
        bad.signature = bytes.concat(good, hex"00");
        refused(bad, abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureLength.selector, 66));
        bad.signature = "";
        refused(bad, abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureLength.selector, 0));
        bad.signature = bytes.concat(good);
        bad.signature[64] = 0x00;
        refused(bad, abi.encodeWithSelector(ECDSA.ECDSAInvalidSignature.selector));
    }

    function test_authorizerContractIsNotAsked() public {
        ChannelConfig memory config = channel();
        config.payerAuthorizer = address(new Wallet(payer));
        fund(config, 10);
        refused(row(config, 5, 5), abi.encodeWithSelector(Errors.InvalidSignature.selector));
    }

    function test_zeroAuthorizerMeansThePayerItself() public {
        ChannelConfig memory config = channel();
        config.payerAuthorizer = address(0);
        bytes32 id = fund(config, 10);
        refused(rowBy(STRANGER_KEY, config, 5, 5), abi.encodeWithSelector(Errors.InvalidSignature.selector));
        claimAs(authorizer, one(row(config, 5, 5)));
        assertChannel(id, 10, 5);
    }

    function test_zeroAuthorizerWithAContractPayerAsksErc1271() public {
        ChannelConfig memory config = channel();
        config.payerAuthorizer = address(0);
        config.payer = address(new Wallet(payer));
        LooseCollector loose = new LooseCollector();
        token.mint(address(loose), 10);
        escrow.deposit(config, 10, address(loose), "");
        refused(rowBy(STRANGER_KEY, config, 5, 5), abi.encodeWithSelector(Errors.InvalidSignature.selector));
        claimAs(authorizer, one(row(config, 5, 5)));
        assertReceiver(receiver, 5, 0);
    }

    function test_RevertWhen_oneRowIsBadTheGoodOnesStayToo() public {
        bytes32 id = fund(channel(), 10);
        fund(channelWithSalt(1), 10);
        VoucherClaim[] memory rows = two(row(channel(), 5, 5), row(channelWithSalt(1), 11, 11));
        vm.prank(authorizer);
        vm.expectRevert(Errors.ClaimExceedsBalance.selector);
        escrow.claim(rows);
        assertChannel(id, 10, 0);
        assertReceiver(receiver, 0, 0);
    }

    function test_RevertWhen_receiverTotalWouldNotFit() public {
        LooseCollector loose = new LooseCollector();
        token.mint(address(loose), 2 * uint256(type(uint128).max));
        escrow.deposit(channel(), type(uint128).max, address(loose), "");
        escrow.deposit(channelWithSalt(1), type(uint128).max, address(loose), "");
        VoucherClaim memory full = row(channel(), type(uint128).max, type(uint128).max);
        VoucherClaim[] memory rows = two(full, row(channelWithSalt(1), 1, 1));
        vm.prank(authorizer);
        vm.expectRevert(
            abi.encodeWithSelector(
                SafeCast.SafeCastOverflowedUintDowncast.selector, 128, uint256(type(uint128).max) + 1
            )
        );
        escrow.claim(rows);
    }

    function test_withSignatureByAnybody() public {
        bytes32 id = fund(channel(), 10);
        VoucherClaim[] memory rows = one(row(channel(), 5, 5));
        bytes memory signature = sign(AUTHORIZER_KEY, escrow.getClaimBatchDigest(rows));
        vm.expectEmit(address(escrow));
        emit Events.Claimed(id, stranger, 5, 5);
        vm.prank(stranger);
        escrow.claimWithSignature(rows, signature);
        assertReceiver(receiver, 5, 0);
    }

    function test_RevertWhen_batchSignatureIsOfAnotherKeyOrBatch() public {
        fund(channel(), 10);
        VoucherClaim[] memory rows = one(row(channel(), 5, 5));
        bytes memory foreign = sign(STRANGER_KEY, escrow.getClaimBatchDigest(rows));
        vm.expectRevert(Errors.InvalidSignature.selector);
        escrow.claimWithSignature(rows, foreign);
        bytes memory other = sign(AUTHORIZER_KEY, escrow.getClaimBatchDigest(rows));
        rows[0].totalClaimed = 4;
        vm.expectRevert(Errors.InvalidSignature.selector);
        escrow.claimWithSignature(rows, other);
    }

    function test_RevertWhen_batchHasTwoAuthorizers() public {
        ChannelConfig memory foreign = channelWithSalt(1);
        foreign.receiverAuthorizer = stranger;
        fund(channel(), 10);
        fund(foreign, 10);
        VoucherClaim[] memory rows = two(row(channel(), 5, 5), row(foreign, 5, 5));
        bytes memory signature = sign(AUTHORIZER_KEY, escrow.getClaimBatchDigest(rows));
        vm.expectRevert(Errors.NotReceiverAuthorizer.selector);
        escrow.claimWithSignature(rows, signature);
    }

    function test_RevertWhen_authorizerIsZero() public {
        ChannelConfig memory config = channel();
        config.receiverAuthorizer = address(0);
        VoucherClaim[] memory rows = one(row(config, 5, 5));
        bytes memory signature = sign(AUTHORIZER_KEY, escrow.getClaimBatchDigest(rows));
        vm.expectRevert(Errors.InvalidSignature.selector);
        escrow.claimWithSignature(rows, signature);
    }

    function testFuzz_totalNeverFallsAndIsNeverAboveBalanceOrCeiling(uint128[6] calldata totals, uint128 ceiling)
        public
    {
        LooseCollector loose = new LooseCollector();
        token.mint(address(loose), type(uint128).max / 2);
        escrow.deposit(channel(), type(uint128).max / 2, address(loose), "");
        bytes32 id = escrow.getChannelId(channel());
        uint128 highest;
        for (uint256 i = 0; i < totals.length; ++i) {
            VoucherClaim[] memory rows = one(row(channel(), ceiling, totals[i]));
            vm.prank(authorizer);
            try escrow.claim(rows) {
                if (totals[i] > highest) highest = totals[i];
                vm.assertTrue(highest <= ceiling && highest <= type(uint128).max / 2);
            } catch {
                vm.assertTrue(totals[i] > ceiling || totals[i] > type(uint128).max / 2);
            }
            assertChannel(id, type(uint128).max / 2, highest);
            assertReceiver(receiver, highest, 0);
        }
    }

    function refused(VoucherClaim memory bad, bytes memory why) private {
        VoucherClaim[] memory rows = one(bad);
        vm.prank(authorizer);
        vm.expectRevert(why);
        escrow.claim(rows);
    }
}

contract OtherToken {
    mapping(address => uint256) public balanceOf;

    constructor(address holder) {
        balanceOf[holder] = 1_000;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        return true;
    }
}
