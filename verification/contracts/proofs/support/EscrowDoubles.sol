// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDepositCollector} from "src/escrow/IDepositCollector.sol";

/// @notice What is assumed of a token: a transfer moves the amount or reverts, and nobody else's balance changes.
contract LedgerToken {
    mapping(address account => uint256) public balanceOf;

    function transfer(address to, uint256 amount) external returns (bool) {
        balanceOf[msg.sender] -= amount;
        unchecked {
            balanceOf[to] += amount; // the supply of a real token fits
        }
        return true;
    }

    function mint(address to, uint256 amount) external {
        unchecked {
            balanceOf[to] += amount;
        }
    }
}

/// @notice A collector that brings whatever it likes.
contract AnyCollector is IDepositCollector {
    LedgerToken private immutable _token;
    uint256 private _brings;

    constructor(LedgerToken token) {
        _token = token;
    }

    function collect(address, address, uint256, bytes32, bytes calldata) external {
        _token.mint(msg.sender, _brings);
    }
}

/// @notice A wallet that answers every question about its signature as it likes.
contract AnyWallet {
    bytes4 private _answer;

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        return _answer;
    }
}
