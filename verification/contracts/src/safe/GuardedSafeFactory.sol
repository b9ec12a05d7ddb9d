// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {GuardedSafeSetup} from "./GuardedSafeSetup.sol";
import {IGuardedSafeFactory} from "./IGuardedSafeFactory.sol";
import {ITransferGuard} from "./ITransferGuard.sol";

/// @title The only maker of guarded Safes
/// @notice A Safe's address holds its whole plan, so whoever sends `create` gets the Safe that the plan's author wanted.
contract GuardedSafeFactory is IGuardedSafeFactory {
    ITransferGuard public immutable guard;
    address public immutable safeSingleton;
    /// @notice What each new Safe delegates to. Made here, so that it is known to be this code.
    GuardedSafeSetup public immutable setup;
    address private immutable _creationCode;

    /// @param proxyCreationCode Of Safe's own proxy, from its published artifact, so that the code of a guarded Safe is the
    ///        canonical one that wallets know. The guard checks the hash of what comes out.
    constructor(
        ITransferGuard guard_,
        address payoutModule,
        address evacuator,
        address safeSingleton_,
        bytes memory proxyCreationCode
    ) {
        guard = guard_;
        safeSingleton = safeSingleton_;
        setup = new GuardedSafeSetup(address(guard_), payoutModule, evacuator);
        _creationCode = SSTORE2.write(abi.encodePacked(proxyCreationCode, abi.encode(safeSingleton_)));
    }

    /// @inheritdoc IGuardedSafeFactory
    function addressOf(Plan calldata plan) external view returns (address safe) {
        return _addressOf(_saltOf(plan), keccak256(SSTORE2.read(_creationCode)));
    }

    /// @inheritdoc IGuardedSafeFactory
    function create(Plan calldata plan) external returns (address safe) {
        bytes memory code = SSTORE2.read(_creationCode);
        bytes32 salt = _saltOf(plan);
        safe = _addressOf(salt, keccak256(code));
        if (safe.code.length != 0) return safe;
        if (plan.group != 0 && (plan.tokens.length != 0 || plan.limits.length != 0)) revert LimitsOfAnotherGroup();

        Create2.deploy(0, salt, code);
        bytes memory install = abi.encodeCall(GuardedSafeSetup.install, ());
        ISafe(payable(safe))
            .setup(plan.owners, plan.threshold, address(setup), install, address(0), address(0), 0, payable(address(0)));
        guard.register(safe, plan.group, plan.tokens, plan.limits);
        emit GuardedSafeCreated(safe, plan.group);
    }

    function _saltOf(Plan calldata plan) private pure returns (bytes32) {
        return keccak256(abi.encode(plan));
    }

    function _addressOf(bytes32 salt, bytes32 codeHash) private view returns (address) {
        return Create2.computeAddress(salt, codeHash);
    }
}
