// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {Class, TransferTable} from "src/safe/TransferTable.sol";
import {GuardBase} from "../support/GuardBase.sol";
import {Members} from "../support/Members.sol";

/// @notice What the table does not hold, and what no row may have.
contract RefuseTest is GuardBase {
    function test_theNeverRowsAreNotInTheTable() public {
        string[12] memory never = [
            "approve(address,uint256)",
            "increaseAllowance(address,uint256)",
            "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
            "transferFrom(address,address,uint256)",
            "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)",
            "enableModule(address)",
            "setFallbackHandler(address)",
            "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)",
            "approveHash(bytes32)",
            "multiSend(bytes)",
            "simulateAndRevert(address,bytes)",
            "setup(address[],uint256,address,bytes,address,address,uint256,address)"
        ];
        address[5] memory targets = [safe, address(token), address(guard), address(payouts), address(evacuator)];
        for (uint256 i = 0; i < never.length; ++i) {
            bytes4 selector = bytes4(keccak256(bytes(never[i])));
            bytes memory data = abi.encodeWithSelector(selector, payee, 1);
            for (uint256 j = 0; j < 5; ++j) {
                bytes memory why = abi.encodeWithSelector(ITransferGuard.NotInTable.selector, targets[j], selector);
                refuse(why, targets[j], data);
                refuseCertified(why, targets[j], 0, data);
            }
        }
    }

    function test_theGuardsSlotsAreNotSetWithoutAnExitEvenCertified() public {
        bytes[2] memory calls = [
            abi.encodeWithSignature("setGuard(address)", address(0)),
            abi.encodeWithSignature("setModuleGuard(address)", address(0))
        ];
        for (uint256 i = 0; i < 2; ++i) {
            refuse(named(ITransferGuard.ExitNotReady.selector), safe, calls[i]);
            refuseCertified(named(ITransferGuard.MalformedCertificate.selector), safe, 0, calls[i]);
        }
    }

    function test_aDelegatecallIsNeverMade() public {
        bytes memory data = transferOf(payee, 1);
        ISafe s = ISafe(payable(safe));
        bytes32 hash = s.getTransactionHash(
            address(token), 0, data, Enum.Operation.DelegateCall, 0, 0, 0, address(0), address(0), s.nonce()
        );
        bytes memory call_ = abi.encodeCall(
            ISafe.execTransaction,
            (
                address(token),
                0,
                data,
                Enum.Operation.DelegateCall,
                0,
                0,
                0,
                address(0),
                payable(address(0)),
                Members.sign(owners, 3, hash)
            )
        );
        refuse(named(ITransferGuard.OperationNotCall.selector), call_);
    }

    function test_eachRefundFieldIsZero() public {
        refuseRefund(1, 0, 0, address(0), address(0));
        refuseRefund(0, 1, 0, address(0), address(0));
        refuseRefund(0, 0, 1, address(0), address(0));
        refuseRefund(0, 0, 0, address(token), address(0));
        refuseRefund(0, 0, 0, address(0), payee);
    }

    function testFuzz_whatTheTableHoldsIsSmall(uint8 target, bytes4 selector, bytes calldata rest, uint256 value)
        public
        view
    {
        address[5] memory targets = [safe, address(token), address(guard), address(payouts), address(0xABCD)];
        address to = targets[target % 5];
        bytes memory data = rest.length % 3 == 0 ? bytes(rest) : bytes.concat(selector, rest);
        try this.classify(to, value % 2, data) returns (Class class) {
            bool alone = data.length == 0;
            vm.assertTrue(class != Class.None, "no class");
            if (alone) vm.assertTrue(class == (value % 2 == 0 ? Class.Cancel : Class.Native), "without data");
            else vm.assertTrue(value % 2 == 0 && (data.length - 4) % 32 == 0 && isListed(to, data), "not listed");
        } catch (bytes memory why) {
            bytes4 name = bytes4(why);
            vm.assertTrue(
                name == ITransferGuard.NotInTable.selector || name == ITransferGuard.MalformedCall.selector
                    || name == ITransferGuard.ForbiddenRecipient.selector,
                "by another name"
            );
        }
    }

    function classify(address to, uint256 value, bytes calldata data) external view returns (Class) {
        TransferTable.Places memory places = TransferTable.Places(safe, address(guard), address(payouts));
        return TransferTable.classify(places, to, value, data).class;
    }

    function test_aStrangerIsNotServed() public {
        vm.expectRevert(ITransferGuard.NotRegistered.selector);
        guard.checkTransaction(
            payee, 0, "", Enum.Operation.Call, 0, 0, 0, address(0), payable(address(0)), new bytes(65), payee
        );
        vm.expectRevert(ITransferGuard.NotRegistered.selector);
        guard.checkModuleTransaction(payee, 0, "", Enum.Operation.Call, address(payouts));
        vm.expectRevert(ITransferGuard.NotLocked.selector);
        guard.checkAfterExecution(0, true);
        vm.prank(safe);
        vm.expectRevert(ITransferGuard.NotLocked.selector);
        guard.checkAfterModuleExecution(0, true);
    }

    function test_aFailedCallIsNotForgiven() public {
        bytes memory signatures = signed(safe, safe, 0, "");
        begin(safe, "", signatures);
        vm.prank(safe);
        vm.expectRevert(ITransferGuard.CallFailed.selector);
        guard.checkAfterExecution(0, false);
    }

    function test_itIsBothGuards() public view {
        vm.assertTrue(guard.supportsInterface(0xe6d7a83a));
        vm.assertTrue(guard.supportsInterface(0x58401ed8));
        vm.assertTrue(guard.supportsInterface(0x01ffc9a7));
        vm.assertTrue(!guard.supportsInterface(0xffffffff));
    }

    function isListed(address to, bytes memory data) private view returns (bool) {
        bytes4 selector = bytes4(data);
        string[7] memory own = [
            "addOwnerWithThreshold(address,uint256)",
            "removeOwner(address,address,uint256)",
            "swapOwner(address,address,address)",
            "changeThreshold(uint256)",
            "disableModule(address,address)",
            "setGuard(address)",
            "setModuleGuard(address)"
        ];
        string[5] memory ours =
            ["announce(bytes32)", "scheduleExit()", "cancelExit(uint64)", "accept(uint64,bytes32)", "admit(address)"];
        if (to == safe) {
            for (uint256 i = 0; i < 7; ++i) {
                if (selector == bytes4(keccak256(bytes(own[i])))) return true;
            }
            return false;
        }
        if (to == address(guard)) {
            for (uint256 i = 0; i < 5; ++i) {
                if (selector == bytes4(keccak256(bytes(ours[i])))) return true;
            }
            return false;
        }
        if (to == address(payouts)) return selector == bytes4(keccak256("register(address)"));
        return selector == bytes4(keccak256("transfer(address,uint256)"));
    }

    function refuseRefund(uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address receiver)
        private
    {
        bytes memory data = transferOf(payee, 1);
        ISafe s = ISafe(payable(safe));
        bytes32 hash = s.getTransactionHash(
            address(token), 0, data, Enum.Operation.Call, safeTxGas, baseGas, gasPrice, gasToken, receiver, s.nonce()
        );
        bytes memory call_ = abi.encodeCall(
            ISafe.execTransaction,
            (
                address(token),
                0,
                data,
                Enum.Operation.Call,
                safeTxGas,
                baseGas,
                gasPrice,
                gasToken,
                payable(receiver),
                Members.sign(owners, 3, hash)
            )
        );
        refuse(named(ITransferGuard.RefundNotZero.selector), call_);
    }
}
