// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice The cheatcodes that the proofs use: halmos's own, then Foundry's as far as halmos knows them.
interface Svm {
    function createAddress(string calldata name) external returns (address);
    function createBool(string calldata name) external returns (bool);
    function createBytes(uint256 size, string calldata name) external returns (bytes memory);
    function createBytes32(string calldata name) external returns (bytes32);
    function createUint(uint256 bits, string calldata name) external returns (uint256);
    function createUint256(string calldata name) external returns (uint256);
    /// @dev Any call of any function of the contract that is not a view, dynamic arguments of the lengths given by `--array-lengths`.
    function createCalldata(string calldata contractName) external returns (bytes memory);
    /// @dev From here on the account's storage may be anything.
    function enableSymbolicStorage(address account) external;
    function snapshotStorage(address account) external returns (uint256);
}

interface Vm {
    function assume(bool condition) external pure;
    function prank(address sender) external;
    function startPrank(address sender) external;
    function stopPrank() external;
    /// @dev The compiler takes a block's time for the same all along a function: a proof that reads it after a warp sees either.
    function warp(uint256 time) external;
    function etch(address target, bytes calldata code) external;
    function store(address target, bytes32 slot, bytes32 value) external;
    function load(address target, bytes32 slot) external view returns (bytes32);
    function chainId(uint256 id) external;
}

Svm constant svm = Svm(0xF3993A62377BCd56AE39D773740A5390411E8BC9);
Vm constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
