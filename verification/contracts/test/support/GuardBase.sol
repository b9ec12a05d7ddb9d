// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import {SafeProxy} from "@safe-global/safe-smart-account/contracts/proxies/SafeProxy.sol";
import {Safe} from "@safe-global/safe-smart-account/contracts/Safe.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IColdVault} from "src/emergency/IColdVault.sol";
import {IEmergencyBrake} from "src/emergency/IEmergencyBrake.sol";
import {Actions} from "src/governance/Actions.sol";
import {IGovernor} from "src/governance/IGovernor.sol";
import {Messages, Order} from "src/governance/Messages.sol";
import {IValidatorRegistry} from "src/quorum/IValidatorRegistry.sol";
import {Evacuator} from "src/safe/Evacuator.sol";
import {GuardedSafeFactory} from "src/safe/GuardedSafeFactory.sol";
import {GuardedSafes} from "src/safe/GuardedSafes.sol";
import {IGuardedSafeFactory} from "src/safe/IGuardedSafeFactory.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {PayoutModule} from "src/safe/PayoutModule.sol";
import {TransferGuard} from "src/safe/TransferGuard.sol";
import {IStandingRegistry} from "src/standing/IStandingRegistry.sol";
import {
    BrakeDouble,
    GovernorDouble,
    GuardQuorum,
    GuardToken,
    LooseModule,
    StandingDouble,
    VaultDouble
} from "./GuardDoubles.sol";
import {Members} from "./Members.sol";
import {GuardiansDouble} from "./QuorumDoubles.sol";
import {Vm} from "./Vm.sol";

interface GuardVm is Vm {
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
    function getNonce(address account) external view returns (uint64);
    function deal(address account, uint256 balance) external;
    function expectEmit() external;
    function load(address account, bytes32 slot) external view returns (bytes32);
    function store(address account, bytes32 slot, bytes32 value) external;
    function startPrank(address sender) external;
    function stopPrank() external;
    function mockCall(address callee, bytes calldata data, bytes calldata answer) external;
}

/// @notice Real Safes (v1.5, 2 of 3) under the real guard and modules; real actions; doubles for the rest.
abstract contract GuardBase {
    GuardVm internal constant vm = GuardVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 internal constant NOW = 1_760_000_000;
    uint64 internal constant NOTICE = 24 hours;
    uint64 internal constant EXIT = 14 days;
    uint64 internal constant WINDOW = 7 days;
    uint64 internal constant PAYEE = 24 hours;
    bytes32 internal constant FACTS = keccak256("facts");

    // In the smallest unit; the daily limit is odd, so that half of it is not whole.
    uint96 internal constant DAILY = 2_000_001;
    uint96 internal constant CERTIFIED = 600_000;
    uint96 internal constant NOTICED = 5_000_000;
    uint256 internal constant FUNDS = 100_000_000;

    address internal payee = address(0x9A7EE);
    address internal gateway = address(0x6A7E);

    GuardQuorum internal quorum;
    BrakeDouble internal brake;
    StandingDouble internal standing;
    GovernorDouble internal governor;
    VaultDouble internal vault;
    GuardiansDouble internal guardians;
    Actions internal actions;
    TransferGuard internal guard;
    PayoutModule internal payouts;
    Evacuator internal evacuator;
    GuardedSafeFactory internal factory;
    address internal singleton;
    GuardToken internal token;
    uint256[] internal owners;
    address internal safe;

    function setUp() public virtual {
        vm.chainId(31337);
        vm.warp(NOW);
        quorum = new GuardQuorum();
        brake = new BrakeDouble();
        standing = new StandingDouble();
        governor = new GovernorDouble();
        vault = new VaultDouble();
        guardians = new GuardiansDouble();
        singleton = address(new Safe());
        token = new GuardToken();
        _build();
        owners = Members.keys("owner", 3);
        safe = factory.create(planOf(0));
        token.mint(safe, FUNDS);
        vm.deal(safe, FUNDS);
        standing.set(payee, true);
    }

    /// @dev The circle: each of the five is made at an address that the others were told.
    function _build() private {
        uint64 nonce = vm.getNonce(address(this));
        address[5] memory next;
        for (uint64 i = 0; i < 5; ++i) {
            next[i] = vm.computeCreateAddress(address(this), nonce + i);
        }
        guard = new TransferGuard(
            GuardedSafes.Neighbours(
                next[4],
                IGovernor(address(governor)),
                quorum,
                IStandingRegistry(address(standing)),
                IEmergencyBrake(address(brake)),
                guardians,
                Actions(next[1]),
                next[2],
                next[3],
                address(vault)
            ),
            GuardedSafes.Delays(NOTICE, EXIT),
            GuardedSafes.SafeCode(singleton, keccak256(type(SafeProxy).runtimeCode))
        );
        actions = new Actions(
            Actions.Neighbours(address(guard), quorum, guardians, address(0), address(governor), address(vault)), WINDOW
        );
        payouts = new PayoutModule(address(guard), address(governor), IStandingRegistry(address(standing)), PAYEE);
        evacuator = new Evacuator(
            Evacuator.Neighbours(
                address(guard),
                IEmergencyBrake(address(brake)),
                quorum,
                IValidatorRegistry(address(quorum)),
                guardians,
                IColdVault(address(vault))
            )
        );
        factory = new GuardedSafeFactory(
            guard, address(payouts), address(evacuator), singleton, type(SafeProxy).creationCode
        );
        vm.assertEq(address(factory), next[4]);
    }

    function planOf(uint256 salt) internal view returns (IGuardedSafeFactory.Plan memory plan) {
        plan.owners = Members.addresses(owners);
        plan.threshold = 2;
        plan.tokens = new address[](2);
        plan.tokens[0] = address(token);
        plan.limits = new ITransferGuard.Limits[](2);
        plan.limits[0] = ITransferGuard.Limits(DAILY, CERTIFIED, NOTICED);
        plan.limits[1] = ITransferGuard.Limits(0, 0, NOTICED);
        plan.salt = salt;
    }

    function groupOfSafe() internal view returns (bytes32) {
        return bytes32(uint256(uint160(safe)));
    }

    // What the owners sign and whoever sends.

    function hashOf(address of_, address to, uint256 value, bytes memory data) internal view returns (bytes32) {
        ISafe s = ISafe(payable(of_));
        return s.getTransactionHash(to, value, data, Enum.Operation.Call, 0, 0, 0, address(0), address(0), s.nonce());
    }

    function signed(address of_, address to, uint256 value, bytes memory data) internal view returns (bytes memory) {
        return Members.sign(owners, 3, hashOf(of_, to, value, data));
    }

    function callOf(address to, uint256 value, bytes memory data, bytes memory signatures)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(
            ISafe.execTransaction,
            (to, value, data, Enum.Operation.Call, 0, 0, 0, address(0), payable(address(0)), signatures)
        );
    }

    /// @dev A call of the Safe, signed by two owners, with `tail` behind their signatures.
    function ready(address of_, address to, uint256 value, bytes memory data, bytes memory tail)
        internal
        view
        returns (bytes memory)
    {
        return callOf(to, value, data, bytes.concat(signed(of_, to, value, data), tail));
    }

    function run(address target, bytes memory call_) internal {
        (bool success, bytes memory answer) = target.call(call_);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(answer, 0x20), mload(answer))
        }
    }

    function send(address of_, address to, uint256 value, bytes memory data, bytes memory tail) internal {
        run(of_, ready(of_, to, value, data, tail));
    }

    function send(address to, bytes memory data) internal {
        send(safe, to, 0, data, "");
    }

    function refuse(bytes memory why, address to, uint256 value, bytes memory data, bytes memory tail) internal {
        refuse(why, ready(safe, to, value, data, tail));
    }

    function refuse(bytes memory why, address to, bytes memory data) internal {
        refuse(why, to, 0, data, "");
    }

    function refuse(bytes memory why, bytes memory call_) internal {
        refuseBy(safe, why, call_);
    }

    /// @dev `target` reverts with exactly `why`.
    function refuseBy(address target, bytes memory why, bytes memory call_) internal {
        (bool success, bytes memory answer) = target.call(call_);
        vm.assertTrue(!success, "it went through");
        vm.assertEq(answer, why);
    }

    function refuses(bytes4 why, address to, bytes memory data) internal {
        refuse(abi.encodeWithSelector(why), to, data);
    }

    // Transfers.

    function transferOf(address to, uint256 amount) internal pure returns (bytes memory) {
        return abi.encodeCall(IERC20.transfer, (to, amount));
    }

    function pay(uint256 amount) internal {
        send(address(token), transferOf(payee, amount));
    }

    function refusePay(bytes memory why, uint256 amount) internal {
        refuse(why, address(token), transferOf(payee, amount));
    }

    // Certificates.

    function digestOf(bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", guard.domainSeparator(), structHash));
    }

    function orderOf(address of_, address to, uint256 value, bytes memory data) internal view returns (Order memory) {
        return Order(
            of_,
            hashOf(of_, to, value, data),
            ISafe(payable(of_)).nonce(),
            quorum.epoch(),
            uint64(block.timestamp) + 3600,
            FACTS
        );
    }

    function tailOf(Order memory order) internal view returns (bytes memory) {
        bytes memory votes = quorum.signature(digestOf(Messages.hash(order)));
        return abi.encodePacked(order.epoch, order.validUntil, order.factsHash, votes);
    }

    function certified(address of_, address to, uint256 value, bytes memory data) internal view returns (bytes memory) {
        return tailOf(orderOf(of_, to, value, data));
    }

    function sendCertified(address to, uint256 value, bytes memory data) internal {
        send(safe, to, value, data, certified(safe, to, value, data));
    }

    function refuseCertified(bytes memory why, address to, uint256 value, bytes memory data) internal {
        refuse(why, to, value, data, certified(safe, to, value, data));
    }

    function payCertified(uint256 amount) internal {
        sendCertified(address(token), 0, transferOf(payee, amount));
    }

    // Exits.

    /// @dev An exit with both consents, ready from now on.
    function matureExit() internal returns (uint64 actionId) {
        actionId = consentedExit();
        vm.warp(block.timestamp + EXIT);
    }

    function consentedExit() internal returns (uint64 actionId) {
        send(address(guard), abi.encodeCall(ITransferGuard.scheduleExit, ()));
        actionId = guard.exitOf(safe);
        guard.consentExit(actionId, safe, abi.encode(digestOf(Messages.exit(actionId, safe))));
    }

    /// @dev The guard's first check as the Safe asks for it, and no call after it.
    function begin(address to, bytes memory data, bytes memory signatures) internal {
        vm.prank(safe);
        guard.checkTransaction(
            to, 0, data, Enum.Operation.Call, 0, 0, 0, address(0), payable(address(0)), signatures, address(this)
        );
    }

    function pause() internal {
        brake.set(3, true, false);
    }

    function named(bytes4 why) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(why);
    }
}
