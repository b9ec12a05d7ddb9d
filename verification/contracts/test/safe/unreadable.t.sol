// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IStorageAccessible} from "@safe-global/safe-smart-account/contracts/interfaces/IStorageAccessible.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {ISafeStorageReader} from "src/safe/SafeConfig.sol";
import {GuardBase, GuardVm} from "../support/GuardBase.sol";

interface FailingVm is GuardVm {
    function mockCallRevert(address callee, bytes calldata data, bytes calldata answer) external;
    function clearMockedCalls() external;
}

/// @notice A Safe whose configuration cannot be read is refused by name, whatever stands where it should.
contract UnreadableTest is GuardBase {
    FailingVm private constant _vm = FailingVm(address(vm));
    bytes private _unreadable = abi.encodeWithSelector(ITransferGuard.InvalidConfig.selector);

    function test_noAnswerIsNoConfiguration() public {
        answer("");
        refusePay(_unreadable, 1);
    }

    function test_anAnswerOfAFailedReaderIsNone() public {
        bytes memory config = read();
        answer(abi.encodePacked(uint256(0), config.length, config));
        refusePay(_unreadable, 1);
        answer(abi.encodePacked(uint256(1), config.length, config));
        pay(1);
    }

    function read() private returns (bytes memory config) {
        bytes memory call_ = abi.encodeCall(ISafeStorageReader.readSafeStorage, ());
        (, bytes memory answer_) =
            safe.call(abi.encodeCall(IStorageAccessible.simulateAndRevert, (address(guard), call_)));
        config = new bytes(answer_.length - 64);
        for (uint256 i = 0; i < config.length; ++i) {
            config[i] = answer_[64 + i];
        }
        vm.assertEq(keccak256(config), guard.configHashOf(safe));
    }

    function answer(bytes memory with) private {
        _vm.clearMockedCalls();
        _vm.mockCallRevert(safe, abi.encodeWithSelector(IStorageAccessible.simulateAndRevert.selector), with);
    }
}
