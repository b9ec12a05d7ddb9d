// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CREATE3} from "solady/utils/CREATE3.sol";

/// @title Creates contracts whose addresses are known before their code is
/// @notice The contracts of the high-value protocol name each other as immutables. An address here follows from who deploys and
///         a salt alone, so a circle of them needs no initialiser that somebody could call first.
/// @dev The sender is part of the salt: nobody can take another's address.
contract Create3Deployer {
    event Created(address indexed deployer, bytes32 indexed salt, address created);

    /// @notice Where `deploy(salt, ...)` of `deployer` puts its contract.
    function addressOf(address deployer, bytes32 salt) external view returns (address) {
        return CREATE3.predictDeterministicAddress(_salt(deployer, salt));
    }

    /// @notice Creates a contract; reverts when this sender used the salt before, and when the constructor reverts.
    function deploy(bytes32 salt, bytes calldata initCode) external returns (address created) {
        created = CREATE3.deployDeterministic(initCode, _salt(msg.sender, salt));
        emit Created(msg.sender, salt, created);
    }

    function _salt(address deployer, bytes32 salt) private pure returns (bytes32) {
        return keccak256(abi.encode(deployer, salt));
    }
}
