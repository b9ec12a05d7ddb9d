// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import {GrantStanding, Messages, Order} from "src/governance/Messages.sol";
import {Members} from "../../support/Members.sol";
import {Ghost} from "./Ghost.sol";

/// @notice How steps send what owners and validators sign, and what later steps may try to send again.
/// @dev A step that is refused reverts, so nothing of it remains and forge counts it as a revert; one that returns did what
///      its name says. An attack returns when it was refused.
abstract contract Sending is Ghost {
    using Members for uint256[];

    struct Call {
        uint256 safe;
        address to;
        uint256 value;
        bytes data;
    }

    struct Sent {
        address sender;
        address target;
        bytes data;
    }

    /// @dev A certificate that counted, of which Safe and call.
    struct Spent {
        Call call;
        bytes tail;
    }

    uint256 private constant _KEPT = 16;

    address internal constant ATTACKER = address(0xBAD);
    uint256 internal constant PAYEES = 4;

    address[PAYEES] internal payees = [address(0x9A1), address(0x9A2), address(0x9A3), address(0x9A4)];
    Sent[] internal sent;
    Spent[] internal spent;
    uint64[] internal edges;
    uint256 private _sentEver;

    constructor() {
        address[] memory others = new address[](PAYEES + 1);
        for (uint256 i = 0; i < PAYEES; ++i) {
            others[i] = payees[i];
        }
        others[PAYEES] = ATTACKER;
        _openBooks(others);
        for (uint256 i = 0; i < PAYEES - 1; ++i) {
            _grant(payees[i], 7 days, 1);
        }
    }

    /// @dev A quorum's signature over `digest`, of the validators of now.
    function _votes(bytes32 digest) internal returns (bytes memory) {
        return votes.sign(digest, generation);
    }

    /// @dev What looks like one and is not: below a quorum, of other validators, of another digest.
    function _forgedVotes(bytes32 digest, uint256 how) internal view returns (bytes memory) {
        return votes.forge(digest, generation, how);
    }

    // Calls that count once.

    function _try(address sender, address target, bytes memory data) internal returns (bool success) {
        if (sender != address(this)) vm.prank(sender);
        (success,) = target.call(data);
    }

    /// @dev Reverts as the target does, unless something is wrong already; what went through is kept for whoever wants to try it again.
    function _deliverAs(address sender, address target, bytes memory data) internal {
        if (sender != address(this)) vm.prank(sender);
        (bool success, bytes memory answer) = target.call(data);
        if (!success && bytes(wrong).length != 0) return; // a revert would take back what was found wrong before
        if (!success) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
        if (sent.length < _KEPT) sent.push();
        sent[_sentEver++ % _KEPT] = Sent(sender, target, data);
    }

    function _deliver(address target, bytes memory data) internal {
        _deliverAs(address(this), target, data);
    }

    // A Safe's transactions.

    function _member(uint256 seed) internal view returns (uint256 safe) {
        safe = seed % SAFES;
        require(!left[safe], "this Safe has left");
    }

    function _hashAt(Call memory call_, uint256 nonce) internal view returns (bytes32) {
        ISafe safe = safeAt(call_.safe);
        return safe.getTransactionHash(
            call_.to, call_.value, call_.data, Enum.Operation.Call, 0, 0, 0, address(0), address(0), nonce
        );
    }

    function _hash(Call memory call_) internal view returns (bytes32) {
        return _hashAt(call_, nonces[call_.safe]);
    }

    /// @dev By as many owners as must.
    function _byOwners(uint256 safe, bytes32 hash) internal view returns (bytes memory) {
        return ownerKeys[safe].sign((1 << thresholds[safe]) - 1, hash);
    }

    function _execution(Call memory call_, bytes memory tail) internal view returns (bytes memory) {
        return _executionWith(call_, bytes.concat(_byOwners(call_.safe, _hash(call_)), tail));
    }

    function _executionWith(Call memory call_, bytes memory signatures) internal pure returns (bytes memory) {
        return abi.encodeCall(
            ISafe.execTransaction,
            (
                call_.to,
                call_.value,
                call_.data,
                Enum.Operation.Call,
                0,
                0,
                0,
                address(0),
                payable(address(0)),
                signatures
            )
        );
    }

    function _send(Call memory call_, bytes memory tail) internal {
        _deliver(safes[call_.safe], _execution(call_, tail));
        ++nonces[call_.safe];
    }

    function _refusesSafe(Call memory call_, bytes memory tail) internal returns (bool) {
        return !_try(address(this), safes[call_.safe], _execution(call_, tail));
    }

    function _transferCall(uint256 safe, uint256 token, address to, uint256 amount)
        internal
        view
        returns (Call memory)
    {
        if (token == NATIVE) return Call(safe, to, amount, "");
        return Call(safe, address(tokens[token]), 0, abi.encodeCall(IERC20.transfer, (to, amount)));
    }

    // Certificates.

    function _orderOf(Call memory call_, uint64 validUntil) internal view returns (Order memory) {
        return Order(safes[call_.safe], _hash(call_), nonces[call_.safe], epoch, validUntil, FACTS);
    }

    function _tailOf(Order memory order, bytes memory quorumSignature) internal pure returns (bytes memory) {
        return abi.encodePacked(order.epoch, order.validUntil, order.factsHash, quorumSignature);
    }

    function _certificateOf(Order memory order) internal returns (bytes memory) {
        return _tailOf(order, _votes(digestOf(Messages.hash(order))));
    }

    /// @dev `life`: any seed; the shortest and the longest that count are among the common ones.
    function _sendCertified(Call memory call_, uint256 life) internal {
        life = life % 4 == 0 ? 0 : life % 4 == 1 ? 3600 : life % 3601;
        Order memory order = _orderOf(call_, time() + uint64(life));
        bytes memory tail = _certificateOf(order);
        _send(call_, tail);
        _certified(digestOf(Messages.hash(order)), order.validUntil);
        spent.push(Spent(call_, tail));
    }

    function _certify(bytes32 structHash) internal returns (bytes memory) {
        return _votes(digestOf(structHash));
    }

    // Standing.

    function _grant(address account, uint64 duration, uint32 issuer) internal {
        GrantStanding memory standing_ =
            GrantStanding(account, ranks[account].lastGrantId + 1, time() + duration, 1, issuer, keccak256("salted"));
        _deliver(address(standing), abi.encodeCall(standing.grant, (standing_, byAttesters(Messages.hash(standing_)))));
        ranks[account] = Rank(standing_.expiry, issuer, standing_.grantId);
        _markEdge(standing_.expiry);
    }

    /// @dev Mostly an account with standing, whose standing is renewed when it lapsed: who is not paid for want of it is what
    ///      an attack is for.
    function _payee(uint256 seed) internal returns (address to) {
        seed %= 2 * PAYEES + 1;
        to = seed == 0 ? safes[SAFES - 1] : payees[seed % PAYEES];
        if (!hasStanding(to)) _grant(to, 7 days, 3);
    }

    // Time.

    function _markEdge(uint64 second) internal {
        edges.push(second);
    }

    /// @dev Just before an action may be taken, that is refused; then it is time.
    function _awaitAction(uint64 actionId, address target, bytes memory data, uint256 seed) internal {
        uint64 readyAt = waits[actionId].readyAt;
        if (seed % 4 == 0 || readyAt <= time()) return;
        vm.warp(readyAt - 1);
        mustBe(!_try(address(this), target, data), "an action was taken a second too early");
        vm.warp(readyAt);
    }
}
