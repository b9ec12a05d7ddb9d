// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {GrantStanding, Messages} from "src/governance/Messages.sol";
import {IStandingRegistry} from "src/standing/IStandingRegistry.sol";
import {StandingRegistry} from "src/standing/StandingRegistry.sol";
import {svm, vm} from "../support/Cheats.sol";

/// @notice In any state: standing is granted by as many different attesters as the threshold says, for seven days at most, and
///         taken by any one of them at once; an issuer that one of them disabled is so for ever; no old grant comes back.
/// @dev Who attesters are and what they granted before is anything. Recovery is uninterpreted.
/// @custom:bound three attesters, two of whom must sign; signatures of up to two
contract StandingIsTheAttesters {
    uint64 private constant VALIDITY = 7 days;
    address private constant GOVERNOR = address(0x60);
    StandingRegistry private standing;
    address[3] private keys;

    function setUp() external {
        address[] memory attesters = new address[](3);
        for (uint256 i = 0; i < 3; ++i) {
            keys[i] = attesters[i] = svm.createAddress("attester");
        }
        vm.assume(attesters[0] != address(0) && attesters[0] < attesters[1] && attesters[1] < attesters[2]);
        standing = new StandingRegistry(address(0x6A), GOVERNOR, VALIDITY, attesters, 2);
        vm.warp(svm.createUint(40, "now"));
    }

    function check_grantedByTwoAttesters() external {
        GrantStanding memory grant = _grant(svm.createAddress("account"));
        bytes memory one = svm.createBytes(65, "one");
        bytes memory two = svm.createBytes(65, "two");
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", standing.domainSeparator(), Messages.hash(grant)));
        if (!_grants(grant, bytes.concat(one, two))) return;
        (address first,,) = ECDSA.tryRecover(digest, one);
        (address second,,) = ECDSA.tryRecover(digest, two);
        assert(first != second && _isAttester(first) && _isAttester(second));
    }

    function check_neverByOneNorNone() external {
        GrantStanding memory grant = _grant(svm.createAddress("account"));
        assert(!_grants(grant, ""));
        assert(!_grants(grant, svm.createBytes(65, "one")));
    }

    /// @notice For the account's next number, and what it says is what is kept.
    function check_grantedAsItSaysForSevenDaysAtMost() external {
        svm.enableSymbolicStorage(address(standing));
        GrantStanding memory grant = _grant(svm.createAddress("account"));
        uint64 last = standing.lastGrantId(grant.account);
        bool disabled = standing.isDisabled(grant.issuer);
        if (!_grants(grant, svm.createBytes(130, "signatures"))) return;
        assert(grant.grantId == last + 1 && standing.lastGrantId(grant.account) == grant.grantId && !disabled);
        assert(block.timestamp < grant.expiry && grant.expiry <= block.timestamp + VALIDITY && grant.classes != 0);
        IStandingRegistry.Standing memory kept = standing.standingOf(grant.account);
        assert(kept.expiry == grant.expiry && kept.classes == grant.classes);
        assert(kept.issuer == grant.issuer && kept.commitment == grant.commitment && standing.isValid(grant.account));
    }

    /// @notice Seven days after its grant no standing is valid any more, whatever else happened but another grant.
    function check_itEndsWithItsExpiry(uint32 later) external {
        svm.enableSymbolicStorage(address(standing));
        GrantStanding memory grant = _grant(svm.createAddress("account"));
        if (!_grants(grant, svm.createBytes(130, "signatures"))) return;
        vm.assume(block.timestamp + later >= grant.expiry);
        vm.warp(block.timestamp + later);
        assert(!standing.isValid(grant.account));
    }

    /// @notice Whoever calls whatever: an account gains standing by a grant alone.
    /// @custom:halmos --default-bytes-lengths 0,65,130 --default-array-lengths 2
    function check_noOtherFunctionGrants(address sender, address account) external {
        svm.enableSymbolicStorage(address(standing));
        vm.assume(!standing.isValid(account));
        bytes memory data = _anyCallButReplacement();
        vm.prank(sender);
        (bool success,) = address(standing).call(data);
        if (standing.isValid(account)) assert(success && bytes4(data) == standing.grant.selector);
    }

    function check_anyAttesterRevokesAtOnce(address sender, address account) external {
        svm.enableSymbolicStorage(address(standing));
        bool attester = standing.isAttester(sender);
        uint64 last = standing.lastGrantId(account);
        vm.assume(last < type(uint64).max);
        vm.prank(sender);
        try standing.revoke(account) {
            assert(attester && !standing.isValid(account) && standing.lastGrantId(account) == last + 1);
        } catch {
            assert(!attester);
        }
    }

    /// @notice Signed before, sent after the revocation or a second time: it is void.
    function check_noOldGrantComesBack(bool revoked, address attester) external {
        svm.enableSymbolicStorage(address(standing));
        GrantStanding memory grant = _grant(svm.createAddress("account"));
        uint64 last = standing.lastGrantId(grant.account);
        vm.assume(last < type(uint64).max - 1);
        if (revoked) {
            vm.assume(grant.grantId == last + 1 && standing.isAttester(attester));
            vm.prank(attester);
            standing.revoke(grant.account);
        } else if (!_grants(grant, svm.createBytes(130, "signatures"))) {
            return;
        }
        assert(!_grants(grant, svm.createBytes(130, "again")));
    }

    function check_anyAttesterDisablesAnIssuer(address sender, uint32 issuer, address account) external {
        svm.enableSymbolicStorage(address(standing));
        bool attester = standing.isAttester(sender);
        vm.assume(standing.standingOf(account).issuer == issuer);
        vm.prank(sender);
        try standing.disableIssuer(issuer) {
            assert(attester && !standing.isValid(account));
        } catch {
            assert(!attester);
        }
    }

    /// @notice For ever, and nobody but an attester disables one.
    /// @custom:halmos --default-bytes-lengths 0,65,130 --default-array-lengths 2
    function check_disabledStaysDisabled(address sender, uint32 issuer) external {
        svm.enableSymbolicStorage(address(standing));
        bool disabled = standing.isDisabled(issuer);
        bool attester = standing.isAttester(sender);
        bytes memory data = _anyCallButReplacement();
        vm.prank(sender);
        (bool success,) = address(standing).call(data);
        if (standing.isDisabled(issuer) == disabled) return;
        assert(success && !disabled && attester && bytes4(data) == standing.disableIssuer.selector);
    }

    function check_onlyTheGovernorReplacesAttesters(address sender, uint256 threshold) external {
        address[] memory others = new address[](2);
        (others[0], others[1]) = (svm.createAddress("other"), svm.createAddress("another"));
        vm.prank(sender);
        try standing.replaceAttesters(others, threshold) {
            assert(sender == GOVERNOR && threshold != 0 && threshold <= 2);
            assert(others[0] != address(0) && others[0] < others[1]);
        } catch {}
    }

    function reaches_aGrant() external {
        assert(!_grants(_grant(svm.createAddress("account")), svm.createBytes(130, "signatures")));
    }

    function reaches_aRevokedStanding(address sender) external {
        svm.enableSymbolicStorage(address(standing));
        GrantStanding memory grant = _grant(svm.createAddress("account"));
        if (!_grants(grant, svm.createBytes(130, "signatures"))) return;
        vm.prank(sender);
        standing.revoke(grant.account);
        assert(standing.isValid(grant.account));
    }

    /// @dev A replacement of attesters walks over all of before, which may be any number in any state; it is stated apart.
    function _anyCallButReplacement() private returns (bytes memory data) {
        data = svm.createCalldata("StandingRegistry");
        vm.assume(bytes4(data) != standing.replaceAttesters.selector);
    }

    function _grant(address account) private returns (GrantStanding memory) {
        return GrantStanding(
            account,
            uint64(svm.createUint(64, "grantId")),
            uint64(svm.createUint(64, "expiry")),
            uint64(svm.createUint(64, "classes")),
            uint32(svm.createUint(32, "issuer")),
            svm.createBytes32("commitment")
        );
    }

    function _grants(GrantStanding memory grant, bytes memory signatures) private returns (bool) {
        try standing.grant(grant, signatures) {
            return true;
        } catch {
            return false;
        }
    }

    function _isAttester(address who) private view returns (bool) {
        return who == keys[0] || who == keys[1] || who == keys[2];
    }
}
