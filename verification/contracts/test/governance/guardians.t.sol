// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Guardians} from "src/governance/Guardians.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {EmergencyBase} from "../support/EmergencyBase.sol";
import {Members} from "../support/Members.sol";

contract GuardiansTest is EmergencyBase {
    using Members for uint256[];

    bytes32 private constant DIGEST = keccak256("what guardians sign");

    function test_anyQuorumSigns() public view {
        for (uint256 bitmap = 0; bitmap < 32; ++bitmap) {
            uint256 signers;
            for (uint256 i = 0; i < 5; ++i) {
                signers += (bitmap >> i) & 1;
            }
            if (signers >= 3) guardians.check(DIGEST, guardianKeys.sign(bitmap, DIGEST));
        }
    }

    function test_belowTheQuorum() public {
        vm.expectRevert(IGuardians.BelowGuardianQuorum.selector);
        guardians.check(DIGEST, guardianKeys.sign(0x18, DIGEST));
        vm.expectRevert(IGuardians.BelowGuardianQuorum.selector);
        guardians.check(DIGEST, "");
    }

    function test_oneGuardianNeverCountsTwice() public {
        bytes memory one = Members.signature(guardianKeys[0], DIGEST);
        vm.expectRevert(IGuardians.OutOfOrder.selector);
        guardians.check(DIGEST, bytes.concat(one, one, one));
        bytes memory two = guardianKeys.sign(0x3, DIGEST);
        vm.expectRevert(IGuardians.OutOfOrder.selector);
        guardians.check(DIGEST, bytes.concat(two, one));
    }

    function test_descendingOrderIsRefused() public {
        bytes memory last = Members.signature(guardianKeys[4], DIGEST);
        vm.expectRevert(IGuardians.OutOfOrder.selector);
        guardians.check(DIGEST, bytes.concat(last, guardianKeys.sign(0x3, DIGEST)));
    }

    function test_aStrangerSpoilsAQuorum() public {
        uint256[] memory mixed = new uint256[](4);
        uint256[] memory strangers = Members.keys("stranger", 40);
        (mixed[0], mixed[1], mixed[2]) = (guardianKeys[0], guardianKeys[1], guardianKeys[2]);
        for (uint256 i = 0; i < strangers.length; ++i) {
            address stranger = vm.addr(strangers[i]);
            if (stranger < vm.addr(guardianKeys[2])) continue;
            mixed[3] = strangers[i];
            vm.expectRevert(abi.encodeWithSelector(IGuardians.NotAGuardian.selector, stranger));
            guardians.check(DIGEST, mixed.sign(0xf, DIGEST));
            return;
        }
        vm.assertTrue(false, "no stranger above the third guardian");
    }

    function test_anotherDigestRecoversStrangers() public {
        (bool success,) = address(guardians)
            .call(abi.encodeCall(guardians.check, (keccak256("other"), guardianKeys.sign(0x7, DIGEST))));
        vm.assertTrue(!success, "signatures count for another digest");
    }

    function test_malformedSignatures() public {
        bytes memory good = guardianKeys.sign(0x7, DIGEST);
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureLength.selector, 196));
        guardians.check(DIGEST, bytes.concat(good, hex"00"));

        bytes memory two = guardianKeys.sign(0x3, DIGEST);
        bytes memory twin = Members.highS(guardianKeys[2], DIGEST);
        bytes32 s;
        assembly ("memory-safe") {
            s := mload(add(twin, 0x40))
        }
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, s));
        guardians.check(DIGEST, bytes.concat(two, twin));

        good[194] = bytes1(uint8(good[194]) - 27);
        vm.expectRevert(ECDSA.ECDSAInvalidSignature.selector);
        guardians.check(DIGEST, good);
    }

    /// @notice Any list of members and strangers: accepted exactly when ascending, all members, at least three.
    function testFuzz_orderDuplicatesAndStrangers(uint256 seed, uint8 length) public view {
        uint256[] memory stranger = Members.keys("stranger", 1);
        uint256 count = length % 6;
        bytes memory signatures;
        bool good = count >= 3;
        address previous = address(0);
        // Mostly ascending, else hardly any list would be good.
        uint256 member = seed % 2;
        for (uint256 i = 0; i < count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 key = seed % 16 == 0 ? stranger[0] : guardianKeys[member % 5];
            member += seed >> 8 & 7 == 0 ? 0 : 1;
            signatures = bytes.concat(signatures, Members.signature(key, DIGEST));
            good = good && key != stranger[0] && vm.addr(key) > previous;
            previous = vm.addr(key);
        }
        (bool success,) = address(guardians).staticcall(abi.encodeCall(guardians.check, (DIGEST, signatures)));
        vm.assertTrue(success == good, "accepted exactly when ascending members in quorum");
    }

    function test_onlyTheGovernorReplaces() public {
        address[] memory next = Members.keys("next", 3).addresses();
        vm.expectRevert(IGuardians.OnlyGovernor.selector);
        guardians.replace(next, 2);
        vm.prank(vm.addr(guardianKeys[0]));
        vm.expectRevert(IGuardians.OnlyGovernor.selector);
        guardians.replace(next, 2);
    }

    function test_replacedGuardiansCountNoMore() public {
        uint256[] memory next = Members.keys("next", 3);
        vm.expectEmit(address(guardians));
        emit IGuardians.GuardiansReplaced(next.addresses(), 2);
        vm.prank(address(governor));
        guardians.replace(next.addresses(), 2);

        guardians.check(DIGEST, next.sign(0x5, DIGEST));
        vm.assertTrue(!guardians.isGuardian(vm.addr(guardianKeys[0])), "an old guardian");
        vm.assertTrue(guardians.isGuardian(vm.addr(next[2])), "a new guardian");
        vm.assertEq(guardians.members().length, 3);
        vm.assertEq(guardians.threshold(), 2);
        vm.expectRevert(abi.encodeWithSelector(IGuardians.NotAGuardian.selector, vm.addr(guardianKeys[0])));
        guardians.check(DIGEST, guardianKeys.sign(0x7, DIGEST));
    }

    function test_aGuardianMayStay() public {
        address[] memory stay = new address[](2);
        (stay[0], stay[1]) = (vm.addr(guardianKeys[1]), vm.addr(guardianKeys[3]));
        vm.prank(address(governor));
        guardians.replace(stay, 2);
        guardians.check(DIGEST, guardianKeys.sign(0xa, DIGEST));
    }

    function test_thresholdIsAMajority() public {
        address[] memory four = Members.keys("next", 4).addresses();
        _refused(four, 2);
        _refused(four, 5);
        _refused(four, type(uint256).max);
        vm.prank(address(governor));
        guardians.replace(four, 3);
        vm.prank(address(governor));
        guardians.replace(four, 4);
    }

    function test_membersAreDistinctAscendingAndFew() public {
        _refused(new address[](0), 0);
        _refused(new address[](1), 1); // the zero address
        address[] memory next = Members.keys("next", 3).addresses();
        next[2] = next[1];
        _refused(next, 2);
        next = Members.keys("next", 3).addresses();
        (next[0], next[1]) = (next[1], next[0]);
        _refused(next, 2);
        _refused(_first(33), 17);
        vm.prank(address(governor));
        guardians.replace(_first(32), 17);
    }

    function _first(uint256 n) private pure returns (address[] memory all) {
        all = new address[](n);
        for (uint256 i = 0; i < n; ++i) {
            all[i] = address(uint160(i + 1));
        }
    }

    function test_constructorHasTheSameRules() public {
        vm.expectRevert(IGuardians.InvalidGuardians.selector);
        new Guardians(address(governor), guardianKeys.addresses(), 2);
    }

    function _refused(address[] memory members, uint256 threshold) private {
        vm.prank(address(governor));
        vm.expectRevert(IGuardians.InvalidGuardians.selector);
        guardians.replace(members, threshold);
    }
}
