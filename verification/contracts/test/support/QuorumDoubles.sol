// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {IActions} from "src/governance/IActions.sol";
import {IGuardians} from "src/governance/IGuardians.sol";

/// @notice The delay machine without its signatures: `end` stands for cancel and veto.
contract ActionsDouble is IActions {
    uint64 public constant window = 7 days;
    uint64 public last;
    mapping(uint64 => Action) private _actions;

    function get(uint64 actionId) external view returns (Action memory) {
        return _actions[actionId];
    }

    function isReady(uint64) external pure returns (bool) {
        revert("not used");
    }

    function isPending(uint64) external pure returns (bool) {
        revert("not used");
    }

    function open(bool vetoable) external returns (uint64 actionId) {
        actionId = ++last;
        _actions[actionId] = Action(msg.sender, 0, 0, vetoable, State.Open);
    }

    function schedule(uint64 actionId, uint64 readyAt) external {
        Action storage action = _actions[actionId];
        if (action.opener != msg.sender) revert NotYours();
        if (action.state != State.Open) revert NotOpen();
        (action.readyAt, action.expiresAt, action.state) = (readyAt, readyAt + window, State.Scheduled);
    }

    function take(uint64 actionId) external {
        Action storage action = _actions[actionId];
        if (action.opener != msg.sender) revert NotYours();
        if (action.state != State.Scheduled) revert NotScheduled();
        if (block.timestamp < action.readyAt) revert TooEarly(action.readyAt);
        if (block.timestamp > action.expiresAt) revert Expired(action.expiresAt);
        action.state = State.Taken;
    }

    function end(uint64 actionId) external {
        _actions[actionId].state = State.Ended;
    }

    function withdraw(uint64) external pure {
        revert("not used");
    }

    function cancel(uint64, uint64, bytes calldata) external pure {
        revert("not used");
    }

    function veto(uint64, bytes calldata) external pure {
        revert("not used");
    }
}

/// @notice Guardians whose signature over a digest is the digest.
contract GuardiansDouble is IGuardians {
    function isGuardian(address) external pure returns (bool) {
        revert("not used");
    }

    function check(bytes32 digest, bytes calldata signatures) external pure {
        if (keccak256(signatures) != keccak256(abi.encode(digest))) revert BelowGuardianQuorum();
    }

    function replace(address[] calldata, uint256) external pure {
        revert("not used");
    }
}

/// @notice A registry that lets any keys in: what the verifier does when its registry is at fault.
contract LooseRegistry {
    uint64 private constant _EPOCH = 5;
    address private immutable _pointer;

    constructor(bytes memory keys) {
        _pointer = SSTORE2.write(keys);
    }

    function current() external view returns (uint64, address) {
        return (_EPOCH, _pointer);
    }
}
