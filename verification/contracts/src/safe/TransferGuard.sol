// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC165} from "@safe-global/safe-smart-account/contracts/interfaces/IERC165.sol";
import {ITransactionGuard} from "@safe-global/safe-smart-account/contracts/base/GuardManager.sol";
import {IModuleGuard} from "@safe-global/safe-smart-account/contracts/base/ModuleManager.sol";
import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
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

    /// @notice Seconds that a certificate may still have to live when it is used.
    uint256 public constant CERTIFICATE_LIFE = 3600;


    constructor(Neighbours memory neighbours, Delays memory delays, SafeCode memory code)
        GuardedSafes(neighbours, delays, code)
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
        if (safeTxGas != 0 || baseGas != 0 || gasPrice != 0 || gasToken != address(0) || refundReceiver != address(0)) {
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
        if (module == payoutModule) {
            bool reduced = _checkTransfer(group, entry);
            // A module's call has no transaction hash that could have been announced.
            if (_needsNotice(group, entry)) revert NotAnnounced(0);
            _fillBucket(group, entry.token, entry.amount, reduced);
        } else if (module == evacuator) {
            if (entry.recipient != vault) revert NotToVault();
        } else {
            revert UnknownModule(module);
        }
        _hold(entry);
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
        bytes memory tail = Certificates.tailOf(signatures, ISafe(payable(msg.sender)).getThreshold());
        Entry memory entry = _classify(to, value, data);
        if (entry.class == Class.Transfer || entry.class == Class.Native) {
            bool reduced = _checkTransfer(group, entry);
            bool announced = _needsNotice(group, entry);
            if (announced || tail.length != 0) _checkHash(_hashOf(to, value, data), announced, tail);
            if (tail.length == 0) _checkUncertified(group, entry, reduced);
        } else if (entry.class == Class.Configure) {
            if (tail.length == 0) revert CertificateNeeded(0, 0);
            _checkHash(_hashOf(to, value, data), false, tail);
        } else {
            if (tail.length != 0) revert MalformedCertificate();
            if (entry.class != Class.Cancel && entry.class != Class.Schedule) _checkExit(entry.class, data);
        }
        _hold(entry);
    }

    function _classify(address to, uint256 value, bytes calldata data) private view returns (Entry memory) {
        return TransferTable.classify(TransferTable.Places(msg.sender, address(this), payoutModule), to, value, data);
    }

    /// @dev What every transfer of the owners and of the gateway needs, certified or not.
    function _checkTransfer(bytes32 group, Entry memory entry) private view returns (bool reduced) {
        Limits storage limits = _outflows[group][entry.token].limits;
        bool listed = limits.noticeFrom != 0 && (entry.class == Class.Native || limits.certifiedFrom != 0);
        if (!listed) revert TokenNotListed(entry.token);
        uint64 pauseId;
        bool paused;
        (pauseId, paused, reduced) = brake.status();
        if (paused) revert SafeIsPaused(pauseId);
        if (!standing.isValid(entry.recipient)) revert NoStanding(entry.recipient);
    }

    function _needsNotice(bytes32 group, Entry memory entry) private view returns (bool) {
        return entry.amount >= _outflows[group][entry.token].limits.noticeFrom;
    }

    /// @dev The native currency never leaves uncertified.
    function _checkUncertified(bytes32 group, Entry memory entry, bool reduced) private {
        if (entry.class == Class.Native) revert CertificateNeeded(entry.amount, 0);
        _fillBucket(group, entry.token, entry.amount, reduced);
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
        verifier.verify(digest, certificate.epoch, quorumSignature);
        emit CertifiedTransfer(order.safe, order.safeTxHash, digest, order.factsHash, order.epoch);
    }

    /// @dev The guard's slot may get anything but this guard, which would refuse the Safe for ever once it has left.
    function _checkExit(Class class, bytes calldata data) private view {
        if (!actions.isReady(exitOf[msg.sender])) revert ExitNotReady();
        if (class == Class.LeaveGuard && abi.decode(data[4:], (address)) == address(this)) revert MalformedCall();
    }

    function _hold(Entry memory entry) private {
        TransferLock.Held memory held;
        held.entry = entry;
        if (_moves(entry.class)) {
            held.safeBalance = _balanceOf(entry.token, msg.sender);
            held.recipientBalance = _balanceOf(entry.token, entry.recipient);
        } else {
            held.moduleGuard = SafeConfig.moduleGuardOf(msg.sender);
        }
        TransferLock.hold(msg.sender, held);
    }

    function _leave(bool success) private {
        TransferLock.Held memory held = TransferLock.release(msg.sender);
        if (!success) revert CallFailed();
        if (_moves(held.entry.class)) _checkMoved(held);
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

    /// @dev Class E may change owners, threshold and modules, an exit the guard slot that it names, everything else nothing.
    function _checkConfig(TransferLock.Held memory held) private {
        SafeConfig.Config memory config = SafeConfig.read(msg.sender);
        bytes32 registered = configHashOf[msg.sender];
        bytes32 found = config.hash();
        Class class = held.entry.class;
        if (class == Class.Configure) {
            bool kept = _isGenuine(config) && config.moduleGuard == held.moduleGuard;
            if (!kept) revert ConfigHashChanged(registered, found);
        } else {
            bytes32 before = found;
            if (class == Class.LeaveModuleGuard) before = _hashWith(config, config.guard, held.moduleGuard);
            if (class == Class.LeaveGuard) before = _hashWith(config, address(this), config.moduleGuard);
            if (before != registered) revert ConfigHashChanged(registered, found);
        }
        if (class == Class.LeaveGuard) return _unregister(msg.sender);
        if (found != registered) {
            configHashOf[msg.sender] = found;
            emit ConfigChanged(msg.sender, found);
        }
    }

    function _hashWith(SafeConfig.Config memory config, address guard_, address moduleGuard)
        private
        pure
        returns (bytes32)
    {
        (config.guard, config.moduleGuard) = (guard_, moduleGuard);
        return config.hash();
    }

    function _moves(Class class) private pure returns (bool) {
        return class == Class.Transfer || class == Class.Native;
    }

    function _balanceOf(address token, address account) private view returns (uint256) {
        return token == address(0) ? account.balance : IERC20(token).balanceOf(account);
    }
}
