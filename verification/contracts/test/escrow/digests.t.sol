// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {ChannelConfig, VoucherClaim} from "src/escrow/ChannelTypes.sol";
import {VoucherSignature} from "src/escrow/VoucherSignature.sol";
import {Base} from "../support/Base.sol";

/// @notice The public test vector of the scheme, and every digest against its plain EIP-712 form.
contract DigestsTest is Base {
    uint256 private constant ANVIL_KEY_1 = 0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d;

    function vector() private pure returns (ChannelConfig memory) {
        return ChannelConfig({
            payer: 0x70997970C51812dc3A010C7d01b50e0d17dc79C8,
            payerAuthorizer: 0x70997970C51812dc3A010C7d01b50e0d17dc79C8,
            receiver: 0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC,
            receiverAuthorizer: 0x90F79bf6EB2c4f870365E785982E1f101E93b906,
            token: address(token),
            withdrawDelay: 3600,
            salt: 0
        });
    }

    function test_domainIsRecomputedWhereTheCodeWasCopiedTo() public view {
        bytes32 expected = 0xfdef80764086b1e0fc6ba99f0cb9aa1d59109fda7c23d60334c89d2de44dffce;
        (, string memory name, string memory version, uint256 chainId, address place,,) = escrow.eip712Domain();
        vm.assertEq(place, address(escrow));
        vm.assertEq(domain(name, version, chainId, place), expected);
    }

    function test_vectorChannelId() public view {
        vm.assertEq(escrow.getChannelId(vector()), 0xfee9aa1d9ebf9c393f70fa61870715c672025530312996e1c32e6de06efd5c02);
    }

    function test_vectorVoucher() public view {
        bytes32 digest = escrow.getVoucherDigest(escrow.getChannelId(vector()), 1500);
        vm.assertEq(digest, 0x98ad56d549dcf9abdcea6cc26e5ea5e08031fb1a05ca81a4b44c25929f54a3ea);
        vm.assertEq(
            sign(ANVIL_KEY_1, digest),
            hex"7a6e47abe32c9deeaa9ff340e054f2a87ede7ce7a341297780a62c3a8fb3eec02e8d1836172fac7b6941886a422db463ceb37b8fec689ddb0e4d93c56a7392121b"
        );
    }

    function test_vectorRefund() public view {
        vm.assertEq(
            escrow.getRefundDigest(escrow.getChannelId(vector()), 0, 500),
            0x202cdc550e58010c05b3726894da82cf62f8ef803f8a71bb722d2cfc6a3ca338
        );
    }

    function test_vectorClaimBatch() public view {
        VoucherClaim memory only;
        only.voucher.channel = vector();
        only.voucher.maxClaimableAmount = 1500;
        only.totalClaimed = 1500;
        vm.assertEq(
            escrow.getClaimBatchDigest(one(only)), 0x0af02ebe780b62115ebc3ba55772258108a89114b84b7fca338628df9a070f87
        );
    }

    function test_vectorDepositNonce() public view {
        vm.assertEq(
            keccak256(abi.encode(escrow.getChannelId(vector()), uint256(1))),
            0x2adb5ea535cec1ecb734c16b82e005b6fc752c8c550299f96404b05e90f6a8f4
        );
    }

    function test_typehashesAreThoseOfTheirTypes() public view {
        vm.assertEq(
            escrow.CHANNEL_CONFIG_TYPEHASH(),
            keccak256(
                "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
            )
        );
        vm.assertEq(escrow.VOUCHER_TYPEHASH(), keccak256("Voucher(bytes32 channelId,uint128 maxClaimableAmount)"));
        vm.assertEq(escrow.REFUND_TYPEHASH(), keccak256("Refund(bytes32 channelId,uint256 nonce,uint128 amount)"));
        string memory entry = "ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)";
        vm.assertEq(escrow.CLAIM_ENTRY_TYPEHASH(), keccak256(bytes(entry)));
        vm.assertEq(
            escrow.CLAIM_BATCH_TYPEHASH(), keccak256(abi.encodePacked("ClaimBatch(ClaimEntry[] claims)", entry))
        );
    }

    function test_emptyBatchHasTheDigestOfAnEmptyArray() public view {
        bytes32 structHash = keccak256(abi.encode(escrow.CLAIM_BATCH_TYPEHASH(), keccak256("")));
        vm.assertEq(escrow.getClaimBatchDigest(new VoucherClaim[](0)), typed(here(), structHash));
    }

    function testFuzz_channelIdAndVoucherAreEip712(ChannelConfig calldata config, uint128 ceiling, uint32 chain)
        public
    {
        vm.chainId(uint256(chain) + 1);
        bytes32 id = typed(here(), keccak256(abi.encode(escrow.CHANNEL_CONFIG_TYPEHASH(), config)));
        vm.assertEq(escrow.getChannelId(config), id);
        bytes32 voucher = typed(here(), keccak256(abi.encode(escrow.VOUCHER_TYPEHASH(), id, ceiling)));
        vm.assertEq(escrow.getVoucherDigest(id, ceiling), voucher);
    }

    function testFuzz_claimBatchIsEip712(VoucherClaim[] calldata rows) public view {
        bytes32[] memory entries = new bytes32[](rows.length);
        for (uint256 i = 0; i < rows.length; ++i) {
            bytes32 id = escrow.getChannelId(rows[i].voucher.channel);
            entries[i] = keccak256(
                abi.encode(escrow.CLAIM_ENTRY_TYPEHASH(), id, rows[i].voucher.maxClaimableAmount, rows[i].totalClaimed)
            );
        }
        bytes32 structHash = keccak256(abi.encode(escrow.CLAIM_BATCH_TYPEHASH(), keccak256(abi.encodePacked(entries))));
        vm.assertEq(escrow.getClaimBatchDigest(rows), typed(here(), structHash));
    }

    /// @notice Our recovery against OpenZeppelin's: same signer or the same revert, byte by byte.
    function testFuzz_recoveryEqualsOpenZeppelins(uint256 key, bytes32 digest, uint8 change, bytes calldata junk)
        public
        view
    {
        key = key % (2 ** 255) + 1;
        bytes memory signature = sign(key, digest);
        if (change % 6 == 1) signature = highS(signature);
        if (change % 6 == 2) signature[64] = bytes1(change);
        if (change % 6 == 3) signature = junk;
        if (change % 6 == 4) signature = bytes.concat(signature, bytes1(change));
        if (change % 6 == 5) signature[change % 65] ^= bytes1(change);
        (bool ours, bytes memory a) = address(this).staticcall(abi.encodeCall(this.recoverOurs, (digest, signature)));
        (bool theirs, bytes memory b) =
            address(this).staticcall(abi.encodeCall(this.recoverTheirs, (digest, signature)));
        vm.assertTrue(ours == theirs);
        vm.assertEq(a, b);
        if (change % 6 == 0) vm.assertEq(abi.decode(a, (address)), vm.addr(key));
    }

    function recoverOurs(bytes32 digest, bytes calldata signature) external pure returns (address) {
        return VoucherSignature.recover(digest, signature);
    }

    function recoverTheirs(bytes32 digest, bytes calldata signature) external pure returns (address) {
        return ECDSA.recoverCalldata(digest, signature);
    }

    function here() private view returns (bytes32) {
        return domain("x402 Batch Settlement", "1", block.chainid, address(escrow));
    }

    function domain(string memory name, string memory version, uint256 chainId, address place)
        private
        pure
        returns (bytes32)
    {
        bytes32 kind = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(kind, keccak256(bytes(name)), keccak256(bytes(version)), chainId, place));
    }
}
