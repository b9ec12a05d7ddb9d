// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IActions} from "src/governance/IActions.sol";
import {IGovernor} from "src/governance/IGovernor.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Governor} from "src/governance/Governor.sol";
import {Govern, Messages} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {IPayoutModule} from "src/safe/IPayoutModule.sol";
import {IStandingRegistry} from "src/standing/IStandingRegistry.sol";
import {anyChange} from "../support/AnyChange.sol";
import {svm, vm} from "../support/Cheats.sol";
import {AnyActions, AnyVerifier} from "../support/Neighbours.sol";
import {Governed} from "../support/Governed.sol";

/// @notice A change counts once, with a quorum's signature of its epoch, after its delay; more ways out for a group's money need the
///         owners' word for exactly this change. So all validators together, alone, raise no limit and change no payout key.
contract GovernorObeysItsQuorumsAndTheOwners {
    uint64 private constant CHANGE = 48 hours;
    uint64 private constant GUARDIANS = 14 days;
    Governor private governor;
    Governed private governed;
    AnyActions private actions;
    AnyVerifier private verifier;

    function setUp() external {
        governed = new Governed();
        actions = new AnyActions();
        verifier = new AnyVerifier();
        governor = new Governor(
            Governor.Neighbours(
                address(governed),
                IActions(address(actions)),
                ICertificateVerifier(address(verifier)),
                IPayoutModule(address(governed)),
                IGuardians(address(governed)),
                IStandingRegistry(address(governed))
            ),
            Governor.Delays(CHANGE, GUARDIANS),
            0
        );
        svm.enableSymbolicStorage(address(governor));
        svm.enableSymbolicStorage(address(governed));
        svm.enableSymbolicStorage(address(actions));
        svm.enableSymbolicStorage(address(verifier));
        vm.warp(svm.createUint(40, "now"));
    }

    /// @notice The next number only, so no message counts twice; signed in the epoch that it names; never before its delay.
    function check_scheduledOnceByAQuorumAfterTheDelay() external {
        (Govern memory govern, IGovernor.Target memory target) = anyChange();
        uint64 last = governor.lastGovernId();
        bool signed = verifier.signed(_digest(govern), govern.epoch);
        if (!_schedules(govern, target)) return;
        assert(govern.governId == last + 1 && governor.lastGovernId() == govern.governId);
        assert(signed);
        uint64 delay = target.parameter == IGovernor.Parameter.Guardians ? GUARDIANS : CHANGE;
        assert(govern.notBefore >= block.timestamp + delay);
        assert(actions.scheduledFor(actions.last()) == govern.notBefore);
        assert(govern.key == keccak256(abi.encode(target.parameter, target.group, target.token)));
    }

    /// @notice Nothing else raises the number or schedules anything.
    function check_executionSchedulesNothing(uint64 governId, uint64 other) external {
        (uint64 last, uint64 time) = (governor.lastGovernId(), actions.scheduledFor(other));
        _executes(governId);
        assert(governor.lastGovernId() == last && actions.scheduledFor(other) == time);
    }

    function check_aHigherLimitNeedsTheOwnersWord() external {
        (Govern memory govern, IGovernor.Target memory target) = anyChange();
        vm.assume(target.parameter <= IGovernor.Parameter.NoticeFrom);
        vm.assume(_schedules(govern, target));
        (uint96 daily, uint96 certifiedFrom, uint96 noticeFrom) = governed.limits(target.group, target.token);
        bool accepted = governed.accepted(target.group, govern.governId) == _digest(govern);
        bool ready = actions.isReady(actions.last());
        if (!_executes(govern.governId)) return;
        assert(ready);
        (uint96 d, uint96 c, uint96 n) = governed.limits(target.group, target.token);
        if (d > daily || c > certifiedFrom || n > noticeFrom) assert(accepted);
        uint256 value = uint256(govern.value);
        assert(d == (target.parameter == IGovernor.Parameter.DailyLimit ? value : daily));
        assert(c == (target.parameter == IGovernor.Parameter.CertifiedFrom ? value : certifiedFrom));
        assert(n == (target.parameter == IGovernor.Parameter.NoticeFrom ? value : noticeFrom));
    }

    function check_anotherPayoutKeyNeedsTheOwnersWord() external {
        (Govern memory govern, IGovernor.Target memory target) = anyChange();
        vm.assume(target.parameter == IGovernor.Parameter.PayoutKey);
        vm.assume(_schedules(govern, target));
        bool accepted = governed.accepted(target.group, govern.governId) == _digest(govern);
        bool ready = actions.isReady(actions.last());
        if (!_executes(govern.governId)) return;
        assert(ready && accepted);
        assert(governed.payoutKey(target.group) == address(uint160(uint256(govern.value))));
    }

    function reaches_aLimitIsChanged() external {
        (Govern memory govern, IGovernor.Target memory target) = anyChange();
        vm.assume(target.parameter == IGovernor.Parameter.DailyLimit);
        vm.assume(_schedules(govern, target));
        assert(!_executes(govern.governId));
    }

    function _schedules(Govern memory govern, IGovernor.Target memory target) private returns (bool) {
        try governor.schedule(govern, target, "") {
            return true;
        } catch {
            return false;
        }
    }

    function _executes(uint64 governId) private returns (bool) {
        try governor.execute(governId) {
            return true;
        } catch {
            return false;
        }
    }

    function _digest(Govern memory govern) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", governor.domainSeparator(), Messages.hash(govern)));
    }
}
