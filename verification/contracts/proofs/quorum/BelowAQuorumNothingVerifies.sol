// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LibBit} from "solady/utils/LibBit.sol";
import {CertificateVerifier} from "src/quorum/CertificateVerifier.sol";
import {IValidatorRegistry} from "src/quorum/IValidatorRegistry.sol";
import {anyBit} from "../support/Bits.sol";
import {svm, vm} from "../support/Cheats.sol";

/// @notice The verifier over an uninterpreted curve: whether a sum of keys signed is anything.
contract AnyCurve is CertificateVerifier {
    mapping(bytes32 question => bool) private _answers;

    constructor(IValidatorRegistry registry_) CertificateVerifier(registry_) {}

    function checkQuorum(uint256 bitmap, uint256 n) external pure {
        _checkQuorum(bitmap, n);
    }

    function isSignedBy(bytes memory keys, uint256 bitmap, bytes32 digest, bytes memory signature)
        external
        view
        returns (bool)
    {
        return _isSignedBy(keys, bitmap, digest, signature);
    }

    function _isSignedBy(bytes memory keys, uint256 bitmap, bytes32 digest, bytes memory signature)
        internal
        view
        override
        returns (bool)
    {
        return _answers[keccak256(abi.encode(keys, bitmap, digest, signature))];
    }
}

/// @notice The registry's answer: any epoch, and keys as contract code.
contract AnyKeys {
    uint64 public epoch;
    address private immutable _pointer;

    constructor(address pointer) {
        _pointer = pointer;
    }

    function current() external view returns (uint64, address) {
        return (epoch, _pointer);
    }
}

/// @notice With f = floor((n - 1) / 3) faulty ones assumed, nothing verifies below n - f signers, for any bitmap and digest, nor
///         with a bit at or above n, in another epoch, for an empty bitmap, or with the point at infinity.
/// @dev The curve is uninterpreted; the real one is held to a reference by tests.
/// @custom:bound a registry's keys of 4, 7 and 19 validators in the whole verifier; its count of signers for any number up to 255
contract BelowAQuorumNothingVerifies {
    address private constant POINTER = address(0x4E15);
    AnyCurve private verifier;
    AnyKeys private registry;

    function setUp() external {
        registry = new AnyKeys(POINTER);
        verifier = new AnyCurve(IValidatorRegistry(address(registry)));
        svm.enableSymbolicStorage(address(registry));
        svm.enableSymbolicStorage(address(verifier));
    }

    /// @notice Two quorums of n share more than f validators, and a quorum is reached without the faulty ones.
    function check_aQuorumForEveryNumberOfValidators(uint256 bitmap, uint8 n) external view {
        try verifier.checkQuorum(bitmap, n) {
            assert(n >= 4 && bitmap != 0 && bitmap >> n == 0);
            uint256 f = (uint256(n) - 1) / 3;
            uint256 signers = LibBit.popCount(bitmap);
            assert(signers >= 2 * f + 1 && signers >= n - f && 2 * signers > n + f);
        } catch {
            return;
        }
    }

    /// @notice And whoever are enough, none beyond n among them, do pass.
    function check_enoughAreEnough(uint256 bitmap, uint8 n) external view {
        vm.assume(n >= 4 && bitmap >> n == 0 && LibBit.popCount(bitmap) >= n - (uint256(n) - 1) / 3);
        try verifier.checkQuorum(bitmap, n) {}
        catch {
            assert(false);
        }
    }

    /// @notice That each signer counts once: so it is for any last byte, and the bytes above it count as if moved down by one.
    function check_countsTheBitsOfAByte(uint8 bits) external pure {
        uint256 count = 0;
        for (uint256 i = 0; i < 8; ++i) {
            count += (uint256(bits) >> i) & 1;
        }
        assert(LibBit.popCount(bits) == count);
    }

    function check_countsByteByByte(uint256 bitmap) external pure {
        assert(LibBit.popCount(bitmap) == LibBit.popCount(bitmap >> 8) + LibBit.popCount(bitmap & 0xff));
    }

    function check_ofFour(bytes32 digest, uint64 epoch) external {
        _verifies(digest, epoch, 4, 3);
    }

    function check_ofSeven(bytes32 digest, uint64 epoch) external {
        _verifies(digest, epoch, 7, 5);
    }

    function check_ofNineteen(bytes32 digest, uint64 epoch) external {
        _verifies(digest, epoch, 19, 13);
    }

    function check_neverOfThreeOrFewer(bytes32 digest, uint64 epoch) external {
        _keys(3);
        assert(!_passes(digest, epoch, svm.createBytes(288, "signature")));
        _keys(1);
        assert(!_passes(digest, epoch, svm.createBytes(288, "signature")));
        _keys(0);
        assert(!_passes(digest, epoch, svm.createBytes(288, "signature")));
    }

    function check_noOtherLength(bytes32 digest, uint64 epoch) external {
        _keys(4);
        assert(!_passes(digest, epoch, ""));
        assert(!_passes(digest, epoch, svm.createBytes(32, "bitmap")));
        assert(!_passes(digest, epoch, svm.createBytes(287, "short")));
        assert(!_passes(digest, epoch, svm.createBytes(289, "long")));
        assert(!_passes(digest, epoch, svm.createBytes(544, "pairs")));
    }

    function reaches_threeOfFourVerify(bytes32 digest, uint64 epoch) external {
        _keys(4);
        assert(!_passes(digest, epoch, svm.createBytes(288, "signature")));
    }

    function _verifies(bytes32 digest, uint64 epoch, uint256 n, uint256 quorum) private {
        bytes memory keys = _keys(n);
        uint256 bitmap = svm.createUint256("bitmap");
        bytes memory signature = svm.createBytes(256, "signature");
        if (!_passes(digest, epoch, bytes.concat(bytes32(bitmap), signature))) return;
        assert(epoch == registry.epoch());
        assert(bitmap >> n == 0 && LibBit.popCount(bitmap) >= quorum);
        assert(verifier.isSignedBy(keys, bitmap, digest, signature));
        assert(anyBit(signature));
    }

    function _keys(uint256 n) private returns (bytes memory keys) {
        keys = n == 0 ? bytes("") : svm.createBytes(128 * n, "keys");
        vm.etch(POINTER, bytes.concat(hex"00", keys));
    }

    function _passes(bytes32 digest, uint64 epoch, bytes memory signature) private view returns (bool) {
        try verifier.verify(digest, epoch, signature) {
            return true;
        } catch {
            return false;
        }
    }
}
