// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Govern} from "src/governance/Messages.sol";
import {IGovernor} from "src/governance/IGovernor.sol";
import {svm, vm} from "./Cheats.sol";

/// @dev Any change that a governor may be asked for, with any target, well formed or not.
function anyChange() returns (Govern memory govern, IGovernor.Target memory target) {
    govern.governId = uint64(svm.createUint(64, "governId"));
    govern.epoch = uint64(svm.createUint(64, "epoch"));
    govern.key = svm.createBytes32("key");
    govern.value = svm.createBytes32("value");
    govern.notBefore = uint64(svm.createUint(64, "notBefore"));
    uint256 parameter = svm.createUint(8, "parameter");
    vm.assume(parameter <= uint8(type(IGovernor.Parameter).max));
    target.parameter = IGovernor.Parameter(parameter);
    target.group = svm.createBytes32("group");
    target.token = svm.createAddress("token");
}
