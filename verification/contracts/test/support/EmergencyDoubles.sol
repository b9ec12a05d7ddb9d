// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";

/// @notice Says yes to exactly the digests that it was told, in exactly the epoch that it was told.
contract VerifierDouble is ICertificateVerifier {
    uint64 private _epoch = 1;
    mapping(bytes32 digest => mapping(uint64 epoch => bool)) private _certified;

    function certify(bytes32 digest, uint64 epoch) external {
        _certified[digest][epoch] = true;
    }

    function startEpoch(uint64 epoch) external {
        _epoch = epoch;
    }

    function verify(bytes32 digest, uint64 epoch, bytes calldata quorumSignature) external view {
        if (epoch != _epoch) revert WrongEpoch(epoch, _epoch);
        if (quorumSignature.length == 0) revert MalformedSignature();
        if (!_certified[digest][epoch]) revert InvalidSignature();
    }
}

/// @notice What the governor asks and tells the guard.
contract LimitsDouble {
    mapping(bytes32 group => mapping(address token => ITransferGuard.Limits)) private _limits;
    mapping(bytes32 group => mapping(uint64 governId => bytes32)) public accepted;
    address public lastSender;

    function limitsOf(bytes32 group, address token) external view returns (ITransferGuard.Limits memory) {
        return _limits[group][token];
    }

    function setLimits(bytes32 group, address token, ITransferGuard.Limits calldata limits) external {
        _limits[group][token] = limits;
        lastSender = msg.sender;
    }

    function accept(bytes32 group, uint64 governId, bytes32 digest) external {
        accepted[group][governId] = digest;
    }
}

/// @notice What the governor tells the payout module.
contract PayoutDouble {
    mapping(bytes32 group => address) public payoutKeyOf;
    address public lastSender;

    function setPayoutKey(bytes32 group, address key) external {
        payoutKeyOf[group] = key;
        lastSender = msg.sender;
    }
}

/// @notice A token that can be told to misbehave in a transfer.
contract MoodyToken is ERC20("Moody", "MOOD") {
    enum Mood {
        Good,
        ReturnsFalse,
        TakesFeeOnTop,
        MovesHalf,
        Reenters
    }

    Mood private _mood;
    bytes private _attack;

    function mint(address to, uint256 value) external {
        _mint(to, value);
    }

    function turn(Mood mood) external {
        _mood = mood;
    }

    function reenter(bytes calldata attack) external {
        _mood = Mood.Reenters;
        _attack = attack;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        if (_mood == Mood.ReturnsFalse) return false;
        if (_mood == Mood.TakesFeeOnTop) _transfer(msg.sender, address(0xFEE), 1);
        if (_mood == Mood.MovesHalf) value /= 2;
        if (_mood == Mood.Reenters) {
            _mood = Mood.Good;
            (bool success, bytes memory failure) = msg.sender.call(_attack);
            if (!success) {
                assembly ("memory-safe") {
                    revert(add(failure, 0x20), mload(failure))
                }
            }
        }
        return super.transfer(to, value);
    }
}
