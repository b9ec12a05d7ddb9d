// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Actions} from "src/governance/Actions.sol";
import {IActions} from "src/governance/IActions.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Messages} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {svm, vm} from "../support/Cheats.sol";
import {AnyMembers, AnyVerifier} from "../support/Neighbours.sol";

/// @notice Any call by anybody, in any state: an action is taken once, by who opened it, from `readyAt` to `expiresAt` and at no
///         other second; it can be ended until then, and never comes back.
contract ActionsHappenOnceInTheirWindow {
    enum Verb {
        Open,
        Schedule,
        Take,
        Withdraw,
        Cancel,
        Veto
    }

    struct Step {
        Verb verb;
        address sender;
        uint64 id;
        uint64 time;
        uint64 epoch;
        bool vetoable;
    }

    uint64 private constant WINDOW = 7 days;
    address private constant GUARD = address(0x6A);
    address private constant REGISTRY = address(0x4E);
    address private constant GOVERNOR = address(0x60);
    address private constant VAULT = address(0x7A);
    Actions private actions;
    AnyVerifier private verifier;
    AnyMembers private guardians;

    function setUp() external {
        verifier = new AnyVerifier();
        guardians = new AnyMembers();
        actions = new Actions(
            Actions.Neighbours(
                GUARD,
                ICertificateVerifier(address(verifier)),
                IGuardians(address(guardians)),
                REGISTRY,
                GOVERNOR,
                VAULT
            ),
            WINDOW
        );
        svm.enableSymbolicStorage(address(actions));
        svm.enableSymbolicStorage(address(verifier));
        svm.enableSymbolicStorage(address(guardians));
        vm.warp(svm.createUint(40, "now"));
    }

    function check_takenOnlyByItsOpenerFromReadyToExpiry(uint64 id) external {
        Step memory step = _any();
        IActions.Action memory before = actions.get(id);
        _run(step);
        IActions.Action memory found = actions.get(id);
        if (found.state != IActions.State.Taken || before.state == IActions.State.Taken) return;
        assert(step.verb == Verb.Take && step.id == id && step.sender == before.opener);
        assert(before.state == IActions.State.Scheduled);
        assert(before.readyAt <= block.timestamp && block.timestamp <= before.expiresAt);
    }

    /// @notice And at every second of that window it can be: nobody's consent is missing then.
    function check_fromReadyToExpiryItsOpenerCanTakeIt() external {
        Step memory step = _any();
        IActions.Action memory before = actions.get(step.id);
        vm.assume(step.verb == Verb.Take && step.sender == before.opener);
        vm.assume(before.state == IActions.State.Scheduled);
        vm.assume(before.readyAt <= block.timestamp && block.timestamp <= before.expiresAt);
        assert(_run(step));
    }

    function check_whatIsTakenOrEndedStaysSo(uint64 id) external {
        Step memory step = _any();
        IActions.Action memory before = actions.get(id);
        vm.assume(before.state >= IActions.State.Taken);
        _wellNumbered(id);
        _run(step);
        assert(actions.get(id).state == before.state);
    }

    function check_timesAreFixedOnceAndSevenDaysApart(uint64 id) external {
        Step memory step = _any();
        IActions.Action memory before = actions.get(id);
        _wellNumbered(id);
        _run(step);
        IActions.Action memory found = actions.get(id);
        if (found.readyAt == before.readyAt && found.expiresAt == before.expiresAt) return;
        assert(step.verb == Verb.Schedule && step.sender == before.opener && before.state == IActions.State.Open);
        assert(found.readyAt == step.time && found.readyAt >= block.timestamp);
        assert(found.expiresAt == found.readyAt + WINDOW && found.state == IActions.State.Scheduled);
    }

    /// @notice Every id is new, and its opener one of the four.
    function check_idsAreNewAndOpenersKnown() external {
        Step memory step = _any();
        uint64 last = actions.last();
        vm.assume(last < type(uint64).max);
        IActions.Action memory before = actions.get(last + 1);
        vm.assume(before.state == IActions.State.None);
        _run(step);
        if (actions.last() == last) {
            assert(actions.get(last + 1).state == IActions.State.None);
            return;
        }
        IActions.Action memory found = actions.get(last + 1);
        assert(actions.last() == last + 1 && step.verb == Verb.Open);
        assert(found.opener == step.sender && found.state == IActions.State.Open && found.vetoable == step.vetoable);
        assert(step.sender == GUARD || step.sender == REGISTRY || step.sender == GOVERNOR || step.sender == VAULT);
    }

    /// @notice Ended only while pending: by its opener, by a quorum of the epoch named, or by a veto where there is one.
    function check_endedOnlyByOpenerQuorumOrVeto(uint64 id) external {
        Step memory step = _any();
        IActions.Action memory before = actions.get(id);
        bool pending = actions.isPending(id);
        bool quorum = verifier.signed(_digest(Messages.cancel(id, step.epoch)), step.epoch);
        bool veto = guardians.signed(_digest(Messages.veto(id)));
        vm.assume(before.state != IActions.State.Ended);
        _wellNumbered(id);
        _run(step);
        if (actions.get(id).state != IActions.State.Ended) return;
        assert(pending && step.id == id);
        if (step.verb == Verb.Withdraw) assert(step.sender == before.opener);
        else if (step.verb == Verb.Cancel) assert(quorum);
        else assert(step.verb == Verb.Veto && veto && before.vetoable);
    }

    /// @notice A quorum's `Cancel` ends whatever is pending, until it is taken.
    function check_aQuorumCanCancelWhateverIsPending() external {
        Step memory step = _any();
        vm.assume(step.verb == Verb.Cancel && actions.isPending(step.id));
        vm.assume(verifier.signed(_digest(Messages.cancel(step.id, step.epoch)), step.epoch));
        assert(_run(step));
        assert(actions.get(step.id).state == IActions.State.Ended);
    }

    function reaches_anActionIsTaken() external {
        Step memory step = _any();
        vm.assume(step.verb == Verb.Take);
        assert(!_run(step));
    }

    function _any() private returns (Step memory step) {
        uint256 verb = svm.createUint(8, "verb");
        vm.assume(verb <= uint8(type(Verb).max));
        step.verb = Verb(verb);
        step.sender = svm.createAddress("sender");
        step.id = uint64(svm.createUint(64, "id"));
        step.time = uint64(svm.createUint(64, "time"));
        step.epoch = uint64(svm.createUint(64, "epoch"));
        step.vetoable = svm.createBool("vetoable");
    }

    function _run(Step memory step) private returns (bool success) {
        bytes memory data = _encode(step);
        vm.prank(step.sender);
        (success,) = address(actions).call(data);
    }

    function _encode(Step memory step) private view returns (bytes memory) {
        if (step.verb == Verb.Open) return abi.encodeCall(actions.open, (step.vetoable));
        if (step.verb == Verb.Schedule) return abi.encodeCall(actions.schedule, (step.id, step.time));
        if (step.verb == Verb.Take) return abi.encodeCall(actions.take, (step.id));
        if (step.verb == Verb.Withdraw) return abi.encodeCall(actions.withdraw, (step.id));
        if (step.verb == Verb.Cancel) return abi.encodeCall(actions.cancel, (step.id, step.epoch, ""));
        return abi.encodeCall(actions.veto, (step.id, ""));
    }

    /// @dev `check_idsAreNewAndOpenersKnown`: what has a state was numbered already.
    function _wellNumbered(uint64 id) private view {
        vm.assume(id <= actions.last() && actions.last() < type(uint64).max);
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", actions.domainSeparator(), structHash));
    }
}
