// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {AnyGuard} from "../support/AnyGuard.sol";
import {svm, vm} from "../support/Cheats.sol";

/// @notice A module's call passes only as a token transfer of the payout module, bound as an uncertified one, or of the evacuator,
///         to the vault and nowhere else.
/// @custom:bound a module's calldata of 68 bytes
contract ModulesAreBoundToo is AnyGuard {
    function check_noOtherModule(address to, uint256 value, address module) external {
        if (_passes(to, value, svm.createBytes(68, "data"), module)) {
            assert(module == payoutModule || module == evacuator);
        }
    }

    function check_evacuatorOnlyToTheVault(address to, uint256 amount) external {
        if (_passes(address(token), 0, transferOf(to, amount), evacuator)) assert(to == vault);
    }

    function check_onlyTransfers(address to, uint256 value, bool payout) external {
        bytes memory data = svm.createBytes(68, "data");
        if (_passes(to, value, data, payout ? payoutModule : evacuator)) {
            assert(value == 0 && bytes4(data) == bytes4(keccak256("transfer(address,uint256)")));
            assert(to != address(safe) && to != address(guard));
        }
    }

    function check_payoutIsBoundAsAnUncertifiedTransfer(address to, uint256 amount) external {
        bytes32 group = guard.groupOf(address(safe));
        ITransferGuard.Limits memory limits = guard.limitsOf(group, address(token));
        uint256 small = guard.outflowOf(group, address(token)).smallBelow;
        vm.assume(small == (limits.certifiedFrom < limits.noticeFrom ? limits.certifiedFrom : limits.noticeFrom));
        uint256 room = guard.room(group, address(token));
        (bool paused, bool reduced, bool valid) = (brake.paused(), brake.reduced(), standing.isValid(to));
        if (!_passes(address(token), 0, transferOf(to, amount), payoutModule)) return;
        assert(!paused && valid && amount <= room && amount < limits.noticeFrom);
        assert(amount < (reduced ? limits.certifiedFrom / 10 : limits.certifiedFrom));
    }

    function reaches_aPayout(address to, uint256 amount) external {
        bool reduced = brake.reduced();
        vm.assume(!reduced);
        assert(!_passes(address(token), 0, transferOf(to, amount), payoutModule));
    }

    function _passes(address to, uint256 value, bytes memory data, address module) private returns (bool) {
        vm.prank(address(safe));
        try guard.checkModuleTransaction(to, value, data, Enum.Operation.Call, module) {
            return true;
        } catch {
            return false;
        }
    }
}
