// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "../../support/Vm.sol";
import {GuardedHandler} from "./GuardedHandler.sol";
import {CurveVotes} from "./Votes.sol";

/// @notice The same as `GuardedInvariants`, with real certificates through the real verifier and registry. Only the steps that
///         carry one or lead to one are taken.
/// @custom:campaign depth=256 share=2 certified
contract CertifiedInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    GuardedHandler private handler;

    function setUp() public {
        handler = new GuardedHandler(new CurveVotes());
    }

    /// @dev Read by forge: only these of the handler's steps are taken.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[29] memory steps = [
            handler.certifiedTransfer.selector,
            handler.certifiedTransferAfterNotice.selector,
            handler.certifiedConfiguration.selector,
            handler.certifiedUnpause.selector,
            handler.certifiedHeal.selector,
            handler.certifiedEvacuation.selector,
            handler.certifiedReturn.selector,
            handler.certifiedGovernLimit.selector,
            handler.certifiedGovernKey.selector,
            handler.certifiedGovernMembers.selector,
            handler.certifiedRotation.selector,
            handler.certifiedCancellation.selector,
            handler.forgedCertificate.selector,
            handler.replayCertificate.selector,
            handler.replay.selector,
            handler.evacuateWrongly.selector,
            handler.returnWrongly.selector,
            handler.unpauseWrongly.selector,
            handler.governWrongly.selector,
            handler.rotateWrongly.selector,
            handler.endWrongly.selector,
            handler.startEpoch.selector,
            handler.executeReturn.selector,
            handler.executeChange.selector,
            handler.pauseBySentinel.selector,
            handler.pauseByGuardians.selector,
            handler.consentUnpause.selector,
            handler.unpause.selector,
            handler.pass.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), new bytes4[](steps.length));
        for (uint256 i = 0; i < steps.length; ++i) {
            targets[0].selectors[i] = steps[i];
        }
    }

    /// @dev Read by forge: only the handler is called.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev A step that the contracts refuse reverts.
    /// forge-config: default.invariant.fail-on-revert = false
    function invariant_nothingForbiddenHappened() external view {
        vm.assertEq(handler.wrong(), "");
    }
}
