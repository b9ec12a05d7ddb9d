// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IGuardManager} from "@safe-global/safe-smart-account/contracts/interfaces/IGuardManager.sol";
import {IFallbackManager} from "@safe-global/safe-smart-account/contracts/interfaces/IFallbackManager.sol";
import {IModuleManager} from "@safe-global/safe-smart-account/contracts/interfaces/IModuleManager.sol";
import {IOwnerManager} from "@safe-global/safe-smart-account/contracts/interfaces/IOwnerManager.sol";
import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import {Messages, Order} from "src/governance/Messages.sol";
import {digestFor} from "../../support/Digest.sol";
import {GovernanceSteps} from "./GovernanceSteps.sol";

/// @notice What all owners together try, with certificates of every wrong kind, and what anyone tries with what was sent.
abstract contract TransferAttacks is GovernanceSteps {
    struct Disguise {
        Enum.Operation operation;
        uint256 safeTxGas;
        uint256 baseGas;
        address gasToken;
        address refundReceiver;
    }

    modifier inspected() {
        _;
        _inspect();
    }

    function _refused(Call memory call_, bytes memory tail, string memory otherwise) internal {
        mustBe(_refusesSafe(call_, tail), otherwise);
    }

    function _attackOn(address sender, address target, bytes memory data, string memory otherwise) internal {
        mustBe(!_try(sender, target, data), otherwise);
    }

    /// @dev Whatever counted once, as it was: owners', validators', guardians', attesters', a sentinel's, the gateway's.
    function replay(uint256 seed) external inspected {
        Sent memory again = sent[seed % sent.length];
        _attackOn(again.sender, again.target, again.data, "what was sent counted twice");
    }

    /// @dev The same certificate behind the same call, signed again by the owners of this or another Safe.
    function replayCertificate(uint256 seed, uint256 safe) external inspected {
        require(spent.length > 0, "none was used");
        Spent memory used = spent[spent.length - 1 - seed % spent.length];
        used.call.safe = _member(safe);
        if (bytes4(used.call.data) != IERC20.transfer.selector) used.call.to = safes[used.call.safe];
        _refused(used.call, used.tail, "a certificate counted for another transaction");
    }

    function aUnitAboveTheRoom(uint256 safe, uint256 token) external inspected {
        (safe, token) = (_member(safe), token % 2);
        uint256 amount = guard.room(groupId(groupOf(safe)), address(tokens[token])) + 1;
        _refused(_transferCall(safe, token, _payee(1), amount), "", "more went out than the bucket has room for");
    }

    /// @dev From exactly the limit on.
    function aLargeAmountUncertified(uint256 safe, uint256 token, uint256 more) external inspected {
        (safe, token) = (_member(safe), token % (NATIVE + 1));
        uint256 amount = limits[groupOf(safe)][token].certifiedFrom / (isReduced() ? 10 : 1) + more % 3;
        if (token == NATIVE) ++amount;
        Call memory call_ = _transferCall(safe, token, _payee(1), amount);
        _refused(call_, "", "a certificate was needed and there was none");
    }

    function withoutNotice(uint256 safe, uint256 token, uint256 more) external inspected {
        (safe, token) = (_member(safe), token % (NATIVE + 1));
        uint256 amount = limits[groupOf(safe)][token].noticeFrom + more % 1000;
        Call memory call_ = _transferCall(safe, token, _payee(1), amount);
        bytes memory tail = _certificateOf(_orderOf(call_, time() + 60));
        _refused(call_, tail, "a large transfer was not announced");
    }

    /// @dev Never had standing, had it until now, lost it by one attester.
    function payAnyone(uint256 safe, uint256 token, uint256 to, bool isCertified) external inspected {
        (safe, token) = (_member(safe), token % 2);
        address account = to % 4 == 0 ? ATTACKER : payees[to % PAYEES];
        if (to % 4 != 0 && to % 8 < 4 && hasStanding(account)) vm.warp(ranks[account].expiry);
        require(!hasStanding(account), "it has standing");
        Call memory call_ = _transferCall(safe, token, account, 1);
        bytes memory tail = isCertified ? _certificateOf(_orderOf(call_, time() + 60)) : bytes("");
        _refused(call_, tail, "money went to an account without standing");
    }

    function payWhilePaused(uint256 safe, uint256 token, uint256 how) external inspected {
        require(isPaused(), "no pause");
        (safe, token) = (_member(safe), token % (NATIVE + 1));
        address to = _payee(2);
        if (how % 3 == 0) {
            bytes memory data =
                abi.encodeCall(payouts.payout, (safes[safe], bytes32(how), address(tokens[token % 2]), payees[0], 1));
            return _attackOn(payoutKeys[groupOf(safe)], address(payouts), data, "a payout while paused");
        }
        Call memory call_ = _transferCall(safe, token, to, 1);
        bytes memory tail = how % 3 == 1 ? _certificateOf(_orderOf(call_, time() + 60)) : bytes("");
        _refused(call_, tail, "a transfer while paused");
    }

    /// @dev A good order with one thing wrong: its time, its epoch, what it is for, or who signed it.
    function forgedCertificate(uint256 safe, uint256 token, uint256 how, uint256 seed) external inspected {
        (safe, token) = (_member(safe), token % (NATIVE + 1));
        Call memory call_ = seed % 4 == 0
            ? Call(safe, safes[safe], 0, abi.encodeCall(IOwnerManager.changeThreshold, (5 - thresholds[safe])))
            : _transferCall(safe, token, _payee(seed), 1 + seed % 1000);
        if (call_.data.length == 68 || call_.data.length == 0) require(!isPaused(), "paused anyway");
        Order memory order = _orderOf(call_, time() + uint64(seed % 3601));
        bytes memory tail = how % 2 == 0 ? _wronglySigned(call_, order, how / 2) : _wronglySaid(order, how / 2);
        _refused(call_, tail, "a forged certificate counted");
    }

    /// @dev All owners, certified or not: whatever is no row of the table, or only a matured exit's.
    function outsideTheTable(uint256 safe, uint256 which, bool isCertified) external inspected {
        safe = _member(safe);
        require(!isDue(exits[safe]), "an exit is due");
        Call memory call_ = _forbidden(safe, which);
        bytes memory tail = isCertified ? _certificateOf(_orderOf(call_, time() + 60)) : bytes("");
        _refused(call_, tail, "a call outside the table");
    }

    /// @dev Delegatecalls, gas refunds and surplus signatures around a call that would pass without.
    function disguisedTransfer(uint256 safe, uint256 how) external inspected {
        safe = _member(safe);
        Call memory call_ = _transferCall(safe, 0, _payee(1), 1);
        Disguise memory as_;
        how %= 6;
        if (how == 0) as_.operation = Enum.Operation.DelegateCall;
        if (how == 1) as_.safeTxGas = 1;
        if (how == 2) as_.baseGas = 1;
        if (how == 3) as_.gasToken = call_.to;
        if (how == 4) as_.refundReceiver = ATTACKER;
        bytes memory signatures = _byOwners(safe, _hashAs(call_, as_));
        if (how == 5) signatures = bytes.concat(signatures, signatures);
        _attackOn(
            ATTACKER, safes[safe], _executionAs(call_, as_, signatures), "a delegatecall, refund or surplus passed"
        );
    }

    /// @dev An exit whose time has not come, or is over.
    function leaveOutOfTime(uint256 safe, uint256 seed) external inspected {
        safe = _member(safe % 2 + 1);
        uint64 readyAt = waits[exits[safe]].readyAt;
        require(readyAt != 0, "no exit with both consents");
        if (seed % 4 == 0 && time() <= readyAt + WINDOW) vm.warp(readyAt + WINDOW + 1);
        require(!isDue(exits[safe]), "it is due");
        bytes memory data = seed % 8 < 4
            ? abi.encodeCall(IGuardManager.setGuard, (address(0)))
            : abi.encodeCall(IModuleManager.setModuleGuard, (address(0)));
        _refused(Call(safe, safes[safe], 0, data), "", "a Safe left out of its exit's time");
    }

    function _hashAs(Call memory call_, Disguise memory as_) private view returns (bytes32) {
        bytes memory question = abi.encodeWithSelector(
            ISafe.getTransactionHash.selector,
            call_.to,
            0,
            call_.data,
            as_.operation,
            as_.safeTxGas,
            as_.baseGas,
            0,
            as_.gasToken,
            as_.refundReceiver,
            nonces[call_.safe]
        );
        (, bytes memory answer) = safes[call_.safe].staticcall(question);
        return bytes32(answer);
    }

    function _executionAs(Call memory call_, Disguise memory as_, bytes memory signatures)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            ISafe.execTransaction.selector,
            call_.to,
            0,
            call_.data,
            as_.operation,
            as_.safeTxGas,
            as_.baseGas,
            0,
            as_.gasToken,
            as_.refundReceiver,
            signatures
        );
    }

    function _wronglySaid(Order memory order, uint256 how) private returns (bytes memory tail) {
        how %= 5;
        if (how == 0) order.validUntil = time() - 1;
        if (how == 1) order.validUntil = time() + 3601;
        if (how == 2) --order.epoch;
        if (how == 3) ++order.epoch;
        if (how == 4) order.safeNonce = nonces[0] + nonces[1] + nonces[2] + 1;
        tail = _certificateOf(order);
    }

    function _wronglySigned(Call memory call_, Order memory order, uint256 how) private returns (bytes memory) {
        how %= 8;
        Order memory other =
            Order(order.safe, order.safeTxHash, order.safeNonce, order.epoch, order.validUntil, order.factsHash);
        bytes32 digest;
        if (how == 0) other.factsHash = keccak256("other facts");
        if (how == 1) other.validUntil += 1;
        if (how == 2) other.safe = safes[(call_.safe + 1) % SAFES];
        if (how == 3) other.safeTxHash = _hashAt(call_, nonces[call_.safe] + 1);
        if (how <= 3) digest = digestOf(Messages.hash(other));
        if (how == 4) digest = digestFor(address(guard), 1, Messages.hash(order));
        if (how == 5) digest = digestFor(ATTACKER, 31337, Messages.hash(order));
        if (how >= 6) return _tailOf(order, _forgedVotes(digestOf(Messages.hash(order)), how + call_.safe));
        return _tailOf(order, _votes(digest));
    }

    function _forbidden(uint256 safe, uint256 which) private view returns (Call memory) {
        which %= 12;
        if (which < 5) return Call(safe, safes[safe], 0, _onItself(safe, which));
        if (which < 9) return Call(safe, address(tokens[which % 2]), 0, _onToken(safe, which));
        if (which == 9) {
            return Call(
                safe,
                address(guard),
                0,
                abi.encodeCall(guard.setLimits, (groupId(0), address(tokens[0]), firstLimits(0)[0]))
            );
        }
        if (which == 10) {
            return Call(safe, address(payouts), 0, abi.encodeCall(payouts.setPayoutKey, (groupId(0), ATTACKER)));
        }
        return Call(safe, address(tokens[0]), 1, abi.encodeCall(IERC20.transfer, (payees[0], 1)));
    }

    function _onItself(uint256 safe, uint256 which) private view returns (bytes memory) {
        if (which == 0) return abi.encodeCall(IModuleManager.enableModule, (ATTACKER));
        if (which == 1) return abi.encodeCall(IFallbackManager.setFallbackHandler, (ATTACKER));
        if (which == 2) return abi.encodeCall(IGuardManager.setGuard, (address(0)));
        if (which == 3) return abi.encodeCall(IModuleManager.setModuleGuard, (address(0)));
        return abi.encodeCall(IERC20.transfer, (safes[safe], 1));
    }

    function _onToken(uint256 safe, uint256 which) private view returns (bytes memory) {
        if (which == 5) return abi.encodeCall(IERC20.approve, (ATTACKER, FUNDS));
        if (which == 6) return abi.encodeCall(IERC20.transferFrom, (safes[safe], payees[0], 1));
        if (which == 7) return bytes.concat(abi.encodeCall(IERC20.transfer, (payees[0], 1)), hex"00");
        return abi.encodeCall(IERC20.transfer, (safes[safe], 1));
    }
}
