// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title A leaky bucket that bounds what leaves in any 24 hours
/// @notice level(now) = max(0, level - dt * L / 172800) and, after an outflow, level + amount <= L / 2. What leaves in 24 h is at
///         most what fits, L / 2, and what drains meanwhile, 86400 * L / 172800 = L / 2: together L. Whatever window.
/// @dev A level is kept as the time at which it has drained: an outflow of `amount` puts that off by amount / L of two days. So a
///      level is a share of L, and where L changes, what leaves in a window is at most the largest L that held in it. Times are in
///      ticks of 2^-24 s; an outflow is rounded up to the next tick, so that nothing is ever gained by rounding.
library Buckets {
    /// @dev Ticks in which an outflow of L drains: two days.
    uint256 internal constant SCALE = 172_800 << 24;
    /// @dev Ticks that a bucket may need to drain: half of SCALE.
    uint256 internal constant BRIM = 86_400 << 24;

    /// @notice What is in a bucket at `time` (Unix seconds), in ticks.
    function levelAt(uint64 drainedAt, uint256 time) internal pure returns (uint256) {
        uint256 now_ = time << 24;
        return drainedAt <= now_ ? 0 : drainedAt - now_;
    }

    /// @notice The largest amount that still fits on top of `level`; amount and `daily` (L) in the token's smallest unit.
    function roomAbove(uint256 level, uint256 daily) internal pure returns (uint256) {
        return level >= BRIM ? 0 : (BRIM - level) * daily / SCALE;
    }

    /// @notice When all has drained after `amount` was put on `level` at `time`: amount <= roomAbove(level, daily).
    function filled(uint256 level, uint256 amount, uint256 daily, uint256 time) internal pure returns (uint64) {
        return uint64((time << 24) + level + shareOf(amount, daily));
    }

    /// @notice The ticks in which `amount` drains, rounded up.
    function shareOf(uint256 amount, uint256 daily) internal pure returns (uint256) {
        return amount == 0 ? 0 : (amount * SCALE + daily - 1) / daily;
    }
}
