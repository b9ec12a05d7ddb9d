// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Return} from "../governance/Messages.sol";

/// @notice Holds evacuated money and gives it back to the Safe that it came from, to nobody else.
interface IColdVault {
    event Received(address indexed safe, address indexed token, uint256 amount);
    event ReturnScheduled(
        uint64 indexed returnId, uint64 indexed actionId, address safe, address token, uint256 amount
    );
    event Returned(uint64 indexed returnId, address safe, address token, uint256 amount);

    error OnlyEvacuator();
    error WrongReturnId();
    error ExceedsEvacuated(uint256 held);
    error BelowOwnerQuorum();
    error NotAnOwner(address signer);
    error OutOfOrder();
    error InvalidOwners();
    error UnknownReturn();
    error TransferFailed();

    /// @notice What is held of `token` for `safe`, in the token's smallest unit.
    function heldFor(address safe, address token) external view returns (uint256);
    function lastReturnId() external view returns (uint64);
    /// @notice Only the evacuator, in the transaction that brought `amount`.
    function record(address safe, address token, uint256 amount) external;
    /// @notice Anyone, with a quorum signature and the vault owners' signatures (48 h), over `Return`, returnId = last + 1.
    function scheduleReturn(Return calldata order, bytes calldata quorumSignature, bytes calldata ownerSignatures)
        external
        returns (uint64 actionId);
    /// @notice The same with the guardian quorum in place of the vault owners (14 days): for lost vault keys.
    function scheduleReturnByGuardians(
        Return calldata order,
        bytes calldata quorumSignature,
        bytes calldata guardianSignatures
    ) external returns (uint64 actionId);
    /// @notice Anyone, once ready.
    function executeReturn(uint64 returnId) external;
}
