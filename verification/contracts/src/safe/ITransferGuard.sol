// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice The guard of all guarded Safes: transaction guard and module guard of Safe v1.5 (ITransactionGuard, IModuleGuard).
interface ITransferGuard {
    /// @dev Amounts in the token's smallest unit. A token is listed for a group while `certifiedFrom` and `noticeFrom` are both
    ///      above zero, the native currency (address zero) while `noticeFrom` is: it always needs a certificate.
    struct Limits {
        uint96 daily; // L: what may leave uncertified in any 24 h
        uint96 certifiedFrom; // an amount from here on needs a certificate, whatever room the bucket has
        uint96 noticeFrom; // an amount from here on was announced before, certified or not
    }

    event SafeRegistered(address indexed safe, bytes32 indexed group, bytes32 configHash);
    event Admitted(address indexed safe, bytes32 indexed group, address indexed member);
    event Announced(address indexed safe, bytes32 indexed safeTxHash, uint64 from);
    event ExitScheduled(address indexed safe, uint64 indexed actionId);
    event ExitConsented(address indexed safe, uint64 indexed actionId, uint64 readyAt);
    event ExitCancelled(address indexed safe, uint64 indexed actionId);
    event Exited(address indexed safe, uint64 indexed actionId);
    event GovernAccepted(bytes32 indexed group, uint64 indexed governId, bytes32 digest);
    event LimitsChanged(bytes32 indexed group, address indexed token, Limits limits);
    /// @dev For each certificate that counted: classes B, D and E. What a Safe's token tells without one went through the bucket.
    event CertifiedTransfer(
        address indexed safe, bytes32 indexed safeTxHash, bytes32 orderDigest, bytes32 factsHash, uint64 epoch
    );
    event ConfigChanged(address indexed safe, bytes32 configHash);

    error NotRegistered();
    error AlreadyRegistered();
    error OnlyFactory();
    error OnlyGovernor();
    error OnlySafe();
    error Locked();
    error NotLocked();
    error OperationNotCall();
    error RefundNotZero();
    error SignaturesTooShort();
    error NotThresholdSignatures(uint256 signatures, uint256 threshold);
    error ContractSignature();
    error MalformedCertificate();
    error NotInTable(address to, bytes4 selector);
    error MalformedCall();
    error TokenNotListed(address token);
    error ForbiddenRecipient(address to);
    error NoStanding(address to);
    error SafeIsPaused(uint64 pauseId);
    error CertificateNeeded(uint256 amount, uint256 certifiedFrom);
    error BucketExceeded(uint256 amount, uint256 room);
    error CertificateExpired(uint64 validUntil);
    error CertificateTooLong(uint64 validUntil);
    error NotAnnounced(bytes32 safeTxHash);
    error NoticeRunning(uint64 from);
    error UnknownModule(address module);
    error NotToVault();
    error CallFailed();
    error BalanceMismatch();
    error ConfigHashChanged(bytes32 registered, bytes32 found);
    error ExitNotReady();
    error ExitAlreadyScheduled();
    error NoExit();
    error NotWanted();
    error AlreadyAdmitted();
    error GovernNotPending();
    error InvalidConfig();

    /// @notice Zero when the Safe is not guarded (never was, or left).
    function groupOf(address safe) external view returns (bytes32 group);
    /// @notice The group for whose admission the Safe waits, in a group of its own meanwhile; zero when it waits for none.
    function wantedBy(address safe) external view returns (bytes32 group);
    /// @notice keccak256(abi.encode(singleton, proxyCodehash, owners, threshold, guard, moduleGuard, modules, handler)).
    function configHashOf(address safe) external view returns (bytes32);
    function limitsOf(bytes32 group, address token) external view returns (Limits memory);
    /// @notice What the bucket lets out uncertified now, in the token's smallest unit: zero while paused, at a tenth of the limits
    ///         while they are reduced. Each single amount stays below `certifiedFrom` as well.
    function room(bytes32 group, address token) external view returns (uint256);
    /// @notice Digest that the group accepted under `governId`; zero when none.
    function accepted(bytes32 group, uint64 governId) external view returns (bytes32);
    /// @notice Unix seconds from which an announced transaction may run; zero when it was not announced, or ran.
    function announcedFrom(address safe, bytes32 safeTxHash) external view returns (uint64);
    /// @notice The Safe's exit, which may be dead (see `IActions`); zero when it has none.
    function exitOf(address safe) external view returns (uint64 actionId);

    /// @notice Only the factory, in the transaction that creates the Safe. `wanted` zero: the Safe begins a group of its own,
    ///         whose id is its address, with `tokens` and `limits`. Else it waits in a group of its own in which no token is
    ///         listed, so nothing leaves it, until a member admits it.
    function register(address safe, bytes32 wanted, address[] calldata tokens, Limits[] calldata limits) external;

    // Class C: sent by a guarded Safe itself.

    /// @notice Starts the notice of a transaction; announcing it again starts it anew.
    function announce(bytes32 safeTxHash) external;
    /// @notice Opens the Safe's exit, which the guardians then consent to. One at a time; a dead one may be replaced.
    function scheduleExit() external returns (uint64 actionId);
    function cancelExit(uint64 actionId) external;
    /// @notice The owners' consent to a pending Govern message of their group, by its digest.
    function accept(uint64 governId, bytes32 digest) external;
    /// @notice Takes a Safe that wants the sender's group into it.
    function admit(address safe) external;

    /// @notice Anyone, with the guardian quorum's signatures over `Exit(actionId, safe)`. The exit's delay begins now.
    function consentExit(uint64 actionId, address safe, bytes calldata guardianSignatures) external;

    /// @notice Only the governor.
    function setLimits(bytes32 group, address token, Limits calldata limits) external;
}
