// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Class} from "src/safe/TransferTable.sol";
import {svm, vm} from "../support/Cheats.sol";
import {Table} from "../support/Table.sol";

/// @notice Every call that is not one of the table's rows, to the letter, reverts: whatever its target, value, selector and
///         arguments. The rows are written here a second time, from the document.
/// @custom:bound calldata of 0 to 4, 35 to 37, 67 to 69, 99 to 101, 132 and 164 bytes; every other length is as those
contract OnlyTheTablePasses {
    Table private table;
    address private safe;
    address private guard;
    address private payoutModule;
    address private to;
    uint256 private value;

    function setUp() external {
        table = new Table();
        safe = svm.createAddress("safe");
        guard = svm.createAddress("guard");
        payoutModule = svm.createAddress("payoutModule");
        to = svm.createAddress("to");
        value = svm.createUint256("value");
        vm.assume(safe != guard && guard != payoutModule && safe != payoutModule);
    }

    function check_noData() external view {
        (bool passed, Class class, address token, address recipient, uint256 amount) = _ask("");
        if (!passed) return;
        if (class == Class.Cancel) {
            assert(to == safe && value == 0);
        } else {
            assert(class == Class.Native && value != 0 && amount == value && recipient == to && token == address(0));
            assert(to != safe && to != guard && to != address(0));
        }
    }

    /// @custom:halmos --loop 14
    function check_noOtherLength() external {
        uint8[13] memory lengths = [1, 2, 3, 35, 37, 67, 69, 99, 101, 131, 132, 133, 164];
        uint256 one = svm.createUint(8, "one");
        for (uint256 i = 0; i < lengths.length; ++i) {
            if (i != one) continue;
            (bool passed,,,,) = _ask(svm.createBytes(lengths[i], "data"));
            assert(!passed);
            return;
        }
    }

    function check_selectorAlone() external {
        bytes memory data = svm.createBytes(4, "data");
        (bool passed, Class class,,,) = _ask(data);
        if (!passed) return;
        assert(value == 0 && to == guard && class == Class.Schedule);
        assert(bytes4(data) == bytes4(keccak256("scheduleExit()")));
    }

    function check_oneArgument() external {
        bytes memory data = svm.createBytes(36, "data");
        (bool passed, Class class,,,) = _ask(data);
        if (!passed) return;
        bytes4 selector = bytes4(data);
        assert(value == 0);
        if (to == safe) {
            if (selector == bytes4(keccak256("changeThreshold(uint256)"))) {
                assert(class == Class.Configure);
            } else if (selector == bytes4(keccak256("setGuard(address)"))) {
                assert(class == Class.LeaveGuard && _isAddress(data, 0));
            } else {
                assert(selector == bytes4(keccak256("setModuleGuard(address)")));
                assert(class == Class.LeaveModuleGuard && _isAddress(data, 0));
            }
        } else if (to == guard) {
            assert(class == Class.Schedule);
            bool announce = selector == bytes4(keccak256("announce(bytes32)"));
            bool cancel = selector == bytes4(keccak256("cancelExit(uint64)"));
            bool admit = selector == bytes4(keccak256("admit(address)")) && _isAddress(data, 0);
            assert(announce || cancel || admit);
        } else {
            assert(to == payoutModule && class == Class.Schedule && _isAddress(data, 0));
            assert(selector == bytes4(keccak256("register(address)")));
        }
    }

    function check_twoArguments() external {
        bytes memory data = svm.createBytes(68, "data");
        (bool passed, Class class, address token, address recipient, uint256 amount) = _ask(data);
        if (!passed) return;
        bytes4 selector = bytes4(data);
        assert(value == 0);
        if (to == safe) {
            assert(class == Class.Configure && _isAddress(data, 0));
            bool add = selector == bytes4(keccak256("addOwnerWithThreshold(address,uint256)"));
            bool disable = selector == bytes4(keccak256("disableModule(address,address)")) && _isAddress(data, 1);
            assert(add || disable);
        } else if (to == guard) {
            assert(class == Class.Schedule && selector == bytes4(keccak256("accept(uint64,bytes32)")));
        } else {
            assert(to != payoutModule && to != address(0));
            assert(class == Class.Transfer && selector == bytes4(keccak256("transfer(address,uint256)")));
            assert(token == to && amount == _word(data, 1) && uint256(uint160(recipient)) == _word(data, 0));
            assert(recipient != address(0) && recipient != safe && recipient != token && recipient != guard);
        }
    }

    function check_threeArguments() external {
        bytes memory data = svm.createBytes(100, "data");
        (bool passed, Class class,,,) = _ask(data);
        if (!passed) return;
        assert(value == 0 && to == safe && class == Class.Configure && _isAddress(data, 0) && _isAddress(data, 1));
        bool remove = bytes4(data) == bytes4(keccak256("removeOwner(address,address,uint256)"));
        bool swap = bytes4(data) == bytes4(keccak256("swapOwner(address,address,address)")) && _isAddress(data, 2);
        assert(remove || swap);
    }

    function reaches_aTransferPasses() external {
        (bool passed,,,,) = _ask(svm.createBytes(68, "data"));
        assert(!passed);
    }

    function _ask(bytes memory data)
        private
        view
        returns (bool passed, Class class, address token, address recipient, uint256 amount)
    {
        try table.classify(safe, guard, payoutModule, to, value, data) returns (
            Class class_, address token_, address recipient_, uint256 amount_
        ) {
            return (true, class_, token_, recipient_, amount_);
        } catch {
            return (false, Class.None, address(0), address(0), 0);
        }
    }

    function _word(bytes memory data, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(data, add(0x24, mul(index, 0x20))))
        }
    }

    function _isAddress(bytes memory data, uint256 index) private pure returns (bool) {
        return _word(data, index) >> 160 == 0;
    }
}
