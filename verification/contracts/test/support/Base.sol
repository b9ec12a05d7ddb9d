// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IEmergencyBrake} from "src/emergency/IEmergencyBrake.sol";
import {BatchSettlement} from "src/escrow/BatchSettlement.sol";
import {ChannelConfig, Voucher, VoucherClaim} from "src/escrow/ChannelTypes.sol";
import {ERC3009DepositCollector} from "src/escrow/ERC3009DepositCollector.sol";
import {TestUSD} from "src/token/TestUSD.sol";
import {SwitchBrake} from "./Doubles.sol";
import {Vm} from "./Vm.sol";

/// @notice Escrow, collector and token at their canonical addresses, placed as on a local chain: by copying code.
abstract contract Base {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    BatchSettlement internal constant escrow = BatchSettlement(0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003);
    ERC3009DepositCollector internal constant collector =
        ERC3009DepositCollector(0x4020806089470a89826cB9fB1f4059150b550004);
    TestUSD internal constant token = TestUSD(0x036CbD53842c5426634e7929541eC2318f3dCF7e);

    uint256 internal constant PAYER_KEY = 0xA11CE;
    uint256 internal constant AUTHORIZER_KEY = 0xB0B;
    uint256 internal constant STRANGER_KEY = 0xBAD;
    uint40 internal constant DELAY = 1 hours;

    address internal payer = vm.addr(PAYER_KEY);
    address internal authorizer = vm.addr(AUTHORIZER_KEY);
    address internal stranger = vm.addr(STRANGER_KEY);
    address internal receiver = address(0x4EC);
    SwitchBrake internal brake = new SwitchBrake();
    uint256 private _salts;

    function setUp() public virtual {
        vm.chainId(84532);
        vm.warp(1_760_000_000);
        vm.etch(address(escrow), address(new BatchSettlement(IEmergencyBrake(address(brake)))).code);
        vm.etch(address(collector), address(new ERC3009DepositCollector(address(escrow))).code);
        vm.etch(address(token), address(new TestUSD(address(this))).code);
        token.mint(payer, 1_000_000e6);
    }

    function channel() internal view returns (ChannelConfig memory) {
        return ChannelConfig(payer, payer, receiver, authorizer, address(token), DELAY, 0);
    }

    function channelWithSalt(uint256 salt) internal view returns (ChannelConfig memory config) {
        config = channel();
        config.salt = bytes32(salt);
    }

    function fund(ChannelConfig memory config, uint128 amount) internal returns (bytes32) {
        bytes memory data = authorization(config, amount, ++_salts, PAYER_KEY);
        escrow.deposit(config, amount, address(collector), data);
        return escrow.getChannelId(config);
    }

    /// @dev Collector data of an ERC-3009 deposit.
    function authorization(ChannelConfig memory config, uint128 amount, uint256 salt, uint256 key)
        internal
        view
        returns (bytes memory)
    {
        bytes32 structHash = keccak256(
            abi.encode(
                token.RECEIVE_WITH_AUTHORIZATION_TYPEHASH(),
                config.payer,
                address(collector),
                uint256(amount),
                uint256(0),
                type(uint256).max,
                keccak256(abi.encode(escrow.getChannelId(config), salt))
            )
        );
        bytes memory signature = sign(key, typed(token.DOMAIN_SEPARATOR(), structHash));
        return abi.encode(uint256(0), type(uint256).max, salt, signature);
    }

    function row(ChannelConfig memory config, uint128 ceiling, uint128 total)
        internal
        view
        returns (VoucherClaim memory)
    {
        return rowBy(PAYER_KEY, config, ceiling, total);
    }

    function rowBy(uint256 key, ChannelConfig memory config, uint128 ceiling, uint128 total)
        internal
        view
        returns (VoucherClaim memory)
    {
        bytes memory signature = sign(key, escrow.getVoucherDigest(escrow.getChannelId(config), ceiling));
        return VoucherClaim(Voucher(config, ceiling), signature, total);
    }

    function one(VoucherClaim memory only) internal pure returns (VoucherClaim[] memory rows) {
        rows = new VoucherClaim[](1);
        rows[0] = only;
    }

    function two(VoucherClaim memory a, VoucherClaim memory b) internal pure returns (VoucherClaim[] memory rows) {
        rows = new VoucherClaim[](2);
        (rows[0], rows[1]) = (a, b);
    }

    function claimAs(address sender, VoucherClaim[] memory rows) internal {
        vm.prank(sender);
        escrow.claim(rows);
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The same signature with the other s: valid to the curve, refused by EIP-2.
    function highS(bytes memory signature) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s, uint8 v) = split(signature);
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        return abi.encodePacked(r, order - uint256(s), v == 27 ? uint8(28) : uint8(27));
    }

    function split(bytes memory signature) internal pure returns (bytes32 r, bytes32 s, uint8 v) {
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
    }

    function typed(bytes32 domain, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function assertChannel(bytes32 id, uint128 balance, uint128 claimed) internal view {
        (uint128 actualBalance, uint128 actualClaimed) = escrow.channels(id);
        vm.assertEq(actualBalance, balance, "balance");
        vm.assertEq(actualClaimed, claimed, "claimed");
    }

    function assertReceiver(address who, uint128 claimed, uint128 settled) internal view {
        (uint128 actualClaimed, uint128 actualSettled) = escrow.receivers(who, address(token));
        vm.assertEq(actualClaimed, claimed, "receiver claimed");
        vm.assertEq(actualSettled, settled, "receiver settled");
    }
}
