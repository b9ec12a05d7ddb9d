// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ChannelConfig, VoucherClaim} from "src/escrow/ChannelTypes.sol";
import {IBatchSettlementErrors as Errors} from "src/escrow/IBatchSettlementErrors.sol";
import {IBatchSettlementEvents as Events} from "src/escrow/IBatchSettlementEvents.sol";
import {ReceiverAuthorizer} from "src/escrow/ReceiverAuthorizer.sol";
import {Base} from "../support/Base.sol";

contract ReceiverAuthorizerTest is Base {
    bytes4 private constant VALID = 0x1626ba7e;
    bytes4 private constant INVALID = 0xffffffff;
    uint256 private constant NEXT_KEY = 0xCAFE;
    address private owner = address(0x0E);
    address private relay = address(0x4E);
    ReceiverAuthorizer private rotatable;

    function setUp() public override {
        super.setUp();
        rotatable = new ReceiverAuthorizer(address(escrow), owner, authorizer, relay, 1 days);
    }

    function test_onlyTheCurrentKeysStrictSignatureIsValid() public view {
        bytes32 hash = keccak256("anything");
        bytes memory good = sign(AUTHORIZER_KEY, hash);
        assertAnswer(hash, good, VALID);
        assertAnswer(hash, sign(STRANGER_KEY, hash), INVALID);
        assertAnswer(keccak256("another"), good, INVALID);
        assertAnswer(hash, highS(good), INVALID);
        assertAnswer(hash, "", INVALID);
        assertAnswer(hash, bytes.concat(good, hex"00"), INVALID);
        bytes memory cut = bytes.concat(good);
        assembly {
            mstore(cut, 64)
        }
        assertAnswer(hash, cut, INVALID);
        good[64] = 0x00;
        assertAnswer(hash, good, INVALID);
    }

    function test_rotationCountsFromItsTimeAndNeverBothKeys() public {
        address next = vm.addr(NEXT_KEY);
        uint40 due = uint40(block.timestamp + 1 days);
        vm.expectEmit(address(rotatable));
        emit ReceiverAuthorizer.RotationScheduled(authorizer, next, due);
        schedule(next);
        vm.warp(due - 1);
        assertKeys(VALID, INVALID);
        vm.warp(due);
        assertKeys(INVALID, VALID);
        vm.assertEq(rotatable.signer(), next);

        // A further rotation starts from the key that took over.
        schedule(authorizer);
        assertKeys(INVALID, VALID);
        vm.warp(due + 1 days);
        assertKeys(VALID, INVALID);
    }

    function test_schedulingAgainReplacesAndRestartsTheDelay() public {
        schedule(stranger);
        vm.warp(block.timestamp + 1 days - 1);
        schedule(vm.addr(NEXT_KEY));
        vm.warp(block.timestamp + 1 days - 1);
        assertKeys(VALID, INVALID);
        vm.assertEq(rotatable.signer(), authorizer);
        vm.warp(block.timestamp + 1);
        assertKeys(INVALID, VALID);
    }

    function test_cancelledRotationNeverCounts() public {
        schedule(vm.addr(NEXT_KEY));
        vm.expectEmit(address(rotatable));
        emit ReceiverAuthorizer.RotationCancelled(vm.addr(NEXT_KEY));
        vm.prank(owner);
        rotatable.cancelRotation();
        vm.warp(block.timestamp + 10 days);
        assertKeys(VALID, INVALID);
    }

    function test_RevertWhen_nothingCanBeCancelled() public {
        vm.prank(owner);
        vm.expectRevert(ReceiverAuthorizer.NoRotationScheduled.selector);
        rotatable.cancelRotation();
        schedule(vm.addr(NEXT_KEY));
        vm.warp(block.timestamp + 1 days);
        vm.prank(owner);
        vm.expectRevert(ReceiverAuthorizer.NoRotationScheduled.selector);
        rotatable.cancelRotation();
    }

    function test_revokeIsImmediateAndLeavesTheAnnouncedKey() public {
        schedule(vm.addr(NEXT_KEY));
        vm.expectEmit(address(rotatable));
        emit ReceiverAuthorizer.SignerRevoked(authorizer, owner);
        vm.prank(owner);
        rotatable.revoke();
        assertKeys(INVALID, INVALID);
        vm.assertEq(rotatable.signer(), address(0));
        vm.warp(block.timestamp + 1 days);
        assertKeys(INVALID, VALID);
        vm.prank(owner);
        rotatable.revoke();
        assertKeys(INVALID, INVALID);
        vm.warp(block.timestamp + 10 days);
        assertKeys(INVALID, INVALID);
    }

    function test_keyMayRevokeItself() public {
        vm.prank(authorizer);
        rotatable.revoke();
        assertKeys(INVALID, INVALID);
        vm.prank(owner);
        vm.expectRevert(ReceiverAuthorizer.NotAuthorizedToRevoke.selector);
        rotatable.revoke();
    }

    function test_afterARevocationNoSignatureIsTheKeysNotEvenABrokenOne() public {
        vm.prank(owner);
        rotatable.revoke();
        bytes32 hash = keccak256("anything");
        assertAnswer(hash, "", INVALID);
        assertAnswer(hash, new bytes(65), INVALID);
        assertAnswer(hash, highS(sign(AUTHORIZER_KEY, hash)), INVALID);
    }

    function test_RevertWhen_strangerRules() public {
        vm.prank(stranger);
        vm.expectRevert(ReceiverAuthorizer.NotAuthorizedToRevoke.selector);
        rotatable.revoke();
        bytes[3] memory calls = [
            abi.encodeCall(rotatable.scheduleRotation, (stranger)),
            abi.encodeCall(rotatable.cancelRotation, ()),
            abi.encodeCall(rotatable.setRelay, (stranger, true))
        ];
        address[3] memory senders = [stranger, authorizer, relay];
        for (uint256 i = 0; i < 9; ++i) {
            address sender = senders[i / 3];
            vm.prank(sender);
            (bool success, bytes memory why) = address(rotatable).call(calls[i % 3]);
            vm.assertTrue(!success);
            vm.assertEq(why, abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, sender));
        }
    }

    function test_RevertWhen_badArguments() public {
        vm.prank(owner);
        vm.expectRevert(ReceiverAuthorizer.InvalidSigner.selector);
        rotatable.scheduleRotation(address(0));
    }

    function test_RevertWhen_itHasNoSigner() public {
        vm.expectRevert(ReceiverAuthorizer.InvalidSigner.selector);
        new ReceiverAuthorizer(address(escrow), owner, address(0), relay, 1);
    }

    function test_RevertWhen_itHasNoEscrow() public {
        vm.expectRevert(ReceiverAuthorizer.InvalidEscrow.selector);
        new ReceiverAuthorizer(address(0), owner, authorizer, relay, 1);
    }

    function test_theDelayIsAtMostAMonth() public {
        vm.assertEq(new ReceiverAuthorizer(address(escrow), owner, authorizer, relay, 30 days).rotationDelay(), 30 days);
        vm.expectRevert(ReceiverAuthorizer.RotationDelayOutOfRange.selector);
        new ReceiverAuthorizer(address(escrow), owner, authorizer, relay, 30 days + 1);
    }

    function test_relayClaimsAlsoWhileTheKeyIsRevoked() public {
        (bytes32 id, VoucherClaim[] memory rows) = served();
        vm.prank(owner);
        rotatable.revoke();
        vm.expectEmit(address(escrow));
        emit Events.Claimed(id, address(rotatable), 5, 5);
        vm.prank(relay);
        rotatable.claim(rows);
        assertReceiver(receiver, 5, 0);
    }

    function test_RevertWhen_claimingWithoutBeingARelay() public {
        (, VoucherClaim[] memory rows) = served();
        address[3] memory senders = [stranger, authorizer, owner];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(senders[i]);
            vm.expectRevert(ReceiverAuthorizer.NotRelay.selector);
            rotatable.claim(rows);
        }
        vm.expectEmit(address(rotatable));
        emit ReceiverAuthorizer.RelaySet(relay, false);
        vm.prank(owner);
        rotatable.setRelay(relay, false);
        vm.prank(relay);
        vm.expectRevert(ReceiverAuthorizer.NotRelay.selector);
        rotatable.claim(rows);
    }

    function test_RevertWhen_theEscrowRefusesItsReasonComesThrough() public {
        ChannelConfig memory config = channel();
        config.receiver = stranger;
        fund(config, 10);
        VoucherClaim[] memory rows = one(row(config, 5, 5));
        vm.prank(relay);
        vm.expectRevert(Errors.NotAuthorizedToClaim.selector);
        rotatable.claim(rows);
    }

    function test_signedClaimsAndRefundsByErc1271() public {
        (bytes32 id, VoucherClaim[] memory rows) = served();
        escrow.claimWithSignature(rows, sign(AUTHORIZER_KEY, escrow.getClaimBatchDigest(rows)));
        ChannelConfig memory config = rows[0].voucher.channel;
        bytes memory stale = sign(AUTHORIZER_KEY, escrow.getRefundDigest(id, 0, 1));
        schedule(vm.addr(NEXT_KEY));
        vm.warp(block.timestamp + 1 days);
        vm.expectRevert(Errors.InvalidSignature.selector);
        escrow.refundWithSignature(config, 1, 0, stale);
        escrow.refundWithSignature(config, 1, 0, sign(NEXT_KEY, escrow.getRefundDigest(id, 0, 1)));
        assertChannel(id, 9, 5);
    }

    function test_ownershipMovesInTwoSteps() public {
        vm.prank(owner);
        rotatable.transferOwnership(stranger);
        vm.assertEq(rotatable.owner(), owner);
        vm.prank(stranger);
        rotatable.acceptOwnership();
        vm.assertEq(rotatable.owner(), stranger);
    }

    function served() private returns (bytes32 id, VoucherClaim[] memory rows) {
        ChannelConfig memory config = channel();
        config.receiverAuthorizer = address(rotatable);
        id = fund(config, 10);
        rows = one(row(config, 5, 5));
    }

    function schedule(address next) private {
        vm.prank(owner);
        rotatable.scheduleRotation(next);
    }

    function assertKeys(bytes4 old, bytes4 next) private view {
        bytes32 hash = keccak256("anything");
        assertAnswer(hash, sign(AUTHORIZER_KEY, hash), old);
        assertAnswer(hash, sign(NEXT_KEY, hash), next);
    }

    function assertAnswer(bytes32 hash, bytes memory signature, bytes4 expected) private view {
        vm.assertEq(bytes32(rotatable.isValidSignature(hash, signature)), bytes32(expected));
    }
}
