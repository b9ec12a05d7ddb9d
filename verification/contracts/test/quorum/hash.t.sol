// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BLS} from "src/quorum/BLS.sol";
import {Committee} from "../support/Committee.sol";
import {QuorumBase} from "../support/QuorumBase.sol";
import {QuorumVectors} from "../support/QuorumVectors.sol";

/// @notice Hashing, aggregation and encodings against published vectors and py-ecc.
contract HashTest is QuorumBase {
    function setUp() public override {}

    function _repeated(bytes1 character, uint256 times) private pure returns (bytes memory run) {
        run = new bytes(times);
        for (uint256 i = 0; i < times; ++i) {
            run[i] = character;
        }
    }

    /// @dev The five messages of RFC 9380, appendices J and K.
    function _messages() private pure returns (bytes[5] memory) {
        return [
            bytes(""),
            "abc",
            "abcdef0123456789",
            bytes.concat("q128_", _repeated("q", 128)),
            bytes.concat("a512_", _repeated("a", 512))
        ];
    }

    /// @dev RFC 9380, appendix K.1, len_in_bytes 0x20.
    function test_expandMessage_32_bytes() public view {
        bytes32[5] memory expected = [
            bytes32(0x68a985b87eb6b46952128911f2a4412bbc302a9d759667f87f7a21d803f07235),
            0xd8ccab23b5985ccea865c6c97b6e5b8350e794e603b4b97902f53a8a0d605615,
            0xeff31487c770a893cfb36f912fbfcbff40d5661771ca4b2cb4eafe524333f5c1,
            0xb23a1d2b4d97b2ef7785562a7e8bac7eed54ed6e97e29aa51bfe3f12ddad1ff9,
            0x4623227bcc01293b8c130bf771da8c298dede7383243dc0993d2d94823958c4c
        ];
        for (uint256 i = 0; i < 5; ++i) {
            bytes memory uniform = BLS.expandMessage(_messages()[i], "QUUX-V01-CS02-with-expander-SHA256-128", 32);
            vm.assertEq(uniform, abi.encode(expected[i]));
        }
    }

    /// @dev RFC 9380, appendix K.1, len_in_bytes 0x80.
    function test_expandMessage_128_bytes() public view {
        bytes[5] memory expected = [
            bytes(
                hex"af84c27ccfd45d41914fdff5df25293e221afc53d8ad2ac06d5e3e29485dadbe"
                hex"e0d121587713a3e0dd4d5e69e93eb7cd4f5df4cd103e188cf60cb02edc3edf18"
                hex"eda8576c412b18ffb658e3dd6ec849469b979d444cf7b26911a08e63cf31f9dc"
                hex"c541708d3491184472c2c29bb749d4286b004ceb5ee6b9a7fa5b646c993f0ced"
            ),
            hex"abba86a6129e366fc877aab32fc4ffc70120d8996c88aee2fe4b32d6c7b6437a"
            hex"647e6c3163d40b76a73cf6a5674ef1d890f95b664ee0afa5359a5c4e07985635"
            hex"bbecbac65d747d3d2da7ec2b8221b17b0ca9dc8a1ac1c07ea6a1e60583e2cb00"
            hex"058e77b7b72a298425cd1b941ad4ec65e8afc50303a22c0f99b0509b4c895f40",
            hex"ef904a29bffc4cf9ee82832451c946ac3c8f8058ae97d8d629831a74c6572bd9"
            hex"ebd0df635cd1f208e2038e760c4994984ce73f0d55ea9f22af83ba4734569d4b"
            hex"c95e18350f740c07eef653cbb9f87910d833751825f0ebefa1abe5420bb52be1"
            hex"4cf489b37fe1a72f7de2d10be453b2c9d9eb20c7e3f6edc5a60629178d9478df",
            hex"80be107d0884f0d881bb460322f0443d38bd222db8bd0b0a5312a6fedb49c1bb"
            hex"d88fd75d8b9a09486c60123dfa1d73c1cc3169761b17476d3c6b7cbbd727acd0"
            hex"e2c942f4dd96ae3da5de368d26b32286e32de7e5a8cb2949f866a0b80c58116b"
            hex"29fa7fabb3ea7d520ee603e0c25bcaf0b9a5e92ec6a1fe4e0391d1cdbce8c68a",
            hex"546aff5444b5b79aa6148bd81728704c32decb73a3ba76e9e75885cad9def1d0"
            hex"6d6792f8a7d12794e90efed817d96920d728896a4510864370c207f99bd4a608"
            hex"ea121700ef01ed879745ee3e4ceef777eda6d9e5e38b90c86ea6fb0b36504ba4"
            hex"a45d22e86f6db5dd43d98a294bebb9125d5b794e9d2a81181066eb954966a487"
        ];
        for (uint256 i = 0; i < 5; ++i) {
            bytes memory uniform = BLS.expandMessage(_messages()[i], "QUUX-V01-CS02-with-expander-SHA256-128", 128);
            vm.assertEq(uniform, expected[i]);
        }
    }

    /// @dev RFC 9380, appendix J.10.1: x, then y, each c0 and c1.
    function test_hashToG2() public view {
        bytes[5] memory expected = [
            bytes(
                hex"0141ebfbdca40eb85b87142e130ab689c673cf60f1a3e98d69335266f30d9b8d4ac44c1038e9dcdd5393faf5c41fb78a"
                hex"05cb8437535e20ecffaef7752baddf98034139c38452458baeefab379ba13dff5bf5dd71b72418717047f5b0f37da03d"
                hex"0503921d7f6a12805e72940b963c0cf3471c7b2a524950ca195d11062ee75ec076daf2d4bc358c4b190c0c98064fdd92"
                hex"12424ac32561493f3fe3c260708a12b7c620e7be00099a974e259ddc7d1f6395c3c811cdd19f1e8dbf3e9ecfdcbab8d6"
            ),
            hex"02c2d18e033b960562aae3cab37a27ce00d80ccd5ba4b7fe0e7a210245129dbec7780ccc7954725f4168aff2787776e6"
            hex"139cddbccdc5e91b9623efd38c49f81a6f83f175e80b06fc374de9eb4b41dfe4ca3a230ed250fbe3a2acf73a41177fd8"
            hex"1787327b68159716a37440985269cf584bcb1e621d3a7202be6ea05c4cfe244aeb197642555a0645fb87bf7466b2ba48"
            hex"00aa65dae3c8d732d10ecd2c50f8a1baf3001578f71c694e03866e9f3d49ac1e1ce70dd94a733534f106d4cec0eddd16",
            hex"121982811d2491fde9ba7ed31ef9ca474f0e1501297f68c298e9f4c0028add35aea8bb83d53c08cfc007c1e005723cd0"
            hex"190d119345b94fbd15497bcba94ecf7db2cbfd1e1fe7da034d26cbba169fb3968288b3fafb265f9ebd380512a71c3f2c"
            hex"05571a0f8d3c08d094576981f4a3b8eda0a8e771fcdcc8ecceaf1356a6acf17574518acb506e435b639353c2e14827c8"
            hex"0bb5e7572275c567462d91807de765611490205a941a5a6af3b1691bfe596c31225d3aabdf15faff860cb4ef17c7c3be",
            hex"19a84dd7248a1066f737cc34502ee5555bd3c19f2ecdb3c7d9e24dc65d4e25e50d83f0f77105e955d78f4762d33c17da"
            hex"0934aba516a52d8ae479939a91998299c76d39cc0c035cd18813bec433f587e2d7a4fef038260eef0cef4d02aae3eb91"
            hex"14f81cd421617428bc3b9fe25afbb751d934a00493524bc4e065635b0555084dd54679df1536101b2c979c0152d09192"
            hex"09bcccfa036b4847c9950780733633f13619994394c23ff0b32fa6b795844f4a0673e20282d07bc69641cee04f5e5662",
            hex"01a6ba2f9a11fa5598b2d8ace0fbe0a0eacb65deceb476fbbcb64fd24557c2f4b18ecfc5663e54ae16a84f5ab7f62534"
            hex"11fca2ff525572795a801eed17eb12785887c7b63fb77a42be46ce4a34131d71f7a73e95fee3f812aea3de78b4d01569"
            hex"0b6798718c8aed24bc19cb27f866f1c9effcdbf92397ad6448b5c9db90d2b9da6cbabf48adc1adf59a1a28344e79d57e"
            hex"03a47f8e6d1763ba0cad63d6114c0accbef65707825a511b251a660a9b3994249ae4e63fac38b23da0c398689ee2ab52"
        ];
        for (uint256 i = 0; i < 5; ++i) {
            bytes memory point = BLS.hashToG2(_messages()[i], "QUUX-V01-CS02-with-BLS12381G2_XMD:SHA-256_SSWU_RO_");
            vm.assertEq(point.length, 256);
            for (uint256 part = 0; part < 4; ++part) {
                vm.assertEq(slice(point, 64 * part, 64 * part + 16), new bytes(16));
                vm.assertEq(slice(point, 64 * part + 16, 64 * part + 64), slice(expected[i], 48 * part, 48 * part + 48));
            }
        }
    }

    /// @dev The generator's encoding is in draft-irtf-cfrg-pairing-friendly-curves, appendix C.
    function test_compress() public pure {
        bytes memory generator = bytes.concat(
            hex"0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
            hex"0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1"
        );
        bytes memory tail =
            hex"f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb";
        vm.assertEq(BLS.compress(generator), bytes.concat(hex"97", tail));
        vm.assertEq(BLS.compress(negated(generator)), bytes.concat(hex"b7", tail));
    }

    /// @dev y = (p - 1) / 2 is the last lower one: the sign is that of y > (p - 1) / 2, both words compared.
    function test_compress_at_the_edge_of_the_sign() public pure {
        bytes32 high = 0x000000000000000000000000000000000d0088f51cbff34d258dd3db21a5d66b;
        uint256 low = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;
        vm.assertEq(uint8(BLS.compress(abi.encode(0, 0, high, low))[0]), 0x80);
        vm.assertEq(uint8(BLS.compress(abi.encode(0, 0, high, low + 1))[0]), 0xa0);
        vm.assertEq(uint8(BLS.compress(abi.encode(0, 0, uint256(high) + 1, 0))[0]), 0xa0);
        vm.assertEq(uint8(BLS.compress(abi.encode(0, 0, uint256(high) - 1, type(uint256).max))[0]), 0x80);
    }

    function test_isInfinity_looks_at_every_word() public pure {
        vm.assertTrue(BLS.isInfinity(new bytes(128)));
        vm.assertTrue(BLS.isInfinity(new bytes(256)));
        for (uint256 i = 0; i < 256; ++i) {
            bytes memory point = new bytes(256);
            point[i] = 0x01;
            vm.assertTrue(!BLS.isInfinity(point));
        }
    }

    function test_sum() public view {
        uint256[] memory secrets = Committee.secrets(1, 5);
        bytes memory keys = Committee.keys(secrets);
        for (uint256 bitmap = 1; bitmap < 32; ++bitmap) {
            uint256 total = 0;
            for (uint256 i = 0; i < 5; ++i) {
                total += ((bitmap >> i) & 1) * secrets[i];
            }
            vm.assertEq(BLS.sum(keys, bitmap), Committee.keyOf(total));
        }
        vm.assertEq(BLS.sum(keys, 0), new bytes(128));
        vm.assertEq(BLS.sum(keys, 32), new bytes(128)); // bits beyond the points do not count
        vm.assertEq(BLS.sum(bytes.concat(keyAt(keys, 0), negated(keyAt(keys, 0))), 3), new bytes(128));
        vm.assertEq(BLS.sum(bytes.concat(keyAt(keys, 0), keyAt(keys, 0)), 3), Committee.keyOf(2 * secrets[0]));
    }

    /// @dev The signers of all other tests make what py-ecc makes.
    function test_committee_signs_as_py_ecc_does() public view {
        uint256[] memory secrets = Committee.secrets(1, 4);
        vm.assertEq(Committee.keys(secrets), QuorumVectors.KEYS);
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(Committee.proof(secrets[i]), slice(QuorumVectors.PROOFS, 256 * i, 256 * (i + 1)));
        }
        vm.assertEq(Committee.quorumSignature(secrets, 11, QuorumVectors.DIGEST), QuorumVectors.QUORUM_SIGNATURE);
    }
}
