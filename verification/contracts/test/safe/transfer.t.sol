// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {GuardToken} from "../support/GuardDoubles.sol";
import {GuardBase} from "../support/GuardBase.sol";
import {Members} from "../support/Members.sol";

/// @notice Class B without a certificate.
contract TransferTest is GuardBase {
    /// @dev Half of L, rounded down: the largest amount that an empty bucket takes.
    uint256 private constant _HALF = DAILY / 2;

    function test_aSmallTransferMovesExactlyItsAmount() public {
        pay(5);
        vm.assertEq(token.balanceOf(payee), 5);
        vm.assertEq(token.balanceOf(safe), FUNDS - 5);
    }

    function test_justBelowTheLimitPassesAndTheLimitItselfDoesNot() public {
        refusePay(abi.encodeWithSelector(ITransferGuard.CertificateNeeded.selector, CERTIFIED, CERTIFIED), CERTIFIED);
        pay(CERTIFIED - 1);
    }

    function test_theBucketTakesHalfOfLToTheUnit() public {
        pay(CERTIFIED - 1);
        uint256 room = _HALF - (CERTIFIED - 1);
        vm.assertEq(guard.room(groupOfSafe(), address(token)), room);
        refusePay(abi.encodeWithSelector(ITransferGuard.BucketExceeded.selector, room + 1, room), room + 1);
        pay(room);
        vm.assertEq(guard.room(groupOfSafe(), address(token)), 0);
    }

    function test_theBucketDrainsToTheSecond() public {
        pay(CERTIFIED - 1);
        pay(_HALF - (CERTIFIED - 1));
        // Half a unit is left free above _HALF (L is odd); another half drains in 43200 / L s, so a whole unit fits at once.
        vm.warp(NOW + 1);
        uint256 room = (uint256(DAILY) * 86_400 - (_HALF * 172_800 - DAILY)) / 172_800;
        vm.assertEq(guard.room(groupOfSafe(), address(token)), room);
        refusePay(abi.encodeWithSelector(ITransferGuard.BucketExceeded.selector, room + 1, room), room + 1);
        pay(room);
        // After a day half of L has drained.
        vm.warp(NOW + 1 days + 1);
        vm.assertGe(guard.room(groupOfSafe(), address(token)), _HALF - room, "a day");
        vm.warp(NOW + 2 days);
        vm.assertEq(guard.room(groupOfSafe(), address(token)), _HALF);
    }

    function test_aCertifiedTransferLeavesTheBucketAlone() public {
        payCertified(_HALF);
        vm.assertEq(guard.room(groupOfSafe(), address(token)), _HALF);
    }

    function test_reducedLimitsAreATenth() public {
        brake.set(1, false, true);
        uint256 limit = CERTIFIED / 10;
        refusePay(abi.encodeWithSelector(ITransferGuard.CertificateNeeded.selector, limit, limit), limit);
        pay(limit - 1);
        // What a tick is worth is rounded to the bucket's side: here a unit.
        uint256 room = (DAILY / 10) / 2 - (limit - 1) - 1;
        vm.assertEq(guard.room(groupOfSafe(), address(token)), room);
        refusePay(abi.encodeWithSelector(ITransferGuard.BucketExceeded.selector, room + 1, room), room + 1);
        pay(room);
        vm.assertEq(guard.room(groupOfSafe(), address(token)), 0);
    }

    function test_nothingLeavesWhilePaused() public {
        pause();
        vm.assertEq(guard.room(groupOfSafe(), address(token)), 0);
        refusePay(abi.encodeWithSelector(ITransferGuard.SafeIsPaused.selector, 3), 1);
        brake.set(3, false, false);
        pay(1);
    }

    function test_nobodyWithoutStandingIsPaid() public {
        standing.set(payee, false);
        refusePay(abi.encodeWithSelector(ITransferGuard.NoStanding.selector, payee), 1);
    }

    function test_anUnlistedTokenStays() public {
        GuardToken other = new GuardToken();
        other.mint(safe, 10);
        bytes memory why = abi.encodeWithSelector(ITransferGuard.TokenNotListed.selector, address(other));
        refuse(why, address(other), transferOf(payee, 1));
        refuse(why, address(other), transferOf(payee, 0));
        refuseCertified(why, address(other), 0, transferOf(payee, 1));
        setLimits(address(other), ITransferGuard.Limits(DAILY, 5, 0));
        refuse(why, address(other), transferOf(payee, 1));
        setLimits(address(other), ITransferGuard.Limits(DAILY, 0, 5));
        refuse(why, address(other), transferOf(payee, 1));
        setLimits(address(other), ITransferGuard.Limits(DAILY, 5, 5));
        send(address(other), transferOf(payee, 1));
    }

    function test_addressZeroIsNoToken() public {
        setLimits(address(0), ITransferGuard.Limits(DAILY, CERTIFIED, NOTICED));
        bytes memory why =
            abi.encodeWithSelector(ITransferGuard.NotInTable.selector, address(0), IERC20.transfer.selector);
        refuse(why, address(0), transferOf(payee, 1));
    }

    function test_someRecipientsNeverGetAnything() public {
        address[4] memory never = [address(0), safe, address(guard), address(token)];
        for (uint256 i = 0; i < 4; ++i) {
            standing.set(never[i], true);
            bytes memory why = abi.encodeWithSelector(ITransferGuard.ForbiddenRecipient.selector, never[i]);
            refuse(why, address(token), transferOf(never[i], 1));
            refuseCertified(why, address(token), 0, transferOf(never[i], 1));
        }
    }

    function test_aTransferHasExactlyItsTwoWords() public {
        bytes memory good = transferOf(payee, 1);
        refuses(ITransferGuard.MalformedCall.selector, address(token), bytes.concat(good, hex"00"));
        bytes memory dirty =
            abi.encodeWithSelector(IERC20.transfer.selector, (uint256(1) << 160) | uint160(payee), uint256(1));
        refuses(ITransferGuard.MalformedCall.selector, address(token), dirty);
        assembly ("memory-safe") {
            mstore(good, 67)
        }
        refuses(ITransferGuard.MalformedCall.selector, address(token), good);
        refuse(named(ITransferGuard.MalformedCall.selector), address(token), 1, transferOf(payee, 1), "");
    }

    function test_uncertifiedAmountsAboveTheNoticeAreAnnouncedToo() public {
        setLimits(address(token), ITransferGuard.Limits(DAILY, CERTIFIED, 100));
        pay(99);
        bytes memory data = transferOf(payee, 100);
        bytes32 hash = hashOf(safe, address(token), 0, data);
        refusePay(abi.encodeWithSelector(ITransferGuard.NotAnnounced.selector, hash), 100);
    }

    /// @notice What is in the bucket is a share of L, so a change of L lets nobody fill it twice.
    function test_aFullBucketIsFullUnderAnyLimit() public {
        pay(CERTIFIED - 1);
        pay(_HALF - (CERTIFIED - 1));
        setLimits(address(token), ITransferGuard.Limits(DAILY * 100, CERTIFIED, NOTICED));
        uint256 rest = 100 / 2; // L is odd, so half a unit of it was free: of the new one
        vm.assertLe(guard.room(groupOfSafe(), address(token)), rest, "at once");
        vm.warp(NOW + 12 hours);
        vm.assertLe(guard.room(groupOfSafe(), address(token)), rest + uint256(DAILY) * 100 / 4, "half drained");
        setLimits(address(token), ITransferGuard.Limits(DAILY / 100, CERTIFIED, NOTICED));
        vm.assertEq(guard.room(groupOfSafe(), address(token)), DAILY / 100 / 4);
        vm.warp(NOW + 24 hours);
        vm.assertEq(guard.room(groupOfSafe(), address(token)), DAILY / 100 / 2);
    }

    function test_limitsAreTheGovernorsAlone() public {
        vm.expectRevert(ITransferGuard.OnlyGovernor.selector);
        guard.setLimits(groupOfSafe(), address(token), ITransferGuard.Limits(1, 1, 1));
    }

    function test_oneGroupsBucketIsNotAnothers() public {
        address other = factory.create(planOf(5));
        token.mint(other, FUNDS);
        send(other, address(token), 0, transferOf(payee, CERTIFIED - 1), "");
        vm.assertEq(guard.room(groupOfSafe(), address(token)), _HALF);
    }

    // Tokens that do not do what they are asked.

    function test_aTokenThatMovesOtherThanTheAmountIsRefused() public {
        GuardToken.Mood[5] memory moods = [
            GuardToken.Mood.SaysFalse,
            GuardToken.Mood.SaysTrueOnly,
            GuardToken.Mood.TakesFee,
            GuardToken.Mood.TakesFeeOnTop,
            GuardToken.Mood.PaysBonus
        ];
        for (uint256 i = 0; i < 5; ++i) {
            token.turn(moods[i]);
            refuses(ITransferGuard.BalanceMismatch.selector, address(token), transferOf(payee, 10));
            refuseCertified(named(ITransferGuard.BalanceMismatch.selector), address(token), 0, transferOf(payee, 10));
        }
        token.turn(GuardToken.Mood.SaysNothing);
        pay(10);
        vm.assertEq(token.balanceOf(payee), 10);
    }

    function test_aListedAddressWithoutCodeMovesNothing() public {
        address none = address(0xC0DE1E55);
        setLimits(none, ITransferGuard.Limits(DAILY, CERTIFIED, NOTICED));
        refuses(ITransferGuard.BalanceMismatch.selector, none, transferOf(payee, 1));
    }

    function test_aHookFindsTheSafeLocked() public {
        bytes memory inner = transferOf(payee, 1);
        // The hook runs with the next nonce, validly signed: only the lock is in the way.
        bytes32 next = nextHashOf(inner);
        bytes memory attack = callOf(address(token), 0, inner, Members.sign(owners, 3, next));
        token.hook(safe, attack);
        refuses(ITransferGuard.Locked.selector, address(token), transferOf(payee, 2));
        token.turn(GuardToken.Mood.Good);
        pay(2);
        run(safe, attack);
        vm.assertEq(token.balanceOf(payee), 3);
    }

    function test_aHookMayUseAnotherSafeButNotTheSameRecipient() public {
        address other = factory.create(planOf(5));
        address second = address(0x9A7EE2);
        standing.set(second, true);
        token.mint(other, FUNDS);
        token.hook(other, ready(other, address(token), 0, transferOf(payee, 1), ""));
        refuses(ITransferGuard.BalanceMismatch.selector, address(token), transferOf(payee, 2));
        token.hook(other, ready(other, address(token), 0, transferOf(second, 1), ""));
        pay(2);
        vm.assertEq(token.balanceOf(second), 1);
    }

    function setLimits(address of_, ITransferGuard.Limits memory limits) private {
        vm.prank(address(governor));
        guard.setLimits(groupOfSafe(), of_, limits);
    }

    function nextHashOf(bytes memory data) private returns (bytes32 hash) {
        bytes32 before = vm.load(safe, bytes32(uint256(5)));
        vm.store(safe, bytes32(uint256(5)), bytes32(uint256(before) + 1));
        hash = hashOf(safe, address(token), 0, data);
        vm.store(safe, bytes32(uint256(5)), before);
    }
}
