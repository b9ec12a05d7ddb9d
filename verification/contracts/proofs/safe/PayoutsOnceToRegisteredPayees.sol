// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Messages} from "src/governance/Messages.sol";
import {PayoutModule} from "src/safe/PayoutModule.sol";
import {IStandingRegistry} from "src/standing/IStandingRegistry.sol";
import {svm, vm} from "../support/Cheats.sol";
import {LedgerToken} from "../support/EscrowDoubles.sol";
import {AnyGroups, ModuleSafe} from "../support/ModuleSafe.sol";
import {AnyMembers} from "../support/Neighbours.sol";

/// @notice Whoever calls the module in whatever state: each payout id of a Safe is spent once, by the group's key, for one exact
///         transfer or for none; to a payee whom the Safe itself or the attesters registered a day before.
/// @dev How much: safe/ModulesAreBoundToo.
/// @custom:halmos --default-bytes-lengths 0,65
contract PayoutsOnceToRegisteredPayees {
    uint64 private constant DELAY = 24 hours;
    address private constant GOVERNOR = address(0x60);
    PayoutModule private module;
    ModuleSafe private safe;
    LedgerToken private token;
    AnyGroups private guard;
    AnyMembers private standing;

    struct Payout {
        address sender;
        bytes32 id;
        address to;
        uint256 amount;
    }

    function setUp() external {
        (safe, token, guard, standing) = (new ModuleSafe(), new LedgerToken(), new AnyGroups(), new AnyMembers());
        module = new PayoutModule(address(guard), GOVERNOR, IStandingRegistry(address(standing)), DELAY);
        svm.enableSymbolicStorage(address(module));
        svm.enableSymbolicStorage(address(safe));
        svm.enableSymbolicStorage(address(token));
        svm.enableSymbolicStorage(address(guard));
        svm.enableSymbolicStorage(address(standing));
        vm.warp(svm.createUint(40, "now"));
        vm.assume(safe.orders() < type(uint256).max);
    }

    function check_byTheGroupsKeyOnceExactlyThis() external {
        Payout memory payout = _any();
        bool used = module.used(address(safe), payout.id);
        bytes32 group = guard.groupOf(address(safe));
        address key = module.payoutKeyOf(group);
        uint256 orders = safe.orders();
        if (!_pays(payout)) {
            assert(safe.orders() == orders && module.used(address(safe), payout.id) == used);
            return;
        }
        assert(group != 0 && key != address(0) && payout.sender == key && !used);
        assert(module.used(address(safe), payout.id) && safe.orders() == orders + 1);
        assert(safe.wasTold(address(token), payout.to, payout.amount) && safe.moduleGuard() == address(guard));
    }

    function check_onlyToAPayeeOfADay() external {
        Payout memory payout = _any();
        uint64 from = module.payableFrom(address(safe), payout.to);
        if (_pays(payout)) assert(from != 0 && from <= block.timestamp);
    }

    /// @notice Paid or void, nothing comes after it.
    function check_eachIdOnce(bool void) external {
        Payout memory payout = _any();
        if (!(void ? _voids(payout) : _pays(payout))) return;
        Payout memory again = _any();
        again.id = payout.id;
        assert(!_pays(again));
        assert(!_voids(again));
    }

    function check_aVoidPaysNothing() external {
        Payout memory payout = _any();
        uint256 orders = safe.orders();
        address key = module.payoutKeyOf(guard.groupOf(address(safe)));
        if (!_voids(payout)) return;
        assert(safe.orders() == orders && payout.sender == key && module.used(address(safe), payout.id));
    }

    function check_whatIsUsedStaysUsed(address sender, bytes32 id) external {
        vm.assume(module.used(address(safe), id));
        _anyCall(sender);
        assert(module.used(address(safe), id));
    }

    /// @notice By the Safe itself or the attesters' quorum for this Safe and payee, a day from now, once; never by the key.
    function check_payeesAreTheSafesOrTheAttesters(address sender, address payee) external {
        uint64 from = module.payableFrom(address(safe), payee);
        bool guarded = guard.groupOf(address(safe)) != 0;
        bool signed = standing.signed(
            keccak256(
                abi.encodePacked(hex"1901", module.domainSeparator(), Messages.registerPayee(address(safe), payee))
            )
        );
        bytes memory data = _anyCall(sender);
        uint64 found = module.payableFrom(address(safe), payee);
        if (found == from) return;
        assert(from == 0 && found == block.timestamp + DELAY && guarded);
        assert(payee != address(0) && payee != address(safe) && payee != address(guard) && payee != address(module));
        if (bytes4(data) == module.register.selector) assert(sender == address(safe));
        else assert(bytes4(data) == module.registerByAttesters.selector && signed);
    }

    function check_theKeyIsTheGovernors(address sender, bytes32 group) external {
        address key = module.payoutKeyOf(group);
        bytes memory data = _anyCall(sender);
        if (module.payoutKeyOf(group) == key) return;
        assert(sender == GOVERNOR && bytes4(data) == module.setPayoutKey.selector);
    }

    /// @notice A Safe is told something by a payout alone.
    function check_noOtherFunctionMovesAnything(address sender) external {
        uint256 orders = safe.orders();
        bytes memory data = _anyCall(sender);
        if (safe.orders() != orders) assert(bytes4(data) == module.payout.selector);
    }

    function reaches_aPayout() external {
        assert(!_pays(_any()));
    }

    function reaches_aVoid() external {
        assert(!_voids(_any()));
    }

    function _any() private returns (Payout memory) {
        return Payout(
            svm.createAddress("sender"), svm.createBytes32("id"), svm.createAddress("to"), svm.createUint256("amount")
        );
    }

    function _pays(Payout memory payout) private returns (bool) {
        vm.prank(payout.sender);
        try module.payout(address(safe), payout.id, address(token), payout.to, payout.amount) {
            return true;
        } catch {
            return false;
        }
    }

    function _voids(Payout memory payout) private returns (bool) {
        vm.prank(payout.sender);
        try module.void(address(safe), payout.id) {
            return true;
        } catch {
            return false;
        }
    }

    function _anyCall(address sender) private returns (bytes memory data) {
        data = svm.createCalldata("PayoutModule");
        vm.prank(sender);
        (bool success,) = address(module).call(data);
        success;
    }
}
