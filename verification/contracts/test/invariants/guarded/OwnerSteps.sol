// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IOwnerManager} from "@safe-global/safe-smart-account/contracts/interfaces/IOwnerManager.sol";
import {IGuardManager} from "@safe-global/safe-smart-account/contracts/interfaces/IGuardManager.sol";
import {IModuleManager} from "@safe-global/safe-smart-account/contracts/interfaces/IModuleManager.sol";
import {Messages} from "src/governance/Messages.sol";
import {Members} from "../../support/Members.sol";
import {Sending} from "./Sending.sol";

/// @notice What owners do: transfers within the bucket, certified, announced; configuration; the way out.
abstract contract OwnerSteps is Sending {
    using Members for uint256[];

    /// @dev A third of the time exactly what still fits.
    function transferWithinTheBucket(uint256 safe, uint256 token, uint256 to, uint256 amount) external {
        safe = _member(safe);
        token %= 2;
        amount = _fitting(safe, token, amount, limits[groupOf(safe)][token].noticeFrom);
        address account = _payee(to);
        require(account != safes[safe], "to itself");
        Call memory call_ = _transferCall(safe, token, account, amount);
        bytes32 hash = _hash(call_);
        _send(call_, "");
        _sent(safe, token, account, amount, hash);
        _uncertified(groupOf(safe), token, amount);
        _markEdge(time() + 24 hours);
        _inspect();
    }

    /// @dev As much as fits, again and again: at once, then every few hours.
    function drainForADay(uint256 safe, uint256 token, uint256 hoursBetween) external {
        uint256 through = 0;
        for (uint256 i = 0; i < 10; ++i) {
            try this.transferWithinTheBucket(safe, token, i + 1, 0) {
                ++through;
            } catch {}
            if (i > 3) vm.warp(time() + (hoursBetween % 6) * 1 hours + 59 minutes);
        }
        require(through > 0, "nothing left");
        _inspect();
    }

    function certifiedTransfer(uint256 safe, uint256 token, uint256 to, uint256 amount, uint256 life) external {
        safe = _member(safe);
        token %= NATIVE + 1;
        address account = _payee(to);
        require(account != safes[safe], "to itself");
        uint256 most = book[safes[safe]][token];
        uint256 noticeFrom = limits[groupOf(safe)][token].noticeFrom;
        amount = noticeFrom <= most ? amount % noticeFrom : amount % (most + 1);
        require(token != NATIVE || amount > 0, "no row for nothing");
        Call memory call_ = _transferCall(safe, token, account, amount);
        bytes32 hash = _hash(call_);
        _sendCertified(call_, life);
        _sent(safe, token, account, amount, hash);
        _inspect();
    }

    /// @dev Of what needs notice: refused unannounced, refused a second before the day is over, then paid.
    function certifiedTransferAfterNotice(uint256 safe, uint256 token, uint256 amount, uint256 life) external {
        safe = _member(safe);
        token %= NATIVE + 1;
        uint256 noticeFrom = limits[groupOf(safe)][token].noticeFrom;
        uint256 most = book[safes[safe]][token];
        require(noticeFrom <= most, "it has not so much");
        Call memory call_ = _transferCall(safe, token, payees[0], noticeFrom + amount % (most - noticeFrom + 1));
        bytes32 hash = _announce(call_);
        if (!hasStanding(payees[0])) _grant(payees[0], 7 days, 2);
        vm.warp(announcedAt[hash] + NOTICE - 1);
        bytes memory tail = _certificateOf(_orderOf(call_, time() + 60));
        mustBe(_refusesSafe(call_, tail), "paid a second before the notice was over");
        vm.warp(time() + 1);
        if (!hasStanding(payees[0])) _grant(payees[0], 7 days, 2);
        uint256 before = token == NATIVE ? payees[0].balance : tokens[token].balanceOf(payees[0]);
        _sendCertified(call_, life);
        uint256 paid = (token == NATIVE ? payees[0].balance : tokens[token].balanceOf(payees[0])) - before;
        _sent(safe, token, payees[0], paid, hash);
        _inspect();
    }

    /// @dev Small enough for the bucket, large enough for notice: the second token's.
    function transferAfterNotice(uint256 safe, uint256 amount) external {
        safe = _member(safe);
        uint256 noticeFrom = limits[groupOf(safe)][1].noticeFrom;
        amount = noticeFrom + amount % 100;
        Call memory call_ = _transferCall(safe, 1, payees[1], amount);
        bytes32 hash = _announce(call_);
        vm.warp(announcedAt[hash] + NOTICE);
        if (!hasStanding(payees[1])) _grant(payees[1], 7 days, 2);
        _send(call_, "");
        _sent(safe, 1, payees[1], amount, hash);
        _uncertified(groupOf(safe), 1, amount);
        _inspect();
    }

    function cancelNonce(uint256 safe) external {
        safe = _member(safe);
        _send(Call(safe, safes[safe], 0, ""), "");
        _inspect();
    }

    /// @dev New owners, another threshold; once in a while the payout module goes.
    function certifiedConfiguration(uint256 safe, uint256 how, uint256 life) external {
        safe = _member(safe);
        bool fewer = how % 2 == 0 && ownerKeys[safe].length > 3;
        bytes memory data = how % 32 == 5
            ? abi.encodeCall(IModuleManager.disableModule, (address(evacuator), address(payouts)))
            : how % 4 == 1 ? _otherThreshold(safe) : fewer ? _removal(safe) : _addition(safe, how);
        _sendCertified(Call(safe, safes[safe], 0, data), life);
        if (data.length == 36) {
            thresholds[safe] = 5 - thresholds[safe];
        } else if (bytes4(data) == IOwnerManager.addOwnerWithThreshold.selector) {
            _keep(safe, _newOwner(safe, how));
        } else if (bytes4(data) == IOwnerManager.removeOwner.selector) {
            ownerKeys[safe].pop();
        }
        bytes32 became = _configOf(safes[safe]);
        mustBe(became != configs[safe], "a certified change changed nothing");
        configs[safe] = became;
        _inspectGuardSlots(safe);
        _inspect();
    }

    function registerPayee(uint256 safe, uint256 payee) external {
        safe = _member(safe);
        address account = payees[payee % PAYEES];
        _send(Call(safe, address(payouts), 0, abi.encodeCall(payouts.register, (account))), "");
        payableFrom[safe][account] = time() + PAYEE;
        _markEdge(time() + PAYEE);
        _inspect();
    }

    // The way out, of Safes 1 and 2.

    function scheduleExit(uint256 safe) external {
        safe = _member(safe % 2 + 1);
        _send(Call(safe, address(guard), 0, abi.encodeCall(guard.scheduleExit, ())), "");
        exits[safe] = _opened(0);
        mustBe(guard.exitOf(safes[safe]) == exits[safe], "another action is the exit");
        _inspect();
    }

    function consentExit(uint256 safe) external {
        safe = _member(safe % 2 + 1);
        uint64 actionId = exits[safe];
        bytes memory signatures = byGuardians(Messages.exit(actionId, safes[safe]));
        _deliver(address(guard), abi.encodeCall(guard.consentExit, (actionId, safes[safe], signatures)));
        waits[actionId].readyAt = time() + EXIT;
        _markEdge(time() + EXIT);
        _markEdge(time() + EXIT + WINDOW);
        _inspect();
    }

    function cancelExit(uint256 safe, uint256 rarely) external {
        require(rarely % 4 == 0);
        safe = _member(safe % 2 + 1);
        uint64 actionId = exits[safe];
        _send(Call(safe, address(guard), 0, abi.encodeCall(guard.cancelExit, (actionId))), "");
        mustBe(!waits[actionId].over, "an exit ended twice");
        waits[actionId].over = true;
        exits[safe] = 0;
        _inspect();
    }

    function leaveModuleGuard(uint256 safe, uint256 seed) external {
        safe = _member(safe % 2 + 1);
        Call memory call_ = Call(safe, safes[safe], 0, abi.encodeCall(IModuleManager.setModuleGuard, (address(0))));
        _leave(call_, seed);
        halfLeft[safe] = true;
        configs[safe] = _configOf(safes[safe]);
        _inspect();
    }

    function leaveGuard(uint256 safe, uint256 seed) external {
        safe = _member(safe % 2 + 1);
        Call memory call_ = Call(safe, safes[safe], 0, abi.encodeCall(IGuardManager.setGuard, (address(0))));
        _leave(call_, seed);
        _taken(exits[safe]);
        left[safe] = true;
        _inspect();
    }

    /// @dev A Safe that has left is its owners' alone.
    function spendAfterLeaving(uint256 safe, uint256 amount) external {
        safe = safe % 2 + 1;
        require(left[safe]);
        amount %= book[safes[safe]][0] + 1;
        _send(_transferCall(safe, 0, ATTACKER, amount), "");
        _moved(safes[safe], ATTACKER, 0, amount);
        _inspect();
    }

    function _leave(Call memory call_, uint256 seed) private {
        uint64 actionId = exits[call_.safe];
        require(waits[actionId].readyAt != 0, "no exit with both consents");
        _awaitAction(actionId, safes[call_.safe], _execution(call_, ""), seed);
        bool due = isDue(actionId);
        _send(call_, "");
        mustBe(due, "a Safe left before its exit was due, or after it");
    }

    /// @dev What still fits uncertified; below `noticeFrom`. A third of the time the most.
    function _fitting(uint256 safe, uint256 token, uint256 seed, uint256 noticeFrom) internal view returns (uint256) {
        uint256 group = groupOf(safe);
        uint256 most = guard.room(groupId(group), address(tokens[token]));
        uint256 from = limits[group][token].certifiedFrom / (isReduced() ? 10 : 1);
        if (noticeFrom < from) from = noticeFrom;
        if (most >= from) most = from - 1; // reverts where nothing goes uncertified
        if (most > book[safes[safe]][token]) most = book[safes[safe]][token];
        require(most > 0, "no room");
        return seed % 3 == 0 ? most : seed % most + 1;
    }

    function _announce(Call memory call_) internal returns (bytes32 hash) {
        hash = _hashAt(call_, nonces[call_.safe] + 1);
        _send(Call(call_.safe, address(guard), 0, abi.encodeCall(guard.announce, (hash))), "");
        announcedAt[hash] = time();
    }

    function _otherThreshold(uint256 safe) private view returns (bytes memory) {
        return abi.encodeCall(IOwnerManager.changeThreshold, (5 - thresholds[safe]));
    }

    /// @dev The one with the highest key, which in the Safe's list stands behind whoever came later.
    function _removal(uint256 safe) private view returns (bytes memory) {
        uint256[] storage keys = ownerKeys[safe];
        address owner = vm.addr(keys[keys.length - 1]);
        address[] memory list = safeAt(safe).getOwners();
        address previous = address(1);
        for (uint256 i = 0; list[i] != owner; ++i) {
            previous = list[i];
        }
        return abi.encodeCall(IOwnerManager.removeOwner, (previous, owner, thresholds[safe]));
    }

    function _addition(uint256 safe, uint256 how) private view returns (bytes memory) {
        address owner = vm.addr(_newOwner(safe, how));
        return abi.encodeCall(IOwnerManager.addOwnerWithThreshold, (owner, thresholds[safe]));
    }

    function _newOwner(uint256 safe, uint256 how) private pure returns (uint256) {
        return uint256(keccak256(abi.encode("new owner", safe, how))) >> 8 | 1;
    }

    function _keep(uint256 safe, uint256 key) private {
        uint256[] storage keys = ownerKeys[safe];
        keys.push(key);
        for (uint256 i = keys.length - 1; i > 0 && vm.addr(keys[i]) < vm.addr(keys[i - 1]); --i) {
            (keys[i], keys[i - 1]) = (keys[i - 1], keys[i]);
        }
    }

    function _inspectGuardSlots(uint256 safe) private {
        bytes32 guardSlot = vm.load(safes[safe], keccak256("guard_manager.guard.address"));
        bytes32 handler = vm.load(safes[safe], keccak256("fallback_manager.handler.address"));
        mustBe(guardSlot == bytes32(uint256(uint160(address(guard)))), "a certified change changed the guard");
        mustBe(handler == 0, "a certified change set a handler");
    }
}
