// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IActions} from "src/governance/IActions.sol";
import {Messages} from "src/governance/Messages.sol";
import {EmergencyBase} from "../support/EmergencyBase.sol";

/// @notice Opens, schedules, takes and ends actions at random times, and keeps its own account of each.
contract ActionsHandler is EmergencyBase {
    struct Ghost {
        uint256 opener;
        uint64 readyAt; // zero: not scheduled
        uint64 takenAt; // zero: not taken
        uint256 timesTaken;
        bool ended;
        bool vetoable;
    }

    uint64 public constant WINDOW = 7 days;
    address[4] private _openers;
    Ghost[] private _ghosts;
    /// @notice What must never happen and did.
    string public wrong;
    uint256 public taken;
    uint256 public ended;

    constructor() {
        _openers = [REGISTRY, address(governor), address(limits), address(vault)];
        _ghosts.push(); // no action has number zero
        for (uint256 i = 0; i < 8; ++i) {
            _open(i, i % 2 == 0);
        }
    }

    function machine() external view returns (IActions) {
        return actions;
    }

    function count() external view returns (uint256) {
        return _ghosts.length;
    }

    function ghost(uint256 actionId) external view returns (Ghost memory) {
        return _ghosts[actionId];
    }

    function pass(uint32 duration) external {
        vm.warp(block.timestamp + duration % 4 days);
    }

    function open(uint256 opener, bool vetoable) external {
        _open(opener, vetoable);
    }

    function schedule(uint256 seed, uint64 delay, bool byOpener) external {
        (uint64 actionId, Ghost storage kept) = _any(seed);
        uint64 readyAt = time() + delay % 20 days;
        vm.prank(_sender(kept, byOpener));
        try actions.schedule(actionId, readyAt) {
            if (!byOpener) wrong = "scheduled by another";
            if (kept.readyAt != 0 || kept.ended) wrong = "scheduled twice or after the end";
            kept.readyAt = readyAt;
        } catch {}
    }

    function take(uint256 seed, bool byOpener) external {
        (uint64 actionId, Ghost storage kept) = _any(seed);
        vm.prank(_sender(kept, byOpener));
        try actions.take(actionId) {
            if (!byOpener) wrong = "taken by another";
            if (kept.ended) wrong = "taken after the end";
            ++kept.timesTaken;
            kept.takenAt = time();
            ++taken;
        } catch {
            bool due = kept.readyAt != 0 && time() >= kept.readyAt && time() <= kept.readyAt + WINDOW;
            if (byOpener && due && !kept.ended && kept.takenAt == 0) wrong = "a ready action was refused";
        }
    }

    /// @dev Mostly by whoever may.
    function end(uint256 seed, uint8 how) external {
        (uint64 actionId, Ghost storage kept) = _any(seed);
        bool alive = kept.takenAt == 0 && !kept.ended && (kept.readyAt == 0 || time() <= kept.readyAt + WINDOW);
        bool success = _tryToEnd(actionId, kept, how % 8);
        if (success && !alive) wrong = "ended though over";
        if (success) {
            kept.ended = true;
            ++ended;
        }
    }

    function _tryToEnd(uint64 actionId, Ghost storage kept, uint8 how) private returns (bool success) {
        if (how == 0) {
            (success,) = address(actions).call(abi.encodeCall(actions.cancel, (actionId, EPOCH + 1, CERTIFICATE)));
            if (success) wrong = "cancelled in another epoch";
        } else if (how == 1) {
            bytes memory certificate = certify(Messages.cancel(actionId, EPOCH));
            (success,) = address(actions).call(abi.encodeCall(actions.cancel, (actionId, EPOCH, certificate)));
        } else if (how == 2) {
            bytes memory signatures = byGuardians(Messages.veto(actionId));
            (success,) = address(actions).call(abi.encodeCall(actions.veto, (actionId, signatures)));
            if (success && !kept.vetoable) wrong = "vetoed though not vetoable";
        } else if (how == 3) {
            vm.prank(_sender(kept, true));
            (success,) = address(actions).call(abi.encodeCall(actions.withdraw, (actionId)));
        }
    }

    function _open(uint256 opener, bool vetoable) private {
        opener %= 4;
        vm.prank(_openers[opener]);
        uint64 actionId = actions.open(vetoable);
        if (actionId != _ghosts.length) wrong = "an id was given twice or skipped";
        Ghost storage kept = _ghosts.push();
        kept.opener = opener;
        kept.vetoable = vetoable;
    }

    /// @dev Mostly one of the latest, which are not over yet.
    function _any(uint256 seed) private view returns (uint64 actionId, Ghost storage kept) {
        uint256 back = seed % 8 == 0 ? seed % (_ghosts.length - 1) : seed % 8;
        actionId = uint64(_ghosts.length - 1 - back);
        kept = _ghosts[actionId];
    }

    function _sender(Ghost storage kept, bool byOpener) private view returns (address) {
        return _openers[byOpener ? kept.opener : (kept.opener + 1) % 4];
    }
}
