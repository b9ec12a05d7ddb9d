// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC165} from "@safe-global/safe-smart-account/contracts/interfaces/IERC165.sol";
import {ITransactionGuard} from "@safe-global/safe-smart-account/contracts/base/GuardManager.sol";
import {IModuleGuard} from "@safe-global/safe-smart-account/contracts/base/ModuleManager.sol";
import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {Messages, Order} from "../governance/Messages.sol";
import {Certificate, Certificates} from "./Certificate.sol";
import {GuardedSafes} from "./GuardedSafes.sol";
import {ITransferGuard} from "./ITransferGuard.sol";
import {SafeConfig} from "./SafeConfig.sol";
import {SafeTransaction} from "./SafeTransaction.sol";
import {TransferLock} from "./TransferLock.sol";
import {Class, Entry, TransferTable} from "./TransferTable.sol";

/// @title The guard of all guarded Safes
/// @notice Before a call: is it in the table, and has it what its row needs? After it: did exactly that move, and is the Safe
///         configured as before? It serves every Safe of a chain at one address and nobody owns it.
contract TransferGuard is GuardedSafes, ITransactionGuard, IModuleGuard {
    using SafeConfig for SafeConfig.Config;
    using SafeTransferLib for address;

    /// @notice Seconds that a certificate may still have to live when it is used.
    uint256 public constant CERTIFICATE_LIFE = 3600;

    constructor(Neighbours memory neighbours_, Delays memory delays_, SafeCode memory code)
        GuardedSafes(neighbours_, delays_, code)
    {}

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(ITransactionGuard).interfaceId || interfaceId == type(IModuleGuard).interfaceId
            || interfaceId == type(IERC165).interfaceId;
    }

    /// @inheritdoc ITransactionGuard
    /// @dev The Safe has checked its owners' signatures over this call and raised its nonce.
    function checkTransaction(
        address to,
        uint256 value,
        bytes calldata data,
        Enum.Operation operation,
        uint256 safeTxGas,
        uint256 baseGas,
        uint256 gasPrice,
        address gasToken,
        address payable refundReceiver,
        bytes memory signatures,
        address
    ) external {
        bytes32 group = _enter(operation);
        if ((safeTxGas | baseGas | gasPrice | uint160(gasToken) | uint160(address(refundReceiver))) != 0) {
            revert RefundNotZero();
        }
        _checkCall(group, to, value, data, signatures);
    }

    /// @inheritdoc ITransactionGuard
    function checkAfterExecution(bytes32, bool success) external {
        _leave(success);
    }

    /// @inheritdoc IModuleGuard
    /// @return Nothing of use: the lock says which call it is.
    function checkModuleTransaction(
        address to,
        uint256 value,
        bytes calldata data,
        Enum.Operation operation,
        address module
    ) external returns (bytes32) {
        bytes32 group = _enter(operation);
        Entry memory entry = _classify(to, value, data);
        if (entry.class != Class.Transfer) revert NotInTable(to, bytes4(data));
        if (module == _payoutModule) {
            Outflow storage outflow = _outflows[group][entry.token];
            bool reduced = _checkRecipient(entry.recipient);
            // A module's call has no transaction hash that could have been announced.
            if (_needsNotice(outflow, entry, reduced)) revert NotAnnounced(0);
            _fillBucket(outflow, entry.amount, reduced);
        } else if (module == _evacuator) {
            if (entry.recipient != _vault) revert NotToVault();
        } else {
            revert UnknownModule(module);
        }
        TransferLock.Held memory held;
        held.entry = entry;
        _hold(held);
        return 0;
    }

    /// @inheritdoc IModuleGuard
    function checkAfterModuleExecution(bytes32, bool success) external {
        _leave(success);
    }

    function _enter(Enum.Operation operation) private view returns (bytes32 group) {
        group = groupOf[msg.sender];
        if (group == 0) revert NotRegistered();
        if (TransferLock.isHeld(msg.sender)) revert Locked();
        if (operation != Enum.Operation.Call) revert OperationNotCall();
    }

    /// @dev A call by the owners. Rows that no certificate belongs to refuse one: it is in no hash, so anyone could add it.
    function _checkCall(bytes32 group, address to, uint256 value, bytes calldata data, bytes memory signatures)
        private
    {
        TransferLock.Held memory held;
        bytes memory tail;
        (held.signatures, tail) = Certificates.split(signatures);
        Entry memory entry = _classify(to, value, data);
        held.entry = entry;
        if (TransferLock.moves(entry.class)) {
            Outflow storage outflow = _outflows[group][entry.token];
            bool reduced = _checkRecipient(entry.recipient);
            bool certified = tail.length != 0;
            bool announced = certified ? _isLarge(outflow, entry) : _needsNotice(outflow, entry, reduced);
            if (announced || certified) _checkHash(_hashOf(to, value, data), announced, tail);
            if (!certified) _fillBucket(outflow, entry.amount, reduced);
        } else if (entry.class == Class.Configure) {
            if (tail.length == 0) revert CertificateNeeded(0, 0);
            _checkThreshold(held, ISafe(payable(msg.sender)).getThreshold()); // before the call changes it
            _checkHash(_hashOf(to, value, data), false, tail);
        } else {
            if (tail.length != 0) revert MalformedCertificate();
            if (entry.class != Class.Cancel && entry.class != Class.Schedule) _checkExit(entry.class, data);
        }
        _hold(held);
    }

    function _classify(address to, uint256 value, bytes calldata data) private view returns (Entry memory) {
        return TransferTable.classify(TransferTable.Places(msg.sender, address(this), _payoutModule), to, value, data);
    }

    /// @dev What every transfer needs, certified or not.
    function _checkRecipient(address recipient) private view returns (bool reduced) {
        uint64 pauseId;
        bool paused;
        (pauseId, paused, reduced) = _brake.status();
        if (paused) revert SafeIsPaused(pauseId);
        if (!_standing.isValid(recipient)) revert NoStanding(recipient);
    }

    /// @dev Whether an uncertified transfer needs notice. Reverts unless it is small enough to go without a certificate, which
    ///      the native currency never is.
    function _needsNotice(Outflow storage outflow, Entry memory entry, bool reduced) private view returns (bool) {
        bool native = entry.class == Class.Native;
        if (entry.amount < outflow.smallBelow && !reduced && !native) return false;
        bool notice = _isLarge(outflow, entry);
        uint256 certifiedFrom = native ? 0 : _effective(outflow.certifiedFrom, reduced);
        if (entry.amount >= certifiedFrom) revert CertificateNeeded(entry.amount, certifiedFrom);
        return notice;
    }

    /// @dev Whether an amount of a listed token is one to be announced.
    function _isLarge(Outflow storage outflow, Entry memory entry) private view returns (bool) {
        uint256 noticeFrom = outflow.noticeFrom;
        bool listed = noticeFrom != 0 && (entry.class == Class.Native || outflow.certifiedFrom != 0);
        if (!listed) revert TokenNotListed(entry.token);
        return entry.amount >= noticeFrom;
    }

    function _hashOf(address to, uint256 value, bytes calldata data) private view returns (Order memory order) {
        order.safe = msg.sender;
        order.safeNonce = ISafe(payable(msg.sender)).nonce() - 1; // the Safe raised it before it asked
        order.safeTxHash = SafeTransaction.hash(msg.sender, to, value, data, order.safeNonce);
    }

    /// @dev What concerns the transaction by its hash: its announcement, which is used up, and its certificate.
    function _checkHash(Order memory order, bool announced, bytes memory tail) private {
        if (announced) {
            uint64 from = announcedFrom[msg.sender][order.safeTxHash];
            if (from == 0) revert NotAnnounced(order.safeTxHash);
            if (block.timestamp < from) revert NoticeRunning(from);
            announcedFrom[msg.sender][order.safeTxHash] = 0;
        }
        if (tail.length != 0) _checkCertificate(order, tail);
    }

    function _checkCertificate(Order memory order, bytes memory tail) private {
        (Certificate memory certificate, bytes memory quorumSignature) = Certificates.parse(tail);
        if (block.timestamp > certificate.validUntil) revert CertificateExpired(certificate.validUntil);
        if (certificate.validUntil > block.timestamp + CERTIFICATE_LIFE) {
            revert CertificateTooLong(certificate.validUntil);
        }
        order.epoch = certificate.epoch;
        order.validUntil = certificate.validUntil;
        order.factsHash = certificate.factsHash;
        bytes32 digest = _digest(Messages.hash(order));
        _verifier.verify(digest, certificate.epoch, quorumSignature);
        emit CertifiedTransfer(order.safe, order.safeTxHash, digest, order.factsHash, order.epoch);
    }

    /// @dev The guard's slot may get anything but this guard, which would refuse the Safe for ever once it has left.
    function _checkExit(Class class, bytes calldata data) private view {
        if (!_actions.isReady(exitOf[msg.sender])) revert ExitNotReady();
        if (class == Class.LeaveGuard && abi.decode(data[4:], (address)) == address(this)) revert MalformedCall();
    }

    function _hold(TransferLock.Held memory held) private {
        Entry memory entry = held.entry;
        if (TransferLock.moves(entry.class)) {
            held.safeBalance = _balanceOf(entry.token, msg.sender);
            held.recipientBalance = _balanceOf(entry.token, entry.recipient);
        } else if (entry.class >= Class.Configure) {
            held.moduleGuard = SafeConfig.moduleGuardOf(msg.sender);
        }
        TransferLock.hold(msg.sender, held);
    }

    function _leave(bool success) private {
        TransferLock.Held memory held = TransferLock.release(msg.sender);
        if (!success) revert CallFailed();
        if (TransferLock.moves(held.entry.class)) _checkMoved(held);
        _checkConfig(held);
    }

    /// @dev The Safe lost and the recipient got exactly the amount: no fee, no rebate, nothing moved by a hook, and a token that
    ///      said yes or no without moving anything has failed.
    function _checkMoved(TransferLock.Held memory held) private view {
        Entry memory entry = held.entry;
        uint256 safeBalance = _balanceOf(entry.token, msg.sender);
        uint256 recipientBalance = _balanceOf(entry.token, entry.recipient);
        bool left = safeBalance <= held.safeBalance && held.safeBalance - safeBalance == entry.amount;
        bool came =
            recipientBalance >= held.recipientBalance && recipientBalance - held.recipientBalance == entry.amount;
        if (!left || !came) revert BalanceMismatch();
    }

    function _checkConfig(TransferLock.Held memory held) private {
        bytes memory encoded = _configOf(msg.sender);
        bytes32 registered = configHashOf[msg.sender];
        bytes32 found = keccak256(encoded);
        Class class = held.entry.class;
        if (class != Class.Configure && held.signatures != 0) _checkThreshold(held, SafeConfig.thresholdIn(encoded));
        if (class < Class.Configure) {
            if (found != registered) revert ConfigHashChanged(registered, found);
            return;
        }
        if (!_mayBecome(SafeConfig.decode(encoded), held, registered)) revert ConfigHashChanged(registered, found);
        if (class == Class.LeaveGuard) return _unregister(msg.sender);
        configHashOf[msg.sender] = found;
        emit ConfigChanged(msg.sender, found);
    }

    /// @dev The Safe looked at no more than `threshold` signatures; what nobody looked at is refused.
    function _checkThreshold(TransferLock.Held memory held, uint256 threshold) private pure {
        if (held.signatures != threshold) revert NotThresholdSignatures(held.signatures, threshold);
    }

    /// @dev Class E may have changed owners, threshold and modules; an exit the one guard slot that it named.
    function _mayBecome(SafeConfig.Config memory config, TransferLock.Held memory held, bytes32 registered)
        private
        view
        returns (bool)
    {
        if (held.entry.class == Class.Configure) {
            return _keepsGuardAndHandler(config) && config.moduleGuard == held.moduleGuard;
        }
        if (held.entry.class == Class.LeaveModuleGuard) config.moduleGuard = held.moduleGuard;
        else config.guard = address(this);
        return keccak256(config.encode()) == registered;
    }

    /// @dev Zero where the token answers nothing: then only an amount of zero passes.
    function _balanceOf(address token, address account) private view returns (uint256) {
        return token == address(0) ? account.balance : token.balanceOf(account);
    }
}
