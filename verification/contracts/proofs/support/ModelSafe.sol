// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What the guard asks of a Safe, answered by anything: nonce, threshold, configuration before and after a call.
/// @dev How a real Safe's storage is read is not modelled here; tests hold it to Safe's own getters.
contract ModelSafe {
    struct Config {
        address singleton;
        address first; // owners
        address second;
        uint256 threshold;
        address guard;
        address moduleGuard;
        address one; // modules
        address two;
        address handler;
    }

    uint256 public nonce;
    uint256 private _phase;
    mapping(uint256 phase => Config) private _configs;

    function call() external {
        ++_phase;
    }

    function getThreshold() external view returns (uint256) {
        return _configs[_phase].threshold;
    }

    function masterCopy() external view returns (address) {
        return _configs[_phase].singleton;
    }

    function getStorageAt(uint256, uint256) external view returns (bytes memory) {
        return abi.encode(_configs[_phase].moduleGuard);
    }

    function simulateAndRevert(address, bytes calldata) external view {
        bytes memory answer = abi.encode(uint256(1), encoded());
        assembly ("memory-safe") {
            // The success word, then length and bytes without the offset that abi.encode puts between them.
            mstore(add(answer, 0x40), mload(add(answer, 0x20)))
            revert(add(answer, 0x40), sub(mload(answer), 0x20))
        }
    }

    function configured() external view returns (Config memory) {
        return _configs[_phase];
    }

    function encoded() public view returns (bytes memory) {
        return encode(_configs[_phase]);
    }

    function encode(Config memory config) public view returns (bytes memory) {
        address[] memory owners = new address[](2);
        (owners[0], owners[1]) = (config.first, config.second);
        address[] memory modules = new address[](2);
        (modules[0], modules[1]) = (config.one, config.two);
        return abi.encode(
            config.singleton,
            address(this).codehash,
            owners,
            config.threshold,
            config.guard,
            config.moduleGuard,
            modules,
            config.handler
        );
    }
}
