// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IColdVault} from "../emergency/IColdVault.sol";
import {IEmergencyBrake} from "../emergency/IEmergencyBrake.sol";
import {IGuardians} from "../governance/IGuardians.sol";
import {Messages} from "../governance/Messages.sol";
import {SettlementDomain} from "../governance/SettlementDomain.sol";
import {ICertificateVerifier} from "../quorum/ICertificateVerifier.sol";
import {IValidatorRegistry} from "../quorum/IValidatorRegistry.sol";
import {IEvacuator} from "./IEvacuator.sol";
import {ITransferGuard} from "./ITransferGuard.sol";
import {ModuleTransfer} from "./ModuleTransfer.sol";

/// @title The way into the vault
/// @notice Whole balances of ERC-20 tokens only, while paused. The native currency cannot be evacuated: it leaves by class D,
///         which a pause stops, so it waits for the end of the pause.
contract Evacuator is IEvacuator, SettlementDomain {
    struct Neighbours {
        address guard;
        IEmergencyBrake brake;
        ICertificateVerifier verifier;
        IValidatorRegistry registry;
        IGuardians guardians;
        IColdVault vault;
    }

    IEmergencyBrake public immutable brake;
    ICertificateVerifier public immutable verifier;
    IValidatorRegistry public immutable registry;
    IGuardians public immutable guardians;
    IColdVault public immutable vault;

    /// @notice Messages that were executed, by digest, whoever signed them.
    mapping(bytes32 digest => bool) public used;

    constructor(Neighbours memory neighbours) SettlementDomain(neighbours.guard) {
        brake = neighbours.brake;
        verifier = neighbours.verifier;
        registry = neighbours.registry;
        guardians = neighbours.guardians;
        vault = neighbours.vault;
    }

    /// @inheritdoc IEvacuator
    function evacuate(uint64 pauseId, uint64 epoch, address safe, address token, bytes calldata quorumSignature)
        external
    {
        bytes32 digest = _digest(Messages.evacuate(pauseId, epoch, safe, token));
        verifier.verify(digest, epoch, quorumSignature);
        _evacuate(digest, pauseId, safe, token);
    }

    /// @inheritdoc IEvacuator
    function evacuateByGuardians(
        uint64 pauseId,
        uint64 epoch,
        address safe,
        address token,
        bytes calldata guardianSignatures
    ) external {
        if (epoch != registry.epoch()) revert WrongEpoch();
        bytes32 digest = _digest(Messages.evacuate(pauseId, epoch, safe, token));
        guardians.check(digest, guardianSignatures);
        _evacuate(digest, pauseId, safe, token);
    }

    function _evacuate(bytes32 digest, uint64 pauseId, address safe, address token) private {
        (uint64 current, bool paused,) = brake.status();
        if (!paused) revert NotPaused();
        if (pauseId != current) revert WrongPauseId();
        if (used[digest]) revert MessageUsed();
        used[digest] = true;
        if (ITransferGuard(guard).groupOf(safe) == 0) revert NotRegistered();
        if (token.code.length == 0) revert TokenHasNoCode();

        uint256 amount = IERC20(token).balanceOf(safe);
        if (amount == 0) revert NothingToEvacuate();
        uint256 before = IERC20(token).balanceOf(address(vault));
        if (!ModuleTransfer.send(safe, token, address(vault), amount)) revert TransferFailed();
        // The vault's book says what came, whatever the token or an exit's other module guard let happen.
        if (IERC20(token).balanceOf(address(vault)) != before + amount) revert TransferFailed();
        vault.record(safe, token, amount);
        emit Evacuated(safe, token, amount, pauseId);
    }
}
