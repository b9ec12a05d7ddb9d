// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {Order} from "src/governance/Messages.sol";
import {ICertificateVerifier} from "src/quorum/ICertificateVerifier.sol";
import {ITransferGuard} from "src/safe/ITransferGuard.sol";
import {Splitter} from "../support/GuardDoubles.sol";
import {GuardBase} from "../support/GuardBase.sol";
import {Members} from "../support/Members.sol";

/// @notice Classes B and D with a certificate, and what comes with owners' signatures.
contract CertificateTest is GuardBase {
    bytes private _data;

    function setUp() public override {
        super.setUp();
        _data = transferOf(payee, CERTIFIED);
    }

    function test_aLargeTransferPassesWithItsCertificate() public {
        sendCertified(address(token), 0, _data);
        vm.assertEq(token.balanceOf(payee), CERTIFIED);
    }

    function test_theSameCertificateAgainIsForAnotherHash() public {
        bytes memory tail = certified(safe, address(token), 0, _data);
        send(safe, address(token), 0, _data, tail);
        refuse(named(ICertificateVerifier.InvalidSignature.selector), address(token), 0, _data, tail);
    }

    function test_eachFieldOfTheOrderIsBound() public {
        Order memory order = good();
        order.safe = payee;
        refuseOrder(named(ICertificateVerifier.InvalidSignature.selector), order);
        order = good();
        order.safeTxHash = keccak256("another");
        refuseOrder(named(ICertificateVerifier.InvalidSignature.selector), order);
        order = good();
        order.safeNonce += 1;
        refuseOrder(named(ICertificateVerifier.InvalidSignature.selector), order);
        order = good();
        order.epoch -= 1;
        refuseOrder(abi.encodeWithSelector(ICertificateVerifier.WrongEpoch.selector, 6, 7), order);
        refuseTampered(7); // epoch: last byte of it
        refuseTampered(15); // validUntil
        refuseTampered(16); // factsHash
        refuseTampered(335); // signature
    }

    function test_aCertificateEndsWithItsEpoch() public {
        bytes memory tail = tailOf(good());
        quorum.startEpoch();
        refuse(abi.encodeWithSelector(ICertificateVerifier.WrongEpoch.selector, 7, 8), address(token), 0, _data, tail);
    }

    function test_aCertificateEndsToTheSecond() public {
        Order memory order = good();
        bytes memory tail = tailOf(order);
        vm.warp(NOW + 3601);
        refuse(
            abi.encodeWithSelector(ITransferGuard.CertificateExpired.selector, NOW + 3600),
            address(token),
            0,
            _data,
            tail
        );
        vm.warp(NOW + 3600);
        send(safe, address(token), 0, _data, tail);
    }

    function test_aCertificateLivesAnHourAtMost() public {
        Order memory order = good();
        order.validUntil += 1;
        refuseOrder(abi.encodeWithSelector(ITransferGuard.CertificateTooLong.selector, order.validUntil), order);
    }

    function test_aCertificateIsForOneGuardAndOneChain() public {
        Order memory order = good();
        bytes memory tail = tailOf(order);
        vm.chainId(1);
        refuse(named(ICertificateVerifier.InvalidSignature.selector), address(token), 0, _data, tail);
    }

    function test_aCertifiedTransferNeedsStandingAndNoPause() public {
        pause();
        refuseCertified(abi.encodeWithSelector(ITransferGuard.SafeIsPaused.selector, 3), address(token), 0, _data);
        brake.set(3, false, false);
        standing.set(payee, false);
        refuseCertified(abi.encodeWithSelector(ITransferGuard.NoStanding.selector, payee), address(token), 0, _data);
    }

    function test_signaturesAreThresholdManyAndATailOfExactly336Bytes() public {
        bytes memory owners_ = signed(safe, address(token), 0, transferOf(payee, 1));
        bytes memory third = Members.sign(owners, 7, hashOf(safe, address(token), 0, transferOf(payee, 1)));
        bytes memory why = abi.encodeWithSelector(ITransferGuard.NotThresholdSignatures.selector, 3, 2);
        refuse(why, callOf(address(token), 0, transferOf(payee, 1), third));
        refuse(why, callOf(address(token), 0, transferOf(payee, 1), bytes.concat(owners_, filled(65, 27))));
        why = named(ITransferGuard.MalformedCertificate.selector);
        uint256[6] memory lengths = [uint256(1), 64, 66, 288, 335, 337];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes memory tail = filled(lengths[i], 1);
            refuse(why, callOf(address(token), 0, transferOf(payee, 1), bytes.concat(owners_, tail)));
        }
    }

    function test_ownersSignaturesInsideTheCertificateAreNone() public {
        bytes memory overlapping = bytes.concat(signed(safe, address(token), 0, _data), filled(206, 1));
        refuse(named(ITransferGuard.SignaturesTooShort.selector), callOf(address(token), 0, _data, overlapping));
    }

    function test_aContractsSignatureIsRefused() public {
        // Owner 0 as a contract: head with v = 0 whose dynamic part lies in what looks like the certificate.
        vm.mockCall(
            vm.addr(owners[0]),
            abi.encodeWithSignature("isValidSignature(bytes32,bytes)"),
            abi.encode(bytes4(0x1626ba7e))
        );
        bytes32 hash = hashOf(safe, address(token), 0, _data);
        bytes memory head = abi.encodePacked(uint256(uint160(vm.addr(owners[0]))), uint256(130), uint8(0));
        bytes memory both = bytes.concat(head, Members.signature(owners[1], hash), new bytes(336));
        refuse(named(ITransferGuard.ContractSignature.selector), callOf(address(token), 0, _data, both));
    }

    function test_anApprovedHashCounts() public {
        bytes memory small = transferOf(payee, 1);
        bytes32 hash = hashOf(safe, address(token), 0, small);
        vm.prank(vm.addr(owners[0]));
        ISafe(payable(safe)).approveHash(hash);
        bytes memory head = abi.encodePacked(uint256(uint160(vm.addr(owners[0]))), uint256(0), uint8(1));
        run(safe, callOf(address(token), 0, small, bytes.concat(head, Members.signature(owners[1], hash))));
        vm.assertEq(token.balanceOf(payee), 1);
    }

    function test_oneOwnerIsNotEnough() public {
        bytes memory one = Members.sign(owners, 1, hashOf(safe, address(token), 0, _data));
        bytes memory tail = certified(safe, address(token), 0, _data);
        (bool success,) = safe.call(callOf(address(token), 0, _data, bytes.concat(one, tail)));
        vm.assertTrue(!success);
    }

    // Class D.

    function test_nativeCurrencyLeavesWithACertificateOnly() public {
        refuse(abi.encodeWithSelector(ITransferGuard.CertificateNeeded.selector, 1, 0), payee, 1, "", "");
        sendCertified(payee, 1, "");
        vm.assertEq(payee.balance, 1);
        vm.assertEq(safe.balance, FUNDS - 1);
    }

    function test_nativeCurrencyIsNeverUncertifiedWhateverItsLimits() public {
        vm.prank(address(governor));
        guard.setLimits(groupOfSafe(), address(0), ITransferGuard.Limits(DAILY, CERTIFIED, NOTICED));
        refuse(abi.encodeWithSelector(ITransferGuard.CertificateNeeded.selector, 1, 0), payee, 1, "", "");
    }

    function test_nativeCurrencyHasTheSameRules() public {
        refuseCertified(abi.encodeWithSelector(ITransferGuard.ForbiddenRecipient.selector, safe), safe, 1, "");
        refuseCertified(
            abi.encodeWithSelector(ITransferGuard.ForbiddenRecipient.selector, address(guard)), address(guard), 1, ""
        );
        refuseCertified(
            abi.encodeWithSelector(ITransferGuard.ForbiddenRecipient.selector, address(0)), address(0), 1, ""
        );
        standing.set(payee, false);
        refuseCertified(abi.encodeWithSelector(ITransferGuard.NoStanding.selector, payee), payee, 1, "");
        standing.set(payee, true);
        pause();
        refuseCertified(abi.encodeWithSelector(ITransferGuard.SafeIsPaused.selector, 3), payee, 1, "");
        brake.set(3, false, false);
        bytes32 hash = hashOf(safe, payee, NOTICED, "");
        refuseCertified(abi.encodeWithSelector(ITransferGuard.NotAnnounced.selector, hash), payee, NOTICED, "");
        sendCertified(payee, NOTICED - 1, "");
        vm.prank(address(governor));
        guard.setLimits(groupOfSafe(), address(0), ITransferGuard.Limits(0, CERTIFIED, 0));
        refuseCertified(abi.encodeWithSelector(ITransferGuard.TokenNotListed.selector, address(0)), payee, 1, "");
    }

    function test_nativeCurrencyArrivesWhole() public {
        address splitter = address(new Splitter());
        standing.set(splitter, true);
        refuseCertified(named(ITransferGuard.BalanceMismatch.selector), splitter, 10, "");
    }

    function test_valueWithDataIsNotInTheTable() public {
        bytes memory why = abi.encodeWithSelector(ITransferGuard.NotInTable.selector, payee, bytes4(0x12345678));
        refuseCertified(why, payee, 1, hex"12345678");
        refuse(abi.encodeWithSelector(ITransferGuard.NotInTable.selector, payee, bytes4(0)), payee, "");
    }

    function good() private view returns (Order memory) {
        return orderOf(safe, address(token), 0, _data);
    }

    function refuseOrder(bytes memory why, Order memory order) private {
        refuse(why, address(token), 0, _data, tailOf(order));
    }

    /// @dev One byte of the tail is another: nothing that was signed is left.
    function refuseTampered(uint256 byte_) private {
        bytes memory tail = tailOf(good());
        tail[byte_] = bytes1(uint8(tail[byte_]) ^ 1);
        (bool success,) = safe.call(ready(safe, address(token), 0, _data, tail));
        vm.assertTrue(!success, "tampered");
    }

    function filled(uint256 length, uint8 with) private pure returns (bytes memory all) {
        all = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            all[i] = bytes1(with);
        }
    }
}
