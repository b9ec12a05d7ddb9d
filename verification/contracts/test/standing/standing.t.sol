// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {GrantStanding, Messages} from "src/governance/Messages.sol";
import {IStandingRegistry} from "src/standing/IStandingRegistry.sol";
import {StandingRegistry} from "src/standing/StandingRegistry.sol";
import {digestFor} from "../support/Digest.sol";
import {EmergencyBase} from "../support/EmergencyBase.sol";
import {Members} from "../support/Members.sol";

contract StandingTest is EmergencyBase {
    using Members for uint256[];

    address private constant ACCOUNT = address(0xACC);
    bytes32 private constant COMMITMENT = keccak256("salted");
    uint64 private constant LATEST = START + 7 days;

    function _standing(uint64 grantId, uint64 expiry) private pure returns (GrantStanding memory) {
        return GrantStanding(ACCOUNT, grantId, expiry, 0x5, 77, COMMITMENT);
    }

    function _byAttesters(GrantStanding memory standing_) private view returns (bytes memory) {
        return attesterKeys.sign(0x5, digestOf(Messages.hash(standing_)));
    }

    function _grant(uint64 grantId, uint64 expiry) private {
        GrantStanding memory granted = _standing(grantId, expiry);
        standing.grant(granted, _byAttesters(granted));
    }

    function _refused(GrantStanding memory granted, bytes4 why) private {
        bytes memory signatures = _byAttesters(granted);
        vm.expectRevert(why);
        standing.grant(granted, signatures);
    }

    function _asAttester() private {
        vm.prank(vm.addr(attesterKeys[1]));
    }

    function test_noStandingAtFirst() public view {
        vm.assertTrue(!standing.isValid(ACCOUNT));
        vm.assertEq(standing.lastGrantId(ACCOUNT), 0);
        vm.assertEq(standing.standingOf(ACCOUNT).expiry, 0);
    }

    function test_grantedUntilItsExpiry() public {
        GrantStanding memory granted = _standing(1, LATEST);
        bytes memory signatures = _byAttesters(granted);
        vm.expectEmit(address(standing));
        emit IStandingRegistry.StandingGranted(ACCOUNT, 1, LATEST, 0x5, 77);
        vm.prank(STRANGER);
        standing.grant(granted, signatures);
        IStandingRegistry.Standing memory kept = standing.standingOf(ACCOUNT);
        vm.assertEq(kept.expiry, LATEST);
        vm.assertEq(kept.classes, 0x5);
        vm.assertEq(kept.issuer, 77);
        vm.assertEq(kept.commitment, COMMITMENT);
        vm.assertEq(standing.lastGrantId(ACCOUNT), 1);
        vm.assertTrue(standing.isValid(ACCOUNT) && !standing.isValid(STRANGER));
        vm.warp(LATEST - 1);
        vm.assertTrue(standing.isValid(ACCOUNT));
        vm.warp(LATEST);
        vm.assertTrue(!standing.isValid(ACCOUNT));
    }

    function test_expiryWithinSevenDays() public {
        _refused(_standing(1, START), IStandingRegistry.ExpiryOutOfRange.selector);
        _refused(_standing(1, LATEST + 1), IStandingRegistry.ExpiryOutOfRange.selector);
        _grant(1, START + 1);
        vm.assertTrue(standing.isValid(ACCOUNT));
    }

    function test_someClass() public {
        GrantStanding memory granted = _standing(1, LATEST);
        granted.classes = 0;
        _refused(granted, IStandingRegistry.NoClasses.selector);
    }

    function test_theNextGrantId() public {
        _refused(_standing(0, LATEST), IStandingRegistry.WrongGrantId.selector);
        _refused(_standing(2, LATEST), IStandingRegistry.WrongGrantId.selector);
        _grant(1, LATEST);
        _refused(_standing(1, LATEST), IStandingRegistry.WrongGrantId.selector);
        _grant(2, START + 1 days);
        vm.assertEq(standing.standingOf(ACCOUNT).expiry, START + 1 days);
        vm.assertEq(standing.lastGrantId(ACCOUNT), 2);
    }

    function test_byTwoAttesters() public {
        GrantStanding memory granted = _standing(1, LATEST);
        bytes32 digest = digestOf(Messages.hash(granted));
        vm.expectRevert(IStandingRegistry.BelowAttesterQuorum.selector);
        standing.grant(granted, attesterKeys.sign(0x2, digest));
        vm.expectRevert(IStandingRegistry.BelowAttesterQuorum.selector);
        standing.grant(granted, "");
        bytes memory one = Members.signature(attesterKeys[1], digest);
        vm.expectRevert(IStandingRegistry.OutOfOrder.selector);
        standing.grant(granted, bytes.concat(one, one));
        vm.expectRevert(abi.encodeWithSelector(IStandingRegistry.NotAnAttester.selector, vm.addr(guardianKeys[0])));
        standing.grant(granted, guardianKeys.sign(0x7, digest));
        bytes32 elsewhere = digestFor(address(limits), block.chainid + 1, Messages.hash(granted));
        (bool success,) =
            address(standing).call(abi.encodeCall(standing.grant, (granted, attesterKeys.sign(0x7, elsewhere))));
        vm.assertTrue(!success, "attesters signed for another chain");
        vm.assertTrue(!standing.isValid(ACCOUNT));
        standing.grant(granted, attesterKeys.sign(0x7, digest));
    }

    function test_anyAttesterRevokesAtOnce() public {
        _grant(1, LATEST);
        vm.expectRevert(abi.encodeWithSelector(IStandingRegistry.NotAnAttester.selector, address(this)));
        standing.revoke(ACCOUNT);
        vm.expectEmit(address(standing));
        emit IStandingRegistry.StandingRevoked(ACCOUNT, vm.addr(attesterKeys[1]));
        _asAttester();
        standing.revoke(ACCOUNT);
        vm.assertTrue(!standing.isValid(ACCOUNT));
        IStandingRegistry.Standing memory kept = standing.standingOf(ACCOUNT);
        vm.assertTrue(kept.expiry == 0 && kept.classes == 0 && kept.issuer == 0 && kept.commitment == 0);
    }

    /// @notice A renewal that was signed before the revocation does not undo it.
    function test_revocationSpendsTheNextGrant() public {
        _grant(1, LATEST);
        GrantStanding memory held = _standing(2, LATEST);
        _asAttester();
        standing.revoke(ACCOUNT);
        vm.assertEq(standing.lastGrantId(ACCOUNT), 2);
        _refused(held, IStandingRegistry.WrongGrantId.selector);
        _grant(3, LATEST);
        vm.assertTrue(standing.isValid(ACCOUNT));
    }

    function test_aDisabledIssuerIsVoidForEver() public {
        _grant(1, LATEST);
        vm.expectRevert(abi.encodeWithSelector(IStandingRegistry.NotAnAttester.selector, address(this)));
        standing.disableIssuer(77);
        _asAttester();
        standing.disableIssuer(78);
        vm.assertTrue(standing.isValid(ACCOUNT));
        vm.expectEmit(address(standing));
        emit IStandingRegistry.IssuerDisabled(77, vm.addr(attesterKeys[1]));
        _asAttester();
        standing.disableIssuer(77);
        vm.assertTrue(!standing.isValid(ACCOUNT) && standing.isDisabled(77));
        _refused(_standing(2, LATEST), IStandingRegistry.IssuerIsDisabled.selector);
        GrantStanding memory byAnother = _standing(2, LATEST);
        byAnother.issuer = 79;
        standing.grant(byAnother, _byAttesters(byAnother));
        vm.assertTrue(standing.isValid(ACCOUNT));
    }

    function test_onlyTheGovernorReplacesAttesters() public {
        uint256[] memory next = Members.keys("next", 4);
        vm.expectRevert(IStandingRegistry.OnlyGovernor.selector);
        standing.replaceAttesters(next.addresses(), 2);
        _asAttester();
        vm.expectRevert(IStandingRegistry.OnlyGovernor.selector);
        standing.replaceAttesters(next.addresses(), 2);

        _grant(1, LATEST);
        vm.expectEmit(address(standing));
        emit IStandingRegistry.AttestersReplaced(next.addresses(), 2);
        vm.prank(address(governor));
        standing.replaceAttesters(next.addresses(), 2);
        vm.assertTrue(standing.isValid(ACCOUNT), "standings stay");
        vm.assertTrue(!standing.isAttester(vm.addr(attesterKeys[1])) && standing.isAttester(vm.addr(next[3])));
        vm.assertEq(standing.attesters().length, 4);
        vm.assertEq(standing.threshold(), 2);
        _asAttester();
        vm.expectRevert(abi.encodeWithSelector(IStandingRegistry.NotAnAttester.selector, vm.addr(attesterKeys[1])));
        standing.revoke(ACCOUNT);
        vm.prank(vm.addr(next[0]));
        standing.revoke(ACCOUNT);
    }

    function test_attestersAreAValidSet() public {
        address[] memory next = Members.keys("next", 3).addresses();
        _replaceRefuses(next, 0);
        _replaceRefuses(next, 4);
        next[1] = next[0];
        _replaceRefuses(next, 2);
        vm.expectRevert(IStandingRegistry.InvalidAttesters.selector);
        new StandingRegistry(address(limits), address(governor), 7 days, next, 2);
    }

    function _replaceRefuses(address[] memory attesters, uint256 threshold) private {
        vm.prank(address(governor));
        vm.expectRevert(IStandingRegistry.InvalidAttesters.selector);
        standing.replaceAttesters(attesters, threshold);
    }
}
