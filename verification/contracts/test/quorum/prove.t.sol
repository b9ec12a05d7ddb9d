// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BLS} from "src/quorum/BLS.sol";
import {IValidatorRegistry as I} from "src/quorum/IValidatorRegistry.sol";
import {ValidatorRegistry} from "src/quorum/ValidatorRegistry.sol";
import {Committee} from "../support/Committee.sol";
import {QuorumBase} from "../support/QuorumBase.sol";
import {QuorumVectors} from "../support/QuorumVectors.sol";

/// @notice Proofs of possession, and what the first keys must be.
contract ProveTest is QuorumBase {
    bytes private _key = Committee.keyOf(77);
    bytes private _proof = Committee.proof(77);

    function test_proven_key_is_remembered() public {
        vm.assertTrue(!registry.isProven(keccak256(_key)));
        vm.expectEmit(address(registry));
        emit I.KeyProven(keccak256(_key));
        registry.prove(_key, _proof);
        vm.assertTrue(registry.isProven(keccak256(_key)));
    }

    function test_proof_made_by_py_ecc() public {
        create(Committee.keys(Committee.secrets(2, 4)), Committee.proofs(Committee.secrets(2, 4)));
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory key = keyAt(QuorumVectors.KEYS, i);
            registry.prove(key, slice(QuorumVectors.PROOFS, 256 * i, 256 * (i + 1)));
            vm.assertTrue(registry.isProven(keccak256(key)));
        }
    }

    function test_key_with_the_upper_y() public {
        uint256 secret = Committee.ORDER - 77; // the negation of 77's key
        vm.assertEq(Committee.keyOf(secret), negated(_key));
        registry.prove(Committee.keyOf(secret), Committee.proof(secret));
    }

    function test_another_keys_proof() public {
        _refused(Committee.keyOf(78), _proof);
        _refused(negated(_key), _proof);
    }

    /// @dev The attacker knows the secret of neither this key nor a way to sign with it.
    function test_rogue_key() public {
        bytes memory others = BLS.sum(Committee.keys(validators), 15);
        bytes memory rogue = BLS.sum(bytes.concat(_key, negated(others)), 3);
        _refused(rogue, _proof);
        _refused(rogue, Committee.sign(77, BLS.compress(rogue), Committee.PROOF_SUITE));
    }

    /// @dev A signature over the key in the suite of messages is not a proof of it.
    function test_signature_as_proof() public {
        _refused(_key, Committee.sign(77, BLS.compress(_key), Committee.SIGNATURE_SUITE));
    }

    function test_infinity() public {
        _refused(new bytes(128), new bytes(256));
        _refused(_key, new bytes(256));
        _refused(new bytes(128), _proof);
    }

    function test_points_that_are_none() public {
        _refused(QuorumVectors.G1_OUTSIDE, _proof);
        _refused(_key, QuorumVectors.G2_OUTSIDE);
        bytes memory offCurve = bytes.concat(_key);
        offCurve[127] ^= 0x01;
        _refused(offCurve, _proof);
        offCurve = bytes.concat(_proof);
        offCurve[255] ^= 0x01;
        _refused(_key, offCurve);
    }

    /// @dev Else the same key could be proven, and later registered, under a second encoding.
    function test_encodings_not_canonical() public {
        _refused(spliced(_key, 0, 64, plusP(slice(_key, 0, 64))), _proof);
        _refused(spliced(_key, 64, 64, plusP(slice(_key, 64, 128))), _proof);
        bytes memory dirty = bytes.concat(_key);
        dirty[0] = 0x01;
        _refused(dirty, _proof);
        dirty = bytes.concat(_key);
        dirty[64] = 0x01;
        _refused(dirty, _proof);
        _refused(_key, spliced(_proof, 0, 64, plusP(slice(_proof, 0, 64))));
    }

    function test_lengths() public {
        vm.expectRevert(I.MalformedKeys.selector);
        registry.prove("", _proof);
        vm.expectRevert(I.MalformedKeys.selector);
        registry.prove(slice(_key, 0, 127), _proof);
        vm.expectRevert(I.MalformedKeys.selector);
        registry.prove(bytes.concat(_key, hex"00"), _proof);
        _refused(_key, "");
        _refused(_key, slice(_proof, 0, 255));
        _refused(_key, bytes.concat(_proof, hex"00"));
    }

    /// @dev Bytes beyond the proof would be pairs of the product, here the one that makes it one for any key.
    function test_proof_that_brings_its_own_pair() public {
        bytes memory hash = BLS.hashToG2(BLS.compress(_key), Committee.PROOF_SUITE);
        _refused(_key, bytes.concat(new bytes(256), negated(_key), hash));
    }

    function test_first_keys_start_the_first_epoch() public view {
        bytes memory keys = Committee.keys(validators);
        (uint64 number, address pointer) = registry.current();
        vm.assertEq(number, 1);
        vm.assertEq(registry.epoch(), 1);
        vm.assertEq(pointer.code, bytes.concat(hex"00", keys));
        vm.assertEq(registry.keysOf(1), keys);
        vm.assertEq(address(registry.actions()), address(actions));
        vm.assertEq(address(registry.guardians()), address(guardians));
        vm.assertEq(address(registry.verifier()), address(verifier));
        vm.assertEq(address(verifier.registry()), address(registry));
        vm.assertEq(registry.guard(), GUARD);
        vm.assertEq(registry.rotationDelay(), ROTATION);
        vm.assertEq(registry.recoveryDelay(), RECOVERY);
    }

    function test_pointer_cannot_be_called_into_anything() public {
        (, address pointer) = registry.current();
        (bool success, bytes memory answer) = pointer.call(abi.encodeWithSignature("anything()"));
        vm.assertTrue(success && answer.length == 0); // STOP
    }

    function test_keys_of_no_epoch() public {
        vm.expectRevert(I.WrongEpoch.selector);
        registry.keysOf(0);
        vm.expectRevert(I.WrongEpoch.selector);
        registry.keysOf(2);
    }

    function test_first_keys_need_their_proofs() public {
        uint256[] memory secrets = Committee.secrets(3, 4);
        bytes memory keys = Committee.keys(secrets);
        bytes[] memory proofs = Committee.proofs(secrets);
        _notCreated(keys, new bytes[](0), abi.encodeWithSelector(I.InvalidProof.selector));
        _notCreated(keys, Committee.proofs(Committee.secrets(3, 3)), abi.encodeWithSelector(I.InvalidProof.selector));
        (proofs[2], proofs[3]) = (proofs[3], proofs[2]);
        _notCreated(keys, proofs, abi.encodeWithSelector(I.InvalidProof.selector));
    }

    function test_first_keys_are_a_set() public {
        uint256[] memory secrets = Committee.secrets(3, 4);
        bytes[] memory proofs = Committee.proofs(secrets);
        uint256[] memory three = Committee.secrets(3, 3);
        _notCreated(Committee.keys(three), Committee.proofs(three), abi.encodeWithSelector(I.TooFewKeys.selector));
        _notCreated(
            bytes.concat(Committee.keys(secrets), hex"00"), proofs, abi.encodeWithSelector(I.MalformedKeys.selector)
        );
        (secrets[1], secrets[2]) = (secrets[2], secrets[1]);
        _notCreated(
            Committee.keys(secrets), Committee.proofs(secrets), abi.encodeWithSelector(I.KeysNotAscending.selector)
        );
        secrets[1] = secrets[0];
        _notCreated(
            Committee.keys(secrets), Committee.proofs(secrets), abi.encodeWithSelector(I.KeysNotAscending.selector)
        );
        secrets[1] = Committee.ORDER - secrets[0]; // the negation: the same x
        _notCreated(
            Committee.keys(secrets), Committee.proofs(secrets), abi.encodeWithSelector(I.KeysNotAscending.selector)
        );
    }

    function _notCreated(bytes memory keys, bytes[] memory proofs, bytes memory why) private {
        vm.expectRevert(why);
        this.newRegistry(keys, proofs);
    }

    /// @dev A call of its own, so that the test goes on after the revert.
    function newRegistry(bytes calldata keys, bytes[] calldata proofs) external {
        new ValidatorRegistry(neighbours(), ValidatorRegistry.Delays(ROTATION, RECOVERY), keys, proofs);
    }

    function _refused(bytes memory key, bytes memory proof) private {
        vm.expectRevert(I.InvalidProof.selector);
        registry.prove{gas: 250_000}(key, proof);
        vm.assertTrue(!registry.isProven(keccak256(key)));
    }
}
