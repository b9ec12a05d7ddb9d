// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ColdVault} from "src/emergency/ColdVault.sol";
import {EmergencyBrake} from "src/emergency/EmergencyBrake.sol";
import {Actions} from "src/governance/Actions.sol";
import {Governor} from "src/governance/Governor.sol";
import {Guardians} from "src/governance/Guardians.sol";
import {IPayoutModule} from "src/safe/IPayoutModule.sol";
import {StandingRegistry} from "src/standing/StandingRegistry.sol";
import {LimitsDouble, PayoutDouble, VerifierDouble} from "./EmergencyDoubles.sol";
import {digestFor} from "./Digest.sol";
import {Members} from "./Members.sol";
import {Vm} from "./Vm.sol";

/// @notice Actions, guardians, governor, brake, vault and standing as they stand together, with production delays. Guard,
///         payout module and verifier are doubles. Guardians: 3 of 5; attesters: 2 of 3; vault owners: 2 of 3.
abstract contract EmergencyBase {
    using Members for uint256[];

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint64 internal constant START = 1_760_000_000;
    uint64 internal constant EPOCH = 1;
    bytes internal constant CERTIFICATE = hex"ce";
    bytes32 internal constant MODEL = keccak256("first model");
    address internal constant REGISTRY = address(0x4E6157);
    address internal constant EVACUATOR = address(0xE7AC);
    address internal constant STRANGER = address(0xBAD);

    VerifierDouble internal verifier = new VerifierDouble();
    LimitsDouble internal limits = new LimitsDouble();
    PayoutDouble internal payouts = new PayoutDouble();
    uint256[] internal guardianKeys = Members.keys("guardian", 5);
    uint256[] internal attesterKeys = Members.keys("attester", 3);
    uint256[] internal ownerKeys = Members.keys("vault owner", 3);
    uint256[] internal sentinelKeys = Members.keys("sentinel", 2);
    address internal sentinel = vm.addr(sentinelKeys[0]);

    Guardians internal guardians;
    Actions internal actions;
    Governor internal governor;
    StandingRegistry internal standing;
    EmergencyBrake internal brake;
    ColdVault internal vault;

    constructor() {
        vm.warp(START);
        // Each knows the others before they exist, as on a real chain (there by CREATE3).
        guardians = new Guardians(_created(6), guardianKeys.addresses(), 3);
        actions = new Actions(
            Actions.Neighbours(address(limits), verifier, guardians, REGISTRY, _created(6), _created(9)), 7 days
        );
        governor = new Governor(
            Governor.Neighbours(
                address(limits),
                actions,
                verifier,
                IPayoutModule(address(payouts)),
                guardians,
                StandingRegistry(_created(7))
            ),
            Governor.Delays({change: 48 hours, guardians: 14 days}),
            MODEL
        );
        standing = new StandingRegistry(address(limits), address(governor), 7 days, attesterKeys.addresses(), 2);
        brake = new EmergencyBrake(
            EmergencyBrake.Neighbours(address(limits), verifier, guardians),
            EmergencyBrake.Delays({sentinelPause: 6 hours, sentinelKey: 30 days, ending: 1 hours, reduced: 24 hours}),
            _sentinels()
        );
        vault = new ColdVault(
            ColdVault.Neighbours(address(limits), verifier, guardians, actions, EVACUATOR),
            ColdVault.Delays({owners: 48 hours, guardians: 14 days}),
            ownerKeys.addresses(),
            2
        );
        require(address(governor) == _created(6) && address(standing) == _created(7) && address(vault) == _created(9));
    }

    function time() internal view returns (uint64) {
        return uint64(block.timestamp);
    }

    /// @dev EIP-712 digest in the domain of this guard and chain, not by the code under test.
    function digestOf(bytes32 structHash) internal view returns (bytes32) {
        return digestFor(address(limits), block.chainid, structHash);
    }

    function certify(bytes32 structHash) internal returns (bytes memory) {
        verifier.certify(digestOf(structHash), EPOCH);
        return CERTIFICATE;
    }

    /// @dev By the first three.
    function byGuardians(bytes32 structHash) internal view returns (bytes memory) {
        return guardianKeys.sign(0x7, digestOf(structHash));
    }

    function byTwoGuardians(bytes32 structHash) internal view returns (bytes memory) {
        return guardianKeys.sign(0x3, digestOf(structHash));
    }

    function expectRevert(bytes4 selector, uint64 argument) internal {
        vm.expectRevert(abi.encodeWithSelector(selector, argument));
    }

    function _sentinels() private view returns (EmergencyBrake.Sentinel[] memory armed) {
        armed = new EmergencyBrake.Sentinel[](1);
        armed[0] = EmergencyBrake.Sentinel(sentinel, START + 30 days);
    }

    /// @dev The address of this contract's creation number `nonce` (below 128): RLP of sender and nonce.
    function _created(uint8 nonce) private view returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"d694", address(this), nonce)))));
    }
}
