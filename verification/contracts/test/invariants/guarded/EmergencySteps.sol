// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Messages, Return, Unpause} from "src/governance/Messages.sol";
import {Members} from "../../support/Members.sol";
import {PayoutSteps} from "./PayoutSteps.sol";

/// @notice Pauses and their ends, evacuations and returns.
abstract contract EmergencySteps is PayoutSteps {
    struct Consents {
        bool validators;
        bool guardians;
    }

    struct Due {
        uint64 actionId;
        uint256 safe;
        uint256 token;
        uint256 amount;
    }

    uint64 internal constant WITHOUT_END = type(uint64).max;
    mapping(bytes32 digest => Consents) private _consents;
    mapping(bytes32 message => bool) private _evacuationUsed;
    mapping(uint256 sentinel => uint64) internal armedUntil;
    mapping(uint64 returnId => Due) internal returns_;

    constructor() {
        armedUntil[0] = START + 30 days;
    }

    function _bySentinel(uint256 sentinel, uint64 pauseId, uint64 until) internal view returns (bytes memory) {
        return Members.signature(sentinelKeys[sentinel], digestOf(Messages.pause(pauseId, until)));
    }

    /// @dev Six hours and a second at most asked for.
    function pauseBySentinel(uint256 sentinel, uint256 duration) external {
        sentinel = _armed(sentinel);
        duration = duration % 4 == 0 ? 6 hours : duration % 4 == 1 ? 6 hours + 1 : duration % 6 hours + 1;
        uint64 until = time() + uint64(duration);
        uint64 pauseId = pauseNow.id + 1;
        bytes memory signature = _bySentinel(sentinel, pauseId, until);
        address key = vm.addr(sentinelKeys[sentinel]);
        _deliver(address(brake), abi.encodeCall(brake.pauseBySentinel, (key, pauseId, until, signature)));
        mustBe(!isPaused(), "a sentinel replaced a pause");
        mustBe(until <= time() + 6 hours, "a sentinel paused for more than six hours");
        mustBe(time() < armedUntil[sentinel], "a sentinel paused unarmed");
        armedUntil[sentinel] = 0;
        pauseNow = Pause(pauseId, false, time(), until, 0, false);
        _markEdge(until);
        _inspect();
    }

    function pauseByGuardians(uint256 rarely) external {
        require(rarely % 6 == 0);
        uint64 pauseId = pauseNow.id + 1;
        bytes memory signatures = byGuardians(Messages.pause(pauseId, WITHOUT_END));
        _deliver(address(brake), abi.encodeCall(brake.pauseByGuardians, (pauseId, signatures)));
        pauseNow = Pause(pauseId, true, time(), WITHOUT_END, 0, false);
        _inspect();
    }

    function rearmSentinel(uint256 sentinel, uint256 duration) external {
        _rearm(sentinel % 2, duration % 30 days + 1);
        _inspect();
    }

    function revokeSentinel(uint256 sentinel) external {
        sentinel %= 2;
        vm.prank(vm.addr(guardianKeys[sentinel]));
        brake.revokeSentinel(vm.addr(sentinelKeys[sentinel]));
        armedUntil[sentinel] = 0;
        _inspect();
    }

    function certifiedUnpause(uint256 validFor) external {
        Unpause memory message = _unpauseOf(validFor);
        bytes memory quorum = _certify(Messages.hash(message));
        _deliver(address(brake), abi.encodeCall(brake.proposeUnpause, (message, quorum)));
        Consents storage consents = _consents[digestOf(Messages.hash(message))];
        mustBe(isPaused() && !consents.validators, "an unpause was proposed for no pause, or twice");
        consents.validators = true;
        if (!pauseNow.byGuardians || consents.guardians) _endAfterAnHour();
        _inspect();
    }

    function consentUnpause(uint256 validFor) external {
        Unpause memory message = _unpauseOf(validFor);
        bytes memory signatures = byGuardians(Messages.hash(message));
        _deliver(address(brake), abi.encodeCall(brake.consentUnpause, (message, signatures)));
        Consents storage consents = _consents[digestOf(Messages.hash(message))];
        mustBe(pauseNow.byGuardians && !consents.guardians, "consented to no guardian pause, or twice");
        consents.guardians = true;
        if (consents.validators) _endAfterAnHour();
        _inspect();
    }

    function vetoHeal(uint256 rarely) external {
        require(rarely % 2 == 0);
        vm.prank(vm.addr(guardianKeys[rarely % 5]));
        brake.vetoHeal(pauseNow.id);
        mustBe(isPaused() && !pauseNow.byGuardians, "vetoed what is no sentinel's pause");
        pauseNow.vetoed = true;
        _inspect();
    }

    function unpause(uint256 seed) external {
        bytes memory data = abi.encodeCall(brake.unpause, (pauseNow.id));
        if (seed % 4 != 0 && pauseNow.endsFrom > time() && pauseNow.endsFrom < pauseNow.until) {
            vm.warp(pauseNow.endsFrom - 1);
            mustBe(!_try(address(this), address(brake), data), "a pause ended a second too early");
            vm.warp(pauseNow.endsFrom);
        }
        bool due = isPaused() && pauseNow.endsFrom != 0 && time() >= pauseNow.endsFrom && !pauseNow.vetoed;
        _deliver(address(brake), data);
        mustBe(due, "a pause ended without its consents and the hour");
        pauseNow.until = time();
        if (!pauseNow.byGuardians) reducedFrom = time();
        _markEdge(time() + 24 hours);
        _inspect();
    }

    /// @dev From a sentinel's pause to the day at a tenth, in which as much leaves as may.
    function certifiedHeal(uint256 safe, uint256 token) external {
        this.pauseBySentinel(2, 0);
        this.certifiedUnpause(1);
        this.unpause(1);
        mustBe(isReduced() && !isPaused(), "a heal ended no pause");
        this.drainForADay(safe, token, 1);
    }

    function certifiedEvacuation(uint256 safe, uint256 token) external {
        (safe, token) = (_member(safe), token % 2);
        bytes memory quorum = _certify(Messages.evacuate(pauseNow.id, epoch, safes[safe], address(tokens[token])));
        _deliver(
            address(evacuator),
            abi.encodeCall(evacuator.evacuate, (pauseNow.id, epoch, safes[safe], address(tokens[token]), quorum))
        );
        _evacuated(safe, token);
    }

    function evacuateByGuardians(uint256 safe, uint256 token) external {
        (safe, token) = (_member(safe), token % 2);
        bytes memory signatures =
            byGuardians(Messages.evacuate(pauseNow.id, epoch, safes[safe], address(tokens[token])));
        _deliver(
            address(evacuator),
            abi.encodeCall(
                evacuator.evacuateByGuardians, (pauseNow.id, epoch, safes[safe], address(tokens[token]), signatures)
            )
        );
        _evacuated(safe, token);
    }

    function certifiedReturn(uint256 safe, uint256 token, uint256 amount, bool keysLost) external {
        (safe, token) = (safe % SAFES, token % 2);
        for (uint256 i = 0; i <= 2 * SAFES && heldByVault[safe][token] == 0; ++i) {
            (safe, token) = ((safe + 1) % SAFES, i == SAFES ? 1 - token : token);
        }
        uint256 held = heldByVault[safe][token];
        require(held > 0, "nothing to return");
        amount = amount % held + 1;
        Return memory order = Return(lastReturn + 1, epoch, safes[safe], address(tokens[token]), amount);
        bytes memory quorum = _certify(Messages.hash(order));
        bytes memory others = keysLost ? byGuardians(Messages.hash(order)) : byVaultOwners(Messages.hash(order));
        _deliver(
            address(vault),
            keysLost
                ? abi.encodeCall(vault.scheduleReturnByGuardians, (order, quorum, others))
                : abi.encodeCall(vault.scheduleReturn, (order, quorum, others))
        );
        ++lastReturn;
        uint64 readyAt = time() + (keysLost ? RETURN_BY_GUARDIANS : RETURN_BY_OWNERS);
        returns_[lastReturn] = Due(_opened(readyAt), safe, token, amount);
        _markEdge(readyAt + WINDOW);
        _inspect();
    }

    function executeReturn(uint256 seed) external {
        require(lastReturn > 0);
        uint64 returnId = lastReturn - uint64(seed % (lastReturn < 3 ? lastReturn : 3));
        Due memory due = returns_[returnId];
        bytes memory data = abi.encodeCall(vault.executeReturn, (returnId));
        _awaitAction(due.actionId, address(vault), data, seed >> 8);
        _deliver(address(vault), data);
        _taken(due.actionId);
        heldByVault[due.safe][due.token] -= due.amount;
        _moved(address(vault), safes[due.safe], due.token, due.amount);
        _inspect();
    }

    /// @dev Mostly one that is armed: unarmed ones are for an attack.
    function _armed(uint256 seed) private returns (uint256 sentinel) {
        sentinel = seed % 2;
        if (time() >= armedUntil[sentinel] && seed % 8 > 1) _rearm(sentinel, 30 days);
    }

    function _rearm(uint256 sentinel, uint256 duration) private {
        uint64 expires = time() + uint64(duration);
        address key = vm.addr(sentinelKeys[sentinel]);
        bytes memory signatures = byGuardians(Messages.rearm(key, expires));
        _deliver(address(brake), abi.encodeCall(brake.rearm, (key, expires, signatures)));
        armedUntil[sentinel] = expires;
    }

    function _evacuated(uint256 safe, uint256 token) private {
        mustBe(isPaused(), "evacuated without a pause");
        bytes32 message = Messages.evacuate(pauseNow.id, epoch, safes[safe], address(tokens[token]));
        mustBe(!_evacuationUsed[message], "evacuated twice by one message");
        _evacuationUsed[message] = true;
        uint256 amount = book[safes[safe]][token];
        heldByVault[safe][token] += amount;
        _moved(safes[safe], address(vault), token, amount);
        _inspect();
    }

    /// @dev Two times of validity, so that consents to different messages are tried.
    function _unpauseOf(uint256 validFor) private view returns (Unpause memory) {
        require(isPaused(), "no pause");
        uint64 validUntil = validFor % 4 == 0 ? pauseNow.startedAt + 12 hours : WITHOUT_END;
        return Unpause(pauseNow.id, epoch, validUntil, FACTS);
    }

    function _endAfterAnHour() private {
        if (pauseNow.endsFrom == 0) pauseNow.endsFrom = time() + 1 hours;
        _markEdge(time() + 1 hours);
    }
}
