// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {VoucherClaim} from "./ChannelTypes.sol";

/// @title A receiverAuthorizer whose key can be changed
/// @notice A channel's receiverAuthorizer is part of its id, so a bare key could never be replaced. This contract stands in
///         its place and answers ERC-1271 for one signing key, which its owner rotates. Relays claim through it directly,
///         which costs less than a signature over the batch.
/// @dev Why these rules:
///      - Exactly one key counts at any instant. There is no time in which the old and the new one both sign: what the old
///        key signed is ours and can be signed again for nothing, and a retired key that leaks is worth nothing.
///      - A new key waits `rotationDelay`, in which both keys are known but only the old one signs (and everybody can see
///        what comes): whoever steals the owner cannot refund channels to their payers before the receivers have claimed.
///        The new key then counts by time alone, so a rotation needs no second transaction.
///      - `revoke` is immediate and may be sent by the signing key itself, since all it can do is to stop signatures.
///        Claims go on meanwhile through the relays: no stop of a key may rob a receiver of served vouchers.
///      - A relay can only claim, with vouchers that payers signed, to receivers that they named: it can never refund.
///        Relays are listed because a voucher's ceiling may lie above what was really charged.
///      The digest is signed as it is: the escrow's digests name channel ids, and those name this contract and the chain.
contract ReceiverAuthorizer is Ownable2Step, IERC1271 {
    /// @notice The escrow that claims are forwarded to.
    address public immutable escrow;
    /// @notice Seconds between the announcement of a key and its first valid signature.
    uint40 public immutable rotationDelay;

    address private _signer;
    /// @notice The key that takes over at `nextSignerFrom`; zero when none is announced.
    address public nextSigner;
    /// @notice Unix seconds from which `nextSigner` is the signing key.
    uint40 public nextSignerFrom;
    mapping(address relay => bool) public isRelay;

    event RotationScheduled(address indexed current, address indexed next, uint40 from);
    event RotationCancelled(address indexed next);
    event SignerRevoked(address indexed signer, address indexed sender);
    event RelaySet(address indexed relay, bool allowed);

    error InvalidEscrow();
    error InvalidSigner();
    error RotationDelayOutOfRange();
    error NoRotationScheduled();
    error NotAuthorizedToRevoke();
    error NotRelay();

    /// @param owner_ Rotates; later the merchant's Safe.
    /// @param delay Seconds, at most 30 days.
    constructor(address escrow_, address owner_, address signer_, address relay, uint40 delay) Ownable(owner_) {
        if (escrow_ == address(0)) revert InvalidEscrow();
        if (signer_ == address(0)) revert InvalidSigner();
        if (delay > 30 days) revert RotationDelayOutOfRange();
        escrow = escrow_;
        rotationDelay = delay;
        _signer = signer_;
        if (relay != address(0)) _setRelay(relay, true);
    }

    /// @notice The key whose signatures count now; zero after `revoke`.
    function signer() public view returns (address) {
        return _rotationIsDue() ? nextSigner : _signer;
    }

    /// @notice ERC-1271: the magic value for a 65-byte, low-s ECDSA signature of the current key, else 0xffffffff.
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(hash, signature);
        bool valid = failure == ECDSA.RecoverError.NoError && recovered == signer();
        return valid ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    /// @notice Forwards to the escrow's `claim`, as the receiverAuthorizer of every row. Only for relays.
    /// @dev Same selector and arguments as the escrow's, so the calldata goes on as it came.
    function claim(VoucherClaim[] calldata) external {
        if (!isRelay[msg.sender]) revert NotRelay();
        Address.functionCall(escrow, msg.data);
    }

    /// @notice Announces the next key; a key announced before and not yet due is replaced.
    function scheduleRotation(address next) external onlyOwner {
        if (next == address(0)) revert InvalidSigner();
        _signer = signer();
        nextSigner = next;
        nextSignerFrom = uint40(block.timestamp) + rotationDelay;
        emit RotationScheduled(_signer, next, nextSignerFrom);
    }

    /// @notice Takes back an announcement that is not yet due.
    function cancelRotation() external onlyOwner {
        if (nextSigner == address(0) || _rotationIsDue()) revert NoRotationScheduled();
        emit RotationCancelled(nextSigner);
        delete nextSigner;
        delete nextSignerFrom;
    }

    /// @notice Ends the current key at once. A key that is announced still takes over in its time.
    function revoke() external {
        address current = signer();
        if (current == address(0) || (msg.sender != owner() && msg.sender != current)) revert NotAuthorizedToRevoke();
        if (_rotationIsDue()) {
            delete nextSigner;
            delete nextSignerFrom;
        }
        delete _signer;
        emit SignerRevoked(current, msg.sender);
    }

    /// @notice Lists or unlists a relay, at once: a relay only moves served money to its receivers.
    function setRelay(address relay, bool allowed) external onlyOwner {
        _setRelay(relay, allowed);
    }

    function _setRelay(address relay, bool allowed) private {
        isRelay[relay] = allowed;
        emit RelaySet(relay, allowed);
    }

    function _rotationIsDue() private view returns (bool) {
        return nextSigner != address(0) && block.timestamp >= nextSignerFrom;
    }
}
