// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {GrantStanding, Govern, Messages, Order, Return, Rotate, Unpause} from "src/governance/Messages.sol";
import {SettlementDomain} from "src/governance/SettlementDomain.sol";
import {MessagesHarness} from "../support/MessagesHarness.sol";
import {Vm} from "../support/Vm.sol";

/// @notice Every message's digest, written out once more from the protocol's text: types, order of fields, domain.
contract MessagesTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    MessagesHarness private _messages = new MessagesHarness(address(0x9A4D));

    function testFuzz_theDomainIsOfThisChainAndThisGuard(address guard, uint64 chain) public {
        SettlementDomain domain = new MessagesHarness(guard);
        vm.chainId(chain);
        bytes32 typehash =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 name = keccak256("Lockgate Settlement");
        bytes memory encoded = abi.encode(typehash, name, keccak256("1"), uint256(chain), guard);
        vm.assertEq(domain.domainSeparator(), keccak256(encoded));
    }

    function testFuzz_order(address safe, bytes32 hash, uint256 nonce, uint64 epoch, uint64 end, bytes32 facts)
        public
        view
    {
        expect(
            _messages.order(Order(safe, hash, nonce, epoch, end, facts)),
            "Order(address safe,bytes32 safeTxHash,uint256 safeNonce,uint64 epoch,uint64 validUntil,bytes32 factsHash)",
            abi.encode(safe, hash, nonce, epoch, end, facts)
        );
    }

    function testFuzz_unpause(uint64 pauseId, uint64 epoch, uint64 end, bytes32 facts) public view {
        expect(
            _messages.unpause(Unpause(pauseId, epoch, end, facts)),
            "Unpause(uint64 pauseId,uint64 epoch,uint64 validUntil,bytes32 factsHash)",
            abi.encode(pauseId, epoch, end, facts)
        );
    }

    function testFuzz_return(uint64 id, uint64 epoch, address safe, address token, uint256 amount) public view {
        expect(
            _messages.return_(Return(id, epoch, safe, token, amount)),
            "Return(uint64 returnId,uint64 epoch,address safe,address token,uint256 amount)",
            abi.encode(id, epoch, safe, token, amount)
        );
    }

    function testFuzz_rotate(uint64 epoch, bytes32 keysHash, uint64 notBefore) public view {
        expect(
            _messages.rotate(Rotate(epoch, keysHash, notBefore)),
            "Rotate(uint64 newEpoch,bytes32 keysHash,uint64 notBefore)",
            abi.encode(epoch, keysHash, notBefore)
        );
    }

    function testFuzz_govern(uint64 id, uint64 epoch, bytes32 key, bytes32 value, uint64 notBefore) public view {
        expect(
            _messages.govern(Govern(id, epoch, key, value, notBefore)),
            "Govern(uint64 governId,uint64 epoch,bytes32 key,bytes32 value,uint64 notBefore)",
            abi.encode(id, epoch, key, value, notBefore)
        );
    }

    function testFuzz_grantStanding(GrantStanding memory g) public view {
        expect(
            _messages.grantStanding(g),
            "GrantStanding(address account,uint64 grantId,uint64 expiry,uint64 classes,uint32 issuer,bytes32 commitment)",
            abi.encode(g.account, g.grantId, g.expiry, g.classes, g.issuer, g.commitment)
        );
    }

    function testFuzz_pauseAndEvacuate(uint64 pauseId, uint64 second, address safe, address token) public view {
        expect(_messages.pause(pauseId, second), "Pause(uint64 pauseId,uint64 until)", abi.encode(pauseId, second));
        expect(
            _messages.evacuate(pauseId, second, safe, token),
            "Evacuate(uint64 pauseId,uint64 epoch,address safe,address token)",
            abi.encode(pauseId, second, safe, token)
        );
    }

    function testFuzz_ofActions(uint64 id, uint64 epoch, bytes32 keysHash, address safe) public view {
        expect(_messages.cancel(id, epoch), "Cancel(uint64 actionId,uint64 epoch)", abi.encode(id, epoch));
        expect(_messages.veto(id), "Veto(uint64 actionId)", abi.encode(id));
        expect(_messages.recover(id, keysHash), "Recover(uint64 actionId,bytes32 keysHash)", abi.encode(id, keysHash));
        expect(_messages.exit(id, safe), "Exit(uint64 actionId,address safe)", abi.encode(id, safe));
    }

    function testFuzz_ofKeys(address sentinel, uint64 expires, address safe, address payee) public view {
        expect(
            _messages.rearm(sentinel, expires), "Rearm(address sentinel,uint64 expires)", abi.encode(sentinel, expires)
        );
        expect(
            _messages.registerPayee(safe, payee), "RegisterPayee(address safe,address payee)", abi.encode(safe, payee)
        );
    }

    function expect(bytes32 digest, string memory typed, bytes memory fields) private view {
        bytes32 structHash = keccak256(bytes.concat(keccak256(bytes(typed)), fields));
        bytes memory whole = abi.encodePacked(hex"1901", _messages.domainSeparator(), structHash);
        vm.assertEq(digest, keccak256(whole));
    }
}
