// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";

/// @notice A quorum whose signature over a digest is the digest, nine times: as long as a real one. Also the registry's epoch.
contract GuardQuorum is ICertificateVerifier {
    uint64 public epoch = 7;

    function startEpoch() external {
        ++epoch;
    }

    function verify(bytes32 digest, uint64 given, bytes calldata quorumSignature) external view {
        if (given != epoch) revert WrongEpoch(given, epoch);
        if (quorumSignature.length != 288) revert MalformedSignature();
        if (keccak256(quorumSignature) != keccak256(signature(digest))) revert InvalidSignature();
    }

    function signature(bytes32 d) public pure returns (bytes memory) {
        return bytes.concat(d, d, d, d, d, d, d, d, d);
    }
}

contract BrakeDouble {
    uint64 private _pauseId;
    bool private _paused;
    bool private _reduced;

    function set(uint64 pauseId, bool paused, bool reduced) external {
        (_pauseId, _paused, _reduced) = (pauseId, paused, reduced);
    }

    function status() external view returns (uint64, bool, bool) {
        return (_pauseId, _paused, _reduced);
    }
}

/// @notice Attesters' signature over a digest is the digest.
contract StandingDouble {
    error BelowAttesterQuorum();

    mapping(address account => bool) public isValid;

    function set(address account, bool valid) external {
        isValid[account] = valid;
    }

    function check(bytes32 digest, bytes calldata signatures) external pure {
        if (keccak256(signatures) != keccak256(abi.encode(digest))) revert BelowAttesterQuorum();
    }
}

contract GovernorDouble {
    mapping(uint64 governId => bytes32) public pendingDigest;

    function set(uint64 governId, bytes32 digest) external {
        pendingDigest[governId] = digest;
    }
}

contract VaultDouble {
    mapping(address safe => mapping(address token => uint256)) public heldFor;

    function record(address safe, address token, uint256 amount) external {
        heldFor[safe][token] += amount;
    }
}

/// @notice A token that can be told to misbehave in a transfer.
contract GuardToken is ERC20("Guarded", "GRD") {
    enum Mood {
        Good,
        SaysFalse, // and moves nothing
        SaysFalseButMoves,
        SaysTwo, // no boolean at all, and moves
        SaysNothing, // and moves
        SaysTrueOnly, // and moves nothing
        TakesFee, // from what arrives
        TakesFeeOnTop, // from what is left
        PaysBonus, // to the recipient
        Calls // back, before it moves anything, and reverts as the call does
    }

    Mood private _mood;
    address private _target;
    bytes private _attack;

    function mint(address to, uint256 value) external {
        _mint(to, value);
    }

    function turn(Mood mood) external {
        _mood = mood;
    }

    function hook(address target, bytes calldata attack) external {
        (_mood, _target, _attack) = (Mood.Calls, target, attack);
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        Mood mood = _mood;
        if (mood == Mood.SaysFalse) return false;
        if (mood == Mood.SaysTrueOnly) return true;
        if (mood == Mood.Calls) _call();
        super.transfer(to, value);
        if (mood == Mood.TakesFee) _transfer(to, address(0xFEE), 1);
        if (mood == Mood.TakesFeeOnTop) _transfer(msg.sender, address(0xFEE), 1);
        if (mood == Mood.PaysBonus) _mint(to, 1);
        if (mood == Mood.SaysNothing) _answer(0, 0);
        if (mood == Mood.SaysTwo) _answer(32, 2);
        return mood != Mood.SaysFalseButMoves;
    }

    function _call() private {
        _mood = Mood.Good;
        (bool success, bytes memory failure) = _target.call(_attack);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(failure, 0x20), mload(failure))
        }
    }

    function _answer(uint256 length, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(0, word)
            return(0, length)
        }
    }
}

/// @notice Passes on half of the native currency that it gets.
contract Splitter {
    receive() external payable {
        payable(address(0xFEE)).transfer(msg.value / 2);
    }
}

/// @notice A module that asks a Safe for anything.
contract LooseModule {
    function ask(address safe, bytes calldata data) external returns (bytes memory) {
        (bool success, bytes memory answer) = safe.call(data);
        if (success) return answer;
        assembly ("memory-safe") {
            revert(add(answer, 0x20), mload(answer))
        }
    }
}
