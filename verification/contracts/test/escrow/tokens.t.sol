// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ChannelConfig} from "src/escrow/ChannelTypes.sol";
import {IDepositCollector} from "src/escrow/IDepositCollector.sol";
import {Base} from "../support/Base.sol";

/// @notice Says no instead of reverting, when told to, and remembers what the escrow's book said while it paid.
contract ObservingToken is ERC20("Observing", "OBS"), IDepositCollector {
    bool private _refuses;
    bytes private _question;
    bytes public answer;

    function refuse(bool refuses) external {
        _refuses = refuses;
    }

    function observe(bytes calldata question) external {
        _question = question;
    }

    function collect(address, address, uint256 amount, bytes32, bytes calldata) external {
        _mint(msg.sender, amount);
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        if (_refuses) return false;
        if (_question.length != 0) (, answer) = msg.sender.staticcall(_question);
        return super.transfer(to, value);
    }
}

contract TokensTest is Base {
    ObservingToken private _token = new ObservingToken();

    function setUp() public override {
        super.setUp();
        escrow.deposit(config(), 10, address(_token), "");
        claimAs(authorizer, one(row(config(), 4, 4)));
    }

    function test_RevertWhen_theTokenSaysNo() public {
        bytes memory failed = abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(_token));
        _token.refuse(true);
        vm.expectRevert(failed);
        escrow.settle(receiver, address(_token));
        vm.prank(receiver);
        vm.expectRevert(failed);
        escrow.refund(config(), 6);

        _token.refuse(false);
        escrow.settle(receiver, address(_token));
        vm.prank(receiver);
        escrow.refund(config(), 6);
        vm.assertEq(_token.balanceOf(receiver), 4);
        vm.assertEq(_token.balanceOf(payer), 6);
    }

    function test_theBookIsWrittenBeforeTheTokenIsCalled() public {
        _token.observe(abi.encodeCall(escrow.receivers, (receiver, address(_token))));
        escrow.settle(receiver, address(_token));
        vm.assertEq(_token.answer(), abi.encode(uint256(4), uint256(4)));

        _token.observe(abi.encodeCall(escrow.channels, (escrow.getChannelId(config()))));
        vm.prank(receiver);
        escrow.refund(config(), 6);
        vm.assertEq(_token.answer(), abi.encode(uint256(4), uint256(4)));
    }

    function config() private view returns (ChannelConfig memory ours) {
        ours = channel();
        ours.token = address(_token);
    }
}
