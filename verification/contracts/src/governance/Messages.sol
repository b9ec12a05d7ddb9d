// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Messages of the high-value protocol
/// @notice EIP-712 struct hashes of everything that validators, guardians, attesters and vault owners sign and a contract checks.
///         Amounts are in the token's smallest unit, times in Unix seconds. The Python side of this file is
///         `verification/signatures/messages.py`; a test compares them on random input.

struct Order {
    address safe;
    bytes32 safeTxHash;
    uint256 safeNonce;
    uint64 epoch;
    uint64 validUntil;
    bytes32 factsHash;
}

struct Unpause {
    uint64 pauseId;
    uint64 epoch;
    uint64 validUntil;
    bytes32 factsHash;
}

struct Return {
    uint64 returnId;
    uint64 epoch;
    address safe;
    address token;
    uint256 amount;
}

struct Rotate {
    uint64 newEpoch;
    bytes32 keysHash;
    uint64 notBefore;
}

struct Govern {
    uint64 governId;
    uint64 epoch;
    bytes32 key;
    bytes32 value;
    uint64 notBefore;
}

struct GrantStanding {
    address account;
    uint64 grantId;
    uint64 expiry;
    uint64 classes;
    uint32 issuer;
    bytes32 commitment;
}

bytes32 constant ORDER_TYPEHASH = keccak256(
    "Order(address safe,bytes32 safeTxHash,uint256 safeNonce,uint64 epoch,uint64 validUntil,bytes32 factsHash)"
);
bytes32 constant PAUSE_TYPEHASH = keccak256("Pause(uint64 pauseId,uint64 until)");
bytes32 constant EVACUATE_TYPEHASH = keccak256("Evacuate(uint64 pauseId,uint64 epoch,address safe,address token)");
bytes32 constant UNPAUSE_TYPEHASH =
    keccak256("Unpause(uint64 pauseId,uint64 epoch,uint64 validUntil,bytes32 factsHash)");
bytes32 constant RETURN_TYPEHASH =
    keccak256("Return(uint64 returnId,uint64 epoch,address safe,address token,uint256 amount)");
bytes32 constant ROTATE_TYPEHASH = keccak256("Rotate(uint64 newEpoch,bytes32 keysHash,uint64 notBefore)");
bytes32 constant GOVERN_TYPEHASH =
    keccak256("Govern(uint64 governId,uint64 epoch,bytes32 key,bytes32 value,uint64 notBefore)");
bytes32 constant CANCEL_TYPEHASH = keccak256("Cancel(uint64 actionId,uint64 epoch)");
bytes32 constant VETO_TYPEHASH = keccak256("Veto(uint64 actionId)");
bytes32 constant REARM_TYPEHASH = keccak256("Rearm(address sentinel,uint64 expires)");
bytes32 constant RECOVER_TYPEHASH = keccak256("Recover(uint64 actionId,bytes32 keysHash)");
bytes32 constant EXIT_TYPEHASH = keccak256("Exit(uint64 actionId,address safe)");
bytes32 constant GRANT_STANDING_TYPEHASH = keccak256(
    "GrantStanding(address account,uint64 grantId,uint64 expiry,uint64 classes,uint32 issuer,bytes32 commitment)"
);
bytes32 constant REGISTER_PAYEE_TYPEHASH = keccak256("RegisterPayee(address safe,address payee)");

/// @notice Struct hashes, named as the structs. EIP-712 `hashStruct`.
library Messages {
    function hash(Order memory m) internal pure returns (bytes32) {
        return keccak256(abi.encode(ORDER_TYPEHASH, m));
    }

    function hash(Unpause memory m) internal pure returns (bytes32) {
        return keccak256(abi.encode(UNPAUSE_TYPEHASH, m));
    }

    function hash(Return memory m) internal pure returns (bytes32) {
        return keccak256(abi.encode(RETURN_TYPEHASH, m));
    }

    function hash(Rotate memory m) internal pure returns (bytes32) {
        return keccak256(abi.encode(ROTATE_TYPEHASH, m));
    }

    function hash(Govern memory m) internal pure returns (bytes32) {
        return keccak256(abi.encode(GOVERN_TYPEHASH, m));
    }

    function hash(GrantStanding memory m) internal pure returns (bytes32) {
        return keccak256(abi.encode(GRANT_STANDING_TYPEHASH, m));
    }

    function pause(uint64 pauseId, uint64 until) internal pure returns (bytes32) {
        return keccak256(abi.encode(PAUSE_TYPEHASH, pauseId, until));
    }

    function evacuate(uint64 pauseId, uint64 epoch, address safe, address token) internal pure returns (bytes32) {
        return keccak256(abi.encode(EVACUATE_TYPEHASH, pauseId, epoch, safe, token));
    }

    function cancel(uint64 actionId, uint64 epoch) internal pure returns (bytes32) {
        return keccak256(abi.encode(CANCEL_TYPEHASH, actionId, epoch));
    }

    function veto(uint64 actionId) internal pure returns (bytes32) {
        return keccak256(abi.encode(VETO_TYPEHASH, actionId));
    }

    function rearm(address sentinel, uint64 expires) internal pure returns (bytes32) {
        return keccak256(abi.encode(REARM_TYPEHASH, sentinel, expires));
    }

    function recover(uint64 actionId, bytes32 keysHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECOVER_TYPEHASH, actionId, keysHash));
    }

    function exit(uint64 actionId, address safe) internal pure returns (bytes32) {
        return keccak256(abi.encode(EXIT_TYPEHASH, actionId, safe));
    }

    function registerPayee(address safe, address payee) internal pure returns (bytes32) {
        return keccak256(abi.encode(REGISTER_PAYEE_TYPEHASH, safe, payee));
    }
}
