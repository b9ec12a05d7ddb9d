// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {SafeProxy} from "@safe-global/safe-smart-account/contracts/proxies/SafeProxy.sol";
import {Safe} from "@safe-global/safe-smart-account/contracts/Safe.sol";
import {GuardedSafeFactory} from "src/safe/GuardedSafeFactory.sol";
import {GuardedSafeSetup} from "src/safe/GuardedSafeSetup.sol";
import {IGuardedSafeFactory} from "src/safe/IGuardedSafeFactory.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {SafeConfig} from "src/safe/SafeConfig.sol";
import {GuardBase} from "../support/GuardBase.sol";
import {Members} from "../support/Members.sol";

contract CreateTest is GuardBase {
    function test_aNewSafeIsGuardedAndRegistered() public view {
        ISafe s = ISafe(payable(safe));
        vm.assertEq(s.getThreshold(), 2);
        vm.assertEq(abi.encode(s.getOwners()), abi.encode(Members.addresses(owners)));
        vm.assertEq(guard.groupOf(safe), groupOfSafe());
        vm.assertEq(guard.wantedBy(safe), 0);
        vm.assertEq(slot("guard_manager.guard.address"), address(guard));
        vm.assertEq(slot("module_manager.module_guard.address"), address(guard));
        vm.assertEq(slot("fallback_manager.handler.address"), address(0));
        vm.assertEq(guard.limitsOf(groupOfSafe(), address(token)).daily, DAILY);
        vm.assertEq(guard.limitsOf(groupOfSafe(), address(0)).noticeFrom, NOTICED);
    }

    function test_theConfigHashIsOfEightParts() public view {
        address[] memory modules = new address[](2);
        (modules[0], modules[1]) = (address(evacuator), address(payouts));
        bytes32 expected = keccak256(
            abi.encode(
                singleton,
                safe.codehash,
                Members.addresses(owners),
                uint256(2),
                address(guard),
                address(guard),
                modules,
                address(0)
            )
        );
        vm.assertEq(guard.configHashOf(safe), expected);
    }

    function test_theSamePlanAgainIsTheSameSafe() public {
        vm.assertEq(factory.addressOf(planOf(0)), safe);
        vm.assertEq(factory.create(planOf(0)), safe);
        vm.assertEq(ISafe(payable(safe)).getThreshold(), 2);
    }

    function test_everyPartOfThePlanIsInTheAddress() public view {
        IGuardedSafeFactory.Plan memory plan = planOf(0);
        plan.limits[0].daily += 1;
        vm.assertTrue(factory.addressOf(plan) != safe);
        plan = planOf(0);
        plan.owners[2] = address(0xBAD);
        vm.assertTrue(factory.addressOf(plan) != safe);
        plan = planOf(0);
        plan.group = bytes32(uint256(1));
        vm.assertTrue(factory.addressOf(plan) != safe);
        plan = planOf(0);
        plan.threshold = 1;
        vm.assertTrue(factory.addressOf(plan) != safe);
        vm.assertTrue(factory.addressOf(planOf(1)) != safe);
    }

    function test_whoWaitsForAnotherGroupBringsNoLimits() public {
        IGuardedSafeFactory.Plan memory plan = planOf(1);
        plan.group = groupOfSafe();
        vm.expectRevert(IGuardedSafeFactory.LimitsOfAnotherGroup.selector);
        factory.create(plan);
        plan.limits = new ITransferGuard.Limits[](0);
        vm.expectRevert(IGuardedSafeFactory.LimitsOfAnotherGroup.selector);
        factory.create(plan);
        (plan.limits, plan.tokens) = (new ITransferGuard.Limits[](1), new address[](0));
        vm.expectRevert(IGuardedSafeFactory.LimitsOfAnotherGroup.selector);
        factory.create(plan);
        plan.limits = new ITransferGuard.Limits[](0);
        vm.assertEq(guard.wantedBy(factory.create(plan)), groupOfSafe());
    }

    function test_tokensWithoutTheirLimitsAreRefused() public {
        IGuardedSafeFactory.Plan memory plan = planOf(1);
        plan.limits = new ITransferGuard.Limits[](1);
        vm.expectRevert(ITransferGuard.InvalidConfig.selector);
        factory.create(plan);
    }

    function test_aZeroThresholdMakesNoSafe() public {
        IGuardedSafeFactory.Plan memory plan = planOf(1);
        plan.threshold = 0;
        vm.expectRevert(bytes("GS202"));
        factory.create(plan);
        vm.assertEq(factory.addressOf(plan).code.length, 0);
    }

    function test_onlyTheFactoryRegisters() public {
        vm.expectRevert(ITransferGuard.OnlyFactory.selector);
        guard.register(address(0x5AFE), 0, new address[](0), new ITransferGuard.Limits[](0));
    }

    function test_aSafeIsRegisteredOnce() public {
        registerAgain(ITransferGuard.AlreadyRegistered.selector, safe);
    }

    function test_aSafeThatTheFactoryDidNotSetUpIsRefused() public {
        ISafe bare = ISafe(payable(address(new SafeProxy(singleton))));
        bare.setup(Members.addresses(owners), 2, address(0), "", address(0), address(0), 0, payable(address(0)));
        registerAgain(ITransferGuard.InvalidConfig.selector, address(bare));
    }

    function test_eachPartOfAGenuineSafeIsAskedFor() public {
        string[3] memory names =
            ["guard_manager.guard.address", "module_manager.module_guard.address", "fallback_manager.handler.address"];
        for (uint256 i = 0; i < 3; ++i) {
            refuseWith(keccak256(bytes(names[i])), bytes32(uint256(0xBAD)));
        }
        refuseWith(bytes32(uint256(5)), bytes32(uint256(1))); // nonce
        bytes32 firstModule = keccak256(abi.encode(address(1), uint256(1)));
        refuseWith(firstModule, bytes32(uint256(uint160(address(payouts))))); // the evacuator is missing
        bytes32 lastModule = keccak256(abi.encode(address(payouts), uint256(1)));
        refuseWith(lastModule, bytes32(uint256(0xBAD))); // one more
    }

    function test_anotherSingletonIsRefused() public {
        refuseMadeBy(address(new Safe()), type(SafeProxy).creationCode);
    }

    function test_otherProxyCodeIsRefused() public {
        refuseMadeBy(singleton, type(OtherProxy).creationCode);
    }

    function test_setUpTouchesNobodyElse() public {
        GuardedSafeSetup setup = factory.setup();
        vm.expectRevert();
        setup.install();
    }

    /// @dev A factory for the same guard that makes Safes of other code: everything else is as it should be.
    function refuseMadeBy(address singleton_, bytes memory code) private {
        GuardedSafeFactory other = new GuardedSafeFactory(guard, address(payouts), address(evacuator), singleton_, code);
        vm.mockCall(address(guard), abi.encodeWithSelector(ITransferGuard.register.selector), "");
        address made = other.create(planOf(9));
        QuietVm(address(vm)).clearMockedCalls();
        registerAgain(ITransferGuard.InvalidConfig.selector, made);
    }

    /// @dev A second Safe, made as by the factory but with one word changed, is not registered.
    function refuseWith(bytes32 at, bytes32 value) private {
        address other = factory.addressOf(planOf(77));
        if (other.code.length == 0) other = factory.create(planOf(77));
        // Forget it, so that only the changed word is in the way.
        vm.store(address(guard), keccak256(abi.encode(other, uint256(0))), 0);
        vm.assertEq(guard.groupOf(other), 0);
        bytes32 before = vm.load(other, at);
        vm.store(other, at, value);
        registerAgain(ITransferGuard.InvalidConfig.selector, other);
        vm.store(other, at, before);
        vm.prank(address(factory));
        guard.register(other, 0, new address[](0), new ITransferGuard.Limits[](0));
        vm.assertTrue(guard.groupOf(other) != 0, "registered when nothing is changed");
    }

    function registerAgain(bytes4 why, address of_) private {
        vm.prank(address(factory));
        vm.expectRevert(why);
        guard.register(of_, 0, new address[](0), new ITransferGuard.Limits[](0));
    }

    function slot(bytes memory name) private view returns (address) {
        return address(uint160(uint256(vm.load(safe, keccak256(name)))));
    }
}

/// @notice A Safe's proxy but for one byte more.
contract OtherProxy is SafeProxy {
    constructor(address singleton_) SafeProxy(singleton_) {}

    receive() external payable {}
}

interface QuietVm {
    function clearMockedCalls() external;
}
