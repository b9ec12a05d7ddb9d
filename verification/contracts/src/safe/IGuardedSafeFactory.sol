// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ITransferGuard} from "./ITransferGuard.sol";

/// @notice Creates guarded Safes, and is the only one who can register one.
interface IGuardedSafeFactory {
    /// @dev Everything that is in here is in the address, so nobody can create another Safe in its place.
    struct Plan {
        address[] owners; // any order, as Safe wants them; no contract owners are refused here, v = 0 is refused at signing
        uint256 threshold;
        bytes32 group; // zero: a group of its own
        address[] tokens; // of a group of its own: listed tokens; address(0) stands for the native currency
        ITransferGuard.Limits[] limits;
        uint256 salt;
    }

    event GuardedSafeCreated(address indexed safe, bytes32 indexed group);

    error LimitsOfAnotherGroup();

    function addressOf(Plan calldata plan) external view returns (address safe);
    /// @notice Anyone. One transaction or none; the same plan again returns the Safe that it made.
    function create(Plan calldata plan) external returns (address safe);
}
