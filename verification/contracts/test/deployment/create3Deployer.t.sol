// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Create3Deployer} from "../../src/deployment/Create3Deployer.sol";
import {Vm} from "../support/Vm.sol";

/// @dev Names its neighbour, which may not exist yet.
contract Named {
    address public immutable neighbour;

    constructor(address neighbour_) {
        neighbour = neighbour_;
    }
}

contract Refusing {
    constructor() {
        revert("refused");
    }
}

contract Create3DeployerTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    Create3Deployer private immutable deployer = new Create3Deployer();

    function test_twoContractsNameEachOther() external {
        address first = deployer.addressOf(address(this), "first");
        address second = deployer.addressOf(address(this), "second");
        require(deployer.deploy("first", _named(second)) == first, "first is where it was foretold");
        require(deployer.deploy("second", _named(first)) == second, "second is where it was foretold");
        require(Named(first).neighbour() == second && Named(second).neighbour() == first, "they name each other");
    }

    function test_aSaltIsUsedOnce() external {
        deployer.deploy("first", _named(address(1)));
        vm.expectRevert();
        deployer.deploy("first", _named(address(2)));
    }

    function test_aFailedConstructorLeavesTheSaltFree() external {
        vm.expectRevert();
        deployer.deploy("first", type(Refusing).creationCode);
        require(deployer.deploy("first", _named(address(1))).code.length != 0, "the salt is still free");
    }

    /// Front-running: the same salt from another sender lands elsewhere, and the honest deployment goes on.
    function testFuzz_nobodyTakesAnothersAddress(address stranger) external {
        if (stranger == address(this)) return;
        address mine = deployer.addressOf(address(this), "first");
        vm.prank(stranger);
        require(deployer.deploy("first", _named(stranger)) != mine, "a stranger lands elsewhere");
        require(deployer.deploy("first", _named(address(1))) == mine, "mine is still free");
    }

    function _named(address neighbour) private pure returns (bytes memory) {
        return abi.encodePacked(type(Named).creationCode, abi.encode(neighbour));
    }
}
