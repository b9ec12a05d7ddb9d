// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Guardians} from "src/governance/Guardians.sol";
import {svm, vm} from "../support/Cheats.sol";

/// @notice A check passes only with as many different members' signatures as the threshold says, each over the digest itself; only
///         the governor changes who they are.
/// @dev The same code serves guardians, attesters and vault owners. Recovery is uninterpreted.
/// @custom:bound up to three members, and signatures of up to three
contract OnlyAQuorumOfMembersCounts {
    address private constant GOVERNOR = address(0x60);
    Guardians private guardians;
    address[3] private keys;

    function setUp() external {
        address[] memory members = new address[](3);
        for (uint256 i = 0; i < 3; ++i) {
            keys[i] = members[i] = svm.createAddress("member");
        }
        vm.assume(members[0] != address(0) && members[0] < members[1] && members[1] < members[2]);
        guardians = new Guardians(GOVERNOR, members, 2);
    }

    function check_nothingBelowTheThreshold(bytes32 digest) external {
        assert(!_passes(digest, ""));
        assert(!_passes(digest, svm.createBytes(65, "one")));
    }

    function check_noOtherLength(bytes32 digest) external {
        assert(!_passes(digest, svm.createBytes(129, "short")));
        assert(!_passes(digest, svm.createBytes(131, "long")));
    }

    function check_twoAreTwoDifferentMembers(bytes32 digest) external {
        bytes memory one = svm.createBytes(65, "one");
        bytes memory two = svm.createBytes(65, "two");
        if (!_passes(digest, bytes.concat(one, two))) return;
        (address first, address second) = (_signer(digest, one), _signer(digest, two));
        assert(first != second && _isMember(first) && _isMember(second));
    }

    /// @notice A surplus signature by a stranger, or one twice, does not pass either.
    /// @custom:halmos --loop 4
    function check_threeAreThreeDifferentMembers(bytes32 digest) external {
        bytes memory one = svm.createBytes(65, "one");
        bytes memory two = svm.createBytes(65, "two");
        bytes memory three = svm.createBytes(65, "three");
        if (!_passes(digest, bytes.concat(one, two, three))) return;
        assert(_signer(digest, one) == keys[0]);
        assert(_signer(digest, two) == keys[1]);
        assert(_signer(digest, three) == keys[2]);
    }

    function check_onlyTheGovernorReplaces(address sender, uint256 threshold) external {
        address[] memory others = new address[](2);
        (others[0], others[1]) = (svm.createAddress("other"), svm.createAddress("another"));
        vm.prank(sender);
        try guardians.replace(others, threshold) {
            assert(sender == GOVERNOR && threshold == 2);
            assert(others[0] != address(0) && others[0] < others[1]);
        } catch {}
    }

    /// @notice Nobody of before remains.
    function check_whoIsReplacedIsNoMember(address who) external {
        address[] memory others = new address[](2);
        (others[0], others[1]) = (svm.createAddress("other"), svm.createAddress("another"));
        vm.prank(GOVERNOR);
        guardians.replace(others, 2);
        assert(guardians.isGuardian(who) == (who == others[0] || who == others[1]));
    }

    function reaches_twoMembersPass(bytes32 digest) external {
        assert(!_passes(digest, svm.createBytes(130, "two")));
    }

    function _passes(bytes32 digest, bytes memory signatures) private view returns (bool) {
        try guardians.check(digest, signatures) {
            return true;
        } catch {
            return false;
        }
    }

    function _signer(bytes32 digest, bytes memory signature) private pure returns (address signer) {
        (signer,,) = ECDSA.tryRecover(digest, signature);
    }

    function _isMember(address who) private view returns (bool) {
        return who == keys[0] || who == keys[1] || who == keys[2];
    }
}
