// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IGuardedSafeFactory} from "src/safe/IGuardedSafeFactory.sol";
import {IPayoutModule} from "src/safe/IPayoutModule.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {GuardBase} from "../support/GuardBase.sol";

/// @notice Classes A and C: what the owners alone may do, also while paused.
contract ScheduleTest is GuardBase {
    function test_aCancellationUsesTheNonce() public {
        pause();
        bytes memory call_ = ready(safe, safe, 0, "", "");
        run(safe, call_);
        (bool again,) = safe.call(call_);
        vm.assertTrue(!again);
    }

    function test_aRowWithoutCertificateRefusesOne() public {
        bytes memory why = named(ITransferGuard.MalformedCertificate.selector);
        refuseCertified(why, safe, 0, "");
        refuseCertified(why, address(guard), 0, abi.encodeCall(ITransferGuard.announce, (bytes32(uint256(1)))));
        refuseCertified(why, address(payouts), 0, abi.encodeCall(IPayoutModule.register, (payee)));
    }

    // announce

    function test_aLargeTransferWaitsForItsNoticeToTheSecond() public {
        bytes memory data = transferOf(payee, NOTICED);
        bytes32 hash = announceNext(data);
        vm.assertEq(guard.announcedFrom(safe, hash), NOW + NOTICE);
        vm.warp(NOW + NOTICE - 1);
        refuseCertified(
            abi.encodeWithSelector(ITransferGuard.NoticeRunning.selector, NOW + NOTICE), address(token), 0, data
        );
        vm.warp(NOW + NOTICE);
        sendCertified(address(token), 0, data);
        vm.assertEq(guard.announcedFrom(safe, hash), 0);
        vm.assertEq(token.balanceOf(payee), NOTICED);
    }

    function test_anAnnouncementIsForOneHash() public {
        announceNext(transferOf(payee, NOTICED));
        vm.warp(NOW + NOTICE);
        bytes memory other = transferOf(payee, NOTICED + 1);
        bytes32 hash = hashOf(safe, address(token), 0, other);
        refuseCertified(abi.encodeWithSelector(ITransferGuard.NotAnnounced.selector, hash), address(token), 0, other);
    }

    function test_justBelowTheNoticeNeedsNone() public {
        payCertified(NOTICED - 1);
    }

    function test_anAnnouncedTransferIsNotCertifiedByIt() public {
        bytes memory data = transferOf(payee, NOTICED);
        announceNext(data);
        vm.warp(NOW + NOTICE);
        refuse(
            abi.encodeWithSelector(ITransferGuard.CertificateNeeded.selector, NOTICED, CERTIFIED), address(token), data
        );
    }

    function test_anUncertifiedTransferAboveTheNoticeIsAnnounced() public {
        vm.prank(address(governor));
        guard.setLimits(groupOfSafe(), address(token), ITransferGuard.Limits(DAILY, CERTIFIED, 100));
        bytes memory data = transferOf(payee, 100);
        announceNext(data);
        vm.warp(NOW + NOTICE);
        send(address(token), data);
        vm.assertEq(token.balanceOf(payee), 100);
    }

    function test_nobodyElseSpeaksForASafe() public {
        vm.expectRevert(ITransferGuard.OnlySafe.selector);
        guard.announce(0);
        vm.expectRevert(ITransferGuard.OnlySafe.selector);
        guard.accept(1, bytes32(uint256(1)));
        vm.expectRevert(ITransferGuard.OnlySafe.selector);
        guard.admit(safe);
        vm.expectRevert(ITransferGuard.OnlySafe.selector);
        guard.scheduleExit();
        vm.expectRevert(ITransferGuard.OnlySafe.selector);
        guard.cancelExit(1);
    }

    // accept

    function test_ownersAcceptAPendingChangeByItsDigest() public {
        bytes32 digest = keccak256("govern");
        governor.set(4, digest);
        pause();
        send(address(guard), abi.encodeCall(ITransferGuard.accept, (4, digest)));
        vm.assertEq(guard.accepted(groupOfSafe(), 4), digest);
    }

    function test_anotherOrNoPendingChangeIsNotAccepted() public {
        governor.set(4, keccak256("govern"));
        refuses(
            ITransferGuard.GovernNotPending.selector,
            address(guard),
            abi.encodeCall(ITransferGuard.accept, (4, keccak256("another")))
        );
        refuses(
            ITransferGuard.GovernNotPending.selector,
            address(guard),
            abi.encodeCall(ITransferGuard.accept, (5, bytes32(0)))
        );
    }

    // admit

    function test_aWaitingSafeIsGuardedAndCannotPay() public {
        address waiting = makeWaiting(1);
        vm.assertEq(guard.groupOf(waiting), bytes32(uint256(uint160(waiting))));
        vm.assertEq(guard.wantedBy(waiting), groupOfSafe());
        refuseBy(
            waiting,
            abi.encodeWithSelector(ITransferGuard.TokenNotListed.selector, address(token)),
            ready(waiting, address(token), 0, transferOf(payee, 1), "")
        );
    }

    function test_aMemberAdmitsAndTheBucketIsShared() public {
        address waiting = makeWaiting(1);
        pause();
        send(address(guard), abi.encodeCall(ITransferGuard.admit, (waiting)));
        brake.set(3, false, false);
        vm.assertEq(guard.groupOf(waiting), groupOfSafe());
        vm.assertEq(guard.wantedBy(waiting), 0);
        send(waiting, address(token), 0, transferOf(payee, 500_000), "");
        vm.assertEq(guard.room(groupOfSafe(), address(token)), DAILY / 2 - 500_000);
        refuses(
            ITransferGuard.AlreadyAdmitted.selector, address(guard), abi.encodeCall(ITransferGuard.admit, (waiting))
        );
    }

    function test_onlyAMemberOfTheWantedGroupAdmits() public {
        address waiting = makeWaiting(1);
        address stranger = factory.create(planOf(8));
        bytes memory admit = abi.encodeCall(ITransferGuard.admit, (waiting));
        bytes memory why = named(ITransferGuard.NotWanted.selector);
        refuseBy(stranger, why, ready(stranger, address(guard), 0, admit, ""));
        refuseBy(waiting, named(ITransferGuard.AlreadyAdmitted.selector), ready(waiting, address(guard), 0, admit, ""));
        // Who waits itself admits nobody, not even into the group that it is alone in.
        IGuardedSafeFactory.Plan memory plan = waitingPlan(2);
        plan.group = bytes32(uint256(uint160(waiting)));
        address second = factory.create(plan);
        refuseBy(waiting, why, ready(waiting, address(guard), 0, abi.encodeCall(ITransferGuard.admit, (second)), ""));
    }

    function test_onlyAWaitingSafeIsAdmitted() public {
        address independent = factory.create(planOf(8));
        refuses(ITransferGuard.NotWanted.selector, address(guard), abi.encodeCall(ITransferGuard.admit, (independent)));
        refuses(ITransferGuard.NotRegistered.selector, address(guard), abi.encodeCall(ITransferGuard.admit, (payee)));
    }

    // register a payee

    function test_ownersRegisterAPayee() public {
        pause();
        send(address(payouts), abi.encodeCall(IPayoutModule.register, (payee)));
        vm.assertEq(payouts.payableFrom(safe, payee), NOW + PAYEE);
    }

    /// @dev Announces `data` for the nonce that follows the announcement.
    function announceNext(bytes memory data) private returns (bytes32 hash) {
        bytes32 before = vm.load(safe, bytes32(uint256(5)));
        vm.store(safe, bytes32(uint256(5)), bytes32(uint256(before) + 1));
        hash = hashOf(safe, address(token), 0, data);
        vm.store(safe, bytes32(uint256(5)), before);
        send(address(guard), abi.encodeCall(ITransferGuard.announce, (hash)));
    }

    function makeWaiting(uint256 salt) private returns (address waiting) {
        waiting = factory.create(waitingPlan(salt));
        token.mint(waiting, FUNDS);
    }

    function waitingPlan(uint256 salt) private view returns (IGuardedSafeFactory.Plan memory plan) {
        plan = planOf(salt);
        plan.group = groupOfSafe();
        plan.tokens = new address[](0);
        plan.limits = new ITransferGuard.Limits[](0);
    }
}
