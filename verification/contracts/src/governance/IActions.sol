// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What waits before it happens: rotations, recoveries, governed changes, exits, returns. One delay machine for all,
///         so that delay, veto, cancellation and expiry are stated and proved once.
/// @dev Each action is opened by one contract (registry, governor, guard, vault) which alone may take it. An id is used once.
interface IActions {
    enum State {
        None,
        Open, // waits for a further consent: cannot be taken
        Scheduled, // may be taken from readyAt until expiresAt (both included)
        Taken,
        Ended // cancelled, vetoed or withdrawn
    }

    struct Action {
        address opener;
        uint64 readyAt;
        uint64 expiresAt;
        bool vetoable;
        State state;
    }

    event Opened(uint64 indexed actionId, address indexed opener);
    event Scheduled(uint64 indexed actionId, uint64 readyAt, uint64 expiresAt);
    event Taken(uint64 indexed actionId);
    event Cancelled(uint64 indexed actionId);
    event Vetoed(uint64 indexed actionId);
    event Withdrawn(uint64 indexed actionId);

    error NotAnOpener();
    error NotYours();
    error NotOpen();
    error NotScheduled();
    error NotPending();
    error TooEarly(uint64 readyAt);
    error Expired(uint64 expiresAt);
    error NotVetoable();
    error InvalidTimes();

    /// @notice The id given last; the next action gets `last() + 1`.
    function last() external view returns (uint64);
    function get(uint64 actionId) external view returns (Action memory);
    /// @notice Scheduled, not ended, and now within [readyAt, expiresAt].
    function isReady(uint64 actionId) external view returns (bool);
    /// @notice Open or scheduled, and not past expiresAt.
    function isPending(uint64 actionId) external view returns (bool);

    /// @notice Only openers. An action that still needs a consent.
    function open(bool vetoable) external returns (uint64 actionId);
    /// @notice Only the opener, once: from open to scheduled. `readyAt` now or later; it expires `window()` after.
    function schedule(uint64 actionId, uint64 readyAt) external;
    /// @notice Only the opener: the action happens in this transaction.
    function take(uint64 actionId) external;
    /// @notice Only the opener: whoever asked for it takes it back. Pending ones only, as for `cancel` and `veto`.
    function withdraw(uint64 actionId) external;
    /// @notice Anyone, with a quorum signature of the current epoch over `Cancel(actionId, epoch)`.
    function cancel(uint64 actionId, uint64 epoch, bytes calldata quorumSignature) external;
    /// @notice Anyone, with the guardian quorum's signatures over `Veto(actionId)`; only vetoable ones.
    function veto(uint64 actionId, bytes calldata guardianSignatures) external;
    /// @notice Seconds in which a ready action may be taken (7 days), then it is void.
    function window() external view returns (uint64);
}
