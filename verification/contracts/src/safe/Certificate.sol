// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bytes} from "@openzeppelin/contracts/utils/Bytes.sol";
import {ITransferGuard} from "./ITransferGuard.sol";

/// @dev What validators said of one order. The order's other fields are the Safe's own.
struct Certificate {
    uint64 epoch;
    uint64 validUntil;
    bytes32 factsHash;
}

/// @title A Safe transaction's `signatures`: the owners', and behind them nothing or one certificate
/// @dev `epoch 8 | validUntil 8 | factsHash 32 | bitmap 32 | G2 signature 256` bytes. The Safe takes any tail and signs none, so
///      whoever sends may swap it: the certificate proves itself. 336 is no multiple of 65, so a surplus owner's signature is
///      never taken for one.
library Certificates {
    using Bytes for bytes;

    uint256 private constant _OWNER_BYTES = 65;
    uint256 private constant _HEAD_BYTES = 48;
    uint256 internal constant BYTES = 336;

    /// @notice How many owners' signatures there are, at least one, and the tail: empty or 336 bytes.
    /// @dev A contract owner's signature (v = 0) points anywhere into the same bytes; such an owner approves by hash (v = 1).
    ///      Whether they are as many as the threshold is for the caller to check.
    function split(bytes memory signatures) internal pure returns (uint256 owners, bytes memory tail) {
        uint256 ownersEnd = signatures.length;
        if (ownersEnd % _OWNER_BYTES != 0) {
            if (ownersEnd < BYTES || (ownersEnd - BYTES) % _OWNER_BYTES != 0) {
                revert ITransferGuard.MalformedCertificate();
            }
            ownersEnd -= BYTES;
            tail = signatures.slice(ownersEnd);
        }
        if (ownersEnd == 0) revert ITransferGuard.SignaturesTooShort();
        owners = ownersEnd / _OWNER_BYTES;
        for (uint256 end = _OWNER_BYTES; end <= ownersEnd; end += _OWNER_BYTES) {
            if (signatures[end - 1] == 0) revert ITransferGuard.ContractSignature();
        }
    }

    /// @notice The parts of a tail of 336 bytes; the quorum signature is bitmap and G2 signature.
    function parse(bytes memory tail)
        internal
        pure
        returns (Certificate memory certificate, bytes memory quorumSignature)
    {
        certificate.epoch = uint64(bytes8(tail.slice(0, 8)));
        certificate.validUntil = uint64(bytes8(tail.slice(8, 16)));
        certificate.factsHash = bytes32(tail.slice(16, _HEAD_BYTES));
        quorumSignature = tail.slice(_HEAD_BYTES);
    }
}
