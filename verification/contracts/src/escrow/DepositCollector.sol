// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDepositCollector} from "./IDepositCollector.sol";

/// @title What every collector shares
/// @notice Serves one escrow only: an authorization that anyone could hand in would be pulled to the wrong place.
abstract contract DepositCollector is IDepositCollector {
    /// @notice The escrow served. Immutable, so it travels with the code to the canonical address.
    address public immutable x402BatchSettlement;

    error OnlyX402BatchSettlement();
    error InvalidX402BatchSettlementAddress();

    constructor(address escrow) {
        if (escrow == address(0)) revert InvalidX402BatchSettlementAddress();
        x402BatchSettlement = escrow;
    }

    modifier onlyEscrow() {
        if (msg.sender != x402BatchSettlement) revert OnlyX402BatchSettlement();
        _;
    }
}
