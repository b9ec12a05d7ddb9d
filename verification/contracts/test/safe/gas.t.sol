// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {SafeProxy} from "@safe-global/safe-smart-account/contracts/proxies/SafeProxy.sol";
import {EmergencyBrake} from "src/emergency/EmergencyBrake.sol";
import {GrantStanding, Messages, Order} from "src/governance/Messages.sol";
import {StandingRegistry} from "src/standing/StandingRegistry.sol";
import {GuardBase} from "../support/GuardBase.sol";
import {Members} from "../support/Members.sol";

/// @notice What the guard adds to a plain Safe's transfer: all accounts and slots cold, the bucket and the recipient used
///         before, with the real brake and the real standing registry. The certificate's own verification (`test/quorum`) and
///         16 gas for each byte of its tail come on top.
contract GasTest is GuardBase {
    uint256 private constant _UNCERTIFIED = 60_000;
    uint256 private constant _CERTIFIED = 260_000;
    /// @dev Asked of the verifier at 7 validators.
    uint256 private constant _VERIFICATION = 175_000;
    uint256 private constant _TAIL = 336 * 16;

    address private _plain;

    function setUp() public override {
        super.setUp();
        uint256[] memory attesters = Members.keys("attester", 3);
        address guardAt = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2);
        EmergencyBrake brake_ = new EmergencyBrake(
            EmergencyBrake.Neighbours(guardAt, quorum, guardians),
            EmergencyBrake.Delays(6 hours, 30 days, 1 hours, 24 hours),
            new EmergencyBrake.Sentinel[](0)
        );
        StandingRegistry standing_ =
            new StandingRegistry(guardAt, address(governor), 7 days, Members.addresses(attesters), 2);
        build(address(brake_), address(standing_));
        vm.assertEq(address(guard), guardAt);
        GrantStanding memory grant = GrantStanding(payee, 1, uint64(NOW + 7 days), 1, 1, 0);
        standing_.grant(grant, Members.sign(attesters, 3, digestOf(Messages.hash(grant))));
        safe = factory.create(planOf(0));

        _plain = address(new SafeProxy(singleton));
        ISafe(payable(_plain))
            .setup(Members.addresses(owners), 2, address(0), "", address(0), address(0), 0, payable(address(0)));
        token.mint(payee, 1);
        token.mint(safe, FUNDS);
        token.mint(_plain, FUNDS);
        pay(1);
        send(_plain, address(token), 0, transferOf(payee, 1), "");
    }

    function test_uncertifiedTransfer() public {
        uint256 plain = gasOf(_plain, ready(_plain, address(token), 0, transferOf(payee, 100), ""));
        uint256 guarded = gasOf(safe, ready(safe, address(token), 0, transferOf(payee, 100), ""));
        print("plain transfer", plain);
        print("uncertified, above a plain one", guarded - plain);
        vm.assertLe(guarded - plain, _UNCERTIFIED, "uncertified");
    }

    function test_certifiedTransfer() public {
        bytes memory data = transferOf(payee, CERTIFIED);
        uint256 plain = gasOf(_plain, ready(_plain, address(token), 0, data, ""));
        bytes memory tail = certified(safe, address(token), 0, data);
        Order memory order = orderOf(safe, address(token), 0, data);
        bytes memory votes = quorum.signature(digestOf(Messages.hash(order)));
        bytes memory verification = abi.encodeCall(quorum.verify, (digestOf(Messages.hash(order)), order.epoch, votes));
        uint256 guarded = gasOf(safe, ready(safe, address(token), 0, data, tail));
        uint256 double = gasOf(address(quorum), verification);
        uint256 total = guarded - plain - double + _VERIFICATION + _TAIL;
        print("certified, above a plain one, with 7 validators at most", total);
        vm.assertLe(total, _CERTIFIED, "certified");
    }

    function gasOf(address target, bytes memory call_) private returns (uint256 used) {
        address[11] memory all = [
            safe,
            _plain,
            singleton,
            address(token),
            address(guard),
            address(guard.neighbours().brake),
            address(guard.neighbours().standing),
            address(quorum),
            address(actions),
            payee,
            address(payouts)
        ];
        for (uint256 i = 0; i < all.length; ++i) {
            vm.cool(all[i]);
        }
        uint256 before = gasleft();
        (bool success,) = target.call(call_);
        used = before - gasleft();
        vm.assertTrue(success, "it failed");
    }

    function print(string memory what, uint256 gas) private view {
        (bool said,) = address(0x000000000000000000636F6e736F6c652e6c6f67)
            .staticcall(abi.encodeWithSignature("log(string,uint256)", what, gas));
        said;
    }
}
