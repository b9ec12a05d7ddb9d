// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotDerivation} from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import {TransientSlot} from "@openzeppelin/contracts/utils/TransientSlot.sol";
import {ITransferGuard} from "./ITransferGuard.sol";
import {Class, Entry} from "./TransferTable.sol";

/// @title What a Safe is doing between the guard's two checks
/// @notice Each Safe has its own lock, held from the check before a call to the check after it, so nothing else of that Safe runs
///         meanwhile: neither a second transaction from a token's hook, nor a module. Gone with the transaction (EIP-1153).
library TransferLock {
    using SlotDerivation for bytes32;
    using TransientSlot for *;

    /// @dev Balances before the call, of classes B and D; the module guard before it, of class E and an exit.
    struct Held {
        Entry entry;
        uint256 safeBalance;
        uint256 recipientBalance;
        address moduleGuard;
    }

    bytes32 private constant _SLOT = keccak256("lockgate.safe.TransferLock");

    function isHeld(address safe) internal view returns (bool) {
        return _at(safe).asUint256().tload() != uint256(Class.None);
    }

    function hold(address safe, Held memory held) internal {
        bytes32 slot = _at(safe);
        slot.asUint256().tstore(uint256(held.entry.class));
        slot.offset(1).asAddress().tstore(held.entry.token);
        slot.offset(2).asAddress().tstore(held.entry.recipient);
        slot.offset(3).asUint256().tstore(held.entry.amount);
        slot.offset(4).asUint256().tstore(held.safeBalance);
        slot.offset(5).asUint256().tstore(held.recipientBalance);
        slot.offset(6).asAddress().tstore(held.moduleGuard);
    }

    /// @notice Reverts when it was not held.
    function release(address safe) internal returns (Held memory held) {
        bytes32 slot = _at(safe);
        held.entry.class = Class(slot.asUint256().tload());
        if (held.entry.class == Class.None) revert ITransferGuard.NotLocked();
        slot.asUint256().tstore(uint256(Class.None));
        held.entry.token = slot.offset(1).asAddress().tload();
        held.entry.recipient = slot.offset(2).asAddress().tload();
        held.entry.amount = slot.offset(3).asUint256().tload();
        held.safeBalance = slot.offset(4).asUint256().tload();
        held.recipientBalance = slot.offset(5).asUint256().tload();
        held.moduleGuard = slot.offset(6).asAddress().tload();
    }

    function _at(address safe) private pure returns (bytes32) {
        return _SLOT.deriveMapping(safe);
    }
}
