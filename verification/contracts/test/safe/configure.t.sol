// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IModuleManager} from "@safe-global/safe-smart-account/contracts/interfaces/IModuleManager.sol";
import {IOwnerManager} from "@safe-global/safe-smart-account/contracts/interfaces/IOwnerManager.sol";
import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {GuardBase} from "../support/GuardBase.sol";
import {Members} from "../support/Members.sol";

/// @notice Class E: a Safe's owners, threshold and modules.
contract ConfigureTest is GuardBase {
    address private constant _FIRST = address(1);
    address private constant _NEW = address(0x0E0);

    function test_eachOfTheFiveNeedsACertificateAndChangesTheHash() public {
        address last = vm.addr(owners[2]);
        configure(abi.encodeCall(IOwnerManager.addOwnerWithThreshold, (_NEW, 2)));
        configure(abi.encodeCall(IOwnerManager.removeOwner, (_FIRST, _NEW, 2)));
        configure(abi.encodeCall(IOwnerManager.swapOwner, (vm.addr(owners[1]), last, _NEW)));
        configure(abi.encodeCall(IOwnerManager.changeThreshold, (1)));
        owners = Members.keys("owner", 1);
        configureBy(1, abi.encodeCall(IModuleManager.disableModule, (_FIRST, address(evacuator))));
        vm.assertTrue(!ISafe(payable(safe)).isModuleEnabled(address(evacuator)));
    }

    function test_aReconfiguredSafeGoesOn() public {
        configure(abi.encodeCall(IOwnerManager.addOwnerWithThreshold, (_NEW, 2)));
        pay(1);
        vm.assertEq(token.balanceOf(payee), 1);
    }

    function test_itRunsWhilePaused() public {
        pause();
        configure(abi.encodeCall(IOwnerManager.changeThreshold, (3)));
    }

    function test_aFalseCertificateChangesNothing() public {
        bytes memory data = abi.encodeCall(IOwnerManager.changeThreshold, (1));
        bytes memory tail = certified(safe, safe, 0, abi.encodeCall(IOwnerManager.changeThreshold, (3)));
        refuse(named(ICertificateVerifier.InvalidSignature.selector), safe, 0, data, tail);
    }

    function test_signaturesAreThoseOfTheThresholdBefore() public {
        bytes memory data = abi.encodeCall(IOwnerManager.changeThreshold, (3));
        bytes memory three = Members.sign(owners, 7, hashOf(safe, safe, 0, data));
        bytes memory tail = certified(safe, safe, 0, data);
        refuse(
            abi.encodeWithSelector(ITransferGuard.NotThresholdSignatures.selector, 3, 2),
            callOf(safe, 0, data, bytes.concat(three, tail))
        );
    }

    function test_argumentsAreExact() public {
        bytes memory why = named(ITransferGuard.MalformedCall.selector);
        bytes4[5] memory selectors = [
            IOwnerManager.addOwnerWithThreshold.selector,
            IOwnerManager.removeOwner.selector,
            IOwnerManager.swapOwner.selector,
            IOwnerManager.changeThreshold.selector,
            IModuleManager.disableModule.selector
        ];
        uint8[5] memory words = [2, 3, 3, 1, 2];
        uint8[5] memory addresses = [1, 3, 7, 0, 3];
        for (uint256 i = 0; i < 5; ++i) {
            bytes memory data = bytes.concat(selectors[i], new bytes(32 * words[i]));
            refuseCertified(why, safe, 0, bytes.concat(data, hex"00"));
            refuseCertified(why, safe, 1, data);
            for (uint256 word = 0; word < words[i]; ++word) {
                if ((addresses[i] >> word) & 1 == 0) continue;
                data[4 + 32 * word + 11] = 0x01;
                refuseCertified(why, safe, 0, data);
                data[4 + 32 * word + 11] = 0x00;
            }
        }
    }

    function test_aChangeThatTakesMoreThanItsRowIsUndone() public {
        // Slots that no owner's call reaches, changed behind the Safe's back during one: as if its code had been at fault.
        string[3] memory names =
            ["guard_manager.guard.address", "module_manager.module_guard.address", "fallback_manager.handler.address"];
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 slot = keccak256(bytes(names[i]));
            bytes32 before = vm.load(safe, slot);
            asSafe(abi.encodeCall(IOwnerManager.changeThreshold, (2)));
            vm.store(safe, slot, bytes32(uint256(0xBAD)));
            refuseAfter();
            vm.store(safe, slot, before);
            vm.prank(safe);
            guard.checkAfterExecution(0, true);
        }
    }

    function test_everyOtherRowLeavesTheWholeConfiguration() public {
        bytes32[7] memory slots = [
            bytes32(uint256(0)),
            bytes32(uint256(4)),
            keccak256("guard_manager.guard.address"),
            keccak256("module_manager.module_guard.address"),
            keccak256("fallback_manager.handler.address"),
            keccak256(abi.encode(address(1), uint256(1))),
            keccak256(abi.encode(address(1), uint256(2)))
        ];
        for (uint256 i = 0; i < 7; ++i) {
            bytes32 before = vm.load(safe, slots[i]);
            lockedByACancellation();
            vm.store(safe, slots[i], bytes32(uint256(1)));
            refuseAfter();
            vm.store(safe, slots[i], before);
            vm.prank(safe);
            guard.checkAfterExecution(0, true);
        }
    }

    function configure(bytes memory data) private {
        configureBy(3, data);
    }

    function configureBy(uint256 signers, bytes memory data) private {
        bytes32 before = guard.configHashOf(safe);
        bytes memory signatures = Members.sign(owners, signers, hashOf(safe, safe, 0, data));
        refuse(
            abi.encodeWithSelector(ITransferGuard.CertificateNeeded.selector, 0, 0), callOf(safe, 0, data, signatures)
        );
        run(safe, callOf(safe, 0, data, bytes.concat(signatures, certified(safe, safe, 0, data))));
        vm.assertTrue(guard.configHashOf(safe) != before, "another hash");
    }

    /// @dev The guard's first check, as the Safe asks for it, and no call after it.
    function asSafe(bytes memory data) private {
        bytes memory signatures = bytes.concat(signed(safe, safe, 0, data), certified(safe, safe, 0, data));
        check(data, signatures);
    }

    function lockedByACancellation() private {
        check("", signed(safe, safe, 0, ""));
    }

    function check(bytes memory data, bytes memory signatures) private {
        bytes32 nonce = vm.load(safe, bytes32(uint256(5)));
        vm.store(safe, bytes32(uint256(5)), bytes32(uint256(nonce) + 1));
        begin(safe, data, signatures);
        vm.store(safe, bytes32(uint256(5)), nonce);
    }

    function refuseAfter() private {
        vm.prank(safe);
        (bool success, bytes memory why) =
            address(guard).call(abi.encodeCall(guard.checkAfterExecution, (bytes32(0), true)));
        vm.assertTrue(!success, "the change stayed");
        vm.assertTrue(
            bytes4(why) == ITransferGuard.ConfigHashChanged.selector
                || bytes4(why) == ITransferGuard.NotThresholdSignatures.selector
                || bytes4(why) == ITransferGuard.InvalidConfig.selector,
            "by another name"
        );
    }
}
