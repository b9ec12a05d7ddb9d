// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IGuardManager} from "@safe-global/safe-smart-account/contracts/interfaces/IGuardManager.sol";
import {IModuleManager} from "@safe-global/safe-smart-account/contracts/interfaces/IModuleManager.sol";
import {IOwnerManager} from "@safe-global/safe-smart-account/contracts/interfaces/IOwnerManager.sol";
import {IPayoutModule} from "./IPayoutModule.sol";
import {ITransferGuard} from "./ITransferGuard.sol";

/// @notice The rows of the table. What each needs is the guard's to check.
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

    /// @dev A call's arguments: how many words, and which of them (bit i for word i) are addresses.
    struct Row {
        Class class;
        uint256 words;
        uint256 addresses;
    }

    function classify(Places memory places, address to, uint256 value, bytes calldata data)
        internal
        pure
        returns (Entry memory entry)
    {
        if (data.length == 0) return _withoutData(places, to, value);

        Row memory row = _rowOf(places, to, bytes4(data));
        if (row.class == Class.None) revert ITransferGuard.NotInTable(to, bytes4(data));
        if (value != 0 || !_hasShape(row, data)) revert ITransferGuard.MalformedCall();
        entry.class = row.class;
        if (row.class == Class.Transfer) {
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

    function _rowOf(Places memory places, address to, bytes4 selector) private pure returns (Row memory) {
        if (to == places.safe) return _rowOfItself(selector);
        if (to == places.guard) return _rowOfGuard(selector);
        if (to == places.payoutModule) return _rowOfPayoutModule(selector);
        // Address zero stands for the native currency in the list of tokens, and is none.
        bool isTransfer = selector == IERC20.transfer.selector && to != address(0);
        return isTransfer ? Row(Class.Transfer, 2, 1) : Row(Class.None, 0, 0);
    }

    function _rowOfItself(bytes4 selector) private pure returns (Row memory) {
        if (selector == IOwnerManager.addOwnerWithThreshold.selector) return Row(Class.Configure, 2, 1);
        if (selector == IOwnerManager.removeOwner.selector) return Row(Class.Configure, 3, 3);
        if (selector == IOwnerManager.swapOwner.selector) return Row(Class.Configure, 3, 7);
        if (selector == IOwnerManager.changeThreshold.selector) return Row(Class.Configure, 1, 0);
        if (selector == IModuleManager.disableModule.selector) return Row(Class.Configure, 2, 3);
        if (selector == IModuleManager.setModuleGuard.selector) return Row(Class.LeaveModuleGuard, 1, 1);
        if (selector == IGuardManager.setGuard.selector) return Row(Class.LeaveGuard, 1, 1);
        return Row(Class.None, 0, 0);
    }

    function _rowOfGuard(bytes4 selector) private pure returns (Row memory) {
        if (selector == ITransferGuard.announce.selector) return Row(Class.Schedule, 1, 0);
        if (selector == ITransferGuard.scheduleExit.selector) return Row(Class.Schedule, 0, 0);
        if (selector == ITransferGuard.cancelExit.selector) return Row(Class.Schedule, 1, 0);
        if (selector == ITransferGuard.accept.selector) return Row(Class.Schedule, 2, 0);
        if (selector == ITransferGuard.admit.selector) return Row(Class.Schedule, 1, 1);
        return Row(Class.None, 0, 0);
    }

    function _rowOfPayoutModule(bytes4 selector) private pure returns (Row memory) {
        return selector == IPayoutModule.register.selector ? Row(Class.Schedule, 1, 1) : Row(Class.None, 0, 0);
    }

    function _hasShape(Row memory row, bytes calldata data) private pure returns (bool) {
        if (data.length != 4 + 32 * row.words) return false;
        for (uint256 i = 0; i < row.words; ++i) {
            bool isAddress = (row.addresses >> i) & 1 == 1;
            if (isAddress && uint256(bytes32(data[4 + 32 * i:])) > type(uint160).max) return false;
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
