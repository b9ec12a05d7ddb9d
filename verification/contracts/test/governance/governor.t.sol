// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IActions} from "src/governance/IActions.sol";
import {IGovernor} from "src/governance/IGovernor.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Govern, Messages} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {IStandingRegistry} from "src/standing/IStandingRegistry.sol";
import {EmergencyBase} from "../support/EmergencyBase.sol";
import {Members} from "../support/Members.sol";

contract GovernorTest is EmergencyBase {
    using Members for uint256[];

    bytes32 private constant GROUP = bytes32(uint256(0x640));
    address private constant TOKEN = address(0x70CE);
    uint64 private constant DUE = START + 48 hours;
    uint64 private constant GUARDIANS_DUE = START + 14 days;

    function _target(IGovernor.Parameter parameter) private pure returns (IGovernor.Target memory target) {
        bool isLimit = parameter <= IGovernor.Parameter.NoticeFrom;
        bool ofGroup = parameter <= IGovernor.Parameter.PolicyHash;
        return IGovernor.Target(parameter, ofGroup ? GROUP : bytes32(0), isLimit ? TOKEN : address(0));
    }

    function _keyOf(IGovernor.Target memory target) private pure returns (bytes32) {
        return keccak256(abi.encode(uint8(target.parameter), target.group, target.token));
    }

    /// @dev The next Govern for `parameter`, executable as early as may be.
    function _govern(IGovernor.Parameter parameter, bytes32 value) private view returns (Govern memory) {
        uint64 due = parameter == IGovernor.Parameter.Guardians ? GUARDIANS_DUE : DUE;
        return Govern(governor.lastGovernId() + 1, EPOCH, _keyOf(_target(parameter)), value, due);
    }

    function _schedule(IGovernor.Parameter parameter, bytes32 value) private returns (uint64 governId) {
        Govern memory govern = _govern(parameter, value);
        bytes memory certificate = certify(Messages.hash(govern));
        governor.schedule(govern, _target(parameter), certificate);
        return govern.governId;
    }

    function _refused(Govern memory govern, IGovernor.Target memory target, bytes4 why) private {
        bytes memory certificate = certify(Messages.hash(govern));
        vm.expectRevert(why);
        governor.schedule(govern, target, certificate);
        vm.assertEq(actions.last(), 0);
    }

    function _accept(uint64 governId) private {
        limits.accept(GROUP, governId, governor.pendingDigest(governId));
    }

    function _limits() private view returns (uint96, uint96, uint96) {
        ITransferGuard.Limits memory now_ = limits.limitsOf(GROUP, TOKEN);
        return (now_.daily, now_.certifiedFrom, now_.noticeFrom);
    }

    function _assertLimits(uint96 daily, uint96 certifiedFrom, uint96 noticeFrom) private view {
        (uint96 d, uint96 c, uint96 n) = _limits();
        vm.assertEq(d, daily, "daily");
        vm.assertEq(c, certifiedFrom, "certifiedFrom");
        vm.assertEq(n, noticeFrom, "noticeFrom");
    }

    function _value(uint256 value) private pure returns (bytes32) {
        return bytes32(value);
    }

    function test_scheduleOpensAVetoableAction() public {
        Govern memory govern = _govern(IGovernor.Parameter.PolicyHash, keccak256("policy"));
        IGovernor.Target memory target = _target(IGovernor.Parameter.PolicyHash);
        bytes memory certificate = certify(Messages.hash(govern));
        vm.expectEmit(address(governor));
        emit IGovernor.Scheduled(1, 1, target, govern.value, DUE);
        vm.prank(STRANGER);
        governor.schedule(govern, target, certificate);

        vm.assertEq(governor.lastGovernId(), 1);
        vm.assertEq(governor.pendingDigest(1), digestOf(Messages.hash(govern)));
        vm.assertEq(governor.pendingDigest(2), bytes32(0));
        IActions.Action memory action = actions.get(1);
        vm.assertEq(action.opener, address(governor));
        vm.assertEq(action.readyAt, DUE);
        vm.assertTrue(action.vetoable && actions.isPending(1));
    }

    function test_governIdIsTheNext() public {
        IGovernor.Target memory target = _target(IGovernor.Parameter.ModelHash);
        Govern memory govern = _govern(IGovernor.Parameter.ModelHash, "model");
        govern.governId = 0;
        _refused(govern, target, IGovernor.WrongGovernId.selector);
        govern.governId = 2;
        _refused(govern, target, IGovernor.WrongGovernId.selector);
        govern.governId = 1;
        bytes memory certificate = certify(Messages.hash(govern));
        governor.schedule(govern, target, certificate);
        vm.expectRevert(IGovernor.WrongGovernId.selector);
        governor.schedule(govern, target, certificate);
    }

    function test_keyIsTheTargets() public {
        Govern memory govern = _govern(IGovernor.Parameter.DailyLimit, _value(5));
        IGovernor.Target memory target = _target(IGovernor.Parameter.CertifiedFrom);
        _refused(govern, target, IGovernor.KeyMismatch.selector);
        target = _target(IGovernor.Parameter.DailyLimit);
        target.group = bytes32(uint256(target.group) + 1);
        _refused(govern, target, IGovernor.KeyMismatch.selector);
        target = _target(IGovernor.Parameter.DailyLimit);
        target.token = STRANGER;
        _refused(govern, target, IGovernor.KeyMismatch.selector);
    }

    /// @notice One key for each thing: a signed target with parts that its parameter has not is refused.
    function test_targetHasNoSuperfluousParts() public {
        for (uint8 i = uint8(IGovernor.Parameter.PayoutKey); i <= uint8(IGovernor.Parameter.Attesters); ++i) {
            IGovernor.Parameter parameter = IGovernor.Parameter(i);
            IGovernor.Target memory target = _target(parameter);
            target.token = TOKEN;
            Govern memory govern = _govern(parameter, _value(1));
            govern.key = _keyOf(target);
            _refused(govern, target, IGovernor.KeyMismatch.selector);
            if (parameter <= IGovernor.Parameter.PolicyHash) continue;
            target = _target(parameter);
            target.group = GROUP;
            govern.key = _keyOf(target);
            _refused(govern, target, IGovernor.KeyMismatch.selector);
        }
    }

    function test_valueFits() public {
        for (uint8 i = 0; i <= uint8(IGovernor.Parameter.NoticeFrom); ++i) {
            IGovernor.Parameter parameter = IGovernor.Parameter(i);
            Govern memory govern = _govern(parameter, _value(uint256(type(uint96).max) + 1));
            _refused(govern, _target(parameter), IGovernor.ValueMismatch.selector);
        }
        Govern memory key = _govern(IGovernor.Parameter.PayoutKey, _value(uint256(type(uint160).max) + 1));
        _refused(key, _target(IGovernor.Parameter.PayoutKey), IGovernor.ValueMismatch.selector);

        _schedule(IGovernor.Parameter.DailyLimit, _value(type(uint96).max));
        _schedule(IGovernor.Parameter.CertifiedFrom, _value(type(uint96).max));
        _schedule(IGovernor.Parameter.NoticeFrom, _value(type(uint96).max));
        _schedule(IGovernor.Parameter.PayoutKey, _value(type(uint160).max));
        _schedule(IGovernor.Parameter.PolicyHash, _value(type(uint256).max));
        _schedule(IGovernor.Parameter.ModelHash, _value(type(uint256).max));
        _schedule(IGovernor.Parameter.Guardians, _value(type(uint256).max));
        _schedule(IGovernor.Parameter.Attesters, _value(type(uint256).max));
    }

    function test_noticeToTheSecond() public {
        for (uint8 i = 0; i <= uint8(IGovernor.Parameter.Attesters); ++i) {
            IGovernor.Parameter parameter = IGovernor.Parameter(i);
            Govern memory govern = _govern(parameter, _value(1));
            govern.notBefore -= 1;
            _refused(govern, _target(parameter), IGovernor.NoticeTooShort.selector);
        }
        for (uint8 i = 0; i <= uint8(IGovernor.Parameter.Attesters); ++i) {
            uint64 governId = _schedule(IGovernor.Parameter(i), _value(1));
            bool ofGuardians = IGovernor.Parameter(i) == IGovernor.Parameter.Guardians;
            vm.assertTrue(actions.get(governId).vetoable != ofGuardians, "all but the guardians' own");
        }
    }

    function test_certificateOfThisMessageInThisEpoch() public {
        Govern memory govern = _govern(IGovernor.Parameter.ModelHash, "model");
        IGovernor.Target memory target = _target(IGovernor.Parameter.ModelHash);
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        governor.schedule(govern, target, CERTIFICATE);

        bytes memory certificate = certify(Messages.hash(govern));
        govern.value = "another model";
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        governor.schedule(govern, target, certificate);

        govern.value = "model";
        verifier.startEpoch(2);
        vm.expectRevert(abi.encodeWithSelector(ICertificateVerifier.WrongEpoch.selector, 1, 2));
        governor.schedule(govern, target, certificate);
        govern.epoch = 2;
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        governor.schedule(govern, target, certificate);
    }

    function test_executesFromTheFirstSecondToTheLast() public {
        uint64 first = _schedule(IGovernor.Parameter.ModelHash, "second model");
        uint64 second = _schedule(IGovernor.Parameter.PolicyHash, "policy");
        uint64 late = _schedule(IGovernor.Parameter.Attesters, _value(1));
        vm.warp(DUE - 1);
        expectRevert(IActions.TooEarly.selector, DUE);
        governor.execute(first);
        vm.assertEq(governor.modelHash(), MODEL);
        vm.warp(DUE);
        vm.expectEmit(address(governor));
        emit IGovernor.Executed(first, _target(IGovernor.Parameter.ModelHash), "second model");
        vm.prank(STRANGER);
        governor.execute(first);
        vm.assertEq(governor.modelHash(), bytes32("second model"));
        vm.assertEq(governor.pendingDigest(first), bytes32(0));
        vm.expectRevert(IActions.NotScheduled.selector);
        governor.execute(first);

        vm.warp(DUE + 7 days);
        governor.execute(second);
        vm.assertEq(governor.policyHash(GROUP), bytes32("policy"));
        vm.assertEq(governor.policyHash(0), bytes32(0));
        vm.assertTrue(governor.pendingDigest(late) != 0, "the last second");
        vm.warp(DUE + 7 days + 1);
        vm.assertEq(governor.pendingDigest(late), bytes32(0));
        expectRevert(IActions.Expired.selector, DUE + 7 days);
        governor.executeMembers(late, new address[](0), 0);
    }

    function test_unknownGovern() public {
        vm.expectRevert(IGovernor.UnknownGovern.selector);
        governor.execute(0);
        vm.expectRevert(IGovernor.UnknownGovern.selector);
        governor.execute(1);
        vm.expectRevert(IGovernor.UnknownGovern.selector);
        governor.executeMembers(1, new address[](0), 0);
    }

    function test_vetoedOrCancelledIsNotExecuted() public {
        uint64 vetoed = _schedule(IGovernor.Parameter.ModelHash, "bad");
        uint64 cancelled = _schedule(IGovernor.Parameter.PolicyHash, "bad");
        actions.veto(1, byGuardians(Messages.veto(1)));
        actions.cancel(2, EPOCH, certify(Messages.cancel(2, EPOCH)));
        vm.assertEq(governor.pendingDigest(vetoed), bytes32(0));
        vm.warp(DUE);
        vm.expectRevert(IActions.NotScheduled.selector);
        governor.execute(vetoed);
        vm.expectRevert(IActions.NotScheduled.selector);
        governor.execute(cancelled);
        // Their numbers are spent.
        vm.assertEq(governor.lastGovernId(), 2);
        Govern memory again = Govern(1, EPOCH, _keyOf(_target(IGovernor.Parameter.ModelHash)), "bad", DUE);
        bytes memory certificate = certify(Messages.hash(again));
        vm.warp(START);
        vm.expectRevert(IGovernor.WrongGovernId.selector);
        governor.schedule(again, _target(IGovernor.Parameter.ModelHash), certificate);
    }

    function test_aHigherLimitNeedsItsOwners() public {
        limits.setLimits(GROUP, TOKEN, ITransferGuard.Limits(100, 20, 300));
        for (uint8 i = 0; i <= uint8(IGovernor.Parameter.NoticeFrom); ++i) {
            vm.warp(START);
            (uint96 daily, uint96 certifiedFrom, uint96 noticeFrom) = _limits();
            uint96[3] memory expected = [daily, certifiedFrom, noticeFrom];
            expected[i] += 1;
            uint64 governId = _schedule(IGovernor.Parameter(i), _value(expected[i]));
            bytes32 digest = governor.pendingDigest(governId);

            vm.warp(DUE);
            vm.expectRevert(IGovernor.OwnersHaveNotAccepted.selector);
            governor.execute(governId);
            limits.accept(GROUP, governId, keccak256("what took this number in a reorganisation"));
            vm.expectRevert(IGovernor.OwnersHaveNotAccepted.selector);
            governor.execute(governId);
            limits.accept(bytes32(uint256(GROUP) + 1), governId, digest);
            limits.accept(GROUP, governId + 1, digest);
            vm.expectRevert(IGovernor.OwnersHaveNotAccepted.selector);
            governor.execute(governId);
            _assertLimits(daily, certifiedFrom, noticeFrom);

            limits.accept(GROUP, governId, digest);
            governor.execute(governId);
            _assertLimits(expected[0], expected[1], expected[2]);
            vm.assertEq(limits.lastSender(), address(governor));
        }
    }

    function test_anEqualOrLowerLimitNeedsNone() public {
        limits.setLimits(GROUP, TOKEN, ITransferGuard.Limits(100, 20, 300));
        uint64 daily = _schedule(IGovernor.Parameter.DailyLimit, _value(100));
        uint64 certifiedFrom = _schedule(IGovernor.Parameter.CertifiedFrom, _value(0));
        uint64 noticeFrom = _schedule(IGovernor.Parameter.NoticeFrom, _value(299));
        vm.warp(DUE);
        governor.execute(daily);
        _assertLimits(100, 20, 300);
        governor.execute(certifiedFrom);
        _assertLimits(100, 0, 300);
        governor.execute(noticeFrom);
        _assertLimits(100, 0, 299);
    }

    /// @notice What raises is seen at execution: a limit lowered meanwhile turns the rest into a raise.
    function test_raisingIsJudgedAtExecution() public {
        limits.setLimits(GROUP, TOKEN, ITransferGuard.Limits(100, 20, 300));
        uint64 governId = _schedule(IGovernor.Parameter.DailyLimit, _value(90));
        limits.setLimits(GROUP, TOKEN, ITransferGuard.Limits(80, 20, 300));
        vm.warp(DUE);
        vm.expectRevert(IGovernor.OwnersHaveNotAccepted.selector);
        governor.execute(governId);
    }

    /// @notice A raise that its owners accepted long ago does not undo a later cut.
    function test_anOlderGovernNeverUndoesANewerOne() public {
        limits.setLimits(GROUP, TOKEN, ITransferGuard.Limits(100, 20, 300));
        uint64 raise = _schedule(IGovernor.Parameter.DailyLimit, _value(200));
        _accept(raise);
        uint64 cut = _schedule(IGovernor.Parameter.DailyLimit, _value(50));
        uint64 other = _schedule(IGovernor.Parameter.CertifiedFrom, _value(10));
        vm.warp(DUE);
        governor.execute(cut);
        vm.assertEq(governor.executedLast(_keyOf(_target(IGovernor.Parameter.DailyLimit))), cut);
        vm.expectRevert(IGovernor.Superseded.selector);
        governor.execute(raise);
        governor.execute(other);
        _assertLimits(50, 10, 300);
    }

    function test_inOrderBothHappen() public {
        limits.setLimits(GROUP, TOKEN, ITransferGuard.Limits(100, 20, 300));
        uint64 raise = _schedule(IGovernor.Parameter.DailyLimit, _value(200));
        _accept(raise);
        uint64 cut = _schedule(IGovernor.Parameter.DailyLimit, _value(50));
        vm.warp(DUE);
        governor.execute(raise);
        _assertLimits(200, 20, 300);
        governor.execute(cut);
        _assertLimits(50, 20, 300);
    }

    function test_anyPayoutKeyNeedsItsOwners() public {
        uint64 governId = _schedule(IGovernor.Parameter.PayoutKey, _value(uint160(address(0xF00))));
        vm.warp(DUE);
        vm.expectRevert(IGovernor.OwnersHaveNotAccepted.selector);
        governor.execute(governId);
        _accept(governId);
        governor.execute(governId);
        vm.assertEq(payouts.payoutKeyOf(GROUP), address(0xF00));
        vm.assertEq(payouts.lastSender(), address(governor));

        vm.warp(START);
        uint64 none = _schedule(IGovernor.Parameter.PayoutKey, 0);
        vm.warp(DUE);
        vm.expectRevert(IGovernor.OwnersHaveNotAccepted.selector);
        governor.execute(none);
    }

    function test_guardiansWithoutVetoAfterFourteenDays() public {
        uint256[] memory next = Members.keys("next", 3);
        bytes32 value = keccak256(abi.encode(next.addresses(), uint256(2)));
        uint64 governId = _schedule(IGovernor.Parameter.Guardians, value);
        bytes memory signatures = byGuardians(Messages.veto(1));
        vm.expectRevert(IActions.NotVetoable.selector);
        actions.veto(1, signatures);

        vm.warp(GUARDIANS_DUE - 1);
        expectRevert(IActions.TooEarly.selector, GUARDIANS_DUE);
        governor.executeMembers(governId, next.addresses(), 2);
        vm.warp(GUARDIANS_DUE);
        vm.expectRevert(IGovernor.ValueMismatch.selector);
        governor.executeMembers(governId, next.addresses(), 3);
        vm.expectRevert(IGovernor.ValueMismatch.selector);
        governor.executeMembers(governId, guardianKeys.addresses(), 2);
        vm.expectRevert(IGovernor.MembersNeeded.selector);
        governor.execute(governId);
        vm.expectEmit(address(governor));
        emit IGovernor.Executed(governId, _target(IGovernor.Parameter.Guardians), value);
        vm.prank(STRANGER);
        governor.executeMembers(governId, next.addresses(), 2);
        guardians.check(MODEL, next.sign(0x3, MODEL));
        vm.assertEq(standing.attesters().length, 3);
        vm.assertEq(standing.attesters()[0], vm.addr(attesterKeys[0]));
    }

    function test_guardiansMayBeReplacedOnlyByAValidSet() public {
        address[] memory next = Members.keys("next", 4).addresses();
        uint64 governId = _schedule(IGovernor.Parameter.Guardians, keccak256(abi.encode(next, uint256(2))));
        vm.warp(GUARDIANS_DUE);
        vm.expectRevert(IGuardians.InvalidGuardians.selector);
        governor.executeMembers(governId, next, 2);
    }

    function test_attesters() public {
        uint256[] memory next = Members.keys("next", 4);
        uint64 governId = _schedule(IGovernor.Parameter.Attesters, keccak256(abi.encode(next.addresses(), uint256(2))));
        vm.assertTrue(actions.get(1).vetoable);
        vm.warp(DUE);
        vm.expectRevert(IGovernor.MembersNeeded.selector);
        governor.execute(governId);
        governor.executeMembers(governId, next.addresses(), 2);
        standing.check(MODEL, next.sign(0x3, MODEL));
        vm.assertEq(guardians.members().length, 5);
        vm.expectRevert(abi.encodeWithSelector(IStandingRegistry.NotAnAttester.selector, vm.addr(attesterKeys[0])));
        standing.check(MODEL, attesterKeys.sign(0x3, MODEL));
    }

    function test_onlyMembersAreExecutedAsMembers() public {
        address[] memory next = Members.keys("next", 4).addresses();
        uint64 governId = _schedule(IGovernor.Parameter.PolicyHash, keccak256(abi.encode(next, uint256(3))));
        vm.warp(DUE);
        vm.expectRevert(IGovernor.ValueMismatch.selector);
        governor.executeMembers(governId, next, 3);
        governor.execute(governId);
    }
}
