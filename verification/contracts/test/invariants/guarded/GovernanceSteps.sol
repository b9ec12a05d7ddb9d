// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IGovernor} from "src/governance/IGovernor.sol";
import {Govern, Messages, Rotate} from "src/governance/Messages.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {Members} from "../../support/Members.sol";
import {EmergencySteps} from "./EmergencySteps.sol";

/// @notice Changes of limits, keys, hashes and members; new validators; what waits is vetoed or cancelled.
abstract contract GovernanceSteps is EmergencySteps {
    using Members for uint256[];

    struct Change {
        uint64 actionId;
        IGovernor.Target target;
        bytes32 value;
        bytes32 digest;
        bool accepted;
        uint256 set; // of members
    }

    struct Succession {
        uint64 actionId;
        uint64 forEpoch; // zero for a recovery
        uint256 generation;
    }

    mapping(uint64 governId => Change) internal changes;
    mapping(bytes32 key => uint64 governId) internal executedLast;
    Succession[] internal successions;

    constructor() {
        _send(Call(0, address(guard), 0, abi.encodeCall(guard.admit, (safes[1]))), "");
        for (uint256 g = 0; g < GROUPS; ++g) {
            _schedule(IGovernor.Target(IGovernor.Parameter.PayoutKey, groupId(g), address(0)), _gateway(g), 0, 0);
            _accept(lastGovern, g * 2);
        }
        vm.warp(time() + CHANGE);
        for (uint64 id = 1; id <= lastGovern; ++id) {
            _deliver(address(governor), abi.encodeCall(governor.execute, (id)));
            _executed(id);
        }
        for (uint256 i = 0; i < SAFES; ++i) {
            _send(Call(i, address(payouts), 0, abi.encodeCall(payouts.register, (payees[0]))), "");
            payableFrom[i][payees[0]] = time() + PAYEE;
        }
        _inspect();
    }

    function certifiedGovernLimit(uint256 group, uint256 token, uint8 parameter, uint256 value, uint32 later) external {
        (group, token) = (group % GROUPS, token % 2);
        IGovernor.Parameter which = IGovernor.Parameter(parameter % 3);
        uint256 before = _limit(limits[group][token], which);
        value = value % 3 == 0 ? before / 2 : value % 3 == 1 ? before * 2 % 2 ** 64 : before + value % 1000;
        _schedule(IGovernor.Target(which, groupId(group), address(tokens[token])), bytes32(value), later % 1 days, 0);
        _inspect();
    }

    function certifiedGovernKey(uint256 group, uint8 parameter, uint256 value) external {
        IGovernor.Target memory target;
        target.parameter = IGovernor.Parameter(3 + parameter % 3);
        bool ofModel = target.parameter == IGovernor.Parameter.ModelHash;
        target.group = ofModel ? bytes32(0) : groupId(group % GROUPS);
        _schedule(target, _gateway(value % 4), 0, 0);
        _inspect();
    }

    function certifiedGovernMembers(bool ofAttesters, uint256 set) external {
        set %= 2;
        IGovernor.Target memory target;
        target.parameter = ofAttesters ? IGovernor.Parameter.Attesters : IGovernor.Parameter.Guardians;
        (uint256[] memory keys, uint256 threshold) = _memberSet(ofAttesters, set);
        _schedule(target, keccak256(abi.encode(keys.addresses(), threshold)), 0, set);
        _inspect();
    }

    function acceptChange(uint256 seed, uint256 safe) external {
        _accept(_changeId(seed), _member(safe));
        _inspect();
    }

    function executeChange(uint256 seed) external {
        uint64 id = _changeId(seed);
        Change memory change = changes[id];
        bytes memory data = abi.encodeCall(governor.execute, (id));
        if (change.target.parameter >= IGovernor.Parameter.Guardians) {
            (uint256[] memory keys, uint256 threshold) =
                _memberSet(change.target.parameter == IGovernor.Parameter.Attesters, change.set);
            data = abi.encodeCall(governor.executeMembers, (id, keys.addresses(), threshold));
        }
        _awaitAction(change.actionId, address(governor), data, seed >> 8);
        _deliver(address(governor), data);
        _executed(id);
        _inspect();
    }

    // Validators.

    function certifiedRotation(uint256 next, uint32 later) external {
        next %= GENERATIONS;
        Rotate memory rotate = Rotate(epoch + 1, keccak256(validatorKeys[next]), time() + ROTATION + later % 1 days);
        bytes memory quorum = _certify(Messages.hash(rotate));
        _deliver(address(registry), abi.encodeCall(registry.scheduleRotation, (rotate, validatorKeys[next], quorum)));
        successions.push(Succession(_opened(rotate.notBefore), rotate.newEpoch, next));
        _markEdge(rotate.notBefore);
        _inspect();
    }

    function openRecovery() external {
        registry.openRecovery(); // not kept as sent: whoever asks again gets another
        successions.push(Succession(_opened(0), 0, GENERATIONS));
        _inspect();
    }

    function recoverByGuardians(uint256 seed, uint256 next) external {
        Succession storage succession = _succession(seed);
        next %= GENERATIONS;
        require(succession.forEpoch == 0 && waits[succession.actionId].readyAt == 0);
        bytes memory signatures = byGuardians(Messages.recover(succession.actionId, keccak256(validatorKeys[next])));
        _deliver(
            address(registry),
            abi.encodeCall(registry.scheduleRecovery, (succession.actionId, validatorKeys[next], signatures))
        );
        succession.generation = next;
        waits[succession.actionId].readyAt = time() + RECOVERY;
        _markEdge(time() + RECOVERY + WINDOW);
        _inspect();
    }

    function startEpoch(uint256 seed) external {
        Succession memory succession = _succession(seed);
        require(succession.generation < GENERATIONS);
        bytes memory data =
            abi.encodeCall(registry.startEpoch, (succession.actionId, validatorKeys[succession.generation]));
        _awaitAction(succession.actionId, address(registry), data, seed >> 8);
        _deliver(address(registry), data);
        _taken(succession.actionId);
        ++epoch;
        mustBe(succession.forEpoch == 0 || succession.forEpoch == epoch, "a rotation started another epoch");
        generation = succession.generation;
        _inspect();
    }

    // Ends.

    function certifiedCancellation(uint256 seed) external {
        uint64 actionId = _actionId(seed);
        bytes memory quorum = _certify(Messages.cancel(actionId, epoch));
        _deliver(address(actions), abi.encodeCall(actions.cancel, (actionId, epoch, quorum)));
        _end(actionId);
        _inspect();
    }

    function vetoByGuardians(uint256 seed) external {
        uint64 actionId = _actionId(seed);
        bytes memory signatures = byGuardians(Messages.veto(actionId));
        _deliver(address(actions), abi.encodeCall(actions.veto, (actionId, signatures)));
        _end(actionId);
        _inspect();
    }

    function _end(uint64 actionId) private {
        Wait storage wait = waits[actionId];
        mustBe(!wait.over && (wait.readyAt == 0 || time() <= wait.readyAt + WINDOW), "what was over ended again");
        wait.over = true;
    }

    function _schedule(IGovernor.Target memory target, bytes32 value, uint256 later, uint256 set) internal {
        bool ofGuardians = target.parameter == IGovernor.Parameter.Guardians;
        uint64 notBefore = time() + (ofGuardians ? GUARDIANS_CHANGE : CHANGE) + uint64(later);
        bytes32 key = keccak256(abi.encode(target.parameter, target.group, target.token));
        Govern memory govern = Govern(lastGovern + 1, epoch, key, value, notBefore);
        bytes memory quorum = _certify(Messages.hash(govern));
        _deliver(address(governor), abi.encodeCall(governor.schedule, (govern, target, quorum)));
        ++lastGovern;
        changes[lastGovern] = Change(_opened(notBefore), target, value, digestOf(Messages.hash(govern)), false, set);
        _markEdge(notBefore);
        _markEdge(notBefore + WINDOW);
    }

    function _accept(uint64 governId, uint256 safe) internal {
        Change storage change = changes[governId];
        _send(Call(safe, address(guard), 0, abi.encodeCall(guard.accept, (governId, change.digest))), "");
        if (change.target.group == groupId(groupOf(safe))) change.accepted = true;
    }

    function _executed(uint64 id) internal {
        Change memory change = changes[id];
        _taken(change.actionId);
        bytes32 key = keccak256(abi.encode(change.target.parameter, change.target.group, change.target.token));
        mustBe(id > executedLast[key], "an older change undid a newer one");
        executedLast[key] = id;
        IGovernor.Parameter which = change.target.parameter;
        if (which <= IGovernor.Parameter.NoticeFrom) return _limitChanged(change);
        if (which == IGovernor.Parameter.PayoutKey) {
            mustBe(change.accepted, "a payout key changed without the owners");
            payoutKeys[_groupOfId(change.target.group)] = address(uint160(uint256(change.value)));
        } else if (which == IGovernor.Parameter.Guardians) {
            (guardianKeys,) = _memberSet(false, change.set);
        } else if (which == IGovernor.Parameter.Attesters) {
            (attesterKeys,) = _memberSet(true, change.set);
        }
    }

    function _limitChanged(Change memory change) private {
        uint256 group = _groupOfId(change.target.group);
        uint256 token = change.target.token == address(tokens[0]) ? 0 : 1;
        ITransferGuard.Limits storage kept = limits[group][token];
        uint96 value = uint96(uint256(change.value));
        bool raised = value > _limit(kept, change.target.parameter);
        mustBe(!raised || change.accepted, "a limit rose without the owners");
        if (change.target.parameter == IGovernor.Parameter.DailyLimit) {
            // What held until now held in every window that reaches back to now.
            kept.daily = value;
            dailyLimits[group][token].push(DailyLimit(time(), value));
        } else if (change.target.parameter == IGovernor.Parameter.CertifiedFrom) {
            kept.certifiedFrom = value;
        } else {
            kept.noticeFrom = value;
        }
    }

    function _limit(ITransferGuard.Limits memory of_, IGovernor.Parameter which) private pure returns (uint256) {
        if (which == IGovernor.Parameter.DailyLimit) return of_.daily;
        return which == IGovernor.Parameter.CertifiedFrom ? of_.certifiedFrom : of_.noticeFrom;
    }

    function _groupOfId(bytes32 id) private view returns (uint256) {
        return id == groupId(0) ? 0 : 1;
    }

    /// @dev Two sets of each, which share nobody.
    function _memberSet(bool ofAttesters, uint256 set) internal pure returns (uint256[] memory, uint256 threshold) {
        if (ofAttesters) return (Members.keys(set == 0 ? "attester" : "second attester", 3), 2);
        return (Members.keys(set == 0 ? "guardian" : "second guardian", 5), 3);
    }

    function _gateway(uint256 seed) internal pure returns (bytes32) {
        return bytes32(0x6A7E0 + seed);
    }

    /// @dev One of the latest.
    function _changeId(uint256 seed) internal view returns (uint64) {
        return lastGovern - uint64(seed % (lastGovern < 4 ? lastGovern : 4));
    }

    function _actionId(uint256 seed) internal view returns (uint64) {
        return lastAction - uint64(seed % (lastAction < 6 ? lastAction : 6));
    }

    function _succession(uint256 seed) private view returns (Succession storage) {
        uint256 count = successions.length;
        require(count > 0);
        return successions[count - 1 - seed % (count < 3 ? count : 3)];
    }
}
