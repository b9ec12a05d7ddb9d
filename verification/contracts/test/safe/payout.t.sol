// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IModuleManager} from "@safe-global/safe-smart-account/contracts/interfaces/IModuleManager.sol";
import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import {Messages} from "src/governance/Messages.sol";
import {IPayoutModule} from "src/safe/IPayoutModule.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {GuardToken, LooseModule, StandingDouble} from "../support/GuardDoubles.sol";
import {GuardBase} from "../support/GuardBase.sol";

contract PayoutTest is GuardBase {
    bytes32 private constant _ID = keccak256("payout");

    function setUp() public override {
        super.setUp();
        vm.prank(address(governor));
        payouts.setPayoutKey(groupOfSafe(), gateway);
        send(address(payouts), abi.encodeCall(IPayoutModule.register, (payee)));
        vm.warp(NOW + PAYEE);
    }

    function test_aPayoutMovesExactlyItsAmountOnce() public {
        pays(_ID, 5);
        vm.assertEq(token.balanceOf(payee), 5);
        vm.assertTrue(payouts.used(safe, _ID));
        refusesPayout(abi.encodeWithSelector(IPayoutModule.PayoutUsed.selector, _ID), _ID, payee, 5);
    }

    function test_anIdIsOfOneSafe() public {
        address other = factory.create(planOf(5));
        token.mint(other, FUNDS);
        pays(_ID, 5);
        vm.assertTrue(!payouts.used(other, _ID));
    }

    function test_aVoidedPayoutIsNeverPaid() public {
        vm.prank(gateway);
        payouts.void(safe, _ID);
        refusesPayout(abi.encodeWithSelector(IPayoutModule.PayoutUsed.selector, _ID), _ID, payee, 5);
        vm.prank(gateway);
        vm.expectRevert(abi.encodeWithSelector(IPayoutModule.PayoutUsed.selector, _ID));
        payouts.void(safe, _ID);
        vm.assertEq(token.balanceOf(payee), 0);
    }

    function test_onlyTheGroupsKeyPaysAndVoids() public {
        vm.expectRevert(IPayoutModule.OnlyPayoutKey.selector);
        payouts.payout(safe, _ID, address(token), payee, 5);
        vm.expectRevert(IPayoutModule.OnlyPayoutKey.selector);
        payouts.void(safe, _ID);
        address other = factory.create(planOf(5));
        vm.prank(gateway);
        vm.expectRevert(IPayoutModule.OnlyPayoutKey.selector);
        payouts.payout(other, _ID, address(token), payee, 5);
        vm.prank(address(0));
        vm.expectRevert(IPayoutModule.OnlyPayoutKey.selector);
        payouts.void(other, _ID);
    }

    function test_aSafeThatIsNotGuardedIsNotPaidFrom() public {
        vm.prank(address(governor));
        payouts.setPayoutKey(0, gateway);
        vm.prank(gateway);
        vm.expectRevert(IPayoutModule.NotRegistered.selector);
        payouts.payout(payee, _ID, address(token), payee, 5);
    }

    function test_onlyTheGovernorSetsTheKey() public {
        vm.prank(gateway);
        vm.expectRevert(IPayoutModule.OnlyGovernor.selector);
        payouts.setPayoutKey(groupOfSafe(), gateway);
    }

    function test_aPayeeIsRegisteredADayBeforeToTheSecond() public {
        address late = address(0x1A7E);
        standing.set(late, true);
        refusesPayout(abi.encodeWithSelector(IPayoutModule.PayeeNotRegistered.selector, late), _ID, late, 5);
        send(address(payouts), abi.encodeCall(IPayoutModule.register, (late)));
        uint256 from = NOW + 2 * PAYEE;
        vm.warp(from - 1);
        refusesPayout(abi.encodeWithSelector(IPayoutModule.PayeeTooNew.selector, from), _ID, late, 5);
        vm.warp(from);
        vm.prank(gateway);
        payouts.payout(safe, _ID, address(token), late, 5);
        vm.assertEq(token.balanceOf(late), 5);
    }

    function test_attestersRegisterAPayeeOfOneSafe() public {
        address other = address(0x07E2);
        bytes memory word = abi.encode(digestOf(Messages.registerPayee(safe, other)));
        payouts.registerByAttesters(safe, other, word);
        vm.assertEq(payouts.payableFrom(safe, other), NOW + 2 * PAYEE);
        address another = factory.create(planOf(5));
        vm.expectRevert(StandingDouble.BelowAttesterQuorum.selector);
        payouts.registerByAttesters(another, other, word);
        vm.expectRevert(IPayoutModule.AlreadyRegistered.selector);
        payouts.registerByAttesters(safe, other, word);
    }

    function test_theGatewayRegistersNobody() public {
        vm.prank(gateway);
        vm.expectRevert(IPayoutModule.NotRegistered.selector);
        payouts.register(gateway);
    }

    function test_somePayeesAreNone() public {
        address[4] memory none = [address(0), safe, address(guard), address(payouts)];
        for (uint256 i = 0; i < 4; ++i) {
            refuses(
                IPayoutModule.InvalidPayee.selector, address(payouts), abi.encodeCall(IPayoutModule.register, (none[i]))
            );
        }
    }

    // What the guard says of it.

    function test_payoutsAndOwnersShareTheBucket() public {
        pays(_ID, CERTIFIED - 1);
        uint256 room = DAILY / 2 - (CERTIFIED - 1);
        vm.assertEq(guard.room(groupOfSafe(), address(token)), room);
        bytes32 next = keccak256("next");
        refusesPayout(
            abi.encodeWithSelector(ITransferGuard.BucketExceeded.selector, room + 1, room), next, payee, room + 1
        );
        vm.assertTrue(!payouts.used(safe, next));
        pays(next, room);
        refusePay(abi.encodeWithSelector(ITransferGuard.BucketExceeded.selector, 1, 0), 1);
    }

    function test_aPayoutIsNeverLarge() public {
        refusesPayout(
            abi.encodeWithSelector(ITransferGuard.CertificateNeeded.selector, CERTIFIED, CERTIFIED),
            _ID,
            payee,
            CERTIFIED
        );
        vm.prank(address(governor));
        guard.setLimits(groupOfSafe(), address(token), ITransferGuard.Limits(DAILY, CERTIFIED, 100));
        refusesPayout(abi.encodeWithSelector(ITransferGuard.NotAnnounced.selector, 0), _ID, payee, 100);
        pays(_ID, 99);
    }

    function test_aPayoutNeedsStandingNoPauseAndAListedToken() public {
        standing.set(payee, false);
        refusesPayout(abi.encodeWithSelector(ITransferGuard.NoStanding.selector, payee), _ID, payee, 5);
        standing.set(payee, true);
        pause();
        refusesPayout(abi.encodeWithSelector(ITransferGuard.SafeIsPaused.selector, 3), _ID, payee, 5);
        brake.set(3, false, true);
        uint256 tenth = CERTIFIED / 10;
        refusesPayout(
            abi.encodeWithSelector(ITransferGuard.CertificateNeeded.selector, tenth, tenth), _ID, payee, tenth
        );
        GuardToken other = new GuardToken();
        vm.prank(gateway);
        vm.expectRevert(abi.encodeWithSelector(ITransferGuard.TokenNotListed.selector, address(other)));
        payouts.payout(safe, _ID, address(other), payee, 1);
    }

    function test_aTokenThatFailsIsNotForgiven() public {
        GuardToken.Mood[6] memory moods = [
            GuardToken.Mood.SaysFalse,
            GuardToken.Mood.SaysTrueOnly,
            GuardToken.Mood.TakesFee,
            GuardToken.Mood.TakesFeeOnTop,
            GuardToken.Mood.SaysFalseButMoves,
            GuardToken.Mood.SaysTwo
        ];
        for (uint256 i = 0; i < 6; ++i) {
            token.turn(moods[i]);
            bool moved = moods[i] == GuardToken.Mood.SaysFalseButMoves || moods[i] == GuardToken.Mood.SaysTwo;
            refusesPayout(
                named(moved ? IPayoutModule.TransferFailed.selector : ITransferGuard.BalanceMismatch.selector),
                _ID,
                payee,
                5
            );
        }
        token.turn(GuardToken.Mood.SaysNothing);
        pays(_ID, 5);
        bytes32 next = keccak256("next");
        token.turn(GuardToken.Mood.Good);
        uint256 rest = token.balanceOf(safe);
        vm.prank(safe);
        token.transfer(address(0xDEAD), rest);
        refusesPayout(named(ITransferGuard.CallFailed.selector), next, payee, 5);
        vm.prank(gateway);
        vm.expectRevert(IPayoutModule.TokenHasNoCode.selector);
        payouts.payout(safe, next, address(0xC0DE1E55), payee, 0);
    }

    function test_aHookPaysNothingMore() public {
        bytes32 next = keccak256("next");
        HookGateway hooked = new HookGateway();
        vm.prank(address(governor));
        payouts.setPayoutKey(groupOfSafe(), address(hooked));
        bytes memory inner = abi.encodeCall(IPayoutModule.payout, (safe, next, address(token), payee, 1));
        token.hook(address(hooked), abi.encodeCall(HookGateway.pass, (address(payouts), inner)));
        bytes memory outer = abi.encodeCall(IPayoutModule.payout, (safe, _ID, address(token), payee, 1));
        // The inner call reverts by the lock, so the token's transfer fails.
        refuseBy(
            address(hooked),
            named(ITransferGuard.CallFailed.selector),
            abi.encodeCall(HookGateway.pass, (address(payouts), outer))
        );
        // And during an owners' transfer.
        refuses(ITransferGuard.Locked.selector, address(token), transferOf(payee, 2));
    }

    // Other modules, other calls.

    function test_noOtherModuleIsLetThrough() public {
        LooseModule loose = enabled();
        bytes memory call_ = abi.encodeCall(
            IModuleManager.execTransactionFromModule, (address(token), 0, transferOf(payee, 1), Enum.Operation.Call)
        );
        vm.expectRevert(abi.encodeWithSelector(ITransferGuard.UnknownModule.selector, address(loose)));
        loose.ask(safe, call_);
    }

    function test_aModuleCallsNothingButTransfer() public {
        vm.startPrank(safe);
        vm.expectRevert(abi.encodeWithSelector(ITransferGuard.NotInTable.selector, safe, bytes4(0)));
        guard.checkModuleTransaction(safe, 0, "", Enum.Operation.Call, address(payouts));
        bytes memory threshold = abi.encodeWithSignature("changeThreshold(uint256)", 1);
        vm.expectRevert(abi.encodeWithSelector(ITransferGuard.NotInTable.selector, safe, bytes4(threshold)));
        guard.checkModuleTransaction(safe, 0, threshold, Enum.Operation.Call, address(payouts));
        vm.expectRevert(abi.encodeWithSelector(ITransferGuard.NotInTable.selector, payee, bytes4(0)));
        guard.checkModuleTransaction(payee, 1, "", Enum.Operation.Call, address(evacuator));
        vm.expectRevert(ITransferGuard.OperationNotCall.selector);
        guard.checkModuleTransaction(
            address(token), 0, transferOf(payee, 1), Enum.Operation.DelegateCall, address(payouts)
        );
        vm.expectRevert(ITransferGuard.MalformedCall.selector);
        guard.checkModuleTransaction(address(token), 1, transferOf(payee, 1), Enum.Operation.Call, address(payouts));
        vm.stopPrank();
    }

    function test_aModulesCallIsComparedWithTheConfigurationToo() public {
        vm.prank(safe);
        guard.checkModuleTransaction(address(token), 0, transferOf(payee, 0), Enum.Operation.Call, address(payouts));
        vm.store(safe, bytes32(uint256(4)), bytes32(uint256(1)));
        vm.prank(safe);
        (bool success, bytes memory why) =
            address(guard).call(abi.encodeCall(guard.checkAfterModuleExecution, (bytes32(0), true)));
        vm.assertTrue(!success && bytes4(why) == ITransferGuard.ConfigHashChanged.selector);
    }

    /// @dev A module that no guarded Safe can enable, put into its list from outside.
    function enabled() private returns (LooseModule loose) {
        loose = new LooseModule();
        vm.store(safe, keccak256(abi.encode(address(loose), uint256(1))), bytes32(uint256(1)));
    }

    function pays(bytes32 id, uint256 amount) private {
        vm.prank(gateway);
        payouts.payout(safe, id, address(token), payee, amount);
    }

    function refusesPayout(bytes memory why, bytes32 id, address to, uint256 amount) private {
        vm.prank(gateway);
        vm.expectRevert(why);
        payouts.payout(safe, id, address(token), to, amount);
    }
}

/// @notice A payout key that is a contract, so that a hook may use it.
contract HookGateway {
    function pass(address target, bytes calldata data) external {
        (bool success, bytes memory why) = target.call(data);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(why, 0x20), mload(why))
        }
    }
}
