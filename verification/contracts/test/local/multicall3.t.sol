// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Multicall3} from "src/local/Multicall3.sol";
import {Base} from "../support/Base.sol";

contract Multicall3Test is Base {
    Multicall3 private multi;

    function setUp() public override {
        super.setUp();
        multi = new Multicall3();
    }

    function test_selectorsAreThePublicOnes() public pure {
        vm.assertEq(bytes32(Multicall3.aggregate.selector), bytes32(bytes4(0x252dba42)));
        vm.assertEq(bytes32(Multicall3.tryAggregate.selector), bytes32(bytes4(0xbce38bd7)));
        vm.assertEq(bytes32(Multicall3.aggregate3.selector), bytes32(bytes4(0x82ad56cb)));
        vm.assertEq(bytes32(Multicall3.aggregate3Value.selector), bytes32(bytes4(0x174dea71)));
    }

    function test_failuresAreReportedWhereAllowed() public {
        Multicall3.Call3[] memory calls = new Multicall3.Call3[](2);
        calls[0] = Multicall3.Call3(address(token), false, abi.encodeCall(token.balanceOf, (payer)));
        calls[1] = Multicall3.Call3(address(token), true, abi.encodeCall(token.mint, (payer, 1)));
        Multicall3.Result[] memory results = multi.aggregate3(calls);
        vm.assertTrue(results[0].success && !results[1].success);
        vm.assertEq(abi.decode(results[0].returnData, (uint256)), token.balanceOf(payer));
        vm.assertEq(results[1].returnData, abi.encodeWithSignature("OnlyOwner()"));
        calls[1].allowFailure = false;
        vm.expectRevert(bytes(abi.encodeWithSignature("Error(string)", "Multicall3: call failed")));
        multi.aggregate3(calls);
    }

    function test_tryAggregateReportsOrReverts() public {
        Multicall3.Call[] memory calls = new Multicall3.Call[](1);
        calls[0] = Multicall3.Call(address(token), abi.encodeCall(token.mint, (payer, 1)));
        vm.assertTrue(!multi.tryAggregate(false, calls)[0].success);
        vm.expectRevert(bytes(abi.encodeWithSignature("Error(string)", "Multicall3: call failed")));
        multi.tryAggregate(true, calls);
        vm.expectRevert(bytes(abi.encodeWithSignature("Error(string)", "Multicall3: call failed")));
        multi.aggregate(calls);
    }

    function test_allAnswersComeInTheirOrder() public {
        Multicall3.Call[] memory calls = new Multicall3.Call[](2);
        calls[0] = Multicall3.Call(address(token), abi.encodeCall(token.balanceOf, (payer)));
        calls[1] = Multicall3.Call(address(token), abi.encodeCall(token.decimals, ()));
        (uint256 number, bytes[] memory answers) = multi.aggregate(calls);
        vm.assertEq(number, block.number);
        vm.assertEq(answers[0], abi.encode(token.balanceOf(payer)));
        vm.assertEq(answers[1], abi.encode(uint256(6)));
        Multicall3.Result[] memory results = multi.tryAggregate(true, calls);
        vm.assertEq(results[0].returnData, answers[0]);
        vm.assertEq(results[1].returnData, answers[1]);
    }

    function test_nativeCurrencyGoesWhereItWasMeantTo() public {
        Multicall3.Call3Value[] memory calls = new Multicall3.Call3Value[](2);
        calls[0] = Multicall3.Call3Value(address(0x123), false, 5, "");
        calls[1] = Multicall3.Call3Value(address(0x124), false, 2, "");
        vm.assertEq(multi.aggregate3Value{value: 7}(calls).length, 2);
        vm.assertEq(multi.getEthBalance(address(0x123)), 5);
        vm.assertEq(multi.getEthBalance(address(0x124)), 2);
        calls[1].value = 1;
        vm.expectRevert(bytes(abi.encodeWithSignature("Error(string)", "Multicall3: value mismatch")));
        multi.aggregate3Value{value: 7}(calls);
    }

    function test_failuresWithValueAreReportedWhereAllowed() public {
        Multicall3.Call3Value[] memory calls = new Multicall3.Call3Value[](1);
        calls[0] = Multicall3.Call3Value(address(token), true, 0, abi.encodeCall(token.mint, (payer, 1)));
        vm.assertTrue(!multi.aggregate3Value(calls)[0].success);
        calls[0].allowFailure = false;
        vm.expectRevert(bytes(abi.encodeWithSignature("Error(string)", "Multicall3: call failed")));
        multi.aggregate3Value(calls);
    }

    function test_theChainIsThisOne() public view {
        vm.assertEq(multi.getBlockNumber(), block.number);
        vm.assertEq(multi.getCurrentBlockTimestamp(), block.timestamp);
        vm.assertEq(multi.getChainId(), 84532);
        vm.assertEq(multi.getBasefee(), block.basefee);
    }

    function test_valuesMustAddUp() public {
        Multicall3.Call3Value[] memory calls = new Multicall3.Call3Value[](1);
        calls[0] = Multicall3.Call3Value(address(0x123), false, 5, "");
        multi.aggregate3Value{value: 5}(calls);
        vm.assertEq(multi.getEthBalance(address(0x123)), 5);
        vm.expectRevert(bytes(abi.encodeWithSignature("Error(string)", "Multicall3: value mismatch")));
        multi.aggregate3Value{value: 6}(calls);
    }
}
