// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BLS} from "src/quorum/BLS.sol";
import {CertificateVerifier} from "src/quorum/CertificateVerifier.sol";
import {ICertificateVerifier as I} from "src/quorum/ICertificateVerifier.sol";
import {IValidatorRegistry} from "src/quorum/IValidatorRegistry.sol";
import {Committee} from "../support/Committee.sol";
import {QuorumBase} from "../support/QuorumBase.sol";
import {LooseRegistry} from "../support/QuorumDoubles.sol";
import {QuorumVectors} from "../support/QuorumVectors.sol";

contract VerifyTest is QuorumBase {
    function test_quorum_of_4_and_all_of_them() public view {
        for (uint256 bitmap = 7; bitmap < 16; ++bitmap) {
            if (bitmap == 8 || bitmap == 9 || bitmap == 10 || bitmap == 12) continue;
            verifier.verify(DIGEST, 1, quorum(bitmap, DIGEST));
        }
    }

    function test_signature_made_by_py_ecc() public view {
        verifier.verify(QuorumVectors.DIGEST, 1, QuorumVectors.QUORUM_SIGNATURE);
    }

    /// @dev n - floor((n - 1) / 3): 2f + 1 of 3f + 1, and no less for the sizes between.
    function test_quorum_of_each_size() public {
        uint8[9] memory sizes = [4, 5, 6, 7, 8, 9, 10, 13, 16];
        uint8[9] memory quorums = [3, 4, 5, 5, 6, 7, 7, 9, 11];
        for (uint256 i = 0; i < sizes.length; ++i) {
            create(sizes[i]);
            uint256 enough = (1 << quorums[i]) - 1;
            bytes memory signature = quorum(enough, DIGEST);
            verifier.verify(DIGEST, 1, signature);
            signature = quorum(enough >> 1, DIGEST);
            vm.expectRevert(abi.encodeWithSelector(I.BelowQuorum.selector, quorums[i] - 1, quorums[i]));
            verifier.verify(DIGEST, 1, signature);
        }
    }

    function test_any_subset_is_by_its_signers_or_refused(uint256 bitmap, bytes32 digest, uint256 named) public {
        create(7);
        bitmap = bitmap & 127;
        named = named & 127;
        bytes memory signature = abi.encodePacked(
            named, Committee.aggregate(validators, bitmap, abi.encodePacked(digest), Committee.SIGNATURE_SUITE)
        );
        uint256 signers = 0;
        for (uint256 i = 0; i < 7; ++i) {
            signers += (named >> i) & 1;
        }
        if (signers < 5) vm.expectRevert(abi.encodeWithSelector(I.BelowQuorum.selector, signers, 5));
        else if (bitmap == 0) vm.expectRevert(I.InfinityPoint.selector);
        else if (named != bitmap) vm.expectRevert(I.InvalidSignature.selector);
        verifier.verify(digest, 1, signature);
    }

    function test_other_epoch() public {
        bytes memory signature = quorum(7, DIGEST);
        vm.expectRevert(abi.encodeWithSelector(I.WrongEpoch.selector, 0, 1));
        verifier.verify(DIGEST, 0, signature);
        vm.expectRevert(abi.encodeWithSelector(I.WrongEpoch.selector, 2, 1));
        verifier.verify(DIGEST, 2, signature);
    }

    function test_other_digest() public {
        bytes memory signature = quorum(7, DIGEST);
        vm.expectRevert(I.InvalidSignature.selector);
        verifier.verify(keccak256("another"), 1, signature);
    }

    function test_every_bit_beyond_the_validators() public {
        bytes memory signature = quorum(7, DIGEST);
        for (uint256 bit = 4; bit < 256; ++bit) {
            vm.expectRevert(I.UnknownValidator.selector);
            verifier.verify(DIGEST, 1, spliced(signature, 0, 32, abi.encode(7 | (1 << bit))));
        }
    }

    function test_empty_bitmap_with_infinity() public {
        vm.expectRevert(abi.encodeWithSelector(I.BelowQuorum.selector, 0, 3));
        verifier.verify(DIGEST, 1, new bytes(288));
    }

    function test_infinity_as_signature() public {
        vm.expectRevert(I.InfinityPoint.selector);
        verifier.verify(DIGEST, 1, bytes.concat(abi.encode(7), new bytes(256)));
    }

    /// @dev A registry that let a key and its negation in, twice: the sum of all four is infinity, and so would sign anything.
    function test_infinity_as_aggregate_key() public {
        bytes memory one = Committee.keyOf(1);
        bytes memory two = Committee.keyOf(2);
        CertificateVerifier loose = _over(bytes.concat(one, negated(one), two, negated(two)));
        bytes memory anything = Committee.sign(3, "anything", Committee.SIGNATURE_SUITE);
        vm.expectRevert(I.InfinityPoint.selector);
        loose.verify(DIGEST, 5, bytes.concat(abi.encode(15), anything));
        vm.expectRevert(I.InfinityPoint.selector);
        loose.verify(DIGEST, 5, bytes.concat(abi.encode(15), new bytes(256)));
    }

    function test_signature_of_another_length() public {
        bytes memory signature = quorum(7, DIGEST);
        vm.expectRevert(I.MalformedSignature.selector);
        verifier.verify(DIGEST, 1, "");
        vm.expectRevert(I.MalformedSignature.selector);
        verifier.verify(DIGEST, 1, slice(signature, 0, 287));
        vm.expectRevert(I.MalformedSignature.selector);
        verifier.verify(DIGEST, 1, bytes.concat(signature, hex"00"));
    }

    /// @dev Bytes beyond the signature would be pairs of the product, here the one that makes it one for any quorum.
    function test_signature_that_brings_its_own_pair() public {
        bytes memory aggregate = BLS.sum(Committee.keys(validators), 7);
        bytes memory hash = BLS.hashToG2(abi.encodePacked(DIGEST), Committee.SIGNATURE_SUITE);
        bytes memory signature = bytes.concat(new bytes(256), negated(aggregate), hash);
        vm.expectRevert(I.MalformedSignature.selector);
        verifier.verify(DIGEST, 1, bytes.concat(abi.encode(7), signature));
        vm.assertTrue(!BLS.isSignedBy(aggregate, abi.encodePacked(DIGEST), Committee.SIGNATURE_SUITE, signature));
    }

    /// @dev The library's own: no key but one of 128 bytes.
    function test_key_that_brings_its_own_pair() public view {
        bytes memory message = abi.encodePacked(DIGEST);
        bytes memory key = Committee.keyOf(1);
        bytes memory hash = BLS.hashToG2(message, Committee.SIGNATURE_SUITE);
        bytes memory long = bytes.concat(key, hash, negated(key));
        vm.assertTrue(!BLS.isSignedBy(long, message, Committee.SIGNATURE_SUITE, new bytes(256)));
    }

    function test_signature_outside_the_subgroup() public {
        _refused(bytes.concat(abi.encode(7), QuorumVectors.G2_OUTSIDE));
    }

    function test_signature_off_the_curve() public {
        bytes memory signature = quorum(7, DIGEST);
        signature[287] ^= 0x01;
        _refused(signature);
    }

    function test_signature_not_reduced() public {
        bytes memory signature = quorum(7, DIGEST);
        for (uint256 part = 0; part < 4; ++part) {
            uint256 start = 32 + 64 * part;
            _refused(spliced(signature, start, 64, plusP(slice(signature, start, start + 64))));
        }
    }

    function test_signature_with_dirty_upper_bytes() public {
        for (uint256 part = 0; part < 4; ++part) {
            bytes memory signature = quorum(7, DIGEST);
            signature[32 + 64 * part] = 0x01;
            _refused(signature);
        }
    }

    function test_negated_signature() public {
        bytes memory signature = quorum(7, DIGEST);
        bytes memory zero = new bytes(64);
        bytes memory y0 = negated(bytes.concat(zero, slice(signature, 160, 224)));
        bytes memory y1 = negated(bytes.concat(zero, slice(signature, 224, 288)));
        _refused(bytes.concat(slice(signature, 0, 160), slice(y0, 64, 128), slice(y1, 64, 128)));
    }

    function test_signature_of_other_suites() public {
        bytes memory nul = QuorumVectors.NUL_SIGNATURE;
        vm.expectRevert(I.InvalidSignature.selector);
        verifier.verify(QuorumVectors.DIGEST, 1, nul);
        bytes memory asProof = bytes.concat(
            abi.encode(7), Committee.aggregate(validators, 7, abi.encodePacked(DIGEST), Committee.PROOF_SUITE)
        );
        _refused(asProof);
    }

    function test_one_validator_in_the_name_of_three() public {
        bytes memory alone = Committee.aggregate(validators, 1, abi.encodePacked(DIGEST), Committee.SIGNATURE_SUITE);
        _refused(bytes.concat(abi.encode(7), alone));
    }

    /// @dev Why keys are proven: the fourth "key" is the attacker's minus the others, so the attacker alone signs for all. The
    ///      verifier cannot see it; the registry refuses the key (prove.t.sol).
    function test_rogue_key_would_pass_if_the_registry_let_it_in() public {
        (bytes memory keys,) = rogueKeys();
        bytes memory attackers = Committee.sign(4242, abi.encodePacked(DIGEST), Committee.SIGNATURE_SUITE);
        _over(keys).verify(DIGEST, 5, bytes.concat(abi.encode(15), attackers));
    }

    function rogueKeys() private view returns (bytes memory keys, bytes memory rogue) {
        bytes memory others = BLS.sum(Committee.keys(validators), 7);
        rogue = BLS.sum(bytes.concat(Committee.keyOf(4242), negated(others)), 3);
        keys = bytes.concat(slice(Committee.keys(validators), 0, 384), rogue);
    }

    function test_fewer_than_four_validators() public {
        for (uint256 n = 0; n < 4; ++n) {
            uint256[] memory few = Committee.secrets(1, n);
            CertificateVerifier loose = _over(Committee.keys(few));
            uint256 all = (1 << n) - 1;
            bytes memory signature = bytes.concat(abi.encode(all), new bytes(256));
            if (n > 0) signature = Committee.quorumSignature(few, all, DIGEST);
            vm.expectRevert(I.TooFewValidators.selector);
            loose.verify(DIGEST, 5, signature);
        }
    }

    function test_registry_without_code() public {
        CertificateVerifier nobody = new CertificateVerifier(IValidatorRegistry(address(0xdead)));
        bytes memory signature = quorum(7, DIGEST);
        vm.expectRevert();
        nobody.verify(DIGEST, 1, signature);
    }

    /// @dev Before Prague the addresses of EIP-2537 have no code and answer success with nothing.
    function test_precompiles_that_answer_nothing() public {
        bytes memory signature = quorum(7, DIGEST);
        uint160[4] memory precompiles = [uint160(0x0b), 0x0d, 0x11, 0x05];
        for (uint256 i = 0; i < precompiles.length; ++i) {
            vm.mockCall(address(precompiles[i]), "", "");
            vm.expectRevert(abi.encodeWithSelector(BLS.PrecompileFailed.selector, precompiles[i]));
            verifier.verify(DIGEST, 1, signature);
            vm.clearMockedCalls();
        }
        vm.mockCall(address(0x0f), "", "");
        _refused(signature);
        vm.clearMockedCalls();
        verifier.verify(DIGEST, 1, signature);
    }

    /// @dev A pairing that answers anything but the word one is no.
    function test_pairing_that_answers_two() public {
        bytes memory signature = quorum(7, DIGEST);
        vm.mockCall(address(0x0f), "", abi.encode(2));
        _refused(signature);
        vm.mockCall(address(0x0f), "", abi.encode(1, 1));
        _refused(signature);
    }

    /// @dev With the gas of an ordinary transaction: a pairing that refuses a point takes all it is given, and what stays is
    ///      enough to say why.
    function _refused(bytes memory signature) private {
        vm.expectRevert(I.InvalidSignature.selector);
        verifier.verify{gas: 250_000}(DIGEST, 1, signature);
    }

    function _over(bytes memory keys) private returns (CertificateVerifier) {
        return new CertificateVerifier(IValidatorRegistry(address(new LooseRegistry(keys))));
    }
}
