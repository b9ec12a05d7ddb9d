// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Govern} from "./Messages.sol";

/// @notice Changes of limits, keys, policy and model: a certificate, a delay, a guardian veto.
/// @dev `Govern.key` is keccak256(abi.encode(parameter, group, token)); the submitter supplies the parts.
interface IGovernor {
    enum Parameter {
        DailyLimit, // L of (group, token): what may leave uncertified in 24 h
        CertifiedFrom, // of (group, token): from this amount on a certificate is needed
        NoticeFrom, // of (group, token): from this amount on a transfer is announced first
        PayoutKey, // of group: the gateway's key for PayoutModule, as uint160
        PolicyHash, // of group
        ModelHash, // group and token zero
        Guardians, // keccak256(abi.encode(address[] guardians, uint256 threshold)); group and token zero
        Attesters // the same of attesters
    }

    struct Target {
        Parameter parameter;
        bytes32 group;
        address token;
    }

    event Scheduled(uint64 indexed governId, uint64 indexed actionId, Target target, bytes32 value, uint64 notBefore);
    event Executed(uint64 indexed governId, Target target, bytes32 value);

    error WrongGovernId();
    error KeyMismatch();
    error NoticeTooShort();
    error OwnersHaveNotAccepted();
    error ValueMismatch();
    error UnknownGovern();
    error MembersNeeded(); // a Guardians or Attesters change goes through executeMembers
    error Superseded(); // a later change of the same key was executed already

    /// @notice governId scheduled last.
    function lastGovernId() external view returns (uint64);
    /// @notice EIP-712 digest of a scheduled and still pending Govern; zero when there is none.
    function pendingDigest(uint64 governId) external view returns (bytes32);
    /// @notice Policy and model hashes; other parameters live in the contracts that use them.
    function policyHash(bytes32 group) external view returns (bytes32);
    function modelHash() external view returns (bytes32);

    /// @notice Anyone, with a quorum signature over `govern`: governId = last + 1 (spent even if it is vetoed later, so an old
    ///         message never counts), notBefore at least the delay away, a value that the parameter can hold.
    function schedule(Govern calldata govern, Target calldata target, bytes calldata quorumSignature) external;
    /// @notice Anyone, once ready. A limit above the one of this moment and any payout key need the group's
    ///         `guard.accept(governId, digest)`. Never after a later change of the same key.
    function execute(uint64 governId) external;
    /// @notice Executes a Guardians or Attesters change; `members` strictly ascending.
    function executeMembers(uint64 governId, address[] calldata members, uint256 threshold) external;
}
