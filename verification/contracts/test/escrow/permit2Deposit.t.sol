// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DepositCollector} from "src/escrow/DepositCollector.sol";
import {IPermit2} from "src/escrow/IPermit2.sol";
import {Permit2DepositCollector} from "src/escrow/Permit2DepositCollector.sol";
import {Base} from "../support/Base.sol";
import {Permit2Double} from "../support/Doubles.sol";

/// @notice Against a double that checks the owner's signature as Permit2 does: the real one is in no package registry.
contract Permit2DepositTest is Base {
    Permit2Double private permit2;
    Permit2DepositCollector private by2;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        permit2 = Permit2Double(0x000000000022D473030F116dDEE9F6B43aC78BA3);
        vm.etch(address(permit2), address(new Permit2Double()).code);
        by2 = Permit2DepositCollector(0x4020425FAf3B746C082C2f942b4E5159887B0005);
        vm.etch(address(by2), address(new Permit2DepositCollector(address(escrow), address(permit2))).code);
        id = escrow.getChannelId(channel());
    }

    function test_depositsWithAnAllowance() public {
        approve();
        escrow.deposit(channel(), 5e6, address(by2), data(id, 5e6, 0, ""));
        assertChannel(id, 5e6, 0);
        vm.assertEq(token.balanceOf(address(by2)), 0);
    }

    function test_depositsWithAnEip2612Permit() public {
        bytes memory eip2612 = permit(5e6, block.timestamp);
        escrow.deposit(channel(), 5e6, address(by2), data(id, 5e6, 0, eip2612));
        assertChannel(id, 5e6, 0);
    }

    function test_failingPermitIsReportedAndAnAllowanceStillServes() public {
        approve();
        bytes memory stale = permit(5e6, block.timestamp - 1);
        vm.expectEmit(address(by2));
        emit Permit2DepositCollector.EIP2612PermitFailedWithReason(
            address(token), payer, "FiatTokenV2: permit is expired"
        );
        escrow.deposit(channel(), 5e6, address(by2), data(id, 5e6, 0, stale));
        assertChannel(id, 5e6, 0);
    }

    function test_RevertWhen_failingPermitLeavesNoAllowance() public {
        bytes memory sent = data(id, 5e6, 0, permit(5e6, block.timestamp - 1));
        vm.expectRevert(bytes(abi.encodeWithSignature("Error(string)", "ERC20: transfer amount exceeds allowance")));
        escrow.deposit(channel(), 5e6, address(by2), sent);
    }

    function test_RevertWhen_permitIsForAnotherAmount() public {
        bytes memory sent = data(id, 5e6, 0, permit(6e6, block.timestamp));
        vm.expectRevert(Permit2DepositCollector.Permit2612AmountMismatch.selector);
        escrow.deposit(channel(), 5e6, address(by2), sent);
    }

    function test_RevertWhen_witnessIsAnotherChannel() public {
        approve();
        bytes memory sent = data(escrow.getChannelId(channelWithSalt(1)), 5e6, 0, "");
        vm.expectRevert(bytes(abi.encodeWithSignature("Error(string)", "InvalidSigner")));
        escrow.deposit(channel(), 5e6, address(by2), sent);
    }

    function test_RevertWhen_signedForAnotherAmountOrUsedTwice() public {
        approve();
        bytes memory sent = data(id, 5e6, 0, "");
        vm.expectRevert(bytes(abi.encodeWithSignature("Error(string)", "InvalidSigner")));
        escrow.deposit(channel(), 6e6, address(by2), sent);
        escrow.deposit(channel(), 5e6, address(by2), sent);
        vm.expectRevert(bytes(abi.encodeWithSignature("Error(string)", "InvalidNonce")));
        escrow.deposit(channel(), 5e6, address(by2), sent);
    }

    function test_RevertWhen_calledByAnotherThanTheEscrow() public {
        vm.expectRevert(DepositCollector.OnlyX402BatchSettlement.selector);
        by2.collect(payer, address(token), 1, 0, "");
    }

    function test_RevertWhen_permit2IsZero() public {
        vm.expectRevert(Permit2DepositCollector.InvalidPermit2Address.selector);
        new Permit2DepositCollector(address(escrow), address(0));
    }

    function approve() private {
        vm.prank(payer);
        token.approve(address(permit2), type(uint256).max);
    }

    function data(bytes32 channelId, uint256 amount, uint256 nonce, bytes memory eip2612)
        private
        view
        returns (bytes memory)
    {
        IPermit2.PermitTransferFrom memory transfer =
            IPermit2.PermitTransferFrom(IPermit2.TokenPermissions(address(token), amount), nonce, block.timestamp);
        bytes32 witness = keccak256(abi.encode(keccak256("DepositWitness(bytes32 channelId)"), channelId));
        string memory rest =
            "DepositWitness witness)DepositWitness(bytes32 channelId)TokenPermissions(address token,uint256 amount)";
        bytes memory signature = sign(PAYER_KEY, permit2.digest(transfer, address(by2), witness, rest));
        return abi.encode(nonce, block.timestamp, signature, eip2612);
    }

    function permit(uint256 value, uint256 deadline) private view returns (bytes memory) {
        bytes32 structHash =
            keccak256(abi.encode(token.PERMIT_TYPEHASH(), payer, address(permit2), value, uint256(0), deadline));
        (bytes32 r, bytes32 s, uint8 v) = split(sign(PAYER_KEY, typed(token.DOMAIN_SEPARATOR(), structHash)));
        return abi.encode(value, deadline, v, r, s);
    }
}
