// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AnyGuard} from "../support/AnyGuard.sol";
import {svm, vm} from "../support/Cheats.sol";
import {ModelSafe} from "../support/ModelSafe.sol";

/// @notice After every uncertified call a Safe is configured as it was registered, or all of it reverts; only a matured exit may
///         change a guard's slot, and only a certified call the owners, the threshold and the modules.
/// @dev Between the two checks the Safe may have become anything.
/// @custom:bound calldata of 0, 36, 68 and 100 bytes, which are all that the table lets through besides a bare selector
contract ConfigurationStays is AnyGuard {
    function check_uncertifiedWithoutData(address to, uint256 value) external {
        _uncertified(to, value, "");
    }

    function check_uncertifiedOfOneArgument(address to) external {
        _uncertified(to, 0, svm.createBytes(36, "data"));
    }

    function check_uncertifiedOfTwoArguments(address to) external {
        _uncertified(to, 0, svm.createBytes(68, "data"));
    }

    function check_uncertifiedOfThreeArguments(address to) external {
        _uncertified(to, 0, svm.createBytes(100, "data"));
    }

    function check_certifiedKeepsGuardsAndHandler(address to) external {
        bytes memory signatures = bytes.concat(owners(), svm.createBytes(336, "certificate"));
        address moduleGuard = safe.configured().moduleGuard;
        vm.assume(guard.groupOf(address(safe)) != 0);
        if (!_ran(to, 0, svm.createBytes(68, "data"), signatures)) return;
        ModelSafe.Config memory config = safe.configured();
        assert(guard.configHashOf(address(safe)) == keccak256(safe.encoded()));
        if (to != address(safe)) return; // a transfer: nothing changed, which the next check says
        assert(config.guard == address(guard) && config.handler == address(0) && config.moduleGuard == moduleGuard);
    }

    function check_certifiedTransferChangesNothing(address to, uint256 amount) external {
        bytes memory signatures = bytes.concat(owners(), svm.createBytes(336, "certificate"));
        bytes32 registered = guard.configHashOf(address(safe));
        if (!_ran(address(token), 0, transferOf(to, amount), signatures)) return;
        assert(guard.configHashOf(address(safe)) == registered && keccak256(safe.encoded()) == registered);
    }

    /// @notice An exit changes the one slot that its call names, and only when it has matured.
    function check_exitChangesOneSlot(bool ofModules, address next) external {
        bytes memory data = abi.encodeWithSignature(ofModules ? "setModuleGuard(address)" : "setGuard(address)", next);
        bool ready = actions.isReady(guard.exitOf(address(safe)));
        bytes32 registered = guard.configHashOf(address(safe));
        address moduleGuard = safe.configured().moduleGuard;
        if (!_ran(address(safe), 0, data, owners())) return;
        assert(ready);
        assert(guard.groupOf(address(safe)) == 0 || ofModules);
        assert(_hashWith(ofModules, moduleGuard) == registered);
    }

    /// @notice A call that failed takes everything back, and there is no second check without a first.
    function check_failedCallReverts(address to) external {
        before(to, 0, svm.createBytes(68, "data"), owners());
        assert(!afterwards(false));
    }

    function check_noCheckAfterWithoutOneBefore(bool success) external {
        assert(!afterwards(success));
    }

    function reaches_anUncertifiedTransferEnds(address to, uint256 amount) external {
        bool paused = brake.paused() || brake.reduced();
        vm.assume(!paused);
        assert(!_ran(address(token), 0, transferOf(to, amount), owners()));
    }

    function _uncertified(address to, uint256 value, bytes memory data) private {
        bytes32 registered = guard.configHashOf(address(safe));
        bytes memory signatures = owners();
        if (!_ran(to, value, data, signatures)) return;
        bool leaves = to == address(safe) && _leaves(data);
        if (leaves) assert(_readyBefore);
        else assert(guard.configHashOf(address(safe)) == registered && keccak256(safe.encoded()) == registered);
    }

    bool private _readyBefore;

    function _ran(address to, uint256 value, bytes memory data, bytes memory signatures) private returns (bool) {
        _readyBefore = actions.isReady(guard.exitOf(address(safe)));
        if (!before(to, value, data, signatures)) return false;
        safe.call();
        return afterwards(true);
    }

    function _leaves(bytes memory data) private pure returns (bool) {
        bytes4 selector = bytes4(data);
        return
            selector == bytes4(keccak256("setGuard(address)"))
                || selector == bytes4(keccak256("setModuleGuard(address)"));
    }

    /// @dev Hash of what is configured now, but for the slot that the exit named.
    function _hashWith(bool ofModules, address moduleGuard) private view returns (bytes32) {
        ModelSafe.Config memory config = safe.configured();
        if (ofModules) config.moduleGuard = moduleGuard;
        else config.guard = address(guard);
        return keccak256(safe.encode(config));
    }
}
