// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IActions} from "src/governance/IActions.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {CertificateVerifier} from "src/quorum/CertificateVerifier.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {IValidatorRegistry} from "src/quorum/IValidatorRegistry.sol";
import {ValidatorRegistry} from "src/quorum/ValidatorRegistry.sol";
import {Committee} from "./Committee.sol";
import {ActionsDouble, GuardiansDouble} from "./QuorumDoubles.sol";
import {Vm} from "./Vm.sol";

interface QuorumVm is Vm {
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
    function getNonce(address account) external view returns (uint64);
    function mockCall(address callee, bytes calldata data, bytes calldata answer) external;
    function clearMockedCalls() external;
}

/// @notice Registry and verifier that know each other, four validators, doubles for actions and guardians.
abstract contract QuorumBase {
    QuorumVm internal constant vm = QuorumVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint64 internal constant ROTATION = 24 hours;
    uint64 internal constant RECOVERY = 14 days;
    uint256 internal constant NOW = 1_760_000_000;
    bytes32 internal constant DIGEST = keccak256("a message");
    address internal constant GUARD = address(0x9A4D);

    ActionsDouble internal actions;
    GuardiansDouble internal guardians;
    ValidatorRegistry internal registry;
    CertificateVerifier internal verifier;
    /// @dev Secrets, in the order of their keys.
    uint256[] internal validators;

    function setUp() public virtual {
        vm.chainId(31337);
        vm.warp(NOW);
        actions = new ActionsDouble();
        guardians = new GuardiansDouble();
        create(4);
    }

    /// @dev A new registry and its verifier, with `n` validators of generation 1.
    function create(uint256 n) internal {
        validators = Committee.secrets(1, n);
        create(Committee.keys(validators), Committee.proofs(validators));
    }

    function create(bytes memory keys, bytes[] memory proofs) internal {
        registry = new ValidatorRegistry(neighbours(), ValidatorRegistry.Delays(ROTATION, RECOVERY), keys, proofs);
        verifier = new CertificateVerifier(registry);
    }

    function neighbours() internal view returns (ValidatorRegistry.Neighbours memory) {
        address next = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        return ValidatorRegistry.Neighbours(GUARD, actions, ICertificateVerifier(next), guardians);
    }

    /// @dev Secrets of another set whose keys are proven.
    function successors(uint256 generation, uint256 n) internal returns (uint256[] memory secrets) {
        secrets = Committee.secrets(generation, n);
        for (uint256 i = 0; i < n; ++i) {
            registry.prove(Committee.keyOf(secrets[i]), Committee.proof(secrets[i]));
        }
    }

    function quorum(uint256 bitmap, bytes32 digest) internal view returns (bytes memory) {
        return Committee.quorumSignature(validators, bitmap, digest);
    }

    function typed(bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", registry.domainSeparator(), structHash));
    }

    /// @dev `whole` with `count` bytes from `start` on taken out and `inserted` put in.
    function spliced(bytes memory whole, uint256 start, uint256 count, bytes memory inserted)
        internal
        pure
        returns (bytes memory)
    {
        return bytes.concat(slice(whole, 0, start), inserted, slice(whole, start + count, whole.length));
    }

    function slice(bytes memory whole, uint256 start, uint256 end) internal pure returns (bytes memory part) {
        part = new bytes(end - start);
        for (uint256 i = 0; i < part.length; ++i) {
            part[i] = whole[start + i];
        }
    }

    function keyAt(bytes memory keys, uint256 index) internal pure returns (bytes memory) {
        return slice(keys, 128 * index, 128 * (index + 1));
    }

    /// @dev A coordinate's 64 bytes plus p: the same element, not reduced.
    function plusP(bytes memory coordinate) internal pure returns (bytes memory) {
        (uint256 high, uint256 low) = abi.decode(coordinate, (uint256, uint256));
        uint256 pHigh = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
        uint256 pLow = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
        unchecked {
            uint256 sum = low + pLow;
            return abi.encode(high + pHigh + (sum < low ? 1 : 0), sum);
        }
    }

    /// @dev The point with its y negated: p - y.
    function negated(bytes memory point) internal pure returns (bytes memory) {
        (uint256 xHigh, uint256 xLow, uint256 high, uint256 low) =
            abi.decode(point, (uint256, uint256, uint256, uint256));
        uint256 pHigh = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
        uint256 pLow = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
        unchecked {
            return abi.encode(xHigh, xLow, pHigh - high - (pLow < low ? 1 : 0), pLow - low);
        }
    }
}
