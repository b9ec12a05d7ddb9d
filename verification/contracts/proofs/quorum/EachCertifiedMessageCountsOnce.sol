// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ColdVault} from "src/emergency/ColdVault.sol";
import {EmergencyBrake} from "src/emergency/EmergencyBrake.sol";
import {Actions} from "src/governance/Actions.sol";
import {Governor} from "src/governance/Governor.sol";
import {IActions} from "src/governance/IActions.sol";
import {IGovernor} from "src/governance/IGovernor.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Govern, Return, Unpause} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {IPayoutModule} from "src/safe/IPayoutModule.sol";
import {IStandingRegistry} from "src/standing/IStandingRegistry.sol";
import {AnyRegistryState} from "../support/AnyRegistryState.sol";
import {svm, vm} from "../support/Cheats.sol";
import {AnyActions, OneMessage} from "../support/Neighbours.sol";

/// @notice Validators have signed one message, in one epoch, and nothing else. Each contract that takes one, in any state: once it
///         has counted, nothing counts there any more, however it is asked and how much later; and that one is of this epoch.
/// @dev A Safe's order is for one nonce: safe/ACertificateIsForOneOrder. An evacuation: emergency/EvacuationOnlyToTheVault. That the
///      epoch is the current one is the verifier's: quorum/BelowAQuorumNothingVerifies.
/// @custom:bound rotations to keys of four given x and any y
/// @custom:bound hash functions without collisions
/// @custom:halmos --loop 8
contract EachCertifiedMessageCountsOnce is AnyRegistryState {
    OneMessage private verifier;
    AnyActions private actions;

    function setUp() external {
        (verifier, actions) = (new OneMessage(), new AnyActions());
        svm.enableSymbolicStorage(address(verifier));
        svm.enableSymbolicStorage(address(actions));
        deployed(address(actions), address(verifier));
        vm.assume(actions.last() < type(uint64).max - 2);
    }

    function check_anUnpause(uint32 later) external {
        EmergencyBrake brake = _brake();
        uint64 epoch = _proposes(brake);
        if (epoch == 0) return;
        assert(epoch == verifier.epoch());
        vm.warp(block.timestamp + later);
        assert(_proposes(brake) == 0);
    }

    function check_aReturn(uint32 later) external {
        ColdVault vault = _vault();
        uint64 epoch = _returns(vault);
        if (epoch == 0) return;
        assert(epoch == verifier.epoch());
        vm.warp(block.timestamp + later);
        assert(_returns(vault) == 0);
    }

    function check_aChange(uint32 later) external {
        Governor governor = _governor();
        uint64 epoch = _governs(governor);
        if (epoch == 0) return;
        assert(epoch == verifier.epoch());
        vm.warp(block.timestamp + later);
        assert(_governs(governor) == 0);
    }

    function check_aRotation(uint32 later) external {
        if (!run(_toGivenKeys(Verb.ScheduleRotation))) return;
        assert(registry.epoch() == verifier.epoch());
        vm.warp(block.timestamp + later);
        assert(!run(_toGivenKeys(Verb.ScheduleRotation)));
    }

    function check_aRotationInTheNextEpoch(uint32 later) external {
        if (!run(_toGivenKeys(Verb.ScheduleRotation))) return;
        vm.warp(block.timestamp + later);
        if (!run(_toGivenKeys(Verb.StartEpoch))) return;
        assert(!run(_toGivenKeys(Verb.ScheduleRotation)));
    }

    function check_aCancellation(uint32 later) external {
        Actions machine = _machine();
        uint64 epoch = _cancels(machine);
        if (epoch == 0) return;
        assert(epoch == verifier.epoch());
        vm.warp(block.timestamp + later);
        assert(_cancels(machine) == 0);
    }

    function reaches_anUnpause() external {
        assert(_proposes(_brake()) == 0);
    }

    function reaches_aReturn() external {
        assert(_returns(_vault()) == 0);
    }

    function reaches_aChange() external {
        assert(_governs(_governor()) == 0);
    }

    function reaches_aRotation() external {
        assert(!run(stepOf(Verb.ScheduleRotation)));
    }

    function reaches_aCancellation() external {
        assert(_cancels(_machine()) == 0);
    }

    /// @dev What their order is about is another proof's: quorum/KeysChangeOnlyByTakenActions.
    function _toGivenKeys(Verb verb) private returns (Step memory step) {
        step = stepOf(verb);
        step.keys = "";
        for (uint256 x = 1; x <= 4; ++x) {
            step.keys = bytes.concat(step.keys, abi.encode(0, x), svm.createBytes(64, "y"));
        }
    }

    /// @dev Each of these: any message of an epoch that is not zero; the epoch if it counted, else zero.
    function _proposes(EmergencyBrake brake) private returns (uint64) {
        Unpause memory message =
            Unpause(_uint64("pauseId"), _epoch(), _uint64("validUntil"), svm.createBytes32("facts"));
        try brake.proposeUnpause(message, "") {
            return message.epoch;
        } catch {
            return 0;
        }
    }

    function _returns(ColdVault vault) private returns (uint64) {
        address to = svm.createAddress("safe");
        address token = svm.createAddress("token");
        Return memory order = Return(_uint64("returnId"), _epoch(), to, token, svm.createUint256("amount"));
        try vault.scheduleReturnByGuardians(order, "", "") {
            return order.epoch;
        } catch {
            return 0;
        }
    }

    function _governs(Governor governor) private returns (uint64) {
        Govern memory govern = Govern(
            _uint64("governId"), _epoch(), svm.createBytes32("key"), svm.createBytes32("value"), _uint64("notBefore")
        );
        uint256 parameter = svm.createUint(8, "parameter");
        vm.assume(parameter <= uint8(type(IGovernor.Parameter).max));
        IGovernor.Target memory target =
            IGovernor.Target(IGovernor.Parameter(parameter), svm.createBytes32("group"), svm.createAddress("token"));
        try governor.schedule(govern, target, "") {
            return govern.epoch;
        } catch {
            return 0;
        }
    }

    function _cancels(Actions machine) private returns (uint64 epoch) {
        epoch = _epoch();
        try machine.cancel(_uint64("actionId"), epoch, "") {}
        catch {
            return 0;
        }
    }

    function _brake() private returns (EmergencyBrake brake) {
        brake = new EmergencyBrake(
            EmergencyBrake.Neighbours(GUARD, _verifier(), IGuardians(address(guardians))),
            EmergencyBrake.Delays(6 hours, 30 days, 1 hours, 24 hours),
            new EmergencyBrake.Sentinel[](0)
        );
        svm.enableSymbolicStorage(address(brake));
    }

    function _vault() private returns (ColdVault vault) {
        address[] memory owners = new address[](1);
        owners[0] = address(1);
        vault = new ColdVault(
            ColdVault.Neighbours(
                GUARD, _verifier(), IGuardians(address(guardians)), IActions(address(actions)), address(0xE7A)
            ),
            ColdVault.Delays(48 hours, 14 days),
            owners,
            1
        );
        svm.enableSymbolicStorage(address(vault));
    }

    function _governor() private returns (Governor governor) {
        governor = new Governor(
            Governor.Neighbours(
                GUARD,
                IActions(address(actions)),
                _verifier(),
                IPayoutModule(address(0x9A1)),
                IGuardians(address(guardians)),
                IStandingRegistry(address(0x57))
            ),
            Governor.Delays(48 hours, 14 days),
            0
        );
        svm.enableSymbolicStorage(address(governor));
    }

    function _machine() private returns (Actions machine) {
        machine = new Actions(
            Actions.Neighbours(
                GUARD, _verifier(), IGuardians(address(guardians)), address(registry), address(0x60), address(0x7A)
            ),
            7 days
        );
        svm.enableSymbolicStorage(address(machine));
    }

    function _verifier() private view returns (ICertificateVerifier) {
        return ICertificateVerifier(address(verifier));
    }

    function _uint64(string memory name) private returns (uint64) {
        return uint64(svm.createUint(64, name));
    }

    function _epoch() private returns (uint64 epoch) {
        epoch = _uint64("epoch");
        vm.assume(epoch != 0);
    }
}
