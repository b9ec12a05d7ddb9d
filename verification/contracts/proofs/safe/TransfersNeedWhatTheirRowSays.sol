// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Messages, Order} from "src/governance/Messages.sol";
import {Buckets} from "src/safe/Bucket.sol";
import {GuardedSafes} from "src/safe/GuardedSafes.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {AnyGuard} from "../support/AnyGuard.sol";
import {svm, vm} from "../support/Cheats.sol";
import {hashOfSafeTransaction} from "../support/Expected.sol";

/// @notice A transfer passes only unpaused, of a listed token, to an account with standing; and then either small enough and inside
///         the bucket, or with a quorum's signature over exactly this order, at this nonce, for this chain and guard, in time.
contract TransfersNeedWhatTheirRowSays is AnyGuard {
    function check_neverWhilePaused(address to, uint256 amount) external {
        bool paused = brake.paused();
        if (before(address(token), 0, transferOf(to, amount), _signatures())) assert(!paused);
    }

    function check_neverWithoutStanding(address to, uint256 amount) external {
        bool valid = standing.isValid(to);
        if (before(address(token), 0, transferOf(to, amount), _signatures())) assert(valid);
    }

    function check_nativeNeverWithoutStandingNorWhilePaused(address to, uint256 value) external {
        vm.assume(value != 0);
        (bool valid, bool paused) = (standing.isValid(to), brake.paused());
        if (before(to, value, "", _signatures())) assert(valid && !paused);
    }

    function check_nativeNeverWithoutACertificate(address to, uint256 value) external {
        vm.assume(value != 0);
        assert(!before(to, value, "", owners()));
    }

    function check_uncertifiedOnlyBelowTheLimitAndInsideTheBucket(address to, uint256 amount) external {
        bytes32 group = guard.groupOf(address(safe));
        ITransferGuard.Limits memory limits = _limits(group);
        uint256 room = guard.room(group, address(token));
        bool reduced = brake.reduced();
        if (!before(address(token), 0, transferOf(to, amount), owners())) return;
        assert(amount <= room);
        assert(amount < (reduced ? limits.certifiedFrom / 10 : limits.certifiedFrom));
    }

    /// @notice The bucket is drained to now, and filled by exactly the amount. What that bounds is proved of the bucket alone.
    function check_uncertifiedAmountFillsTheBucket(address to, uint256 amount) external {
        bytes32 group = guard.groupOf(address(safe));
        ITransferGuard.Limits memory limits = _limits(group);
        GuardedSafes.Outflow memory outflow = guard.outflowOf(group, address(token));
        uint256 daily = brake.reduced() ? limits.daily / 10 : limits.daily;
        if (!before(address(token), 0, transferOf(to, amount), owners())) return;
        uint256 level = Buckets.levelAt(outflow.drainedAt, block.timestamp);
        uint64 filled = Buckets.filled(level, amount, daily, block.timestamp);
        assert(guard.outflowOf(group, address(token)).drainedAt == filled);
    }

    function check_certifiedLeavesTheBucketAlone(address to, uint256 amount) external {
        bytes32 group = guard.groupOf(address(safe));
        uint256 room = guard.room(group, address(token));
        if (!before(address(token), 0, transferOf(to, amount), _certified())) return;
        assert(guard.room(group, address(token)) == room);
    }

    /// @notice The digest that validators must have signed is this order's: other chain, guard, Safe, nonce, epoch, time and call
    ///         make another digest.
    function check_certificateIsForExactlyThisOrder(address to, uint256 amount) external {
        bytes memory signatures = _certified();
        bytes memory data = transferOf(to, amount);
        Order memory order = _orderIn(signatures);
        order.safeTxHash = hashOfSafeTransaction(address(safe), address(token), 0, data, order.safeNonce);
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", guard.domainSeparator(), Messages.hash(order)));
        bool signed = verifier.signed(digest, order.epoch);
        if (before(address(token), 0, data, signatures)) {
            assert(signed);
            assert(block.timestamp <= order.validUntil && order.validUntil <= block.timestamp + 3600);
        }
    }

    /// @notice From `noticeFrom` on, certified or not, it was announced and the notice is over; the announcement is used up.
    function check_largeOnlyOnceAfterItsNotice(address to, uint256 amount) external {
        bytes memory signatures = _signatures();
        bytes memory data = transferOf(to, amount);
        bytes32 hash = hashOfSafeTransaction(address(safe), address(token), 0, data, _nonce());
        ITransferGuard.Limits memory limits = _limits(guard.groupOf(address(safe)));
        vm.assume(amount >= limits.noticeFrom);
        uint64 from = guard.announcedFrom(address(safe), hash);
        if (!before(address(token), 0, data, signatures)) return;
        assert(from != 0 && block.timestamp >= from);
        assert(guard.announcedFrom(address(safe), hash) == 0);
    }

    /// @notice So the proofs above are not of nothing.
    function reaches_anUncertifiedTransferPasses(address to, uint256 amount) external {
        assert(!before(address(token), 0, transferOf(to, amount), owners()));
    }

    function reaches_aCertifiedTransferPasses(address to, uint256 amount) external {
        assert(!before(address(token), 0, transferOf(to, amount), _certified()));
    }

    function _signatures() private returns (bytes memory) {
        return svm.createBool("certified") ? _certified() : owners();
    }

    function _certified() private returns (bytes memory) {
        return bytes.concat(owners(), svm.createBytes(336, "certificate"));
    }

    function _orderIn(bytes memory signatures) private view returns (Order memory order) {
        (uint64 epoch, uint64 validUntil, bytes32 factsHash) = this.head(signatures);
        return Order(address(safe), 0, _nonce(), epoch, validUntil, factsHash);
    }

    function head(bytes calldata signatures) external pure returns (uint64, uint64, bytes32) {
        return (uint64(bytes8(signatures[130:138])), uint64(bytes8(signatures[138:146])), bytes32(signatures[146:178]));
    }

    function _nonce() private view returns (uint256 nonce) {
        nonce = safe.nonce();
        vm.assume(nonce != 0); // the Safe raised it before it asked
        return nonce - 1;
    }

    /// @dev As `setLimits` leaves them: `smallBelow`, which is not shown, is the lower of the two.
    function _limits(bytes32 group) private view returns (ITransferGuard.Limits memory limits) {
        limits = guard.limitsOf(group, address(token));
        uint256 small = guard.outflowOf(group, address(token)).smallBelow;
        vm.assume(small == (limits.certifiedFrom < limits.noticeFrom ? limits.certifiedFrom : limits.noticeFrom));
    }
}
