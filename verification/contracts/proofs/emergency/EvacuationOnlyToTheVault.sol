// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IColdVault} from "src/emergency/IColdVault.sol";
import {IEmergencyBrake} from "src/emergency/IEmergencyBrake.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {Messages} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {IValidatorRegistry} from "src/quorum/IValidatorRegistry.sol";
import {Evacuator} from "src/safe/Evacuator.sol";
import {svm, vm} from "../support/Cheats.sol";
import {LedgerToken} from "../support/EscrowDoubles.sol";
import {AnyGroups, ModuleSafe} from "../support/ModuleSafe.sol";
import {AnyBrake, AnyMembers, AnyRegistry, AnyVerifier} from "../support/Neighbours.sol";

/// @notice The vault's book.
contract Book {
    mapping(address safe => mapping(address token => uint256)) public heldFor;

    function record(address safe, address token, uint256 amount) external {
        unchecked {
            heldFor[safe][token] += amount;
        }
    }
}

/// @notice Whoever calls the evacuator in whatever state: a Safe is told nothing but to send its whole balance of a token to the
///         vault, while paused, by a quorum of validators or of guardians who named this pause, this epoch, this Safe and token;
///         once for each message, and the vault books exactly what came.
/// @dev That the guard, too, lets the evacuator send only to the vault: safe/ModulesAreBoundToo.
contract EvacuationOnlyToTheVault {
    Evacuator private evacuator;
    ModuleSafe private safe;
    LedgerToken private token;
    Book private vault;
    AnyGroups private guard;
    AnyBrake private brake;
    AnyVerifier private verifier;
    AnyRegistry private registry;
    AnyMembers private guardians;

    struct Step {
        address sender;
        bool byGuardians;
        uint64 pauseId;
        uint64 epoch;
    }

    function setUp() external {
        (safe, token, vault, guard) = (new ModuleSafe(), new LedgerToken(), new Book(), new AnyGroups());
        (brake, verifier, registry, guardians) =
        (new AnyBrake(), new AnyVerifier(), new AnyRegistry(), new AnyMembers());
        evacuator = new Evacuator(
            Evacuator.Neighbours(
                address(guard),
                IEmergencyBrake(address(brake)),
                ICertificateVerifier(address(verifier)),
                IValidatorRegistry(address(registry)),
                IGuardians(address(guardians)),
                IColdVault(address(vault))
            )
        );
        address[9] memory every = [
            address(evacuator),
            address(safe),
            address(token),
            address(vault),
            address(guard),
            address(brake),
            address(verifier),
            address(registry),
            address(guardians)
        ];
        for (uint256 i = 0; i < every.length; ++i) {
            svm.enableSymbolicStorage(every[i]);
        }
        vm.warp(svm.createUint(40, "now"));
    }

    function check_theWholeBalanceToTheVaultAndBooked() external {
        Step memory step = _any();
        uint256 orders = safe.orders();
        vm.assume(orders < type(uint256).max);
        uint256 balance = token.balanceOf(address(safe));
        uint256 before = token.balanceOf(address(vault));
        uint256 held = vault.heldFor(address(safe), address(token));
        if (!_run(step)) {
            assert(safe.orders() == orders);
            return;
        }
        assert(safe.orders() == orders + 1 && safe.wasTold(address(token), address(vault), balance));
        assert(balance != 0 && token.balanceOf(address(vault)) == before + balance);
        unchecked {
            assert(vault.heldFor(address(safe), address(token)) == held + balance);
        }
    }

    function check_onlyWhilePausedOfAGuardedSafe() external {
        Step memory step = _any();
        if (!_run(step)) return;
        assert(brake.paused() && brake.pauseId() == step.pauseId && guard.groupOf(address(safe)) != 0);
    }

    function check_onlyByAQuorumOfThisEpoch() external {
        Step memory step = _any();
        bytes32 digest = _digest(step);
        if (!_run(step)) return;
        if (step.byGuardians) assert(guardians.signed(digest) && step.epoch == registry.epoch());
        else assert(verifier.signed(digest, step.epoch));
    }

    /// @notice Whoever of the two signed it.
    function check_eachMessageOnce() external {
        Step memory step = _any();
        if (!_run(step)) return;
        Step memory again = _any();
        (again.pauseId, again.epoch) = (step.pauseId, step.epoch);
        assert(!_run(again));
    }

    /// @custom:halmos --default-bytes-lengths 0,65
    function check_noOtherFunctionMovesAnything(address sender) external {
        bytes memory data = svm.createCalldata("Evacuator");
        bytes4 selector = bytes4(data);
        vm.assume(selector != evacuator.evacuate.selector && selector != evacuator.evacuateByGuardians.selector);
        uint256 orders = safe.orders();
        uint256 held = vault.heldFor(address(safe), address(token));
        vm.prank(sender);
        (bool success,) = address(evacuator).call(data);
        success;
        assert(safe.orders() == orders && vault.heldFor(address(safe), address(token)) == held);
    }

    function reaches_anEvacuation() external {
        assert(!_run(_any()));
    }

    function _any() private returns (Step memory) {
        return Step(
            svm.createAddress("sender"),
            svm.createBool("byGuardians"),
            uint64(svm.createUint(64, "pauseId")),
            uint64(svm.createUint(64, "epoch"))
        );
    }

    function _run(Step memory step) private returns (bool success) {
        bytes memory data = step.byGuardians
            ? abi.encodeCall(
                evacuator.evacuateByGuardians, (step.pauseId, step.epoch, address(safe), address(token), "")
            )
            : abi.encodeCall(evacuator.evacuate, (step.pauseId, step.epoch, address(safe), address(token), ""));
        vm.prank(step.sender);
        (success,) = address(evacuator).call(data);
    }

    function _digest(Step memory step) private view returns (bytes32) {
        bytes32 hash = Messages.evacuate(step.pauseId, step.epoch, address(safe), address(token));
        return keccak256(abi.encodePacked(hex"1901", evacuator.domainSeparator(), hash));
    }
}
