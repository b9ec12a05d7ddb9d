// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice Pays merchants out of a guarded Safe by the gateway's key, exactly once each, within the bucket.
interface IPayoutModule {
    event PaidOut(address indexed safe, bytes32 indexed payoutId, address token, address to, uint256 amount);
    event Voided(address indexed safe, bytes32 indexed payoutId);
    event PayeeRegistered(address indexed safe, address indexed payee, uint64 from);
    event PayoutKeyChanged(bytes32 indexed group, address key);

    error OnlyPayoutKey();
    error OnlyGovernor();
    error PayoutUsed(bytes32 payoutId);
    error PayeeNotRegistered(address payee);
    error PayeeTooNew(uint64 from);
    error TransferFailed();
    error TokenHasNoCode();
    error NotRegistered();
    error AlreadyRegistered();
    error InvalidPayee();

    function used(address safe, bytes32 payoutId) external view returns (bool);
    function payoutKeyOf(bytes32 group) external view returns (address);
    /// @notice Unix seconds from which `payee` may be paid out of `safe`; zero when it is not registered.
    function payableFrom(address safe, address payee) external view returns (uint64);

    /// @notice Only the payout key of the Safe's group.
    function payout(address safe, bytes32 payoutId, address token, address to, uint256 amount) external;
    /// @notice Only the payout key: spends `payoutId` without paying.
    function void(address safe, bytes32 payoutId) external;
    /// @notice Only a guarded Safe, for itself (class C).
    function register(address payee) external;
    /// @notice Anyone, with k attesters' signatures over `RegisterPayee(safe, payee)`.
    function registerByAttesters(address safe, address payee, bytes calldata attesterSignatures) external;
    /// @notice Only the governor.
    function setPayoutKey(bytes32 group, address key) external;
}
