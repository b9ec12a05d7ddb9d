// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Class, Entry, TransferTable} from "src/safe/TransferTable.sol";

/// @notice The table alone, asked from outside.
contract Table {
    function classify(address safe, address guard, address payoutModule, address to, uint256 value, bytes calldata data)
        external
        pure
        returns (Class, address token, address recipient, uint256 amount)
    {
        Entry memory entry = TransferTable.classify(TransferTable.Places(safe, guard, payoutModule), to, value, data);
        return (entry.class, entry.token, entry.recipient, entry.amount);
    }
}
