// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BLS} from "src/quorum/BLS.sol";

/// @notice Validators who sign: real BLS signatures for any digest, made by the multiplication precompiles of EIP-2537.
/// @dev Secrets are hashes, so that no two sets of signers have the same sum. What py-ecc makes of the same secrets is in
///      QuorumVectors.sol.
library Committee {
    uint256 internal constant ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    bytes internal constant SIGNATURE_SUITE = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
    bytes internal constant PROOF_SUITE = "BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

    /// @notice `n` validators' secrets in the order of their keys. Other `generation`, other validators.
    function secrets(uint256 generation, uint256 n) internal view returns (uint256[] memory sorted) {
        sorted = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            uint256 secret = uint256(keccak256(abi.encode(generation, i))) % ORDER;
            bytes memory key = keyOf(secret);
            uint256 place = i;
            for (; place > 0 && _isBelow(key, keyOf(sorted[place - 1])); --place) {
                sorted[place] = sorted[place - 1];
            }
            sorted[place] = secret;
        }
    }

    function keyOf(uint256 secret) internal view returns (bytes memory) {
        return _multiply(
            address(0x0c),
            128,
            hex"0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
            hex"0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1",
            secret
        );
    }

    /// @notice Concatenated keys, as the registry takes them.
    function keys(uint256[] memory of_) internal view returns (bytes memory joined) {
        for (uint256 i = 0; i < of_.length; ++i) {
            joined = bytes.concat(joined, keyOf(of_[i]));
        }
    }

    function proof(uint256 secret) internal view returns (bytes memory) {
        return sign(secret, BLS.compress(keyOf(secret)), PROOF_SUITE);
    }

    function proofs(uint256[] memory of_) internal view returns (bytes[] memory all) {
        all = new bytes[](of_.length);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = proof(of_[i]);
        }
    }

    /// @notice Bitmap and aggregate signature of the validators named by `bitmap` (288 bytes).
    function quorumSignature(uint256[] memory of_, uint256 bitmap, bytes32 digest)
        internal
        view
        returns (bytes memory)
    {
        return abi.encodePacked(bitmap, aggregate(of_, bitmap, abi.encodePacked(digest), SIGNATURE_SUITE));
    }

    /// @notice The sum of their signatures, which is the signature of the sum of their secrets.
    function aggregate(uint256[] memory of_, uint256 bitmap, bytes memory message, bytes memory suite)
        internal
        view
        returns (bytes memory)
    {
        uint256 total = 0;
        for (uint256 i = 0; i < of_.length; ++i) {
            if ((bitmap >> i) & 1 == 1) total = addmod(total, of_[i], ORDER);
        }
        return sign(total, message, suite);
    }

    function sign(uint256 secret, bytes memory message, bytes memory suite) internal view returns (bytes memory) {
        return _multiply(address(0x0e), 256, BLS.hashToG2(message, suite), secret);
    }

    function _multiply(address precompile, uint256 size, bytes memory point, uint256 factor)
        private
        view
        returns (bytes memory product)
    {
        bool success;
        (success, product) = precompile.staticcall(abi.encodePacked(point, factor));
        require(success && product.length == size, "EIP-2537 multiplication");
    }

    function _isBelow(bytes memory left, bytes memory right) private pure returns (bool) {
        (bytes32 leftHigh, bytes32 leftLow) = abi.decode(left, (bytes32, bytes32));
        (bytes32 rightHigh, bytes32 rightLow) = abi.decode(right, (bytes32, bytes32));
        return leftHigh < rightHigh || (leftHigh == rightHigh && leftLow < rightLow);
    }
}
