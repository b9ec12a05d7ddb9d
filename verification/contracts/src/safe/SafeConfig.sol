// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {IProxy} from "@safe-global/safe-smart-account/contracts/proxies/SafeProxy.sol";

/// @title Who can move a Safe's money, and by which code
/// @notice Read from a Safe v1.5 behind a proxy whose code is known: what other code answers is worth nothing.
library SafeConfig {
    struct Config {
        address singleton;
        bytes32 proxyCodehash;
        address[] owners; // in the Safe's own order
        uint256 threshold;
        address guard;
        address moduleGuard;
        address[] modules; // in the Safe's own order, the first three
        address handler;
    }

    // keccak256 of "guard_manager.guard.address", "module_manager.module_guard.address" and "fallback_manager.handler.address".
    uint256 private constant _GUARD = 0x4a204f620c8c5ccdca3fd54d003badd85ba500436a431f0cbda4f558c93c34c8;
    uint256 private constant _MODULE_GUARD = 0xb104e0b93118902c651344349b610029d694cfdec91c589c91ebafbcd0289947;
    uint256 private constant _HANDLER = 0x6c9a6c4a39284e37ed1cf53d337577d14212a4870fb976a4366c693b939918d5;
    address private constant _FIRST_MODULE = address(1);
    /// @dev One more than a guarded Safe has, so that one too many is seen.
    uint256 private constant _MODULES_READ = 3;

    function read(address safe) internal view returns (Config memory config) {
        config.singleton = IProxy(safe).masterCopy();
        config.proxyCodehash = safe.codehash;
        config.owners = ISafe(payable(safe)).getOwners();
        config.threshold = ISafe(payable(safe)).getThreshold();
        config.guard = _addressAt(safe, _GUARD);
        config.moduleGuard = moduleGuardOf(safe);
        (config.modules,) = ISafe(payable(safe)).getModulesPaginated(_FIRST_MODULE, _MODULES_READ);
        config.handler = _addressAt(safe, _HANDLER);
    }

    function hash(Config memory config) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                config.singleton,
                config.proxyCodehash,
                config.owners,
                config.threshold,
                config.guard,
                config.moduleGuard,
                config.modules,
                config.handler
            )
        );
    }

    function moduleGuardOf(address safe) internal view returns (address) {
        return _addressAt(safe, _MODULE_GUARD);
    }

    function _addressAt(address safe, uint256 slot) private view returns (address) {
        return abi.decode(ISafe(payable(safe)).getStorageAt(slot, 1), (address));
    }
}
