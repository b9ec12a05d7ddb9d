// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EmergencyBrake} from "src/emergency/EmergencyBrake.sol";
import {IEmergencyBrake} from "src/emergency/IEmergencyBrake.sol";
import {IColdVault} from "src/emergency/IColdVault.sol";
import {Governor} from "src/governance/Governor.sol";
import {IActions} from "src/governance/IActions.sol";
import {IGovernor} from "src/governance/IGovernor.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Govern} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {IValidatorRegistry} from "src/quorum/IValidatorRegistry.sol";
import {Evacuator} from "src/safe/Evacuator.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {PayoutModule} from "src/safe/PayoutModule.sol";
import {IStandingRegistry} from "src/standing/IStandingRegistry.sol";
import {anyChange} from "../support/AnyChange.sol";
import {svm, vm} from "../support/Cheats.sol";
import {LedgerToken} from "../support/EscrowDoubles.sol";
import {Governed} from "../support/Governed.sol";
import {ModuleSafe} from "../support/ModuleSafe.sol";
import {AnyActions, AnyRegistry, EveryMessage, Refused} from "../support/Neighbours.sol";

/// @notice A guard that is only asked: groups, limits, and what owners have accepted, which is nothing.
contract UnheardOwners is Governed {
    mapping(address safe => bytes32) public groupOf;
}

/// @notice Guardians or attesters of whom nobody signs anything.
contract NoMembers {
    function check(bytes32, bytes calldata) external pure {
        revert Refused();
    }

    function isGuardian(address) external pure returns (bool) {
        return false;
    }
}

/// @notice All validators together sign whatever is asked, for ever; owners and guardians nothing, and the gateway's and the
///         sentinels' keys are not theirs. Whoever calls whatever in any state: no Safe is told anything, no pause begins, no limit
///         rises and no payout key changes.
/// @dev That an order needs its owners is the Safe's own; that the vault's return needs its owners or the guardians:
///      emergency/TheVaultReturnsOnlyToTheOrigin.
/// @custom:halmos --default-bytes-lengths 0,65 --default-array-lengths 0,2
contract ValidatorsAloneMoveNothing {
    UnheardOwners private guard;
    ModuleSafe private safe;
    NoMembers private nobody;
    AnyActions private actions;
    EmergencyBrake private brake;
    Evacuator private evacuator;
    PayoutModule private module;
    Governor private governor;

    function setUp() external {
        (guard, safe, nobody, actions) = (new UnheardOwners(), new ModuleSafe(), new NoMembers(), new AnyActions());
        ICertificateVerifier verifier = ICertificateVerifier(address(new EveryMessage()));
        IGuardians guardians = IGuardians(address(nobody));
        brake = new EmergencyBrake(
            EmergencyBrake.Neighbours(address(guard), verifier, guardians),
            EmergencyBrake.Delays(6 hours, 30 days, 1 hours, 24 hours),
            new EmergencyBrake.Sentinel[](0)
        );
        evacuator = new Evacuator(
            Evacuator.Neighbours(
                address(guard),
                brake,
                verifier,
                IValidatorRegistry(address(new AnyRegistry())),
                guardians,
                IColdVault(address(0x7A))
            )
        );
        module = new PayoutModule(address(guard), address(0x60), IStandingRegistry(address(nobody)), 24 hours);
        governor = new Governor(
            Governor.Neighbours(
                address(guard),
                IActions(address(actions)),
                verifier,
                module,
                guardians,
                IStandingRegistry(address(nobody))
            ),
            Governor.Delays(48 hours, 14 days),
            0
        );
        svm.enableSymbolicStorage(address(guard));
        svm.enableSymbolicStorage(address(safe));
        svm.enableSymbolicStorage(address(actions));
        svm.enableSymbolicStorage(address(brake));
        svm.enableSymbolicStorage(address(evacuator));
        svm.enableSymbolicStorage(address(module));
        svm.enableSymbolicStorage(address(governor));
        vm.warp(svm.createUint(40, "now"));
    }

    function check_noSafeIsToldAnything(address sender, bool evacuates) external {
        vm.assume(!brake.isPaused());
        bytes32 group = guard.groupOf(address(safe));
        vm.assume(sender != module.payoutKeyOf(group));
        uint256 orders = safe.orders();
        bytes memory data = svm.createCalldata(evacuates ? "Evacuator" : "PayoutModule");
        _call(sender, evacuates ? address(evacuator) : address(module), data);
        assert(safe.orders() == orders);
    }

    /// @notice So the evacuator stays shut.
    function check_noPauseBegins(address sender) external {
        bytes memory data = svm.createCalldata("EmergencyBrake");
        vm.assume(bytes4(data) != brake.pauseBySentinel.selector);
        vm.assume(!brake.isPaused());
        _call(sender, address(brake), data);
        assert(!brake.isPaused());
    }

    function check_noGuardiansPauseEnds(address sender) external {
        (uint64 id, IEmergencyBrake.Kind kind,,) = brake.lastPause();
        bytes memory data = svm.createCalldata("EmergencyBrake");
        vm.assume(brake.isPaused() && kind == IEmergencyBrake.Kind.Guardian && brake.endsFrom(id) == 0);
        _call(sender, address(brake), data);
        assert(brake.isPaused());
    }

    function check_noLimitRisesAndNoPayoutKeyChanges(address sender) external {
        (Govern memory govern, IGovernor.Target memory target) = anyChange();
        vm.assume(guard.accepted(target.group, govern.governId) == 0);
        ITransferGuard.Limits memory limits = guard.limitsOf(target.group, target.token);
        address key = module.payoutKeyOf(target.group);
        governor.schedule(govern, target, "");
        vm.prank(sender);
        (bool success,) = address(governor).call(abi.encodeCall(governor.execute, (govern.governId)));
        success;
        ITransferGuard.Limits memory found = guard.limitsOf(target.group, target.token);
        assert(found.daily <= limits.daily && found.certifiedFrom <= limits.certifiedFrom);
        assert(found.noticeFrom <= limits.noticeFrom && module.payoutKeyOf(target.group) == key);
    }

    function reaches_aLowerLimit() external {
        (Govern memory govern, IGovernor.Target memory target) = anyChange();
        vm.assume(guard.accepted(target.group, govern.governId) == 0);
        ITransferGuard.Limits memory limits = guard.limitsOf(target.group, target.token);
        governor.schedule(govern, target, "");
        governor.execute(govern.governId);
        assert(guard.limitsOf(target.group, target.token).daily == limits.daily);
    }

    /// @notice With the payout key, which is not theirs, a Safe is told something: the model lets it.
    function reaches_aPayoutByItsKey(address sender) external {
        uint256 orders = safe.orders();
        LedgerToken token = new LedgerToken();
        vm.prank(sender);
        module.payout(address(safe), svm.createBytes32("id"), address(token), svm.createAddress("to"), 0);
        assert(safe.orders() == orders);
    }

    /// @notice While guardians pause, a quorum evacuates: the model lets it.
    function reaches_anEvacuationWhilePaused() external {
        vm.assume(brake.isPaused());
        uint256 orders = safe.orders();
        LedgerToken token = new LedgerToken();
        token.mint(address(safe), 1);
        vm.etch(address(0x7A), hex"00");
        uint64 id = uint64(svm.createUint(64, "pauseId"));
        evacuator.evacuate(id, uint64(svm.createUint(64, "epoch")), address(safe), address(token), "");
        assert(safe.orders() == orders);
    }

    function _call(address sender, address to, bytes memory data) private {
        vm.prank(sender);
        (bool success,) = to.call(data);
        success;
    }
}
