// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice What ERC-777 tells whoever asked to be told: the sender before a transfer, the recipient after it.
interface ITransferHooks {
    function tokensToSend() external;
    function tokensReceived() external;
}

/// @notice A token that does in a transfer what a thief would have it do, with ERC-777's hooks.
contract HostileToken is ERC20("Hostile", "HST") {
    enum Mood {
        Honest,
        KeepsAFee, // out of what arrives
        TakesAFeeOnTop, // out of what the sender has left
        PaysABonus,
        SaysFalse, // moves nothing
        SaysTrue, // moves nothing
        SaysNothing, // moves nothing
        MovesAndSaysFalse,
        MovesAndSaysNothing,
        Reverts
    }

    address public constant FEES = address(0xFEE);

    Mood private _mood;
    mapping(address account => ITransferHooks) private _hooks;

    function mint(address to, uint256 value) external {
        _mint(to, value);
    }

    function turn(Mood mood) external {
        _mood = mood;
    }

    /// @dev For anybody: in ERC-777 too the token's registry decides, not the Safe.
    function hook(address account, ITransferHooks hooks) external {
        _hooks[account] = hooks;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        Mood mood = _mood;
        if (mood == Mood.Reverts) revert("sulking");
        if (mood == Mood.SaysFalse || mood == Mood.SaysTrue) return mood == Mood.SaysTrue;
        if (mood == Mood.SaysNothing) _answerNothing();
        if (address(_hooks[msg.sender]) != address(0)) _hooks[msg.sender].tokensToSend();
        super.transfer(to, value);
        if (mood == Mood.KeepsAFee) _transfer(to, FEES, 1);
        if (mood == Mood.TakesAFeeOnTop) _transfer(msg.sender, FEES, 1);
        if (mood == Mood.PaysABonus) _mint(to, 1);
        if (address(_hooks[to]) != address(0)) _hooks[to].tokensReceived();
        if (mood == Mood.MovesAndSaysNothing) _answerNothing();
        return mood != Mood.MovesAndSaysFalse;
    }

    function _answerNothing() private pure {
        assembly ("memory-safe") {
            return(0, 0)
        }
    }
}

/// @notice A thief's contract: it carries out a plan when it is told of a transfer or gets native currency, remembers how each
///         step ended, and as an ERC-1271 wallet says yes to everything.
contract Accomplice is ITransferHooks, IERC1271 {
    struct Step {
        address target;
        bytes data;
    }

    struct Outcome {
        bool success;
        bytes answer;
    }

    Step[] private _steps;
    uint256 private _next;
    Outcome[] private _outcomes;

    function plan(Step[] calldata steps) external {
        for (uint256 i = 0; i < steps.length; ++i) {
            _steps.push(steps[i]);
        }
    }

    function outcomes() external view returns (Outcome[] memory) {
        return _outcomes;
    }

    function tokensToSend() external {
        _run(type(uint256).max);
    }

    function tokensReceived() external {
        _run(type(uint256).max);
    }

    receive() external payable {
        _run(type(uint256).max);
    }

    /// @notice The first step, in which the others may come to run.
    function start() external {
        _run(1);
    }

    /// @dev Each step once, whoever comes back meanwhile.
    function _run(uint256 most) private {
        for (uint256 i = 0; i < most && _next < _steps.length; ++i) {
            Step memory step = _steps[_next++];
            (bool success, bytes memory answer) = step.target.call(step.data);
            _outcomes.push(Outcome(success, answer));
        }
    }

    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return IERC1271.isValidSignature.selector;
    }
}
