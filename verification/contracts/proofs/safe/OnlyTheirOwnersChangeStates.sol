// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import {Messages} from "src/governance/Messages.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {AnyGuard} from "../support/AnyGuard.sol";
import {svm, vm} from "../support/Cheats.sol";

/// @notice Limits are the governor's, membership the factory's and the group's own, an exit the Safe's and the guardians'. Whoever
///         else calls whatever changes none of it.
/// @custom:bound registration with one token; transactions of 68 bytes with two signatures
contract OnlyTheirOwnersChangeStates is AnyGuard {
    enum Verb {
        Register,
        Announce,
        Accept,
        Admit,
        ScheduleExit,
        ConsentExit,
        CancelExit,
        SetLimits,
        Check,
        CheckModule
    }

    struct Step {
        Verb verb;
        address sender;
        address account;
        bytes32 word;
        uint64 id;
    }

    function check_limitsAreTheGovernors(bytes32 group, address asset) external {
        Step memory step = _any();
        vm.assume(step.sender != address(governor) && step.sender != factory);
        ITransferGuard.Limits memory limits = guard.limitsOf(group, asset);
        _run(step);
        ITransferGuard.Limits memory found = guard.limitsOf(group, asset);
        assert(found.daily == limits.daily);
        assert(found.certifiedFrom == limits.certifiedFrom && found.noticeFrom == limits.noticeFrom);
    }

    function check_groupsAreJoinedByBothSidesConsent(address other) external {
        Step memory step = _any();
        vm.assume(step.sender != factory);
        (bytes32 group, bytes32 wanted) = (guard.groupOf(other), guard.wantedBy(other));
        (bytes32 theirs, bytes32 waits) = (guard.groupOf(step.sender), guard.wantedBy(step.sender));
        _run(step);
        if (guard.groupOf(other) == group) return;
        assert(step.verb == Verb.Admit && step.account == other);
        assert(group != 0 && wanted == theirs && waits == 0 && guard.groupOf(other) == theirs);
    }

    function check_configHashesAreWrittenInTheSafesOwnChecksOnly(address other) external {
        Step memory step = _any();
        vm.assume(step.sender != factory);
        bytes32 hash = guard.configHashOf(other);
        _run(step);
        assert(guard.configHashOf(other) == hash);
    }

    function check_exitIsTheSafesOwn(address other) external {
        Step memory step = _any();
        vm.assume(step.sender != other);
        uint64 id = guard.exitOf(other);
        _run(step);
        assert(guard.exitOf(other) == id);
    }

    /// @notice Ready fourteen days after the guardians' consent, which is only to an exit that the Safe has asked for before.
    function check_exitWaitsFourteenDaysFromTheLaterConsent() external {
        Step memory step = _any();
        uint64 asked = guard.exitOf(step.account);
        uint64 before_ = actions.scheduledFor(step.id);
        bytes32 hash = Messages.exit(step.id, step.account);
        bool consented = guardians.signed(keccak256(abi.encodePacked(hex"1901", guard.domainSeparator(), hash)));
        _run(step);
        uint64 readyAt = actions.scheduledFor(step.id);
        if (readyAt == before_) return;
        assert(step.verb == Verb.ConsentExit && consented && step.id != 0 && asked == step.id);
        assert(readyAt == block.timestamp + EXIT);
    }

    function check_noticeIsADay() external {
        Step memory step = _any();
        uint64 before_ = guard.announcedFrom(step.sender, step.word);
        _run(step);
        uint64 from = guard.announcedFrom(step.sender, step.word);
        if (from == before_ || from == 0) return;
        assert(step.verb == Verb.Announce && from == block.timestamp + NOTICE);
    }

    function check_ownersAcceptOnlyWhatIsPending() external {
        Step memory step = _any();
        bytes32 group = guard.groupOf(step.sender);
        bytes32 before_ = guard.accepted(group, step.id);
        bytes32 pending = governor.pendingDigest(step.id);
        _run(step);
        bytes32 found = guard.accepted(group, step.id);
        if (found != before_) assert(step.verb == Verb.Accept && found == pending && found != 0 && group != 0);
    }

    function _any() private returns (Step memory step) {
        uint256 verb = svm.createUint(8, "verb");
        vm.assume(verb <= uint8(type(Verb).max));
        step.verb = Verb(verb);
        step.sender = svm.createAddress("sender");
        step.account = svm.createAddress("account");
        step.word = svm.createBytes32("word");
        step.id = uint64(svm.createUint(64, "id"));
    }

    function _run(Step memory step) private {
        bytes memory data = _encode(step);
        vm.prank(step.sender);
        (bool success,) = address(guard).call(data);
        success;
    }

    function _encode(Step memory step) private returns (bytes memory) {
        if (step.verb == Verb.Announce) return abi.encodeCall(guard.announce, (step.word));
        if (step.verb == Verb.Accept) return abi.encodeCall(guard.accept, (step.id, step.word));
        if (step.verb == Verb.Admit) return abi.encodeCall(guard.admit, (step.account));
        if (step.verb == Verb.ScheduleExit) return abi.encodeCall(guard.scheduleExit, ());
        if (step.verb == Verb.ConsentExit) return abi.encodeCall(guard.consentExit, (step.id, step.account, ""));
        if (step.verb == Verb.CancelExit) return abi.encodeCall(guard.cancelExit, (step.id));
        if (step.verb == Verb.SetLimits) {
            return abi.encodeCall(guard.setLimits, (step.word, step.account, _limits()));
        }
        if (step.verb == Verb.Register) {
            address[] memory tokens = new address[](1);
            ITransferGuard.Limits[] memory limits = new ITransferGuard.Limits[](1);
            (tokens[0], limits[0]) = (svm.createAddress("token"), _limits());
            return abi.encodeCall(guard.register, (step.account, step.word, tokens, limits));
        }
        bytes memory call_ = svm.createBytes(68, "call");
        if (step.verb == Verb.CheckModule) {
            address module = svm.createAddress("module");
            return abi.encodeCall(guard.checkModuleTransaction, (step.account, 0, call_, Enum.Operation.Call, module));
        }
        return abi.encodeCall(
            guard.checkTransaction,
            (
                step.account,
                0,
                call_,
                Enum.Operation.Call,
                0,
                0,
                0,
                address(0),
                payable(address(0)),
                owners(),
                address(0)
            )
        );
    }

    function _limits() private returns (ITransferGuard.Limits memory) {
        return ITransferGuard.Limits(
            uint96(svm.createUint(96, "daily")),
            uint96(svm.createUint(96, "certifiedFrom")),
            uint96(svm.createUint(96, "noticeFrom"))
        );
    }
}
