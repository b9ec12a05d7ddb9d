// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ChannelConfig, VoucherClaim} from "./ChannelTypes.sol";
import {TypedDomain, typedDomain} from "./TypedDomain.sol";

/// @title What is signed
/// @notice EIP-712 digests of the x402 `batch-settlement` scheme: domain `x402 Batch Settlement`, version `1`.
/// @dev Every internal digest takes the domain separator, which a claim of many rows computes once. At the canonical
///      address the separator is never the cached one, since the code was created elsewhere.
abstract contract ChannelDigests is EIP712 {
    /// @notice keccak256 of `ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)`.
    bytes32 public constant CHANNEL_CONFIG_TYPEHASH =
        0x1c9a06ceab9b0ebbd3301dc56c9111bb6d9af421356dc9ccb3b7084c755db308;
    /// @notice keccak256 of `Voucher(bytes32 channelId,uint128 maxClaimableAmount)`.
    bytes32 public constant VOUCHER_TYPEHASH = 0x1e1bd6ff84c3e0d9029a292b212e039c0ca97ec497c55191a4a5874294609a69;
    /// @notice keccak256 of `Refund(bytes32 channelId,uint256 nonce,uint128 amount)`.
    bytes32 public constant REFUND_TYPEHASH = 0xbe23ad087435072cd69b49cc5b92de10ee610fce7ae0ab428307972d764bb216;
    /// @notice keccak256 of `ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)`.
    bytes32 public constant CLAIM_ENTRY_TYPEHASH = 0x30b9a0367528fca13c3e8ec6134c3113f1887ebe7a1ad61de0955aac288b0cf5;
    /// @notice keccak256 of `ClaimBatch(ClaimEntry[] claims)ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)`.
    bytes32 public constant CLAIM_BATCH_TYPEHASH = 0x42bd57c010b870c2e96203c66341f28a6a19b4d56a74533a8eb5f706b9fd6d57;

    constructor() EIP712("x402 Batch Settlement", "1") {}

    /// @notice The channel's id: the full EIP-712 digest of its configuration, so it differs by chain and by escrow.
    function getChannelId(ChannelConfig calldata config) public view returns (bytes32) {
        return _channelId(typedDomain(_domainSeparatorV4()), config);
    }

    /// @notice What the payer signs. `maxClaimableAmount` is cumulative, in the token's smallest unit.
    function getVoucherDigest(bytes32 channelId, uint128 maxClaimableAmount) public view returns (bytes32) {
        return _voucherDigest(typedDomain(_domainSeparatorV4()), channelId, maxClaimableAmount);
    }

    /// @notice What the receiverAuthorizer signs to refund; `nonce` is the channel's `refundNonce`.
    function getRefundDigest(bytes32 channelId, uint256 nonce, uint128 amount) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(REFUND_TYPEHASH, channelId, nonce, amount)));
    }

    /// @notice What the receiverAuthorizer signs to claim a batch; defined for an empty one as EIP-712 defines it.
    function getClaimBatchDigest(VoucherClaim[] calldata voucherClaims) public view returns (bytes32) {
        TypedDomain domain = typedDomain(_domainSeparatorV4());
        uint256 count = voucherClaims.length;
        bytes32[] memory entries = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            VoucherClaim calldata row = voucherClaims[i];
            entries[i] = keccak256(
                abi.encode(
                    CLAIM_ENTRY_TYPEHASH,
                    _channelId(domain, row.voucher.channel),
                    row.voucher.maxClaimableAmount,
                    row.totalClaimed
                )
            );
        }
        bytes32 structHash = keccak256(abi.encode(CLAIM_BATCH_TYPEHASH, keccak256(abi.encodePacked(entries))));
        return domain.digest(structHash);
    }

    /// @dev Hashes the seven words as they stand in the calldata. Dirty upper bits make another id than the same addresses
    ///      have, but not one that can be funded, since `deposit` decodes the whole configuration.
    function _channelId(TypedDomain domain, ChannelConfig calldata config) internal pure returns (bytes32) {
        bytes32 typehash = CHANNEL_CONFIG_TYPEHASH;
        bytes32 structHash;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typehash)
            calldatacopy(add(free, 0x20), config, 0xe0)
            structHash := keccak256(free, 0x100)
        }
        return domain.digest(structHash);
    }

    function _voucherDigest(TypedDomain domain, bytes32 channelId, uint128 maxClaimableAmount)
        internal
        pure
        returns (bytes32)
    {
        bytes32 typehash = VOUCHER_TYPEHASH;
        bytes32 structHash;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typehash)
            mstore(add(free, 0x20), channelId)
            mstore(add(free, 0x40), maxClaimableAmount)
            structHash := keccak256(free, 0x60)
        }
        return domain.digest(structHash);
    }
}
