// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC3009} from "../token/IERC3009.sol";
import {DepositCollector} from "./DepositCollector.sol";
import {IDepositCollector} from "./IDepositCollector.sol";

/// @title Deposits by ERC-3009
/// @notice Takes the tokens by `receiveWithAuthorization` (only the payee can hand that in, so nobody can front-run it) and
///         passes them on. The nonce commits to the channel: keccak256(abi.encode(bytes32 channelId, uint256 salt)).
contract ERC3009DepositCollector is DepositCollector {
    using SafeERC20 for IERC20;

    constructor(address escrow) DepositCollector(escrow) {}

    /// @inheritdoc IDepositCollector
    /// @param collectorData abi.encode(uint256 validAfter, uint256 validBefore, uint256 salt, bytes signature).
    function collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata collectorData)
        external
        onlyEscrow
    {
        (uint256 validAfter, uint256 validBefore, uint256 salt, bytes memory signature) =
            abi.decode(collectorData, (uint256, uint256, uint256, bytes));
        bytes32 nonce = keccak256(abi.encode(channelId, salt));
        IERC3009(token)
            .receiveWithAuthorization(payer, address(this), amount, validAfter, validBefore, nonce, signature);
        IERC20(token).safeTransfer(x402BatchSettlement, amount);
    }
}
