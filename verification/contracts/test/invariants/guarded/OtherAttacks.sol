// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IGovernor} from "src/governance/IGovernor.sol";
import {Govern, GrantStanding, Messages, Return, Rotate, Unpause} from "src/governance/Messages.sol";
import {Members} from "../../support/Members.sol";
import {TransferAttacks} from "./TransferAttacks.sol";

/// @notice What the gateway, a sentinel, a minority of guardians, attesters or validators, and strangers try on the others.
abstract contract OtherAttacks is TransferAttacks {
    using Members for uint256[];

    function payOutWrongly(uint256 safe, uint256 how, uint256 id) external inspected {
        safe = _member(safe);
        how %= 5;
        address key = payoutKeys[groupOf(safe)];
        address to = payees[0];
        if (how == 0) key = ATTACKER;
        if (how == 1) key = payoutKeys[1 - groupOf(safe)];
        if (how == 1) require(key != payoutKeys[groupOf(safe)], "the same key");
        if (how == 2) to = ATTACKER;
        bytes32 payoutId = how == 3 ? bytes32(id % 64) : keccak256(abi.encode(id));
        if (how == 3) require(payoutSpent[safe][payoutId], "not spent");
        uint256 amount = how == 4 ? guard.room(groupId(groupOf(safe)), address(tokens[0])) + 1 : 1;
        bytes memory data = abi.encodeCall(payouts.payout, (safes[safe], payoutId, address(tokens[0]), to, amount));
        _attackOn(key, address(payouts), data, "a payout that must not be");
    }

    function evacuateWrongly(uint256 safe, uint256 how) external inspected {
        safe = _member(safe);
        how %= 4;
        uint64 pauseId = pauseNow.id + (how == 0 ? 1 : 0);
        uint64 otherEpoch = epoch + (how == 1 ? 1 : 0);
        if (how == 2) require(!isPaused(), "paused");
        bytes32 message = Messages.evacuate(pauseId, otherEpoch, safes[safe], address(tokens[0]));
        bytes memory quorum = how == 3 ? _forgedVotes(digestOf(message), safe) : _votes(digestOf(message));
        bytes memory data =
            abi.encodeCall(evacuator.evacuate, (pauseId, otherEpoch, safes[safe], address(tokens[0]), quorum));
        _attackOn(ATTACKER, address(evacuator), data, "an evacuation that must not be");
        data = abi.encodeCall(
            evacuator.evacuateByGuardians,
            (pauseId, otherEpoch, safes[safe], address(tokens[0]), _tooFewGuardians(message))
        );
        _attackOn(ATTACKER, address(evacuator), data, "two guardians evacuated");
    }

    function returnWrongly(uint256 safe, uint256 how) external inspected {
        (safe, how) = (safe % SAFES, how % 5);
        uint256 held = heldByVault[safe][0];
        Return memory order = Return(lastReturn + 1, epoch, safes[safe], address(tokens[0]), held);
        if (how == 0) order.returnId = lastReturn;
        if (how == 1) order.amount = held + 1;
        if (how == 2) order.safe = ATTACKER;
        if (how == 2) order.amount = 1;
        bytes32 message = Messages.hash(order);
        bytes memory quorum = how == 3 ? _forgedVotes(digestOf(message), safe) : _certify(message);
        bytes memory owners = how == 4 ? vaultKeys.sign(1, digestOf(message)) : byVaultOwners(message);
        bytes memory data = abi.encodeCall(vault.scheduleReturn, (order, quorum, owners));
        _attackOn(ATTACKER, address(vault), data, "a return was scheduled that must not be");
        data = abi.encodeCall(vault.record, (safes[safe], address(tokens[0]), 1));
        _attackOn(ATTACKER, address(vault), data, "a stranger wrote the vault's book");
    }

    function pauseWrongly(uint256 sentinel, uint256 how) external inspected {
        (sentinel, how) = (sentinel % 2, how % 5);
        uint64 pauseId = pauseNow.id + (how == 0 ? 2 : 1);
        uint64 until = time() + 6 hours + (how == 1 ? 1 : 0);
        if (how == 2) require(time() >= armedUntil[sentinel], "armed");
        if (how == 3) require(isPaused(), "no pause");
        uint256 signer = how == 4 ? guardianKeys[0] : sentinelKeys[sentinel];
        bytes memory signature = Members.signature(signer, digestOf(Messages.pause(pauseId, until)));
        address key = vm.addr(sentinelKeys[sentinel]);
        bytes memory data = abi.encodeCall(brake.pauseBySentinel, (key, pauseId, until, signature));
        _attackOn(ATTACKER, address(brake), data, "a sentinel paused that must not");
        bytes memory signatures = _tooFewGuardians(Messages.pause(pauseId, WITHOUT_END));
        data = abi.encodeCall(brake.pauseByGuardians, (pauseId, signatures));
        _attackOn(ATTACKER, address(brake), data, "two guardians paused");
    }

    /// @dev Without a quorum, for another pause, in another epoch, or when the message's time is over.
    function unpauseWrongly(uint256 how) external inspected {
        require(isPaused(), "no pause");
        how %= 5;
        Unpause memory message = Unpause(pauseNow.id, epoch, WITHOUT_END, keccak256("attack"));
        if (how == 0) message.pauseId -= 1;
        if (how == 1) message.epoch += 1;
        if (how == 2) message.validUntil = time() - 1;
        bytes32 digest = digestOf(Messages.hash(message));
        bytes memory quorum = how >= 3 ? _forgedVotes(digest, how) : _votes(digest);
        bytes memory data = abi.encodeCall(brake.proposeUnpause, (message, quorum));
        _attackOn(ATTACKER, address(brake), data, "an unpause was proposed that must not be");
        data = abi.encodeCall(brake.consentUnpause, (message, _tooFewGuardians(Messages.hash(message))));
        _attackOn(ATTACKER, address(brake), data, "two guardians consented");
        if (pauseNow.endsFrom != 0) return;
        _attackOn(ATTACKER, address(brake), abi.encodeCall(brake.unpause, (pauseNow.id)), "a pause just ended");
    }

    function governWrongly(uint256 how, uint256 group) external inspected {
        how %= 5;
        IGovernor.Target memory target =
            IGovernor.Target(IGovernor.Parameter.DailyLimit, groupId(group % GROUPS), address(tokens[0]));
        bytes32 key = keccak256(abi.encode(target.parameter, target.group, target.token));
        Govern memory govern = Govern(lastGovern + 1, epoch, key, bytes32(uint256(1e12)), time() + CHANGE);
        if (how == 0) govern.governId = lastGovern;
        if (how == 1) govern.notBefore -= 1;
        if (how == 2) govern.epoch += 1;
        if (how == 3) target.token = address(tokens[1]);
        bytes32 digest = digestOf(Messages.hash(govern));
        bytes memory quorum = how == 4 ? _forgedVotes(digest, group) : _votes(digest);
        bytes memory data = abi.encodeCall(governor.schedule, (govern, target, quorum));
        _attackOn(ATTACKER, address(governor), data, "a change was scheduled that must not be");
        data = abi.encodeCall(guard.setLimits, (target.group, target.token, firstLimits(0)[0]));
        _attackOn(ATTACKER, address(guard), data, "a stranger set limits");
        data = abi.encodeCall(guardians.replace, (guardianKeys.addresses(), 3));
        _attackOn(ATTACKER, address(guardians), data, "a stranger replaced the guardians");
    }

    /// @dev A change that gives more and that the owners have not accepted, at its time.
    function executeUnaccepted(uint256 seed) external inspected {
        uint64 id = _changeId(seed);
        Change memory change = changes[id];
        require(!change.accepted && change.target.parameter == IGovernor.Parameter.PayoutKey, "accepted, or no need");
        if (time() < waits[change.actionId].readyAt) vm.warp(waits[change.actionId].readyAt);
        bytes memory data = abi.encodeCall(governor.execute, (id));
        _attackOn(ATTACKER, address(governor), data, "a payout key changed without the owners");
    }

    /// @dev Whatever waits and whose time is over, or that ended before, by whoever.
    function takeWhatIsOver(uint256 seed) external inspected {
        uint64 actionId = _actionId(seed);
        Wait memory wait = waits[actionId];
        require(wait.over || (wait.readyAt != 0 && time() > wait.readyAt + WINDOW), "not over");
        _attackOn(address(governor), address(actions), abi.encodeCall(actions.take, (actionId)), "taken when over");
        _attackOn(address(registry), address(actions), abi.encodeCall(actions.take, (actionId)), "taken when over");
        _attackOn(address(vault), address(actions), abi.encodeCall(actions.take, (actionId)), "taken when over");
        _attackOn(ATTACKER, address(actions), abi.encodeCall(actions.open, (false)), "a stranger opened an action");
    }

    function rotateWrongly(uint256 how, uint256 next) external inspected {
        (how, next) = (how % 4, next % GENERATIONS);
        Rotate memory rotate = Rotate(epoch + 1, keccak256(validatorKeys[next]), time() + ROTATION);
        if (how == 0) rotate.newEpoch += 1;
        if (how == 1) rotate.notBefore -= 1;
        if (how == 2) rotate.keysHash = keccak256("other keys");
        bytes32 digest = digestOf(Messages.hash(rotate));
        bytes memory quorum = how == 3 ? _forgedVotes(digest, next) : _votes(digest);
        bytes memory data = abi.encodeCall(registry.scheduleRotation, (rotate, validatorKeys[next], quorum));
        _attackOn(ATTACKER, address(registry), data, "a rotation was scheduled that must not be");
    }

    function endWrongly(uint256 seed, uint256 how) external inspected {
        uint64 actionId = _actionId(seed);
        bytes32 message = Messages.cancel(actionId, epoch + (how % 2 == 0 ? 1 : 0));
        bytes memory quorum = how % 2 == 0 ? _votes(digestOf(message)) : _forgedVotes(digestOf(message), how);
        uint64 said = epoch + (how % 2 == 0 ? 1 : 0);
        bytes memory data = abi.encodeCall(actions.cancel, (actionId, said, quorum));
        _attackOn(ATTACKER, address(actions), data, "cancelled without a certificate");
        data = abi.encodeCall(actions.veto, (actionId, _tooFewGuardians(Messages.veto(actionId))));
        _attackOn(ATTACKER, address(actions), data, "two guardians vetoed");
        _attackOn(ATTACKER, address(actions), abi.encodeCall(actions.withdraw, (actionId)), "a stranger withdrew");
    }

    function grantWrongly(uint256 how) external inspected {
        how %= 4;
        GrantStanding memory said =
            GrantStanding(ATTACKER, ranks[ATTACKER].lastGrantId + 1, time() + 7 days, 1, 1, bytes32(0));
        if (how == 0) said.grantId = ranks[ATTACKER].lastGrantId;
        if (how == 1) said.expiry += 1;
        if (how == 2) said.expiry = time();
        bytes32 message = Messages.hash(said);
        bytes memory signatures = how == 3 ? attesterKeys.sign(1, digestOf(message)) : byAttesters(message);
        _attackOn(ATTACKER, address(standing), abi.encodeCall(standing.grant, (said, signatures)), "granted wrongly");
        _attackOn(ATTACKER, address(standing), abi.encodeCall(standing.revoke, (payees[0])), "a stranger revoked");
    }

    // Time.

    function pass(uint256 duration) external {
        vm.warp(time() + duration % 3 hours);
        _inspect();
    }

    /// @dev To just before, at, or just after a second in which something begins or ends.
    function passToAnEdge(uint256 seed) external {
        require(edges.length > 0);
        uint256 place = seed % edges.length;
        uint64 edge = edges[place];
        edges[place] = edges[edges.length - 1];
        edges.pop();
        require(edge > time() + 1 && edge < time() + 22 days, "over");
        vm.warp(edge - 1 + (seed >> 128) % 3);
        _inspect();
    }

    function _tooFewGuardians(bytes32 message) private view returns (bytes memory) {
        return guardianKeys.sign(0x3, digestOf(message));
    }
}
