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

    /// @notice The tail: empty or 336 bytes. `threshold` is the Safe's of this moment.
    /// @dev A contract owner's signature (v = 0) points anywhere into the same bytes; such an owner approves by hash (v = 1).
    function tailOf(bytes memory signatures, uint256 threshold) internal pure returns (bytes memory tail) {
        uint256 ownersEnd = threshold * _OWNER_BYTES;
        if (threshold == 0 || signatures.length < ownersEnd) revert ITransferGuard.SignaturesTooShort();
        for (uint256 end = _OWNER_BYTES; end <= ownersEnd; end += _OWNER_BYTES) {
            if (signatures[end - 1] == 0) revert ITransferGuard.ContractSignature();
        }
        uint256 rest = signatures.length - ownersEnd;
        if (rest != 0 && rest != BYTES) revert ITransferGuard.MalformedCertificate();
        return signatures.slice(ownersEnd);
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
