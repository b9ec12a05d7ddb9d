// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import {IEmergencyBrake} from "src/emergency/IEmergencyBrake.sol";
import {IActions} from "src/governance/IActions.sol";
import {IGovernor} from "src/governance/IGovernor.sol";
import {IGuardians} from "src/governance/IGuardians.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {GuardedSafes} from "src/safe/GuardedSafes.sol";
import {TransferGuard} from "src/safe/TransferGuard.sol";
import {IStandingRegistry} from "src/standing/IStandingRegistry.sol";
import {svm, vm} from "./Cheats.sol";
import {ModelSafe} from "./ModelSafe.sol";
import {AnyActions, AnyBrake, AnyGovernor, AnyMembers, AnyVerifier, PlainToken} from "./Neighbours.sol";

/// @notice The guard itself, with one more thing to look at.
contract SeenGuard is TransferGuard {
    constructor(Neighbours memory neighbours, Delays memory delays, SafeCode memory code)
        TransferGuard(neighbours, delays, code)
    {}

    function outflowOf(bytes32 group, address token) external view returns (Outflow memory) {
        return _outflows[group][token];
    }
}

/// @notice The guard in any state, with uninterpreted neighbours and a Safe that answers anything.
/// @custom:bound a Safe has two owners and two modules where its configuration is read
abstract contract AnyGuard {
    uint64 internal constant NOTICE = 24 hours;
    uint64 internal constant EXIT = 14 days;

    SeenGuard internal guard;
    ModelSafe internal safe;
    PlainToken internal token;
    AnyVerifier internal verifier;
    AnyMembers internal standing;
    AnyMembers internal guardians;
    AnyBrake internal brake;
    AnyActions internal actions;
    AnyGovernor internal governor;
    address internal factory = address(0xFAC);
    address internal payoutModule = address(0x9A1);
    address internal evacuator = address(0xE7A);
    address internal vault = address(0x7A017);
    address internal singleton = address(0x51);

    function setUp() public virtual {
        verifier = AnyVerifier(newVerifier());
        standing = new AnyMembers();
        guardians = new AnyMembers();
        brake = new AnyBrake();
        actions = AnyActions(newActions());
        governor = new AnyGovernor();
        safe = new ModelSafe();
        token = new PlainToken();
        guard = new SeenGuard(
            GuardedSafes.Neighbours(
                factory,
                IGovernor(address(governor)),
                ICertificateVerifier(address(verifier)),
                IStandingRegistry(address(standing)),
                IEmergencyBrake(address(brake)),
                IGuardians(address(guardians)),
                IActions(address(actions)),
                payoutModule,
                evacuator,
                vault
            ),
            GuardedSafes.Delays(NOTICE, EXIT),
            GuardedSafes.SafeCode(singleton, address(safe).codehash)
        );
        address[8] memory every = [
            address(guard),
            address(safe),
            address(token),
            address(verifier),
            address(standing),
            address(guardians),
            address(brake),
            address(actions)
        ];
        for (uint256 i = 0; i < every.length; ++i) {
            svm.enableSymbolicStorage(every[i]);
        }
        svm.enableSymbolicStorage(address(governor));
        vm.warp(svm.createUint(40, "now"));
    }

    /// @dev Others than uninterpreted ones, for the proofs that are about them.
    function newVerifier() internal virtual returns (address) {
        return address(new AnyVerifier());
    }

    function newActions() internal virtual returns (address) {
        return address(new AnyActions());
    }

    /// @dev The Safe asks before a call, without refund, with `signatures` behind it. False when the guard refuses.
    function before(address to, uint256 value, bytes memory data, bytes memory signatures) internal returns (bool ok) {
        vm.prank(address(safe));
        try guard.checkTransaction(
            to, value, data, Enum.Operation.Call, 0, 0, 0, address(0), payable(address(0)), signatures, address(0)
        ) {
            return true;
        } catch {
            return false;
        }
    }

    function afterwards(bool success) internal returns (bool ok) {
        vm.prank(address(safe));
        try guard.checkAfterExecution(0, success) {
            return true;
        } catch {
            return false;
        }
    }

    /// @dev Owners' signatures of a Safe whose threshold is two.
    function owners() internal returns (bytes memory) {
        vm.assume(safe.getThreshold() == 2);
        return svm.createBytes(130, "owners");
    }

    function transferOf(address to, uint256 amount) internal pure returns (bytes memory) {
        return abi.encodeWithSignature("transfer(address,uint256)", to, amount);
    }
}
