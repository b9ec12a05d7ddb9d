// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import {AnyGuard} from "../support/AnyGuard.sol";
import {svm, vm} from "../support/Cheats.sol";

/// @notice Whatever else is asked, certified or not: no delegatecall, no gas refund, nothing for a Safe that is not registered,
///         and nothing while a call of the same Safe is under way.
/// @custom:bound calldata of 68 bytes, signatures of 130 and 466
contract DelegatecallsAndRefundsRevert is AnyGuard {
    struct Call {
        address sender;
        address to;
        uint256 value;
        bytes data;
        Enum.Operation operation;
        uint256 safeTxGas;
        uint256 baseGas;
        uint256 gasPrice;
        address gasToken;
        address refundReceiver;
        bytes signatures;
    }

    function check_ownersDelegatecallReverts() external {
        Call memory call = _any(130);
        call.operation = Enum.Operation.DelegateCall;
        assert(!_passes(call));
    }

    function check_certifiedDelegatecallReverts() external {
        Call memory call = _any(466);
        call.operation = Enum.Operation.DelegateCall;
        assert(!_passes(call));
    }

    function check_modulesDelegatecallReverts(address module) external {
        vm.prank(address(safe));
        try guard.checkModuleTransaction(
            svm.createAddress("to"),
            svm.createUint256("value"),
            svm.createBytes(68, "data"),
            Enum.Operation.DelegateCall,
            module
        ) {
            assert(false);
        } catch {}
    }

    function check_anyRefundReverts() external {
        Call memory call = _any(130);
        vm.assume(
            call.safeTxGas != 0 || call.baseGas != 0 || call.gasPrice != 0 || call.gasToken != address(0)
                || call.refundReceiver != address(0)
        );
        assert(!_passes(call));
    }

    function check_certifiedRefundReverts() external {
        Call memory call = _any(466);
        vm.assume(
            call.safeTxGas != 0 || call.baseGas != 0 || call.gasPrice != 0 || call.gasToken != address(0)
                || call.refundReceiver != address(0)
        );
        assert(!_passes(call));
    }

    function check_unregisteredSafeReverts() external {
        Call memory call = _any(130);
        vm.assume(guard.groupOf(call.sender) == 0);
        assert(!_passes(call));
    }

    /// @notice Between the two checks the Safe can do nothing else, neither by its owners nor by a module.
    function check_nothingElseRunsMeanwhile(address to, uint256 amount) external {
        vm.assume(before(address(token), 0, transferOf(to, amount), owners()));
        Call memory call = _any(130);
        call.sender = address(safe);
        assert(!_passes(call));
        vm.prank(address(safe));
        try guard.checkModuleTransaction(call.to, call.value, call.data, call.operation, svm.createAddress("module")) {
            assert(false);
        } catch {}
    }

    function _any(uint256 signatureBytes) private returns (Call memory call) {
        call.sender = svm.createAddress("sender");
        call.to = svm.createAddress("to");
        call.value = svm.createUint256("value");
        call.data = svm.createBytes(68, "data");
        call.operation = svm.createBool("delegate") ? Enum.Operation.DelegateCall : Enum.Operation.Call;
        call.safeTxGas = svm.createUint256("safeTxGas");
        call.baseGas = svm.createUint256("baseGas");
        call.gasPrice = svm.createUint256("gasPrice");
        call.gasToken = svm.createAddress("gasToken");
        call.refundReceiver = svm.createAddress("refundReceiver");
        call.signatures = svm.createBytes(signatureBytes, "signatures");
    }

    function _passes(Call memory call) private returns (bool) {
        vm.prank(call.sender);
        try guard.checkTransaction(
            call.to,
            call.value,
            call.data,
            call.operation,
            call.safeTxGas,
            call.baseGas,
            call.gasPrice,
            call.gasToken,
            payable(call.refundReceiver),
            call.signatures,
            address(0)
        ) {
            return true;
        } catch {
            return false;
        }
    }
}
