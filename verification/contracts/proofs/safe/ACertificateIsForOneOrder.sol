// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Messages, Order} from "src/governance/Messages.sol";
import {AnyGuard} from "../support/AnyGuard.sol";
import {svm, vm} from "../support/Cheats.sol";
import {hashOfSafeTransaction} from "../support/Expected.sol";
import {OneMessage} from "../support/Neighbours.sol";

/// @notice Of all orders in the world validators have signed one: for one chain, guard, Safe, nonce, call, time and epoch. Whatever
///         passes with a certificate is that order. So none counts at another nonce (which a Safe never uses twice), on another
///         chain, at another guard, for another Safe or call, in another epoch, or after its time.
/// @custom:bound hash functions without collisions
contract ACertificateIsForOneOrder is AnyGuard {
    struct Signed {
        uint256 chain;
        address guard;
        Order order;
    }

    /// @dev This chain is any, too.
    function setUp() public override {
        super.setUp();
        vm.chainId(svm.createUint(64, "here"));
    }

    function newVerifier() internal override returns (address) {
        return address(new OneMessage());
    }

    function check_aTransferIsTheOneThatWasSigned(address to, uint256 amount) external {
        bytes memory data = transferOf(to, amount);
        _isTheOneSigned(address(token), 0, data);
    }

    function check_nativeMoneyIsTheOneThatWasSigned(address to, uint256 value) external {
        vm.assume(value != 0);
        _isTheOneSigned(to, value, "");
    }

    function check_aConfigurationIsTheOneThatWasSigned() external {
        _isTheOneSigned(address(safe), 0, svm.createBytes(68, "data"));
    }

    function reaches_theOneThatWasSigned(address to, uint256 amount) external {
        _validatorsHaveSigned();
        assert(!before(address(token), 0, transferOf(to, amount), _certified()));
    }

    function _isTheOneSigned(address to, uint256 value, bytes memory data) private {
        Signed memory signed = _validatorsHaveSigned();
        bytes memory signatures = _certified();
        uint256 nonce = safe.nonce();
        vm.assume(nonce != 0); // the Safe raised it before it asked
        if (!before(to, value, data, signatures)) return;
        Order memory order = signed.order;
        uint256 part = svm.createUint(8, "part"); // any: a question each, since all in one are too much for the solver
        if (part == 0) assert(signed.chain == block.chainid && signed.guard == address(guard));
        else if (part == 1) assert(order.safe == address(safe) && order.safeNonce == nonce - 1);
        else if (part == 2) assert(order.safeTxHash == hashOfSafeTransaction(address(safe), to, value, data, nonce - 1));
        else if (part == 3) assert(order.epoch == OneMessage(address(verifier)).epoch());
        else assert(block.timestamp <= order.validUntil && order.validUntil <= block.timestamp + 3600);
    }

    function _validatorsHaveSigned() private returns (Signed memory signed) {
        signed.chain = svm.createUint256("chain");
        signed.guard = svm.createAddress("guard");
        signed.order = Order(
            svm.createAddress("safe"),
            svm.createBytes32("safeTxHash"),
            svm.createUint256("safeNonce"),
            uint64(svm.createUint(64, "epoch")),
            uint64(svm.createUint(64, "validUntil")),
            svm.createBytes32("factsHash")
        );
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Lockgate Settlement"),
                keccak256("1"),
                signed.chain,
                signed.guard
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", separator, Messages.hash(signed.order)));
        vm.assume(OneMessage(address(verifier)).digest() == digest);
        vm.assume(OneMessage(address(verifier)).epoch() == signed.order.epoch);
    }

    function _certified() private returns (bytes memory) {
        return bytes.concat(owners(), svm.createBytes(336, "certificate"));
    }
}
