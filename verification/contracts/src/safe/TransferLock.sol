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

    struct Held {
        Entry entry;
        uint256 signatures; // of owners that came with the call; none with a module's
        uint256 safeBalance; // before the call, of classes B and D
        uint256 recipientBalance; // the same
        address moduleGuard; // before the call, of class E and an exit
    }

    bytes32 private constant _SLOT = keccak256("lockgate.safe.TransferLock");

    function isHeld(address safe) internal view returns (bool) {
        return _at(safe).asUint256().tload() != 0;
    }

    function hold(address safe, Held memory held) internal {
        bytes32 slot = _at(safe);
        Entry memory entry = held.entry;
        Class class = entry.class;
        slot.asUint256().tstore((held.signatures << 168) | (uint256(class) << 160) | uint160(entry.token));
        if (class >= Class.Configure) slot.offset(1).asAddress().tstore(held.moduleGuard);
        if (!moves(class)) return;
        slot.offset(1).asAddress().tstore(entry.recipient);
        slot.offset(2).asUint256().tstore(entry.amount);
        slot.offset(3).asUint256().tstore(held.safeBalance);
        slot.offset(4).asUint256().tstore(held.recipientBalance);
    }

    /// @notice Reverts when it was not held.
    function release(address safe) internal returns (Held memory held) {
        bytes32 slot = _at(safe);
        uint256 first = slot.asUint256().tload();
        if (first == 0) revert ITransferGuard.NotLocked();
        slot.asUint256().tstore(0);
        Entry memory entry = held.entry;
        Class class = Class(uint8(first >> 160));
        (entry.class, entry.token, held.signatures) = (class, address(uint160(first)), first >> 168);
        if (class >= Class.Configure) held.moduleGuard = slot.offset(1).asAddress().tload();
        if (!moves(class)) return held;
        entry.recipient = slot.offset(1).asAddress().tload();
        entry.amount = slot.offset(2).asUint256().tload();
        held.safeBalance = slot.offset(3).asUint256().tload();
        held.recipientBalance = slot.offset(4).asUint256().tload();
    }

    /// @notice Whether balances are compared around a call of this class.
    function moves(Class class) internal pure returns (bool) {
        return class == Class.Transfer || class == Class.Native;
    }

    /// @dev Number of signatures, class (never zero) and token share the first slot; no class needs both a recipient and a module guard.
    function _at(address safe) private pure returns (bytes32) {
        return _SLOT.deriveMapping(safe);
    }
}
