// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {SafeProxy} from "@safe-global/safe-smart-account/contracts/proxies/SafeProxy.sol";
import {Safe} from "@safe-global/safe-smart-account/contracts/Safe.sol";
import {ColdVault} from "src/emergency/ColdVault.sol";
import {EmergencyBrake} from "src/emergency/EmergencyBrake.sol";
import {Actions} from "src/governance/Actions.sol";
import {Governor} from "src/governance/Governor.sol";
import {Guardians} from "src/governance/Guardians.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {ValidatorRegistry} from "src/quorum/ValidatorRegistry.sol";
import {Evacuator} from "src/safe/Evacuator.sol";
import {GuardedSafeFactory} from "src/safe/GuardedSafeFactory.sol";
import {GuardedSafes} from "src/safe/GuardedSafes.sol";
import {IGuardedSafeFactory} from "src/safe/IGuardedSafeFactory.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {PayoutModule} from "src/safe/PayoutModule.sol";
import {TransferGuard} from "src/safe/TransferGuard.sol";
import {StandingRegistry} from "src/standing/StandingRegistry.sol";
import {TestUSD} from "src/token/TestUSD.sol";
import {Committee} from "../../support/Committee.sol";
import {digestFor} from "../../support/Digest.sol";
import {Members} from "../../support/Members.sol";
import {Vm} from "../../support/Vm.sol";
import {Votes} from "./Votes.sol";

interface WorldVm is Vm {
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
    function getNonce(address account) external view returns (uint64);
    function getBlockTimestamp() external view returns (uint256);
    function deal(address account, uint256 balance) external;
    function load(address account, bytes32 slot) external view returns (bytes32);
}

/// @notice The whole guarded set with production delays: three Safes by the factory (0 and 1 of group 0, 2 of group 1), two
///         tokens and the native currency. Who signs as the validators and who
///         verifies it is told to the constructor.
abstract contract World {
    using Members for uint256[];

    WorldVm internal constant vm = WorldVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint64 internal constant START = 1_760_000_000;
    uint256 internal constant SAFES = 3;
    uint256 internal constant GROUPS = 2;
    uint256 internal constant NATIVE = 2;
    uint256 internal constant GENERATIONS = 3;
    uint256 internal constant VALIDATORS = 4;
    uint256 internal constant FUNDS = 100_000_000;
    bytes32 internal constant FACTS = keccak256("facts");

    uint64 internal constant NOTICE = 24 hours;
    uint64 internal constant EXIT = 14 days;
    uint64 internal constant WINDOW = 7 days;
    uint64 internal constant PAYEE = 24 hours;
    uint64 internal constant CHANGE = 48 hours;
    uint64 internal constant GUARDIANS_CHANGE = 14 days;
    uint64 internal constant RETURN_BY_OWNERS = 48 hours;
    uint64 internal constant RETURN_BY_GUARDIANS = 14 days;
    uint64 internal constant ROTATION = 24 hours;
    uint64 internal constant RECOVERY = 14 days;

    Guardians internal guardians;
    Actions internal actions;
    Governor internal governor;
    StandingRegistry internal standing;
    EmergencyBrake internal brake;
    ColdVault internal vault;
    TransferGuard internal guard;
    PayoutModule internal payouts;
    Evacuator internal evacuator;
    Votes internal votes;
    GuardedSafeFactory internal factory;
    ValidatorRegistry internal registry;
    ICertificateVerifier internal verifier;
    address internal singleton;
    TestUSD[2] internal tokens;
    address[SAFES] internal safes;

    /// @dev Keys in the order of their addresses; the sets may be replaced.
    uint256[] internal guardianKeys = Members.keys("guardian", 5);
    uint256[] internal attesterKeys = Members.keys("attester", 3);
    uint256[] internal vaultKeys = Members.keys("vault owner", 3);
    uint256[] internal sentinelKeys = Members.keys("sentinel", 2);
    /// @dev Of each Safe: who owns it now, and the threshold.
    uint256[][SAFES] internal ownerKeys;
    uint256[SAFES] internal thresholds;
    /// @dev Of each generation of validators: secrets in the order of their keys, and the keys as the registry takes them.
    uint256[][GENERATIONS] internal validators;
    bytes[GENERATIONS] internal validatorKeys;

    constructor(Votes votes_) {
        votes = votes_;
        vm.chainId(31337);
        vm.warp(START);
        singleton = address(new Safe());
        tokens[0] = new TestUSD(address(this));
        tokens[1] = new TestUSD(address(this));
        for (uint256 i = 0; i < GENERATIONS; ++i) {
            validators[i] = Committee.secrets(i + 1, VALIDATORS);
            validatorKeys[i] = Committee.keys(validators[i]);
        }
        address[12] memory next;
        for (uint256 i = 0; i < next.length; ++i) {
            next[i] = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + i);
        }
        next[11] = vm.computeCreateAddress(address(votes), vm.getNonce(address(votes)));
        _buildGovernance(next);
        _buildEmergency(next);
        _buildGuard(next);
        _buildQuorum(next);
        require(address(registry) == next[10] && address(verifier) == next[11], "the circle is closed");
        _createSafes();
    }

    function _buildGovernance(address[12] memory next) private {
        guardians = new Guardians(next[2], guardianKeys.addresses(), 3);
        actions = new Actions(
            Actions.Neighbours(next[6], ICertificateVerifier(next[11]), Guardians(next[0]), next[10], next[2], next[5]),
            WINDOW
        );
        governor = new Governor(
            Governor.Neighbours(
                next[6],
                Actions(next[1]),
                ICertificateVerifier(next[11]),
                PayoutModule(next[7]),
                Guardians(next[0]),
                StandingRegistry(next[3])
            ),
            Governor.Delays(CHANGE, GUARDIANS_CHANGE),
            keccak256("first model")
        );
    }

    function _buildEmergency(address[12] memory next) private {
        standing = new StandingRegistry(next[6], next[2], 7 days, attesterKeys.addresses(), 2);
        EmergencyBrake.Sentinel[] memory armed = new EmergencyBrake.Sentinel[](1);
        armed[0] = EmergencyBrake.Sentinel(vm.addr(sentinelKeys[0]), START + 30 days);
        brake = new EmergencyBrake(
            EmergencyBrake.Neighbours(next[6], ICertificateVerifier(next[11]), guardians),
            EmergencyBrake.Delays({sentinelPause: 6 hours, sentinelKey: 30 days, ending: 1 hours, reduced: 24 hours}),
            armed
        );
        vault = new ColdVault(
            ColdVault.Neighbours(next[6], ICertificateVerifier(next[11]), guardians, actions, next[8]),
            ColdVault.Delays(RETURN_BY_OWNERS, RETURN_BY_GUARDIANS),
            vaultKeys.addresses(),
            2
        );
    }

    function _buildGuard(address[12] memory next) private {
        guard = new TransferGuard(
            GuardedSafes.Neighbours(
                next[9],
                governor,
                ICertificateVerifier(next[11]),
                standing,
                brake,
                guardians,
                actions,
                next[7],
                next[8],
                address(vault)
            ),
            GuardedSafes.Delays(NOTICE, EXIT),
            GuardedSafes.SafeCode(singleton, keccak256(type(SafeProxy).runtimeCode))
        );
        payouts = new PayoutModule(address(guard), address(governor), standing, PAYEE);
        evacuator = new Evacuator(
            Evacuator.Neighbours(
                address(guard), brake, ICertificateVerifier(next[11]), ValidatorRegistry(next[10]), guardians, vault
            )
        );
        factory = new GuardedSafeFactory(
            guard, address(payouts), address(evacuator), singleton, type(SafeProxy).creationCode
        );
    }

    function _buildQuorum(address[12] memory next) private {
        registry = new ValidatorRegistry(
            ValidatorRegistry.Neighbours(address(guard), actions, ICertificateVerifier(next[11]), guardians),
            ValidatorRegistry.Delays(ROTATION, RECOVERY),
            validatorKeys[0],
            Committee.proofs(validators[0])
        );
        verifier = votes.verifierOf(registry);
        for (uint256 i = 1; i < GENERATIONS; ++i) {
            for (uint256 j = 0; j < VALIDATORS; ++j) {
                registry.prove(Committee.keyOf(validators[i][j]), Committee.proof(validators[i][j]));
            }
        }
    }

    /// @dev Of the second group's first token half of what the first's may let out; of the second token, notice is needed
    ///      below what needs a certificate.
    function firstLimits(uint256 group) internal pure returns (ITransferGuard.Limits[] memory limits) {
        limits = new ITransferGuard.Limits[](3);
        uint96 share = uint96(group) + 1;
        limits[0] = ITransferGuard.Limits(2_000_001 / share, 600_000, 5_000_000);
        limits[1] = ITransferGuard.Limits(900_000, 400_000 / share, 300_000);
        limits[NATIVE] = ITransferGuard.Limits(0, 0, 5_000_000);
    }

    function _createSafes() private {
        for (uint256 i = 0; i < SAFES; ++i) {
            ownerKeys[i] = Members.keys(i == 0 ? "owner of 0" : i == 1 ? "owner of 1" : "owner of 2", 3);
            thresholds[i] = 2;
            IGuardedSafeFactory.Plan memory plan;
            plan.owners = ownerKeys[i].addresses();
            plan.threshold = 2;
            if (i == 1) {
                plan.group = groupId(0);
            } else {
                plan.tokens = new address[](3);
                (plan.tokens[0], plan.tokens[1]) = (address(tokens[0]), address(tokens[1]));
                plan.limits = firstLimits(i / 2);
            }
            safes[i] = factory.create(plan);
            tokens[0].mint(safes[i], FUNDS);
            tokens[1].mint(safes[i], FUNDS);
            vm.deal(safes[i], FUNDS);
        }
    }

    function groupId(uint256 group) internal view returns (bytes32) {
        return bytes32(uint256(uint160(safes[group * 2])));
    }

    function groupOf(uint256 safe) internal pure returns (uint256) {
        return safe / 2;
    }

    function tokenAt(uint256 token) internal view returns (address) {
        return token == NATIVE ? address(0) : address(tokens[token]);
    }

    function safeAt(uint256 safe) internal view returns (ISafe) {
        return ISafe(payable(safes[safe]));
    }

    /// @dev Not `block.timestamp`, which the compiler may read before a warp.
    function time() internal view returns (uint64) {
        return uint64(vm.getBlockTimestamp());
    }

    /// @dev EIP-712 digest, not by the code under test.
    function digestOf(bytes32 structHash) internal view returns (bytes32) {
        return digestFor(address(guard), 31337, structHash);
    }

    function byGuardians(bytes32 structHash) internal view returns (bytes memory) {
        return guardianKeys.sign(0x7, digestOf(structHash));
    }

    function byAttesters(bytes32 structHash) internal view returns (bytes memory) {
        return attesterKeys.sign(0x3, digestOf(structHash));
    }

    function byVaultOwners(bytes32 structHash) internal view returns (bytes memory) {
        return vaultKeys.sign(0x3, digestOf(structHash));
    }
}
