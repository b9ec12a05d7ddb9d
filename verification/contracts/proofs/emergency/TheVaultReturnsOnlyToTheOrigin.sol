// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {ColdVault} from "src/emergency/ColdVault.sol";
import {IActions} from "src/governance/IActions.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Messages, Return} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {svm, vm} from "../support/Cheats.sol";
import {LedgerToken} from "../support/EscrowDoubles.sol";
import {AnyActions, AnyMembers, AnyVerifier} from "../support/Neighbours.sol";

/// @notice Money leaves the vault only for the Safe that it came from, at most what is booked for it, by the validators together
///         with the vault's owners two days before, or with the guardians a fortnight before.
/// @custom:bound a vault of three owners, two of whom must sign, with the money of two Safes; signatures of up to two owners
contract TheVaultReturnsOnlyToTheOrigin {
    uint64 private constant OWNERS = 48 hours;
    uint64 private constant GUARDIANS = 14 days;
    address private constant EVACUATOR = address(0xE7A);
    ColdVault private vault;
    LedgerToken private token;
    AnyActions private actions;
    AnyVerifier private verifier;
    AnyMembers private guardians;
    address[3] private keys;
    address private safe;
    address private other;

    function setUp() external {
        (token, actions, verifier, guardians) =
        (new LedgerToken(), new AnyActions(), new AnyVerifier(), new AnyMembers());
        address[] memory owners = new address[](3);
        for (uint256 i = 0; i < 3; ++i) {
            keys[i] = owners[i] = svm.createAddress("owner");
        }
        vm.assume(owners[0] != address(0) && owners[0] < owners[1] && owners[1] < owners[2]);
        vault = new ColdVault(
            ColdVault.Neighbours(
                address(0x6A),
                ICertificateVerifier(address(verifier)),
                IGuardians(address(guardians)),
                IActions(address(actions)),
                EVACUATOR
            ),
            ColdVault.Delays(OWNERS, GUARDIANS),
            owners,
            2
        );
        svm.enableSymbolicStorage(address(token));
        svm.enableSymbolicStorage(address(actions));
        svm.enableSymbolicStorage(address(verifier));
        svm.enableSymbolicStorage(address(guardians));
        vm.warp(svm.createUint(40, "now"));
        (safe, other) = (svm.createAddress("safe"), svm.createAddress("another"));
        vm.assume(safe != other);
        _record(safe, "held");
        _record(other, "others");
        vm.assume(actions.last() < type(uint64).max - 2);
    }

    function check_scheduledByValidatorsAndOwners() external {
        Return memory order = _order();
        bytes32 digest = _digest(order);
        bytes memory one = svm.createBytes(65, "one");
        bytes memory two = svm.createBytes(65, "two");
        uint64 last = vault.lastReturnId();
        if (!_schedules(order, bytes.concat(one, two))) return;
        assert(verifier.signed(digest, order.epoch));
        (address first,,) = ECDSA.tryRecover(digest, one);
        (address second,,) = ECDSA.tryRecover(digest, two);
        assert(first != second && _isOwner(first) && _isOwner(second));
        assert(order.returnId == last + 1 && order.amount <= vault.heldFor(order.safe, order.token));
        assert(actions.scheduledFor(actions.last()) == block.timestamp + OWNERS);
    }

    function check_neverByOneOwnerNorNone() external {
        Return memory order = _order();
        assert(!_schedules(order, ""));
        assert(!_schedules(order, svm.createBytes(65, "one")));
    }

    function check_scheduledByValidatorsAndGuardians() external {
        Return memory order = _order();
        bytes32 digest = _digest(order);
        uint64 last = vault.lastReturnId();
        if (!_schedulesByGuardians(order)) return;
        assert(verifier.signed(digest, order.epoch) && guardians.signed(digest));
        assert(order.returnId == last + 1 && order.amount <= vault.heldFor(order.safe, order.token));
        assert(actions.scheduledFor(actions.last()) == block.timestamp + GUARDIANS);
    }

    /// @notice What is executed is what was scheduled, when its action is ready; it goes to the origin and leaves its book alone.
    function check_executedToTheOriginAtMostWhatIsHeld() external {
        Return memory order = _order();
        vm.assume(order.token == address(token));
        if (!_schedulesByGuardians(order)) return;
        uint64 id = actions.last();
        (uint256 held, uint256 others) = (_held(order.safe), _held(order.safe == safe ? other : safe));
        uint256 before = token.balanceOf(address(vault));
        uint256 theirs = token.balanceOf(order.safe);
        bool ready = actions.isReady(id);
        if (!_executes(order.returnId)) return;
        assert(ready && actions.taken(id) && order.amount <= held);
        assert(_held(order.safe) == held - order.amount);
        assert(_held(order.safe == safe ? other : safe) == others);
        if (order.safe == address(vault)) return;
        assert(before - token.balanceOf(address(vault)) == order.amount);
        unchecked {
            assert(token.balanceOf(order.safe) - theirs == order.amount);
        }
    }

    /// @notice Two orders that together exceed what is booked are not both executed.
    function check_neverMoreThanIsHeldInAll() external {
        Return memory one = _order();
        if (!_schedulesByGuardians(one)) return;
        Return memory two = _order();
        if (!_schedulesByGuardians(two)) return;
        vm.assume(one.safe == two.safe && one.token == two.token);
        uint256 held = vault.heldFor(one.safe, one.token);
        if (!_executes(one.returnId) || !_executes(two.returnId)) return;
        assert(one.amount <= held && two.amount <= held - one.amount);
    }

    /// @notice In any state, by whichever function.
    /// @custom:halmos --default-bytes-lengths 0,65
    function check_noOtherFunctionMovesMoney(address sender) external {
        svm.enableSymbolicStorage(address(vault));
        bytes memory data = svm.createCalldata("ColdVault");
        vm.assume(bytes4(data) != vault.executeReturn.selector);
        uint256 balance = token.balanceOf(address(vault));
        uint256 held = _held(safe);
        vm.prank(sender);
        (bool success,) = address(vault).call(data);
        success;
        assert(token.balanceOf(address(vault)) == balance);
        if (_held(safe) == held) return;
        assert(bytes4(data) == vault.record.selector && sender == EVACUATOR && _held(safe) > held);
    }

    function reaches_aReturn() external {
        Return memory order = _order();
        vm.assume(order.token == address(token) && order.amount != 0);
        if (!_schedules(order, svm.createBytes(130, "owners"))) return;
        assert(!_executes(order.returnId));
    }

    function _record(address origin, string memory name) private {
        vm.prank(EVACUATOR);
        vault.record(origin, address(token), svm.createUint256(name));
    }

    function _order() private returns (Return memory) {
        return Return(
            uint64(svm.createUint(64, "returnId")),
            uint64(svm.createUint(64, "epoch")),
            svm.createAddress("to"),
            svm.createAddress("token"),
            svm.createUint256("amount")
        );
    }

    function _schedules(Return memory order, bytes memory signatures) private returns (bool) {
        try vault.scheduleReturn(order, "", signatures) {
            return true;
        } catch {
            return false;
        }
    }

    function _schedulesByGuardians(Return memory order) private returns (bool) {
        try vault.scheduleReturnByGuardians(order, "", "") {
            return true;
        } catch {
            return false;
        }
    }

    function _executes(uint64 returnId) private returns (bool) {
        try vault.executeReturn(returnId) {
            return true;
        } catch {
            return false;
        }
    }

    function _held(address origin) private view returns (uint256) {
        return vault.heldFor(origin, address(token));
    }

    function _isOwner(address who) private view returns (bool) {
        return who == keys[0] || who == keys[1] || who == keys[2];
    }

    function _digest(Return memory order) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", vault.domainSeparator(), Messages.hash(order)));
    }
}
