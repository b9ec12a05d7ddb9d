// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IModuleManager} from "@safe-global/safe-smart-account/contracts/interfaces/IModuleManager.sol";
import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";

/// @title A token transfer out of a Safe, by one of its modules
library ModuleTransfer {
    /// @notice False when it failed. A Safe answers a module's failed call with false and no revert, and so may a token; one that
    ///         answers nothing at all has accepted, as SafeERC20 has it. The caller has seen that the token has code.
    function send(address safe, address token, address to, uint256 amount) internal returns (bool) {
        (bool success, bytes memory answer) = IModuleManager(safe)
            .execTransactionFromModuleReturnData(
                token, 0, abi.encodeCall(IERC20.transfer, (to, amount)), Enum.Operation.Call
            );
        return success && (answer.length == 0 || (answer.length >= 32 && uint256(bytes32(answer)) == 1));
    }
}
