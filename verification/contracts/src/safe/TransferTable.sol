// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IGuardManager} from "@safe-global/safe-smart-account/contracts/interfaces/IGuardManager.sol";
import {IModuleManager} from "@safe-global/safe-smart-account/contracts/interfaces/IModuleManager.sol";
import {IOwnerManager} from "@safe-global/safe-smart-account/contracts/interfaces/IOwnerManager.sol";
import {IPayoutModule} from "./IPayoutModule.sol";
import {ITransferGuard} from "./ITransferGuard.sol";

/// @notice The rows of the table. What each needs is the guard's to check. From Configure on, a row may change the Safe itself.
enum Class {
    None, // not in the table
    Cancel, // A: owners
    Transfer, // B: owners and room in the bucket, or owners and certificate
    Schedule, // C: owners
    Native, // D: owners and certificate
    Configure, // E: owners and certificate
    LeaveModuleGuard, // a matured exit
    LeaveGuard // a matured exit, which it ends
}

/// @dev Token, recipient and amount of classes B and D; token zero is the native currency. Amount in the smallest unit.
struct Entry {
    Class class;
    address token;
    address recipient;
    uint256 amount;
}

/// @title What a guarded Safe may call at all
/// @notice One row for each allowed call, by who is called and by which selector; exact length, clean addresses, no value. All
///         else reverts. It asks nobody and reads nothing, so it can be proved for every calldata.
library TransferTable {
    struct Places {
        address safe;
        address guard;
        address payoutModule;
    }

    function classify(Places memory places, address to, uint256 value, bytes calldata data)
        internal
        pure
        returns (Entry memory entry)
    {
        if (data.length == 0) return _withoutData(places, to, value);

        (Class class, uint256 words, uint256 addresses) = _rowOf(places, to, bytes4(data));
        if (class == Class.None) revert ITransferGuard.NotInTable(to, bytes4(data));
        if (value != 0 || !_hasShape(data, words, addresses)) revert ITransferGuard.MalformedCall();
        entry.class = class;
        if (class == Class.Transfer) {
            entry.token = to;
            (entry.recipient, entry.amount) = abi.decode(data[4:], (address, uint256));
            _checkRecipient(places, entry);
        }
    }

    function _withoutData(Places memory places, address to, uint256 value) private pure returns (Entry memory entry) {
        if (value > 0) {
            entry = Entry(Class.Native, address(0), to, value);
            _checkRecipient(places, entry);
        } else if (to == places.safe) {
            entry.class = Class.Cancel;
        } else {
            revert ITransferGuard.NotInTable(to, bytes4(0));
        }
    }

    /// @dev A row: its class, how many words of arguments its call has, and which of them (bit i for word i) are addresses.
    function _rowOf(Places memory places, address to, bytes4 selector) private pure returns (Class, uint256, uint256) {
        if (to == places.safe) return _rowOfItself(selector);
        if (to == places.guard) return _rowOfGuard(selector);
        if (to == places.payoutModule) return _rowOfPayoutModule(selector);
        // Address zero stands for the native currency in the list of tokens, and is none.
        bool isTransfer = selector == IERC20.transfer.selector && to != address(0);
        return isTransfer ? (Class.Transfer, 2, 1) : (Class.None, 0, 0);
    }

    function _rowOfItself(bytes4 selector) private pure returns (Class, uint256, uint256) {
        if (selector == IOwnerManager.addOwnerWithThreshold.selector) return (Class.Configure, 2, 1);
        if (selector == IOwnerManager.removeOwner.selector) return (Class.Configure, 3, 3);
        if (selector == IOwnerManager.swapOwner.selector) return (Class.Configure, 3, 7);
        if (selector == IOwnerManager.changeThreshold.selector) return (Class.Configure, 1, 0);
        if (selector == IModuleManager.disableModule.selector) return (Class.Configure, 2, 3);
        if (selector == IModuleManager.setModuleGuard.selector) return (Class.LeaveModuleGuard, 1, 1);
        if (selector == IGuardManager.setGuard.selector) return (Class.LeaveGuard, 1, 1);
        return (Class.None, 0, 0);
    }

    function _rowOfGuard(bytes4 selector) private pure returns (Class, uint256, uint256) {
        if (selector == ITransferGuard.announce.selector) return (Class.Schedule, 1, 0);
        if (selector == ITransferGuard.scheduleExit.selector) return (Class.Schedule, 0, 0);
        if (selector == ITransferGuard.cancelExit.selector) return (Class.Schedule, 1, 0);
        if (selector == ITransferGuard.accept.selector) return (Class.Schedule, 2, 0);
        if (selector == ITransferGuard.admit.selector) return (Class.Schedule, 1, 1);
        return (Class.None, 0, 0);
    }

    function _rowOfPayoutModule(bytes4 selector) private pure returns (Class, uint256, uint256) {
        return selector == IPayoutModule.register.selector ? (Class.Schedule, 1, 1) : (Class.None, 0, 0);
    }

    /// @dev Exactly so many words behind the selector, those of `addresses` with clean upper bits.
    function _hasShape(bytes calldata data, uint256 words, uint256 addresses) private pure returns (bool) {
        if (data.length != 4 + 32 * words) return false;
        for (uint256 start = 4; addresses != 0; start += 32) {
            if (addresses & 1 == 1 && uint256(bytes32(data[start:])) > type(uint160).max) return false;
            addresses >>= 1;
        }
        return true;
    }

    function _checkRecipient(Places memory places, Entry memory entry) private pure {
        address to = entry.recipient;
        if (to == address(0) || to == places.safe || to == places.guard || to == entry.token) {
            revert ITransferGuard.ForbiddenRecipient(to);
        }
    }
}
