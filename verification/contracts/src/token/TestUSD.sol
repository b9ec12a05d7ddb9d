// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {EIP2612} from "./EIP2612.sol";
import {EIP3009} from "./EIP3009.sol";

/// @title Dollars for local chains
/// @notice Answers as USDC on Base Sepolia does (name `USDC`, version `2`, 6 decimals), at whose address x402 clients look for
///         it on chain 84532. Worth nothing.
/// @dev Name, symbol, version and minter are in the code, not in storage, so they travel when the code is copied.
contract TestUSD is EIP3009, EIP2612 {
    string private constant NAME = "USDC";
    string private constant VERSION = "2";

    /// @notice Who may mint.
    address public immutable owner;

    error OnlyOwner();
    error InvalidOwner();

    constructor(address owner_) ERC20("", "") EIP712(NAME, VERSION) {
        if (owner_ == address(0)) revert InvalidOwner();
        owner = owner_;
    }

    /// @notice Creates `value` (10^-6 dollars) for `to`.
    function mint(address to, uint256 value) external {
        if (msg.sender != owner) revert OnlyOwner();
        _mint(to, value);
    }

    function name() public pure override returns (string memory) {
        return NAME;
    }

    function symbol() public pure override returns (string memory) {
        return NAME;
    }

    /// @notice The version of the EIP-712 domain.
    function version() external pure returns (string memory) {
        return VERSION;
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    /// @dev FiatToken's messages, which facilitators read, in place of OpenZeppelin's custom errors.
    function _update(address from, address to, uint256 value) internal override {
        if (from != address(0)) require(balanceOf(from) >= value, "ERC20: transfer amount exceeds balance");
        super._update(from, to, value);
    }

    /// @dev See `_update`.
    function _spendAllowance(address from, address spender, uint256 value) internal override {
        require(allowance(from, spender) >= value, "ERC20: transfer amount exceeds allowance");
        super._spendAllowance(from, spender, value);
    }
}
