// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice Where later contracts will be, for two that name each other as immutables. halmos numbers contracts one after the
///         other; whoever relies on it asserts that it came so.
contract Successor {
    function after_(uint160 count) external view returns (address) {
        return address(uint160(address(this)) + count);
    }
}
