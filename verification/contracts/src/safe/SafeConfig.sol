// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {IStorageAccessible} from "@safe-global/safe-smart-account/contracts/interfaces/IStorageAccessible.sol";
import {IProxy} from "@safe-global/safe-smart-account/contracts/proxies/SafeProxy.sol";

/// @dev Where a Safe v1.5 keeps its configuration, seen from the Safe: one call reads it all, at half the gas of the getters.
interface ISafeStorageReader {
    /// @notice For a Safe to delegate to, by `simulateAndRevert`. Answers `SafeConfig.Config`'s parts, ABI-encoded one by one.
    function readSafeStorage() external view;
}

/// @title Who can move a Safe's money, and by which code
library SafeConfig {
    struct Config {
        address singleton;
        bytes32 proxyCodehash;
        address[] owners; // in the Safe's own order
        uint256 threshold;
        address guard;
        address moduleGuard;
        address[] modules; // in the Safe's own order
        address handler;
    }

    uint256 private constant _SINGLETON = 0;
    uint256 private constant _MODULES = 1;
    uint256 private constant _OWNERS = 2;
    uint256 private constant _THRESHOLD = 4;
    bytes32 private constant _GUARD = keccak256("guard_manager.guard.address");
    bytes32 private constant _MODULE_GUARD = keccak256("module_manager.module_guard.address");
    bytes32 private constant _HANDLER = keccak256("fallback_manager.handler.address");

    /// @notice Whether `safe` is a proxy of this code and singleton: what other code answers is worth nothing. Neither can change
    ///         later but by a delegatecall, which the guard refuses.
    function isGenuine(address safe, address singleton, bytes32 proxyCodehash) internal view returns (bool) {
        return safe.codehash == proxyCodehash && IProxy(safe).masterCopy() == singleton;
    }

    /// @notice The encoded configuration of a genuine Safe, of which keccak256 is the hash. Empty when it cannot be read.
    function encodedOf(address safe, address reader) internal view returns (bytes memory encoded) {
        // The second argument, `bytes` that hold a selector, is written out as its offset, its length and itself.
        bytes4 read = ISafeStorageReader.readSafeStorage.selector;
        (, bytes memory answer) = safe.staticcall(
            abi.encodeWithSelector(IStorageAccessible.simulateAndRevert.selector, reader, 0x40, read.length, read)
        );
        // Whether the reader succeeded, one word; then its answer, length first.
        if (answer.length < 0x40 || uint256(bytes32(answer)) != 1) return "";
        assembly ("memory-safe") {
            encoded := add(answer, 0x40)
        }
    }

    /// @notice The threshold in an encoded configuration.
    function thresholdIn(bytes memory encoded) internal pure returns (uint256 threshold) {
        assembly ("memory-safe") {
            threshold := mload(add(encoded, 0x80))
        }
    }

    function decode(bytes memory encoded) internal pure returns (Config memory config) {
        (
            config.singleton,
            config.proxyCodehash,
            config.owners,
            config.threshold,
            config.guard,
            config.moduleGuard,
            config.modules,
            config.handler
        ) = abi.decode(encoded, (address, bytes32, address[], uint256, address, address, address[], address));
    }

    function encode(Config memory config) internal pure returns (bytes memory) {
        return abi.encode(
            config.singleton,
            config.proxyCodehash,
            config.owners,
            config.threshold,
            config.guard,
            config.moduleGuard,
            config.modules,
            config.handler
        );
    }

    /// @notice Answers, as the whole return data, the encoded configuration in the storage that this runs on: the Safe's, while
    ///         the Safe delegates.
    /// @dev The bytes of `encode`, written straight to where they are returned from, since every guarded transaction pays for
    ///      this. Safe keeps a list as a circle: a mapping from each element, and from address 1, to the next.
    function answerOfThis() internal view {
        (bytes32 guard, bytes32 moduleGuard, bytes32 handler) = (_GUARD, _MODULE_GUARD, _HANDLER);
        assembly ("memory-safe") {
            function writeList(slot, out) -> end {
                mstore(0x20, slot)
                end := add(out, 0x20)
                for { let element := _next(1) } gt(element, 1) { element := _next(element) } {
                    mstore(end, element)
                    end := add(end, 0x20)
                }
                mstore(out, sub(shr(5, sub(end, out)), 1))
            }
            function _next(element) -> next {
                mstore(0, element)
                next := sload(keccak256(0, 0x40))
            }

            let head := mload(0x40)
            let owners := add(head, 0x100)
            let modules := writeList(_OWNERS, owners)
            let end := writeList(_MODULES, modules)
            mstore(head, sload(_SINGLETON))
            mstore(add(head, 0x20), extcodehash(address()))
            mstore(add(head, 0x40), sub(owners, head))
            mstore(add(head, 0x60), sload(_THRESHOLD))
            mstore(add(head, 0x80), sload(guard))
            mstore(add(head, 0xa0), sload(moduleGuard))
            mstore(add(head, 0xc0), sub(modules, head))
            mstore(add(head, 0xe0), sload(handler))
            return(head, sub(end, head))
        }
    }

    function moduleGuardOf(address safe) internal view returns (address) {
        return abi.decode(ISafe(payable(safe)).getStorageAt(uint256(_MODULE_GUARD), 1), (address));
    }
}
