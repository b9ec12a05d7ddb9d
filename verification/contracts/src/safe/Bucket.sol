// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title A leaky bucket that bounds what leaves in any 24 hours
/// @notice level(now) = max(0, level - dt * L / 172800) and, after an outflow, level + amount <= L / 2. What leaves in 24 h is at
///         most what fits, L / 2, and what drains meanwhile, 86400 * L / 172800 = L / 2: together L. Whatever window.
/// @dev Levels are kept times 172800, so nothing is ever rounded: draining is dt * L, an outflow amount * 172800, the brim
///      L * 86400. Where L changes, the caller drains at the old L first; then what leaves in a window is at most the
///      largest L that held in it, and a level above a lowered brim only waits until it has drained.
struct Bucket {
    uint192 level; // token's smallest unit * 172800
    uint64 time; // Unix seconds of that level
}

library Buckets {
    /// @dev Seconds in which a full L drains: two days.
    uint256 internal constant SCALE = 172_800;
    /// @dev Brim over L, scaled: half of SCALE.
    uint256 internal constant BRIM = 86_400;

    /// @notice The level at `time`, scaled, after draining at `daily` (L, in the token's smallest unit, below 2^128).
    function levelAt(Bucket memory bucket, uint256 daily, uint256 time) internal pure returns (uint256) {
        uint256 drained = (time - bucket.time) * daily;
        return drained >= bucket.level ? 0 : bucket.level - drained;
    }

    /// @notice The largest amount that still fits on top of a scaled `level`, in the token's smallest unit.
    function roomAbove(uint256 level, uint256 daily) internal pure returns (uint256) {
        uint256 brim = daily * BRIM;
        return level >= brim ? 0 : (brim - level) / SCALE;
    }

    /// @notice The bucket at `time` after `amount` was put on a scaled `level`: amount <= roomAbove(level), or zero. 17 bits above
    ///         a limit's 128 are what a level may take.
    function filled(uint256 level, uint256 amount, uint256 time) internal pure returns (Bucket memory) {
        return Bucket(uint192(level + amount * SCALE), uint64(time));
    }
}
