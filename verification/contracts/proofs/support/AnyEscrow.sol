// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IEmergencyBrake} from "src/emergency/IEmergencyBrake.sol";
import {BatchSettlement} from "src/escrow/BatchSettlement.sol";
import {ChannelConfig, Voucher, VoucherClaim} from "src/escrow/ChannelTypes.sol";
import {AnyCollector, AnyWallet, LedgerToken} from "./EscrowDoubles.sol";
import {svm, vm} from "./Cheats.sol";
import {AnyBrake} from "./Neighbours.sol";

/// @notice An escrow in any state at any time, and any call to it by anybody.
/// @dev Bounds: a claim has at most two rows and signatures of 65 bytes (others revert or are a wallet's own affair); one call of
///      `multicall` is a sequence of these calls by one sender. The token keeps a plain ledger.
abstract contract AnyEscrow {
    enum Verb {
        Deposit,
        Claim,
        ClaimWithSignature,
        Settle,
        InitiateWithdraw,
        FinalizeWithdraw,
        Refund,
        RefundWithSignature
    }

    /// @dev Everything that any verb takes, all of it symbolic.
    struct Step {
        Verb verb;
        address sender;
        ChannelConfig config;
        uint128 amount;
        uint256 nonce;
        VoucherClaim[] rows;
        bytes signature;
    }

    BatchSettlement internal escrow;
    AnyBrake internal brake;
    LedgerToken internal token;
    AnyCollector internal collector;
    AnyWallet internal wallet;

    function setUp() public virtual {
        brake = new AnyBrake();
        escrow = new BatchSettlement(IEmergencyBrake(address(brake)));
        token = new LedgerToken();
        collector = new AnyCollector(token);
        wallet = new AnyWallet();
        svm.enableSymbolicStorage(address(escrow));
        svm.enableSymbolicStorage(address(brake));
        svm.enableSymbolicStorage(address(token));
        svm.enableSymbolicStorage(address(collector));
        svm.enableSymbolicStorage(address(wallet));
        vm.warp(svm.createUint(40, "now"));
    }

    function anyStep() internal returns (Step memory step) {
        uint256 verb = svm.createUint(8, "verb");
        vm.assume(verb <= uint8(type(Verb).max));
        step = stepOf(Verb(verb));
    }

    function stepOf(Verb verb) internal returns (Step memory step) {
        step.verb = verb;
        step.sender = svm.createAddress("sender");
        step.config = anyChannel("channel");
        step.amount = uint128(svm.createUint(128, "amount"));
        step.nonce = svm.createUint256("nonce");
        step.signature = svm.createBytes(65, "signature");
        step.rows = new VoucherClaim[](1);
        step.rows[0] = anyRow(step.config, "row");
    }

    function anyChannel(string memory name) internal returns (ChannelConfig memory config) {
        config.payer = svm.createAddress(string.concat(name, ".payer"));
        config.payerAuthorizer = svm.createAddress(string.concat(name, ".payerAuthorizer"));
        config.receiver = svm.createAddress(string.concat(name, ".receiver"));
        config.receiverAuthorizer = svm.createAddress(string.concat(name, ".receiverAuthorizer"));
        config.token = address(token);
        config.withdrawDelay = uint40(svm.createUint(40, string.concat(name, ".withdrawDelay")));
        config.salt = svm.createBytes32(string.concat(name, ".salt"));
    }

    function anyRow(ChannelConfig memory config, string memory name) internal returns (VoucherClaim memory) {
        uint128 ceiling = uint128(svm.createUint(128, string.concat(name, ".ceiling")));
        uint128 total = uint128(svm.createUint(128, string.concat(name, ".total")));
        return VoucherClaim(Voucher(config, ceiling), svm.createBytes(65, string.concat(name, ".signature")), total);
    }

    /// @dev Returns whether it succeeded; a call that reverts changes nothing.
    function run(Step memory step) internal returns (bool success) {
        bytes memory data = _encode(step);
        vm.prank(step.sender);
        (success,) = address(escrow).call(data);
    }

    function _encode(Step memory step) private view returns (bytes memory) {
        if (step.verb == Verb.Deposit) {
            return abi.encodeCall(escrow.deposit, (step.config, step.amount, address(collector), ""));
        }
        if (step.verb == Verb.Claim) return abi.encodeCall(escrow.claim, (step.rows));
        if (step.verb == Verb.ClaimWithSignature) {
            return abi.encodeCall(escrow.claimWithSignature, (step.rows, step.signature));
        }
        if (step.verb == Verb.Settle) {
            return abi.encodeCall(escrow.settle, (step.config.receiver, step.config.token));
        }
        if (step.verb == Verb.InitiateWithdraw) {
            return abi.encodeCall(escrow.initiateWithdraw, (step.config, step.amount));
        }
        if (step.verb == Verb.FinalizeWithdraw) return abi.encodeCall(escrow.finalizeWithdraw, (step.config));
        if (step.verb == Verb.Refund) return abi.encodeCall(escrow.refund, (step.config, step.amount));
        return abi.encodeCall(escrow.refundWithSignature, (step.config, step.amount, step.nonce, step.signature));
    }
}
