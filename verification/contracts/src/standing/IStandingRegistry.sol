// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {GrantStanding} from "../governance/Messages.sol";

/// @notice Who may receive guarded money. No country and no credential hash: a salted commitment of its own for each address.
interface IStandingRegistry {
    struct Standing {
        uint64 expiry;
        uint64 classes;
        uint32 issuer;
        bytes32 commitment;
    }

    event StandingGranted(address indexed account, uint64 grantId, uint64 expiry, uint64 classes, uint32 issuer);
    event StandingRevoked(address indexed account, address indexed attester);
    event IssuerDisabled(uint32 indexed issuer, address indexed attester);
    event AttestersReplaced(address[] attesters, uint256 threshold);

    error NotAnAttester(address signer);
    error BelowAttesterQuorum();
    error OutOfOrder();
    error InvalidAttesters();
    error OnlyGovernor();
    error WrongGrantId();
    error ExpiryOutOfRange();
    error NoClasses();
    error IssuerIsDisabled();

    function standingOf(address account) external view returns (Standing memory);
    /// @notice True while now < expiry, it was not revoked, and its issuer is not disabled.
    function isValid(address account) external view returns (bool);
    /// @notice Counts grants and revocations of an account; a grant is for exactly the next number.
    function lastGrantId(address account) external view returns (uint64);
    /// @notice Reverts unless `signatures` (65 bytes each, signers strictly ascending) are by at least k attesters.
    function check(bytes32 digest, bytes calldata signatures) external view;

    /// @notice Anyone, with k attesters' signatures over `standing`: grantId = last + 1, now < expiry <= now + 7 days, classes
    ///         not zero. Replaces the account's standing.
    function grant(GrantStanding calldata standing, bytes calldata attesterSignatures) external;
    /// @notice Any one attester. Also spends the account's next grant id, so an unsent grant cannot undo it.
    function revoke(address account) external;
    /// @notice Any one attester, for ever: all of the issuer's standings are void.
    function disableIssuer(uint32 issuer) external;
    /// @notice Only the governor. Strictly ascending, no zero; 1 <= threshold <= their number <= 32.
    function replaceAttesters(address[] calldata attesters, uint256 threshold) external;
}
