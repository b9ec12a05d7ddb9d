// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ModuleTransfer} from "src/safe/ModuleTransfer.sol";
import {Vm} from "../support/Vm.sol";

/// @notice A Safe that answers a module what it was told to.
contract AnsweringSafe {
    bool private _success;
    bytes private _answer;

    function set(bool success, bytes calldata answer) external {
        (_success, _answer) = (success, answer);
    }

    function execTransactionFromModuleReturnData(address, uint256, bytes calldata, uint8)
        external
        view
        returns (bool, bytes memory)
    {
        return (_success, _answer);
    }
}

contract ModuleTransferTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    AnsweringSafe private _safe = new AnsweringSafe();

    function test_onlyASuccessThatTheTokenDidNotDenyCounts() public {
        expect(true, "", true);
        expect(true, abi.encode(true), true);
        expect(true, abi.encode(true, 7), true);
        expect(true, abi.encode(false), false);
        expect(true, abi.encode(uint256(2)), false);
        expect(true, hex"01", false);
        expect(true, abi.encodePacked(uint248(0)), false);
    }

    function test_aFailedCallNeverCounts() public {
        expect(false, "", false);
        expect(false, abi.encode(true), false);
    }

    function expect(bool success, bytes memory answer, bool sent) private {
        _safe.set(success, answer);
        vm.assertTrue(ModuleTransfer.send(address(_safe), address(1), address(2), 3) == sent);
    }
}
