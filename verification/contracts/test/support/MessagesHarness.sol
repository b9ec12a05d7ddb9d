// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {GrantStanding, Govern, Messages, Order, Return, Rotate, Unpause} from "src/governance/Messages.sol";
import {SettlementDomain} from "src/governance/SettlementDomain.sol";

/// @notice The digest of every message that a contract checks, for comparison with the Python side.
contract MessagesHarness is SettlementDomain {
    constructor(address guard_) SettlementDomain(guard_) {}

    function order(Order calldata m) external view returns (bytes32) {
        return _digest(Messages.hash(m));
    }

    function unpause(Unpause calldata m) external view returns (bytes32) {
        return _digest(Messages.hash(m));
    }

    function return_(Return calldata m) external view returns (bytes32) {
        return _digest(Messages.hash(m));
    }

    function rotate(Rotate calldata m) external view returns (bytes32) {
        return _digest(Messages.hash(m));
    }

    function govern(Govern calldata m) external view returns (bytes32) {
        return _digest(Messages.hash(m));
    }

    function grantStanding(GrantStanding calldata m) external view returns (bytes32) {
        return _digest(Messages.hash(m));
    }

    function pause(uint64 pauseId, uint64 until) external view returns (bytes32) {
        return _digest(Messages.pause(pauseId, until));
    }

    function evacuate(uint64 pauseId, uint64 epoch, address safe, address token) external view returns (bytes32) {
        return _digest(Messages.evacuate(pauseId, epoch, safe, token));
    }

    function cancel(uint64 actionId, uint64 epoch) external view returns (bytes32) {
        return _digest(Messages.cancel(actionId, epoch));
    }

    function veto(uint64 actionId) external view returns (bytes32) {
        return _digest(Messages.veto(actionId));
    }

    function rearm(address sentinel, uint64 expires) external view returns (bytes32) {
        return _digest(Messages.rearm(sentinel, expires));
    }

    function recover(uint64 actionId, bytes32 keysHash) external view returns (bytes32) {
        return _digest(Messages.recover(actionId, keysHash));
    }

    function exit(uint64 actionId, address safe) external view returns (bytes32) {
        return _digest(Messages.exit(actionId, safe));
    }

    function registerPayee(address safe, address payee) external view returns (bytes32) {
        return _digest(Messages.registerPayee(safe, payee));
    }
}
