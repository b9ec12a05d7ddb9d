// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IGuardManager} from "@safe-global/safe-smart-account/contracts/interfaces/IGuardManager.sol";
import {IModuleManager} from "@safe-global/safe-smart-account/contracts/interfaces/IModuleManager.sol";
import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import {IActions} from "src/governance/IActions.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Messages} from "src/governance/Messages.sol";
import {IPayoutModule} from "src/safe/IPayoutModule.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {GuardBase} from "../support/GuardBase.sol";

/// @notice Leaving the guard: owners and guardians, 14 days, a window of 7.
contract ExitTest is GuardBase {
    bytes private _leave = abi.encodeCall(IGuardManager.setGuard, (address(0)));
    bytes private _leaveModuleGuard = abi.encodeCall(IModuleManager.setModuleGuard, (address(0)));
    bytes private _notReady = abi.encodeWithSelector(ITransferGuard.ExitNotReady.selector);
    bytes private _schedule = abi.encodeCall(ITransferGuard.scheduleExit, ());

    function test_aMaturedExitSetsBothGuardsAndIsOver() public {
        uint64 id = matureExit();
        pause();
        send(safe, _leaveModuleGuard);
        vm.assertTrue(guard.groupOf(safe) != 0, "still guarded");
        send(safe, _leave);
        vm.assertEq(guard.groupOf(safe), 0);
        vm.assertEq(guard.configHashOf(safe), 0);
        vm.assertEq(guard.exitOf(safe), 0);
        vm.assertTrue(actions.get(id).state == IActions.State.Taken);
        // Now the Safe is its owners' alone.
        send(address(token), transferOf(address(0xA), FUNDS));
        vm.assertEq(token.balanceOf(address(0xA)), FUNDS);
    }

    function test_theDelayAndTheWindowAreExact() public {
        consentedExit();
        vm.warp(NOW + EXIT - 1);
        refuse(_notReady, safe, _leave);
        refuse(_notReady, safe, _leaveModuleGuard);
        vm.warp(NOW + EXIT + WINDOW + 1);
        refuse(_notReady, safe, _leave);
        vm.warp(NOW + EXIT + WINDOW);
        send(safe, _leaveModuleGuard);
        vm.warp(NOW + EXIT);
        send(safe, _leave);
    }

    function test_withoutBothConsentsThereIsNone() public {
        refuse(_notReady, safe, _leave);
        send(address(guard), _schedule);
        vm.warp(NOW + EXIT);
        refuse(_notReady, safe, _leave);
    }

    function test_theDelayBeginsWithTheLaterConsent() public {
        send(address(guard), _schedule);
        uint64 id = guard.exitOf(safe);
        vm.warp(NOW + 10 days);
        guard.consentExit(id, safe, abi.encode(digestOf(Messages.exit(id, safe))));
        vm.warp(NOW + 10 days + EXIT - 1);
        refuse(_notReady, safe, _leave);
        vm.warp(NOW + 10 days + EXIT);
        send(safe, _leave);
    }

    function test_guardiansConsentToOneExitOfOneSafe() public {
        send(address(guard), _schedule);
        uint64 id = guard.exitOf(safe);
        vm.expectRevert(ITransferGuard.NoExit.selector);
        guard.consentExit(id + 1, safe, "");
        vm.expectRevert(ITransferGuard.NoExit.selector);
        guard.consentExit(0, payee, "");
        bytes memory another = abi.encode(digestOf(Messages.exit(id, payee)));
        vm.expectRevert(IGuardians.BelowGuardianQuorum.selector);
        guard.consentExit(id, safe, another);
        bytes memory consent = abi.encode(digestOf(Messages.exit(id, safe)));
        guard.consentExit(id, safe, consent);
        vm.expectRevert(IActions.NotOpen.selector);
        guard.consentExit(id, safe, consent);
    }

    function test_oneExitAtATime() public {
        consentedExit();
        refuses(ITransferGuard.ExitAlreadyScheduled.selector, address(guard), _schedule);
        vm.warp(NOW + EXIT + WINDOW + 1);
        uint64 dead = guard.exitOf(safe);
        send(address(guard), _schedule);
        vm.assertTrue(guard.exitOf(safe) != dead);
    }

    function test_ownersTakeItBack() public {
        uint64 id = matureExit();
        pause();
        refuses(ITransferGuard.NoExit.selector, address(guard), abi.encodeCall(ITransferGuard.cancelExit, (id + 1)));
        send(address(guard), abi.encodeCall(ITransferGuard.cancelExit, (id)));
        vm.assertEq(guard.exitOf(safe), 0);
        vm.assertTrue(actions.get(id).state == IActions.State.Ended);
        refuse(_notReady, safe, _leave);
        refuses(ITransferGuard.NoExit.selector, address(guard), abi.encodeCall(ITransferGuard.cancelExit, (0)));
    }

    function test_validatorsCancelIt() public {
        uint64 id = matureExit();
        actions.cancel(id, quorum.epoch(), quorum.signature(digestOf(Messages.cancel(id, quorum.epoch()))));
        refuse(_notReady, safe, _leave);
        send(address(guard), _schedule);
    }

    function test_anotherSafesExitIsNotMine() public {
        address other = factory.create(planOf(5));
        matureExit();
        refuseBy(other, _notReady, ready(other, other, 0, _leave, ""));
    }

    function test_aTailHasNoPlaceInIt() public {
        matureExit();
        refuseCertified(named(ITransferGuard.MalformedCertificate.selector), safe, 0, _leave);
    }

    function test_nothingElseFollowsFromIt() public {
        matureExit();
        refuse(
            abi.encodeWithSelector(ITransferGuard.NotInTable.selector, safe, IModuleManager.enableModule.selector),
            safe,
            abi.encodeCall(IModuleManager.enableModule, (payee))
        );
        refusePay(abi.encodeWithSelector(ITransferGuard.CertificateNeeded.selector, CERTIFIED, CERTIFIED), CERTIFIED);
    }

    function test_theGuardIsNotLeftInASafeThatItForgets() public {
        matureExit();
        refuses(ITransferGuard.MalformedCall.selector, safe, abi.encodeCall(IGuardManager.setGuard, (address(guard))));
    }

    function test_theModuleGuardAloneLeftTheSafeStaysGuarded() public {
        matureExit();
        send(safe, _leaveModuleGuard);
        pay(1);
        // Set again, by the same exit.
        send(safe, abi.encodeCall(IModuleManager.setModuleGuard, (address(guard))));
        pay(1);
        send(safe, _leaveModuleGuard);
        // No payout goes round the bucket meanwhile, and a certified change of owners is still possible.
        vm.prank(address(governor));
        payouts.setPayoutKey(groupOfSafe(), gateway);
        send(address(payouts), abi.encodeCall(IPayoutModule.register, (payee)));
        vm.warp(block.timestamp + PAYEE);
        vm.prank(gateway);
        vm.expectRevert(IPayoutModule.NotRegistered.selector);
        payouts.payout(safe, bytes32(uint256(1)), address(token), payee, 1);
        sendCertified(safe, 0, abi.encodeWithSignature("changeThreshold(uint256)", 2));
    }

    function test_anExitChangesNoMoreThanItsSlot() public {
        matureExit();
        bytes32[4] memory slots = [
            bytes32(uint256(4)),
            keccak256("module_manager.module_guard.address"),
            keccak256("fallback_manager.handler.address"),
            keccak256(abi.encode(address(1), uint256(2)))
        ];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 state = StateVm(address(vm)).snapshotState();
            bytes memory signatures = signed(safe, safe, 0, _leave);
            begin(safe, _leave, signatures);
            vm.store(safe, slots[i], bytes32(uint256(1)));
            vm.prank(safe);
            (bool success,) = address(guard).call(abi.encodeCall(guard.checkAfterExecution, (bytes32(0), true)));
            vm.assertTrue(!success, "more than its slot");
            StateVm(address(vm)).revertToState(state);
        }
        send(safe, _leave);
    }
}

interface StateVm {
    function snapshotState() external returns (uint256);
    function revertToState(uint256 id) external returns (bool);
}
