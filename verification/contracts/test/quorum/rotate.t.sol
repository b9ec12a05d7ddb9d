// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IActions} from "src/governance/IActions.sol";
import {Messages, Rotate} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {IValidatorRegistry as I} from "src/quorum/IValidatorRegistry.sol";
import {Committee} from "../support/Committee.sol";
import {digestFor} from "../support/Digest.sol";
import {QuorumBase} from "../support/QuorumBase.sol";
import {Vm} from "../support/Vm.sol";

contract RotateTest is QuorumBase {
    uint64 private constant READY = uint64(NOW) + ROTATION;

    uint256[] private _next;
    bytes private _keys;

    function setUp() public override {
        super.setUp();
        _next = successors(2, 5);
        _keys = Committee.keys(_next);
    }

    function test_rotation() public {
        vm.expectEmit(address(registry));
        emit I.RotationScheduled(1, 2, keccak256(_keys), READY);
        uint64 actionId = _schedule(_rotate(2, READY));
        vm.assertEq(actionId, 1);
        IActions.Action memory action = actions.get(1);
        vm.assertTrue(action.vetoable);
        vm.assertEq(action.opener, address(registry));
        vm.assertEq(action.readyAt, READY);
        vm.assertEq(registry.epoch(), 1);

        vm.warp(READY);
        registry.startEpoch(1, _keys);
        vm.assertEq(registry.epoch(), 2);
        vm.assertEq(registry.keysOf(2), _keys);
        vm.assertEq(registry.keysOf(1), Committee.keys(validators));
        (, address pointer) = registry.current();
        vm.assertEq(pointer.code, bytes.concat(hex"00", _keys));
    }

    function test_start_is_told() public {
        _schedule(_rotate(2, READY));
        vm.warp(READY);
        vm.recordLogs();
        registry.startEpoch(1, _keys);
        (, address pointer) = registry.current();
        Vm.Log memory log = vm.getRecordedLogs()[0];
        vm.assertEq(log.topics[0], I.EpochStarted.selector);
        vm.assertEq(log.topics[1], bytes32(uint256(2)));
        vm.assertEq(log.data, abi.encode(keccak256(_keys), pointer));
    }

    /// @dev The old ones' signatures die with their epoch, the new ones' count.
    function test_after_rotation_the_new_validators_count() public {
        bytes memory old = quorum(7, DIGEST);
        _schedule(_rotate(2, READY));
        vm.warp(READY);
        registry.startEpoch(1, _keys);
        vm.expectRevert(abi.encodeWithSelector(ICertificateVerifier.WrongEpoch.selector, 1, 2));
        verifier.verify(DIGEST, 1, old);
        bytes memory ofFive = quorum(15, DIGEST);
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        verifier.verify(DIGEST, 2, ofFive);
        verifier.verify(DIGEST, 2, Committee.quorumSignature(_next, 15, DIGEST));
    }

    function test_not_a_second_early_and_not_after_the_window() public {
        _schedule(_rotate(2, READY));
        vm.warp(READY - 1);
        vm.expectRevert(abi.encodeWithSelector(IActions.TooEarly.selector, READY));
        registry.startEpoch(1, _keys);
        vm.warp(READY + 7 days + 1);
        vm.expectRevert(abi.encodeWithSelector(IActions.Expired.selector, READY + 7 days));
        registry.startEpoch(1, _keys);
        vm.warp(READY + 7 days);
        registry.startEpoch(1, _keys);
    }

    function test_notice_to_the_second() public {
        Rotate memory early = _rotate(2, READY - 1);
        bytes memory signature = _signed(early);
        vm.expectRevert(I.NoticeTooShort.selector);
        registry.scheduleRotation(early, _keys, signature);
        _schedule(_rotate(2, READY));
        uint64 actionId = _schedule(_rotate(2, READY + 30 days));
        vm.assertEq(actions.get(actionId).readyAt, READY + 30 days);
    }

    function test_only_the_next_epoch() public {
        uint64[4] memory others = [uint64(0), 1, 3, type(uint64).max];
        for (uint256 i = 0; i < others.length; ++i) {
            Rotate memory rotate = _rotate(others[i], READY);
            bytes memory signature = _signed(rotate);
            vm.expectRevert(I.WrongEpoch.selector);
            registry.scheduleRotation(rotate, _keys, signature);
        }
    }

    function test_keys_that_were_not_signed() public {
        Rotate memory rotate = _rotate(2, READY);
        bytes memory signature = _signed(rotate);
        bytes memory others = Committee.keys(validators);
        vm.expectRevert(I.WrongKeys.selector);
        registry.scheduleRotation(rotate, others, signature);
        rotate.keysHash = keccak256(others); // not what was signed either
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        registry.scheduleRotation(rotate, others, signature);
        registry.scheduleRotation(_rotate(2, READY), _keys, signature);
        vm.warp(READY);
        vm.expectRevert(I.WrongKeys.selector);
        registry.startEpoch(1, others);
    }

    function test_every_field_is_signed() public {
        Rotate memory rotate = _rotate(2, READY);
        bytes memory signature = _signed(rotate);
        rotate.notBefore += 1;
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        registry.scheduleRotation(rotate, _keys, signature);
    }

    function test_another_chain_and_another_guard() public {
        bytes memory signature = _signed(_rotate(2, READY));
        vm.chainId(31338);
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        registry.scheduleRotation(_rotate(2, READY), _keys, signature);
        vm.chainId(31337);
        bytes32 digest = digestFor(address(0x9A4E), 31337, Messages.hash(_rotate(2, READY)));
        signature = quorum(7, digest);
        vm.expectRevert(ICertificateVerifier.InvalidSignature.selector);
        registry.scheduleRotation(_rotate(2, READY), _keys, signature);
    }

    function test_below_quorum() public {
        bytes memory signature = quorum(3, typed(Messages.hash(_rotate(2, READY))));
        vm.expectRevert(abi.encodeWithSelector(ICertificateVerifier.BelowQuorum.selector, 2, 3));
        registry.scheduleRotation(_rotate(2, READY), _keys, signature);
    }

    /// @dev A guardian veto would be worth nothing if anyone could schedule the same message again.
    function test_message_counts_once() public {
        _schedule(_rotate(2, READY));
        actions.end(1);
        bytes memory signature = _signed(_rotate(2, READY));
        vm.expectRevert(I.MessageUsed.selector);
        registry.scheduleRotation(_rotate(2, READY), _keys, signature);
        signature = quorum(15, typed(Messages.hash(_rotate(2, READY)))); // by others, the same message
        vm.expectRevert(I.MessageUsed.selector);
        registry.scheduleRotation(_rotate(2, READY), _keys, signature);
        vm.warp(READY);
        vm.expectRevert(IActions.NotScheduled.selector);
        registry.startEpoch(1, _keys);
    }

    function test_action_counts_once() public {
        _schedule(_rotate(2, READY));
        vm.warp(READY);
        registry.startEpoch(1, _keys);
        vm.expectRevert(I.WrongEpoch.selector);
        registry.startEpoch(1, _keys);
    }

    /// @dev The second was signed by validators who are none any more when it is ready.
    function test_rotation_dies_when_another_epoch_starts() public {
        _schedule(_rotate(2, READY));
        _schedule(_rotate(2, READY + 1));
        vm.warp(READY + 1);
        registry.startEpoch(1, _keys);
        vm.expectRevert(I.WrongEpoch.selector);
        registry.startEpoch(2, _keys);
        vm.assertEq(registry.epoch(), 2);
    }

    function test_unknown_action() public {
        vm.expectRevert(I.UnknownAction.selector);
        registry.startEpoch(0, _keys);
        vm.expectRevert(I.UnknownAction.selector);
        registry.startEpoch(1, _keys);
        actions.open(false); // somebody else's
        actions.schedule(1, uint64(NOW));
        vm.expectRevert(I.UnknownAction.selector);
        registry.startEpoch(1, _keys);
    }

    function test_keys_that_are_no_set() public {
        _notASet(Committee.keys(Committee.secrets(2, 3)), abi.encodeWithSelector(I.TooFewKeys.selector));
        _notASet("", abi.encodeWithSelector(I.TooFewKeys.selector));
        _notASet(slice(_keys, 0, 639), abi.encodeWithSelector(I.MalformedKeys.selector));
        _notASet(bytes.concat(_keys, hex"00"), abi.encodeWithSelector(I.MalformedKeys.selector));
        _notASet(
            bytes.concat(slice(_keys, 128, 256), slice(_keys, 0, 128), slice(_keys, 256, 640)),
            abi.encodeWithSelector(I.KeysNotAscending.selector)
        );
        _notASet(
            bytes.concat(slice(_keys, 0, 128), slice(_keys, 0, 128), slice(_keys, 256, 640)),
            abi.encodeWithSelector(I.KeysNotAscending.selector)
        );
        _notASet(
            bytes.concat(slice(_keys, 0, 640), negated(keyAt(_keys, 4))),
            abi.encodeWithSelector(I.KeysNotAscending.selector)
        );
    }

    function test_key_that_is_not_proven() public {
        uint256[] memory some = Committee.secrets(3, 5);
        for (uint256 missing = 0; missing < 5; ++missing) {
            for (uint256 i = 0; i < 5; ++i) {
                if (i < missing) registry.prove(Committee.keyOf(some[i]), Committee.proof(some[i]));
            }
            _notASet(Committee.keys(some), abi.encodeWithSelector(I.KeyNotProven.selector, missing));
        }
    }

    /// @dev 100 keys are the most: shown by their form alone, before any is looked at.
    function test_most_keys() public {
        _notASet(new bytes(101 * 128), abi.encodeWithSelector(I.TooManyKeys.selector));
        _notASet(new bytes(100 * 128), abi.encodeWithSelector(I.KeysNotAscending.selector));
    }

    /// @dev Order is by both words of x: here the upper words are equal, then the upper one decides.
    function test_order_of_both_words() public {
        _notASet(_artificial(1, 1, 1, 1), abi.encodeWithSelector(I.KeyNotProven.selector, 0));
        _notASet(_artificial(0, 0, 1, 1), abi.encodeWithSelector(I.KeysNotAscending.selector));
    }

    function _artificial(uint256 high, uint256 low, uint256 nextHigh, uint256 nextLow)
        private
        pure
        returns (bytes memory)
    {
        return bytes.concat(
            abi.encode(high, low, 0, 0),
            abi.encode(nextHigh, nextLow, 0, 0),
            abi.encode(9, 0, 0, 0),
            abi.encode(9, 1, 0, 0)
        );
    }

    function _notASet(bytes memory keys, bytes memory why) private {
        Rotate memory rotate = Rotate(2, keccak256(keys), READY);
        bytes memory signature = _signed(rotate);
        vm.expectRevert(why);
        registry.scheduleRotation(rotate, keys, signature);
    }

    function _rotate(uint64 newEpoch, uint64 notBefore) private view returns (Rotate memory) {
        return Rotate(newEpoch, keccak256(_keys), notBefore);
    }

    function _signed(Rotate memory rotate) private view returns (bytes memory) {
        return quorum(7, typed(Messages.hash(rotate)));
    }

    function _schedule(Rotate memory rotate) private returns (uint64) {
        return registry.scheduleRotation(rotate, _keys, _signed(rotate));
    }
}
