// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Messages} from "src/governance/Messages.sol";
import {OwnerSteps} from "./OwnerSteps.sol";

/// @notice What the gateway's key and the attesters do.
abstract contract PayoutSteps is OwnerSteps {
    /// @dev Mostly new ones.
    uint256 private _payoutIds;

    function _payoutId(uint256 seed) internal returns (bytes32) {
        return bytes32(seed % 8 == 0 ? seed % (_payoutIds + 1) : ++_payoutIds);
    }

    function payOut(uint256 safe, uint256 token, uint256 payee, uint256 amount, uint256 id) external {
        safe = _member(safe);
        token %= 2;
        address to = payees[payee % PAYEES];
        uint64 from = payableFrom[safe][to];
        require(from != 0, "not registered");
        if (payee % 2 == 0 && time() < from) _earlyPayout(safe, to);
        if (!hasStanding(to)) _grant(to, 7 days, 4);
        amount = _fitting(safe, token, amount, limits[groupOf(safe)][token].noticeFrom);
        bytes32 payoutId = _payoutId(id);
        bytes memory data = abi.encodeCall(payouts.payout, (safes[safe], payoutId, address(tokens[token]), to, amount));
        _deliverAs(payoutKeys[groupOf(safe)], address(payouts), data);
        mustBe(!payoutSpent[safe][payoutId], "a payout id counted twice");
        mustBe(time() >= from, "paid a payee who was registered less than a day before");
        mustBe(!halfLeft[safe], "paid out of a Safe whose module guard is another");
        payoutSpent[safe][payoutId] = true;
        _sent(safe, token, to, amount, 0);
        _uncertified(groupOf(safe), token, amount);
        _inspect();
    }

    function voidPayout(uint256 safe, uint256 id) external {
        safe = _member(safe);
        bytes32 payoutId = _payoutId(id);
        bytes memory data = abi.encodeCall(payouts.void, (safes[safe], payoutId));
        _deliverAs(payoutKeys[groupOf(safe)], address(payouts), data);
        mustBe(!payoutSpent[safe][payoutId], "a payout id counted twice");
        payoutSpent[safe][payoutId] = true;
        _inspect();
    }

    function registerByAttesters(uint256 safe, uint256 payee) external {
        safe = _member(safe);
        address to = payees[payee % PAYEES];
        bytes memory signatures = byAttesters(Messages.registerPayee(safes[safe], to));
        _deliver(address(payouts), abi.encodeCall(payouts.registerByAttesters, (safes[safe], to, signatures)));
        payableFrom[safe][to] = time() + PAYEE;
        _inspect();
    }

    function grantStanding(uint256 payee, uint32 duration, uint32 issuer) external {
        _grant(payees[payee % PAYEES], duration % 7 days + 1, issuer % 16);
        _inspect();
    }

    function revokeStanding(uint256 payee, uint256 rarely) external {
        require(rarely % 4 == 0);
        address account = payees[payee % PAYEES];
        vm.prank(vm.addr(attesterKeys[payee % 3]));
        standing.revoke(account);
        ranks[account] = Rank(0, 0, ranks[account].lastGrantId + 1);
        _inspect();
    }

    /// @dev Never one of those by whom steps renew a standing that lapsed.
    function disableIssuer(uint32 issuer, uint256 rarely) external {
        require(rarely % 4 == 0 && issuer % 16 > 4);
        vm.prank(vm.addr(attesterKeys[1]));
        standing.disableIssuer(issuer % 16);
        issuerDisabled[issuer % 16] = true;
        _inspect();
    }

    /// @dev A second before a payee's day is over nothing is paid; then it is over.
    function _earlyPayout(uint256 safe, address to) private {
        vm.warp(payableFrom[safe][to] - 1);
        address key = payoutKeys[groupOf(safe)];
        if (!hasStanding(to)) _grant(to, 7 days, 4);
        bytes memory data = abi.encodeCall(payouts.payout, (safes[safe], keccak256("early"), address(tokens[0]), to, 1));
        mustBe(!_try(key, address(payouts), data), "paid a payee a second too early");
        vm.warp(time() + 1);
    }
}
