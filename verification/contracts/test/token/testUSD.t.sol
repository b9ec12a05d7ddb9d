// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TestUSD} from "src/token/TestUSD.sol";
import {Base} from "../support/Base.sol";
import {Wallet} from "../support/Doubles.sol";

contract TestUSDTest is Base {
    bytes32 private constant NONCE = keccak256("nonce");
    uint256 private constant FOR_EVER = type(uint256).max;

    function test_answersAsUsdcWhereItsCodeWasCopiedTo() public view {
        vm.assertEq(token.name(), "USDC");
        vm.assertEq(token.symbol(), "USDC");
        vm.assertEq(token.version(), "2");
        vm.assertEq(token.decimals(), 6);
        vm.assertEq(token.owner(), address(this));
        bytes32 kind = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 domain = keccak256(abi.encode(kind, keccak256("USDC"), keccak256("2"), uint256(84532), address(token)));
        vm.assertEq(token.DOMAIN_SEPARATOR(), domain);
    }

    function test_transferWithAuthorizationInBothForms() public {
        bytes memory signature = signed("Transfer", payer, stranger, 5, 0, FOR_EVER);
        (bytes32 r, bytes32 s, uint8 v) = split(signature);
        token.transferWithAuthorization(payer, stranger, 5, 0, FOR_EVER, NONCE, v, r, s);
        vm.assertEq(token.balanceOf(stranger), 5);
        vm.assertTrue(token.authorizationState(payer, NONCE));
        refused("FiatTokenV2: authorization is used or canceled");
        token.transferWithAuthorization(payer, stranger, 5, 0, FOR_EVER, NONCE, signature);
    }

    function test_transferWithAuthorizationAsBytes() public {
        token.transferWithAuthorization(
            payer, stranger, 5, 0, FOR_EVER, NONCE, signed("Transfer", payer, stranger, 5, 0, FOR_EVER)
        );
        vm.assertEq(token.balanceOf(stranger), 5);
    }

    function test_receiveWithAuthorizationOnlyByThePayee() public {
        bytes memory signature = signed("Receive", payer, stranger, 5, 0, FOR_EVER);
        (bytes32 r, bytes32 s, uint8 v) = split(signature);
        refused("FiatTokenV2: caller must be the payee");
        token.receiveWithAuthorization(payer, stranger, 5, 0, FOR_EVER, NONCE, signature);
        vm.prank(stranger);
        token.receiveWithAuthorization(payer, stranger, 5, 0, FOR_EVER, NONCE, v, r, s);
        vm.assertEq(token.balanceOf(stranger), 5);
    }

    function test_authorizationsOfOneKindAreNotOfTheOther() public {
        bytes memory transfer = signed("Transfer", payer, stranger, 5, 0, FOR_EVER);
        bytes memory receive_ = signed("Receive", payer, stranger, 5, 0, FOR_EVER);
        refused("FiatTokenV2: invalid signature");
        token.transferWithAuthorization(payer, stranger, 5, 0, FOR_EVER, NONCE, receive_);
        vm.prank(stranger);
        refused("FiatTokenV2: invalid signature");
        token.receiveWithAuthorization(payer, stranger, 5, 0, FOR_EVER, NONCE, transfer);
    }

    function test_timesAreExclusive() public {
        uint256 now_ = block.timestamp;
        bytes memory early = signed("Transfer", payer, stranger, 5, now_, FOR_EVER);
        refused("FiatTokenV2: authorization is not yet valid");
        token.transferWithAuthorization(payer, stranger, 5, now_, FOR_EVER, NONCE, early);
        bytes memory late = signed("Transfer", payer, stranger, 5, 0, now_);
        refused("FiatTokenV2: authorization is expired");
        token.transferWithAuthorization(payer, stranger, 5, 0, now_, NONCE, late);
        bytes memory inside = signed("Transfer", payer, stranger, 5, now_ - 1, now_ + 1);
        token.transferWithAuthorization(payer, stranger, 5, now_ - 1, now_ + 1, NONCE, inside);
    }

    function test_cancelledAuthorizationIsVoidInBothForms() public {
        bytes32 structHash = keccak256(abi.encode(token.CANCEL_AUTHORIZATION_TYPEHASH(), payer, NONCE));
        bytes memory cancel = sign(PAYER_KEY, typed(token.DOMAIN_SEPARATOR(), structHash));
        bytes memory transfer = signed("Transfer", payer, stranger, 5, 0, FOR_EVER);
        (bytes32 r, bytes32 s, uint8 v) = split(cancel);
        refused("FiatTokenV2: invalid signature");
        token.cancelAuthorization(payer, NONCE, transfer);
        token.cancelAuthorization(payer, NONCE, v, r, s);
        refused("FiatTokenV2: authorization is used or canceled");
        token.cancelAuthorization(payer, NONCE, cancel);
        refused("FiatTokenV2: authorization is used or canceled");
        token.transferWithAuthorization(payer, stranger, 5, 0, FOR_EVER, NONCE, transfer);
    }

    function test_walletContractsAuthorizeByErc1271() public {
        Wallet wallet = new Wallet(payer);
        token.mint(address(wallet), 10);
        bytes memory signature = signed("Transfer", address(wallet), stranger, 5, 0, FOR_EVER);
        token.transferWithAuthorization(address(wallet), stranger, 5, 0, FOR_EVER, NONCE, signature);
        vm.assertEq(token.balanceOf(stranger), 5);
    }

    function test_RevertWhen_signatureIsMalleable() public {
        bytes memory twin = highS(signed("Transfer", payer, stranger, 5, 0, FOR_EVER));
        refused("FiatTokenV2: invalid signature");
        token.transferWithAuthorization(payer, stranger, 5, 0, FOR_EVER, NONCE, twin);
    }

    function test_RevertWhen_balanceIsTooLow() public {
        uint256 tooMuch = token.balanceOf(payer) + 1;
        bytes memory signature = signed("Transfer", payer, stranger, tooMuch, 0, FOR_EVER);
        refused("ERC20: transfer amount exceeds balance");
        token.transferWithAuthorization(payer, stranger, tooMuch, 0, FOR_EVER, NONCE, signature);
    }

    function test_RevertWhen_allowanceIsTooLow() public {
        refused("ERC20: transfer amount exceeds allowance");
        token.transferFrom(payer, stranger, 1);
    }

    function test_permitInBothFormsOnceAndInTime() public {
        uint256 deadline = block.timestamp;
        (bytes32 r, bytes32 s, uint8 v) = split(permit(7, 0, deadline));
        token.permit(payer, stranger, 7, deadline, v, r, s);
        vm.assertEq(token.allowance(payer, stranger), 7);
        refused("EIP2612: invalid signature");
        token.permit(payer, stranger, 7, deadline, v, r, s);
        token.permit(payer, stranger, 8, deadline, permit(8, 1, deadline));
        vm.assertEq(token.allowance(payer, stranger), 8);
        bytes memory stale = permit(9, 2, deadline - 1);
        refused("FiatTokenV2: permit is expired");
        token.permit(payer, stranger, 9, deadline - 1, stale);
        vm.assertEq(token.nonces(payer), 2);
    }

    function test_RevertWhen_strangerMintsOrOwnerIsZero() public {
        vm.prank(stranger);
        vm.expectRevert(TestUSD.OnlyOwner.selector);
        token.mint(stranger, 1);
        vm.expectRevert(TestUSD.InvalidOwner.selector);
        new TestUSD(address(0));
    }

    function signed(
        string memory verb,
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore
    ) private view returns (bytes memory) {
        bytes32 kind = keccak256(
            abi.encodePacked(
                verb,
                "WithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
            )
        );
        bytes32 structHash = keccak256(abi.encode(kind, from, to, value, validAfter, validBefore, NONCE));
        return sign(PAYER_KEY, typed(token.DOMAIN_SEPARATOR(), structHash));
    }

    function permit(uint256 value, uint256 nonce, uint256 deadline) private view returns (bytes memory) {
        bytes32 kind = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(kind, payer, stranger, value, nonce, deadline));
        return sign(PAYER_KEY, typed(token.DOMAIN_SEPARATOR(), structHash));
    }

    function refused(string memory why) private {
        vm.expectRevert(bytes(abi.encodeWithSignature("Error(string)", why)));
    }
}
