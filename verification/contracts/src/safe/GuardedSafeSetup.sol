// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";

/// @title What a new guarded Safe delegates to, once, in the transaction that creates it
/// @notice Enables the two modules and sets both guards. Called in any other way it does nothing: the setters want the Safe.
contract GuardedSafeSetup {
    address public immutable guard;
    address public immutable payoutModule;
    address public immutable evacuator;

    constructor(address guard_, address payoutModule_, address evacuator_) {
        guard = guard_;
        payoutModule = payoutModule_;
        evacuator = evacuator_;
    }

    function install() external {
        ISafe safe = ISafe(payable(address(this)));
        safe.enableModule(payoutModule);
        safe.enableModule(evacuator);
        safe.setModuleGuard(guard);
        safe.setGuard(guard);
    }
}
