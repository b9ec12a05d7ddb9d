// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {World} from "./World.sol";

/// @notice Its own account of everything that the contracts should know, kept only from what was sent and went through; and,
///         after each step, the comparison. What must never happen and did is in `wrong`.
abstract contract Ghost is World {
    struct Outflow {
        uint64 time;
        uint128 amount;
    }

    struct DailyLimit {
        uint64 from;
        uint128 amount;
    }

    /// @dev An action: the first second in which it may be taken, zero before its last consent.
    struct Wait {
        uint64 readyAt;
        bool over;
    }

    struct Pause {
        uint64 id;
        bool byGuardians;
        uint64 startedAt;
        uint64 until;
        uint64 endsFrom; // zero before all consents
        bool vetoed;
    }

    struct Rank {
        uint64 expiry;
        uint32 issuer;
        uint64 lastGrantId;
    }

    uint256 private constant _DAY = 86_400;

    string public wrong;

    // Money. The accounts are all that ever hold any.
    address[] internal accounts;
    mapping(address account => mapping(uint256 token => uint256)) internal book;
    mapping(uint256 safe => mapping(uint256 token => uint256)) internal heldByVault;
    mapping(uint256 group => mapping(uint256 token => Outflow[])) internal outflows;
    mapping(uint256 group => mapping(uint256 token => DailyLimit[])) internal dailyLimits;
    mapping(uint256 group => mapping(uint256 token => ITransferGuard.Limits)) internal limits;
    mapping(uint256 group => address) internal payoutKeys;
    mapping(bytes32 digest => bool) internal certificateUsed;
    mapping(uint256 safe => mapping(bytes32 payoutId => bool)) internal payoutSpent;
    mapping(uint256 safe => mapping(address payee => uint64)) internal payableFrom;
    mapping(bytes32 safeTxHash => uint64) internal announcedAt;
    mapping(address account => Rank) internal ranks;
    mapping(uint32 issuer => bool) internal issuerDisabled;

    // Configuration.
    bytes32[SAFES] internal configs;
    uint256[SAFES] internal nonces;
    bool[SAFES] internal halfLeft;
    bool[SAFES] internal left;
    uint64[SAFES] internal exits;

    // Emergency, and whatever waits.
    Pause internal pauseNow;
    uint64 internal reducedFrom;
    mapping(uint64 actionId => Wait) internal waits;
    uint64 internal lastAction;
    uint64 internal lastGovern;
    uint64 internal lastReturn;
    uint64 internal epoch = 1;
    uint256 internal generation;

    function mustBe(bool holds, string memory otherwise) internal {
        if (!holds && bytes(wrong).length == 0) wrong = otherwise;
    }

    function _openBooks(address[] memory others) internal {
        for (uint256 i = 0; i < SAFES; ++i) {
            accounts.push(safes[i]);
            configs[i] = _configOf(safes[i]);
            for (uint256 t = 0; t <= NATIVE; ++t) {
                book[safes[i]][t] = FUNDS;
            }
        }
        accounts.push(address(vault));
        for (uint256 i = 0; i < others.length; ++i) {
            accounts.push(others[i]);
        }
        for (uint256 g = 0; g < GROUPS; ++g) {
            for (uint256 t = 0; t <= NATIVE; ++t) {
                limits[g][t] = firstLimits(g)[t];
                dailyLimits[g][t].push(DailyLimit(START, limits[g][t].daily));
            }
        }
    }

    // What is so now.

    function isPaused() internal view returns (bool) {
        return time() < pauseNow.until;
    }

    function isReduced() internal view returns (bool) {
        return reducedFrom != 0 && time() < reducedFrom + 24 hours;
    }

    function hasStanding(address account) internal view returns (bool) {
        return time() < ranks[account].expiry && !issuerDisabled[ranks[account].issuer];
    }

    function isDue(uint64 actionId) internal view returns (bool) {
        Wait memory wait = waits[actionId];
        return wait.readyAt != 0 && !wait.over && time() >= wait.readyAt && time() <= wait.readyAt + WINDOW;
    }

    // What happened.

    function _opened(uint64 readyAt) internal returns (uint64 actionId) {
        actionId = ++lastAction;
        waits[actionId] = Wait(readyAt, false);
    }

    function _taken(uint64 actionId) internal {
        mustBe(isDue(actionId), "an action was taken that was not due");
        waits[actionId].over = true;
    }

    function _moved(address from, address to, uint256 token, uint256 amount) internal {
        if (book[from][token] < amount) return mustBe(false, "more left than there was");
        book[from][token] -= amount;
        book[to][token] += amount;
    }

    /// @dev Of every transfer and payout, certified or not.
    function _sent(uint256 safe, uint256 token, address to, uint256 amount, bytes32 safeTxHash) internal {
        mustBe(!isPaused(), "money left a paused Safe");
        mustBe(hasStanding(to), "money went to an account without standing");
        if (amount >= limits[groupOf(safe)][token].noticeFrom) {
            uint64 from = announcedAt[safeTxHash];
            mustBe(from != 0 && time() >= from + NOTICE, "a large transfer was not announced a day before");
            announcedAt[safeTxHash] = 0;
        }
        _moved(safes[safe], to, token, amount);
    }

    function _certified(bytes32 digest, uint64 validUntil) internal {
        mustBe(!certificateUsed[digest], "a certificate counted twice");
        mustBe(time() <= validUntil && validUntil <= time() + 3600, "a certificate out of its time counted");
        certificateUsed[digest] = true;
    }

    /// @dev Any 24 hours, both ends included, end with some outflow: looked at when it happens, all windows are looked at.
    function _uncertified(uint256 group, uint256 token, uint256 amount) internal {
        uint256 divisor = isReduced() ? 10 : 1;
        mustBe(amount < limits[group][token].certifiedFrom / divisor, "uncertified though it needs a certificate");
        Outflow[] storage all = outflows[group][token];
        all.push(Outflow(time(), uint128(amount)));
        uint256 daily = _largestLimitSince(group, token, time() - _DAY);
        mustBe(_leftSince(all, time() - _DAY) <= daily, "more than L left uncertified within 24 h");
        if (divisor == 1) return;
        // Between the heal and now the limits were at a tenth all the time.
        daily = _largestLimitSince(group, token, reducedFrom);
        mustBe(_leftSince(all, reducedFrom + 1) <= daily / 10, "more than a tenth of L left after a heal");
    }

    function _leftSince(Outflow[] storage all, uint256 from) private view returns (uint256 sum) {
        for (uint256 i = all.length; i > 0 && all[i - 1].time >= from; --i) {
            sum += all[i - 1].amount;
        }
    }

    function _largestLimitSince(uint256 group, uint256 token, uint256 from) private view returns (uint256 largest) {
        DailyLimit[] storage all = dailyLimits[group][token];
        for (uint256 i = all.length; i > 0; --i) {
            if (all[i - 1].amount > largest) largest = all[i - 1].amount;
            if (all[i - 1].from < from) break;
        }
    }

    // The comparison.

    function _inspect() internal {
        _inspectMoney();
        _inspectConfigs();
        _inspectEmergency();
        _inspectIds();
    }

    /// @dev Every unit of every account is where the steps that went through put it: nothing moved unexplained, no token was
    ///      lost or made, the vault got only what was evacuated and gave only what was returned.
    function _inspectMoney() private {
        for (uint256 t = 0; t <= NATIVE; ++t) {
            uint256 total = 0;
            for (uint256 i = 0; i < accounts.length; ++i) {
                uint256 has = t == NATIVE ? accounts[i].balance : tokens[t].balanceOf(accounts[i]);
                mustBe(has == book[accounts[i]][t], "money moved that no step explains");
                total += has;
            }
            mustBe(total == SAFES * FUNDS, "a token is not conserved");
            if (t != NATIVE) mustBe(tokens[t].totalSupply() == total, "a token is not conserved");
        }
        for (uint256 i = 0; i < SAFES; ++i) {
            mustBe(vault.heldFor(safes[i], address(tokens[0])) == heldByVault[i][0], "the vault's book is wrong");
            mustBe(vault.heldFor(safes[i], address(tokens[1])) == heldByVault[i][1], "the vault's book is wrong");
        }
    }

    function _inspectConfigs() private {
        for (uint256 i = 0; i < SAFES; ++i) {
            if (left[i]) {
                mustBe(guard.groupOf(safes[i]) == 0, "a Safe that left is still a member");
                continue;
            }
            mustBe(_configOf(safes[i]) == configs[i], "a configuration changed");
            mustBe(guard.configHashOf(safes[i]) == configs[i], "a registered configuration changed");
            mustBe(guard.groupOf(safes[i]) == groupId(groupOf(i)), "a Safe changed its group");
        }
        for (uint256 g = 0; g < GROUPS; ++g) {
            mustBe(payouts.payoutKeyOf(groupId(g)) == payoutKeys[g], "a payout key changed");
            for (uint256 t = 0; t <= NATIVE; ++t) {
                bytes32 kept = keccak256(abi.encode(limits[g][t]));
                mustBe(keccak256(abi.encode(guard.limitsOf(groupId(g), tokenAt(t)))) == kept, "limits changed");
            }
        }
    }

    function _inspectEmergency() private {
        (uint64 pauseId, bool paused, bool reduced) = brake.status();
        mustBe(pauseId == pauseNow.id, "pause ids do not rise one by one");
        mustBe(paused || !isPaused() || !pauseNow.byGuardians, "a guardian pause ended without both quorums");
        mustBe(paused == isPaused(), "paused though it should not be, or the other way round");
        mustBe(reduced == isReduced(), "limits are at a tenth though they should not be, or the other way round");
        bool tooLong = paused && !pauseNow.byGuardians && time() >= pauseNow.startedAt + 6 hours;
        mustBe(!tooLong, "a sentinel's pause lasts longer than six hours");
    }

    /// @dev The ghost's counters only rise, each by one with the step that it counts.
    function _inspectIds() private {
        mustBe(actions.last() == lastAction, "action ids do not rise one by one");
        mustBe(governor.lastGovernId() == lastGovern, "govern ids do not rise one by one");
        mustBe(vault.lastReturnId() == lastReturn, "return ids do not rise one by one");
        mustBe(registry.epoch() == epoch, "epochs do not rise one by one");
        for (uint256 i = 0; i < SAFES; ++i) {
            mustBe(safeAt(i).nonce() == nonces[i], "a nonce moved that no step explains");
        }
    }

    /// @dev By the Safe's own getters and storage, not by the guard's reader.
    function _configOf(address safe) internal view returns (bytes32) {
        (address[] memory modules,) = ISafe(payable(safe)).getModulesPaginated(address(1), 10);
        return keccak256(
            abi.encode(
                vm.load(safe, 0),
                safe.codehash,
                ISafe(payable(safe)).getOwners(),
                vm.load(safe, bytes32(uint256(4))),
                vm.load(safe, keccak256("guard_manager.guard.address")),
                vm.load(safe, keccak256("module_manager.module_guard.address")),
                modules,
                vm.load(safe, keccak256("fallback_manager.handler.address"))
            )
        );
    }
}
