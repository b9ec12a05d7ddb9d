// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "./Vm.sol";

/// @notice Keys of a member set in the order of their addresses, and what they sign.
library Members {
    Vm private constant _VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant _ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    /// @notice `n` keys. Other `name`, other keys.
    function keys(string memory name, uint256 n) internal pure returns (uint256[] memory sorted) {
        sorted = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            uint256 key = uint256(keccak256(abi.encode(name, i))) % _ORDER;
            uint256 place = i;
            for (; place > 0 && _VM.addr(key) < _VM.addr(sorted[place - 1]); --place) {
                sorted[place] = sorted[place - 1];
            }
            sorted[place] = key;
        }
    }

    function addresses(uint256[] memory of_) internal pure returns (address[] memory all) {
        all = new address[](of_.length);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = _VM.addr(of_[i]);
        }
    }

    /// @notice Signatures of the members named by `bitmap`, ascending.
    function sign(uint256[] memory of_, uint256 bitmap, bytes32 digest) internal pure returns (bytes memory joined) {
        for (uint256 i = 0; i < of_.length; ++i) {
            if ((bitmap >> i) & 1 == 1) joined = bytes.concat(joined, signature(of_[i], digest));
        }
    }

    function signature(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = _VM.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @notice The same signature with the other s: valid to the curve, refused by EIP-2.
    function highS(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = _VM.sign(key, digest);
        return abi.encodePacked(r, _ORDER - uint256(s), v == 27 ? uint8(28) : uint8(27));
    }
}
