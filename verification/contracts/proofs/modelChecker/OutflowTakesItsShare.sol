// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Buckets} from "src/safe/Bucket.sol";

/// @notice An outflow raises the level by amount / L of two days or more, and by less than a tick more.
/// @dev `product` is L times the quotient in Buckets.shareOf: the dividend less a rest below L. No solver here gets through the
///      division itself; that the code divides these numbers is tested with random ones (test/safe/bucket.t.sol).
contract OutflowTakesItsShare {
    function atLeast(uint96 amount, uint96 daily, uint256 product, uint96 rest) external pure {
        _requireProduct(amount, daily, product, rest);
        assert(product >= uint256(amount) * Buckets.SCALE);
    }

    function lessThanATickMore(uint96 amount, uint96 daily, uint256 product, uint96 rest) external pure {
        _requireProduct(amount, daily, product, rest);
        assert(product < uint256(amount) * Buckets.SCALE + daily);
    }

    function _requireProduct(uint96 amount, uint96 daily, uint256 product, uint96 rest) private pure {
        require(daily != 0 && rest < daily && product <= type(uint192).max);
        require(product + rest == uint256(amount) * Buckets.SCALE + daily - 1);
    }
}
