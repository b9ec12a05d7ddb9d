// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IEmergencyBrake} from "src/emergency/IEmergencyBrake.sol";
import {Messages, Unpause} from "src/governance/Messages.sol";
import {BrakeBase} from "./BrakeBase.sol";
import {Members} from "../support/Members.sol";

/// @notice Pauses and unpauses at random times by whoever may and may not, and keeps its own account of the current pause.
contract BrakeHandler is BrakeBase {
    /// @dev Times of the current pause; zero: has not happened.
    struct Ghost {
        uint64 pauseId;
        bool byGuardians;
        uint64 startedAt;
        uint64 until;
        uint64 certifiedAt;
        uint64 consentedAt;
        bool vetoed;
        bool ended;
    }

    Ghost private _ghost;
    uint64 private _healedAt;
    uint256 private _shots = 1; // armed by the constructor
    uint256 private _rearmed;
    /// @notice What must never happen and did.
    string public wrong;
    uint256 public sentinelPauses;
    uint256 public guardianPauses;
    uint256 public heals;
    uint256 public endings;

    function ghost() external view returns (Ghost memory) {
        return _ghost;
    }

    function shouldBePaused() public view returns (bool) {
        return _ghost.pauseId != 0 && !_ghost.ended && block.timestamp < _ghost.until;
    }

    function shouldBeReduced() public view returns (bool) {
        return _healedAt != 0 && block.timestamp < _healedAt + 24 hours;
    }

    function status() external view returns (uint64 pauseId, bool paused, bool reduced) {
        return brake.status();
    }

    function pass(uint32 duration) external {
        vm.warp(block.timestamp + duration % 2 hours);
    }

    function sentinelPause(uint32 duration, uint8 otherId) external {
        uint64 pauseId = _ghost.pauseId + (otherId % 8 == 0 ? 2 : 1);
        uint64 until = time() + duration % 7 hours;
        try brake.pauseBySentinel(sentinel, pauseId, until, bySentinel(pauseId, until)) {
            if (shouldBePaused()) wrong = "a sentinel replaced a pause";
            if (until > time() + 6 hours) wrong = "a sentinel paused for longer than six hours";
            if (_shots == 0) wrong = "a sentinel paused unarmed";
            _shots = 0;
            _begin(pauseId, false, until);
            ++sentinelPauses;
        } catch {}
    }

    function guardiansPause(uint8 rarely) external {
        if (rarely % 4 != 0) return;
        uint64 pauseId = _ghost.pauseId + 1;
        brake.pauseByGuardians(pauseId, byGuardians(Messages.pause(pauseId, type(uint64).max)));
        _begin(pauseId, true, type(uint64).max);
        ++guardianPauses;
    }

    function rearmAgain() external {
        uint64 expires = time() + 29 days + uint64(++_rearmed % 1 days); // each message once
        rearm(sentinel, expires);
        _shots = 1;
    }

    function revoke() external {
        vm.prank(vm.addr(guardianKeys[3]));
        brake.revokeSentinel(sentinel);
        _shots = 0;
    }

    function propose(uint8 oldId) external {
        uint64 pauseId = _pauseId(oldId);
        Unpause memory message = _message(pauseId);
        try brake.proposeUnpause(message, certify(Messages.hash(message))) {
            if (pauseId != _ghost.pauseId || !shouldBePaused()) wrong = "proposed for no pause";
            if (_ghost.certifiedAt != 0) wrong = "a message counted twice";
            _ghost.certifiedAt = time();
        } catch {}
    }

    function consent(uint8 oldId) external {
        uint64 pauseId = _pauseId(oldId);
        Unpause memory message = _message(pauseId);
        try brake.consentUnpause(message, byGuardians(Messages.hash(message))) {
            if (pauseId != _ghost.pauseId || !_ghost.byGuardians) wrong = "consented to no guardian pause";
            if (_ghost.consentedAt != 0) wrong = "a message counted twice";
            _ghost.consentedAt = time();
        } catch {}
    }

    function veto(uint8 rarely) external {
        if (rarely % 4 != 0) return;
        vm.prank(vm.addr(guardianKeys[1]));
        try brake.vetoHeal(_ghost.pauseId) {
            if (_ghost.byGuardians) wrong = "vetoed the end of a guardian pause";
            _ghost.vetoed = true;
        } catch {}
    }

    function unpause(uint8 oldId) external {
        uint64 pauseId = _pauseId(oldId);
        try brake.unpause(pauseId) {
            if (!_mayEnd() || pauseId != _ghost.pauseId) wrong = "ended without its consents and the hour";
            _ghost.ended = true;
            ++endings;
            if (_ghost.byGuardians) return;
            _healedAt = time();
            ++heals;
        } catch {
            if (_mayEnd() && pauseId == _ghost.pauseId) wrong = "a due end was refused";
        }
    }

    function _mayEnd() private view returns (bool) {
        if (!shouldBePaused() || _ghost.certifiedAt == 0) return false;
        uint64 last = _ghost.certifiedAt;
        if (_ghost.byGuardians) {
            if (_ghost.consentedAt == 0) return false;
            if (_ghost.consentedAt > last) last = _ghost.consentedAt;
        }
        return !_ghost.vetoed && block.timestamp >= last + 1 hours;
    }

    function _begin(uint64 pauseId, bool byGuardians_, uint64 until) private {
        if (pauseId != _ghost.pauseId + 1) wrong = "not the next pause id";
        if (shouldBePaused() && until < _ghost.until) wrong = "a pause was shortened";
        delete _ghost;
        (_ghost.pauseId, _ghost.byGuardians) = (pauseId, byGuardians_);
        (_ghost.startedAt, _ghost.until) = (time(), until);
    }

    function _pauseId(uint8 oldId) private view returns (uint64) {
        return oldId % 8 == 0 && _ghost.pauseId > 0 ? _ghost.pauseId - 1 : _ghost.pauseId;
    }

    function _message(uint64 pauseId) private pure returns (Unpause memory) {
        return Unpause(pauseId, EPOCH, type(uint64).max, keccak256("facts"));
    }
}
