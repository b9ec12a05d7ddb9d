// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";

/// @notice A Safe as its modules see it: it remembers what it was told to do, does it or not, and answers anything.
contract ModuleSafe {
    uint256 public orders;
    address public to;
    uint256 public value;
    bytes32 public dataHash;
    Enum.Operation public operation;

    address private _moduleGuard;
    bool private _idle;
    bool private _success;
    bool private _silent;
    uint256 private _answer;

    function execTransactionFromModuleReturnData(
        address to_,
        uint256 value_,
        bytes calldata data,
        Enum.Operation operation_
    ) external returns (bool, bytes memory) {
        unchecked {
            ++orders;
        }
        (to, value, dataHash, operation) = (to_, value_, keccak256(data), operation_);
        if (!_idle) return to_.call(data);
        return (_success, _silent ? bytes("") : abi.encode(_answer));
    }

    function getStorageAt(uint256, uint256) external view returns (bytes memory) {
        return abi.encode(_moduleGuard);
    }

    function moduleGuard() external view returns (address) {
        return _moduleGuard;
    }

    /// @notice Whether the last order was exactly this transfer, by CALL and without value.
    function wasTold(address token, address recipient, uint256 amount) external view returns (bool) {
        bytes memory data = abi.encodeWithSignature("transfer(address,uint256)", recipient, amount);
        return to == token && value == 0 && dataHash == keccak256(data) && operation == Enum.Operation.Call;
    }
}

/// @notice Which Safes are guarded, and in which group, is anything.
contract AnyGroups {
    mapping(address safe => bytes32) public groupOf;
}
