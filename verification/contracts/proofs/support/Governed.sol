// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ITransferGuard} from "src/safe/ITransferGuard.sol";

/// @notice What a governor governs, as a plain store.
contract Governed {
    mapping(bytes32 group => mapping(address token => ITransferGuard.Limits)) private _limits;
    mapping(bytes32 group => mapping(uint64 governId => bytes32)) public accepted;
    mapping(bytes32 group => address) public payoutKey;

    function limitsOf(bytes32 group, address token) external view returns (ITransferGuard.Limits memory) {
        return _limits[group][token];
    }

    function limits(bytes32 group, address token) external view returns (uint96, uint96, uint96) {
        ITransferGuard.Limits memory found = _limits[group][token];
        return (found.daily, found.certifiedFrom, found.noticeFrom);
    }

    function setLimits(bytes32 group, address token, ITransferGuard.Limits calldata limits_) external {
        _limits[group][token] = limits_;
    }

    function setPayoutKey(bytes32 group, address key) external {
        payoutKey[group] = key;
    }
}
