// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @dev Uninterpreted neighbours: with symbolic storage each answers anything, but the same thing to the same question.

error Refused();

/// @notice The quorum of validators: which digests it has signed in which epoch is anything.
contract AnyVerifier {
    mapping(bytes32 digest => mapping(uint64 epoch => bool)) public signed;

    function verify(bytes32 digest, uint64 epoch, bytes calldata) external view {
        if (!signed[digest][epoch]) revert Refused();
    }
}

/// @notice Guardians or attesters: which digests a quorum of them has signed is anything.
contract AnyMembers {
    mapping(bytes32 digest => bool) public signed;
    mapping(address account => bool) public isGuardian;
    mapping(address account => bool) public isValid;

    function check(bytes32 digest, bytes calldata) external view {
        if (!signed[digest]) revert Refused();
    }
}

/// @notice It answers anything, or nothing: then every question reverts.
contract AnyBrake {
    uint64 public pauseId;
    bool public paused;
    bool public reduced;
    bool public broken;

    function status() external view returns (uint64, bool, bool) {
        return (pauseId, paused, reduced);
    }

    function isPaused() external view returns (bool) {
        if (broken) revert Refused();
        return paused;
    }
}

contract AnyRegistry {
    uint64 public epoch;
}

/// @notice Which actions are open, pending or ready is anything; what it is told is remembered.
contract AnyActions {
    uint64 public last;
    mapping(uint64 actionId => bool) public isReady;
    mapping(uint64 actionId => bool) public isPending;
    mapping(uint64 actionId => uint64) public scheduledFor;
    mapping(uint64 actionId => bool) public taken;
    mapping(uint64 actionId => bool) public withdrawn;

    function open(bool) external returns (uint64) {
        return ++last;
    }

    function schedule(uint64 actionId, uint64 readyAt) external {
        scheduledFor[actionId] = readyAt;
    }

    function take(uint64 actionId) external {
        if (!isReady[actionId]) revert Refused();
        taken[actionId] = true;
    }

    function withdraw(uint64 actionId) external {
        withdrawn[actionId] = true;
    }
}

/// @notice Validators who have signed one message, in one epoch, and nothing else ever.
contract OneMessage {
    bytes32 public digest;
    uint64 public epoch;

    function verify(bytes32 digest_, uint64 epoch_, bytes calldata) external view {
        if (digest_ != digest || epoch_ != epoch) revert Refused();
    }
}

/// @notice All validators together, ready to sign whatever is asked.
contract EveryMessage {
    function verify(bytes32, uint64, bytes calldata) external pure {}
}

contract AnyGovernor {
    mapping(uint64 governId => bytes32) public pendingDigest;
}

/// @notice A token that keeps a plain ledger, set by the proof.
contract PlainToken {
    mapping(address account => uint256) public balanceOf;

    function set(address account, uint256 balance) external {
        balanceOf[account] = balance;
    }
}
