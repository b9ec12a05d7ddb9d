// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Actions} from "src/governance/Actions.sol";
import {IActions} from "src/governance/IActions.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Messages} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {AnyGuard} from "../support/AnyGuard.sol";
import {svm, vm} from "../support/Cheats.sol";
import {Successor} from "../support/Successor.sol";

/// @notice The guard and the delay machine together, in any state: a Safe leaves from the fourteenth day after the later of the
///         two consents, until seven days later, and neither a second before nor after; and not once its owners or a quorum of
///         validators have cancelled it.
contract AnExitWaitsAFortnight is AnyGuard {
    uint64 private constant WINDOW = 7 days;

    /// @dev The machine and the guard name each other.
    function newActions() internal override returns (address) {
        return address(
            new Actions(
                Actions.Neighbours(
                    new Successor().after_(5),
                    ICertificateVerifier(address(verifier)),
                    IGuardians(address(guardians)),
                    address(0x4E),
                    address(0x60),
                    address(0x7A)
                ),
                WINDOW
            )
        );
    }

    function setUp() public override {
        super.setUp();
        assert(_machine().guard() == address(guard));
    }

    /// @notice The guardians' consent is the later one: it names an exit that the Safe has asked for.
    function check_leavesFromTheFourteenthDayToTheTwentyFirst(bool ofModules, address next, uint32 later) external {
        uint256 consent = svm.createUint(40, "consent");
        vm.warp(consent);
        if (!_consents(guard.exitOf(address(safe)))) return;
        vm.warp(consent + later);
        if (_leaves(ofModules, next)) assert(later >= 14 days && later <= 21 days);
    }

    /// @notice Without a consent there is no leaving: what is not scheduled is not ready.
    function check_neverWithoutTheGuardians(bool ofModules, address next) external {
        uint64 id = guard.exitOf(address(safe));
        vm.assume(_machine().get(id).state != IActions.State.Scheduled);
        assert(!_leaves(ofModules, next));
    }

    function check_ownersCancelIt(bool ofModules, address next, uint32 later) external {
        uint64 id = guard.exitOf(address(safe));
        vm.prank(address(safe));
        try guard.cancelExit(id) {}
        catch {
            return;
        }
        vm.assume(_machine().get(0).state == IActions.State.None); // the first action is number one
        vm.warp(block.timestamp + later);
        assert(!_leaves(ofModules, next));
    }

    function check_validatorsCancelIt(bool ofModules, address next, uint32 later, uint64 epoch) external {
        uint64 id = guard.exitOf(address(safe));
        vm.assume(_machine().isPending(id));
        vm.assume(
            verifier.signed(
                keccak256(abi.encodePacked(hex"1901", guard.domainSeparator(), Messages.cancel(id, epoch))), epoch
            )
        );
        _machine().cancel(id, epoch, "");
        vm.warp(block.timestamp + later);
        assert(!_leaves(ofModules, next));
    }

    function reaches_aSafeLeaves(address next, uint32 later) external {
        if (!_consents(guard.exitOf(address(safe)))) return;
        vm.warp(block.timestamp + later);
        assert(!_leaves(false, next));
    }

    function _consents(uint64 id) private returns (bool) {
        try guard.consentExit(id, address(safe), "") {
            return true;
        } catch {
            return false;
        }
    }

    function _leaves(bool ofModules, address next) private returns (bool) {
        string memory call = ofModules ? "setModuleGuard(address)" : "setGuard(address)";
        return before(address(safe), 0, abi.encodeWithSignature(call, next), owners());
    }

    function _machine() private view returns (Actions) {
        return Actions(address(actions));
    }
}
