// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Actions} from "src/governance/Actions.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Messages} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {AnyRegistryState} from "../support/AnyRegistryState.sol";
import {svm, vm} from "../support/Cheats.sol";
import {AnyMembers, AnyVerifier} from "../support/Neighbours.sol";
import {Successor} from "../support/Successor.sol";

/// @notice The registry and the delay machine together, in any state: keys recovered by the guardians start from the fourteenth
///         day after their consent until the twenty-first, a rotation not before its time, and neither once a quorum has
///         cancelled it; a rotation not after the guardians' veto.
/// @custom:halmos --loop 8
contract ARecoveryWaitsAFortnight is AnyRegistryState {
    Actions private actions;
    AnyVerifier private verifier;
    AnyMembers private vetoers;

    function setUp() external {
        verifier = new AnyVerifier();
        vetoers = new AnyMembers();
        address registry_ = new Successor().after_(3);
        actions = new Actions(
            Actions.Neighbours(
                GUARD,
                ICertificateVerifier(address(verifier)),
                IGuardians(address(vetoers)),
                registry_,
                address(0x60),
                address(0x7A)
            ),
            7 days
        );
        svm.enableSymbolicStorage(address(actions));
        svm.enableSymbolicStorage(address(verifier));
        svm.enableSymbolicStorage(address(vetoers));
        deployed(address(actions), address(verifier));
        assert(address(registry) == registry_);
        vm.assume(actions.last() < type(uint64).max);
    }

    function check_recoveredKeysStartFromTheFourteenthDayToTheTwentyFirst(uint32 later) external {
        Step memory step = stepOf(Verb.ScheduleRecovery);
        uint256 consent = svm.createUint(40, "consent");
        vm.warp(consent);
        if (!run(step)) return;
        vm.warp(consent + later);
        if (_starts(step.id)) assert(later >= 14 days && later <= 21 days);
    }

    function check_rotatedKeysStartFromTheirTimeForAWeek(uint32 later) external {
        Step memory step = stepOf(Verb.ScheduleRotation);
        uint256 scheduled = svm.createUint(40, "scheduled");
        vm.warp(scheduled);
        if (!run(step)) return;
        uint256 start = scheduled + later;
        vm.warp(start);
        if (!_starts(actions.last())) return;
        assert(later >= 24 hours && start >= step.rotate.notBefore);
        assert(start <= uint256(step.rotate.notBefore) + 7 days);
    }

    function check_aQuorumCancels(bool rotation, uint64 epoch, uint32 later) external {
        Step memory step = stepOf(rotation ? Verb.ScheduleRotation : Verb.ScheduleRecovery);
        if (!run(step)) return;
        uint64 id = rotation ? actions.last() : step.id;
        vm.assume(verifier.signed(digestOf(Messages.cancel(id, epoch)), epoch));
        actions.cancel(id, epoch, "");
        vm.warp(block.timestamp + later);
        assert(!_starts(id));
    }

    function check_guardiansVetoARotationButNoRecovery(bool rotation) external {
        Step memory step = stepOf(rotation ? Verb.ScheduleRotation : Verb.OpenRecovery);
        if (!run(step)) return;
        uint64 id = actions.last();
        vm.assume(vetoers.signed(digestOf(Messages.veto(id))));
        try actions.veto(id, "") {
            assert(rotation && !_starts(id));
        } catch {
            assert(!rotation);
        }
    }

    function reaches_recoveredKeysStart(uint32 later) external {
        Step memory step = stepOf(Verb.ScheduleRecovery);
        if (!run(step)) return;
        vm.warp(block.timestamp + later);
        step.verb = Verb.StartEpoch;
        assert(!run(step));
    }

    function _starts(uint64 id) private returns (bool) {
        Step memory start = stepOf(Verb.StartEpoch);
        start.id = id;
        return run(start);
    }
}
