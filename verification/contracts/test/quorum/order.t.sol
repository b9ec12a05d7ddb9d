// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Messages, Rotate} from "src/governance/Messages.sol";
import {IValidatorRegistry as I} from "src/quorum/IValidatorRegistry.sol";
import {QuorumBase} from "../support/QuorumBase.sol";

interface StoringVm {
    function store(address account, bytes32 slot, bytes32 value) external;
}

/// @notice The order of keys, at its edges: with keys that no curve gives, proven by a write into the registry's storage.
contract OrderTest is QuorumBase {
    uint256 private constant _PROVEN = 2;

    function test_theLowerHalfDecidesWhereTheUpperIsTheSame() public {
        schedules([[uint256(1), 1], [uint256(1), 2], [uint256(1), 3], [uint256(2), 0]], "");
        schedules([[uint256(0), 1], [uint256(1), 0], [uint256(2), 0], [uint256(3), 0]], "");
    }

    function test_aKeyIsAboveTheOneBefore() public {
        bytes memory why = abi.encodeWithSelector(I.KeysNotAscending.selector);
        schedules([[uint256(1), 1], [uint256(1), 1], [uint256(2), 0], [uint256(3), 0]], why);
        schedules([[uint256(1), 2], [uint256(1), 1], [uint256(2), 0], [uint256(3), 0]], why);
        schedules([[uint256(1), 1], [uint256(2), 2], [uint256(1), 3], [uint256(3), 0]], why);
        schedules([[uint256(1), 1], [uint256(2), 5], [uint256(2), 4], [uint256(3), 0]], why);
        schedules([[uint256(0), 0], [uint256(2), 5], [uint256(2), 6], [uint256(3), 0]], why);
    }

    function schedules(uint256[2][4] memory coordinates, bytes memory why) private {
        bytes memory keys;
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory key = abi.encode(coordinates[i][0], coordinates[i][1], uint256(0), uint256(0));
            bytes32 slot = keccak256(abi.encode(keccak256(key), _PROVEN));
            StoringVm(address(vm)).store(address(registry), slot, bytes32(uint256(1)));
            vm.assertTrue(registry.isProven(keccak256(key)));
            keys = bytes.concat(keys, key);
        }
        Rotate memory rotate = Rotate(2, keccak256(keys), uint64(NOW) + ROTATION);
        bytes memory signature = quorum(7, typed(Messages.hash(rotate)));
        if (why.length != 0) vm.expectRevert(why);
        registry.scheduleRotation(rotate, keys, signature);
    }
}
