// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import {AnyGuard} from "../support/AnyGuard.sol";
import {svm, vm} from "../support/Cheats.sol";

/// @notice A transfer that ends well took exactly its amount from the Safe and gave exactly that to its recipient, whatever the
///         token did meanwhile.
contract ExactlyTheAmountMoves is AnyGuard {
    function check_uncertified(address to, uint256 amount) external {
        _transfer(to, amount, owners());
    }

    function check_certified(address to, uint256 amount) external {
        _transfer(to, amount, bytes.concat(owners(), svm.createBytes(336, "certificate")));
    }

    function check_byAModule(address to, uint256 amount, address module) external {
        (uint256 purse, uint256 theirs) = (token.balanceOf(address(safe)), token.balanceOf(to));
        vm.prank(address(safe));
        try guard.checkModuleTransaction(address(token), 0, transferOf(to, amount), Enum.Operation.Call, module) {}
        catch {
            return;
        }
        _tokenDoesAnything(to);
        vm.prank(address(safe));
        try guard.checkAfterModuleExecution(0, true) {
            _moved(to, amount, purse, theirs);
        } catch {}
    }

    function _transfer(address to, uint256 amount, bytes memory signatures) private {
        (uint256 purse, uint256 theirs) = (token.balanceOf(address(safe)), token.balanceOf(to));
        if (!before(address(token), 0, transferOf(to, amount), signatures)) return;
        _tokenDoesAnything(to);
        if (afterwards(true)) _moved(to, amount, purse, theirs);
    }

    function _tokenDoesAnything(address to) private {
        token.set(address(safe), svm.createUint256("purse"));
        token.set(to, svm.createUint256("theirs"));
    }

    function _moved(address to, uint256 amount, uint256 purse, uint256 theirs) private view {
        assert(to != address(safe));
        assert(token.balanceOf(address(safe)) <= purse && purse - token.balanceOf(address(safe)) == amount);
        assert(token.balanceOf(to) >= theirs && token.balanceOf(to) - theirs == amount);
    }
}
