"""A guarded Safe with real money on a real node, everything around it real, and what an attacker can send."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from kit.chain.addresses import BASE_SEPOLIA_USDC, SAFE_SINGLETON
from kit.chain.anvil import Anvil, ChainError
from kit.chain.artifacts import Artifacts
from kit.chain.circle import Circle, Plan
from kit.chain.deploy import DEPLOYER as TOKEN_OWNER
from kit.chain.deploy import deploy
from kit.chain.settlement import DEPLOYER, NEIGHBOURS
from tests.integration.contracts.conftest import plan as payments_plan
from tests.support.committee import Account, Committee
from verification.multisig import SafeTransaction
from verification.signatures.messages import GrantStanding

USD = 10**6
DAY = 86_400
DAILY = 1_000 * USD
CERTIFIED_FROM = 400 * USD
NOTICE_FROM = 50_000 * USD
FUNDS = 200_000 * USD
GAS = 5_000_000
TOKEN = bytes.fromhex(BASE_SEPOLIA_USDC[2:])
RELAY = Account("relay of the theft suite")
MERCHANT = Account("a merchant with standing")
THIEF = Account("a thief without standing")
ACCEPTED = "accepted"
_NAME = re.compile(r"0x([0-9a-f]{8})|(GS\d{3})")


def hexed(address: bytes) -> str:
    return "0x" + address.hex()


def call(signature: str, *values: Any) -> bytes:
    """Calldata of a function by its signature; structs as tuples."""
    types = signature[signature.index("(") + 1 : -1]
    return bytes(keccak(text=signature)[:4]) + (encode(_split(types), values) if types else b"")


def _split(types: str) -> list[str]:
    """The types at the top level of a parameter list."""
    parts, depth, start = [], 0, 0
    for index, letter in enumerate(types + ","):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(types[start:index])
            start = index + 1
    return parts


@dataclass(frozen=True)
class World:
    anvil: Anvil
    circle: Circle
    committee: Committee
    artifacts: Artifacts
    safe: bytes

    def at(self, name: str) -> bytes:
        return bytes.fromhex(self.circle.addresses[name][2:])

    @cached_property
    def errors(self) -> dict[str, str]:
        """Names of custom errors by selector, of all contracts."""
        found = {}
        for path in self.artifacts.ours.glob("*.json"):
            for entry in json.loads(path.read_text())["abi"]:
                if entry["type"] == "error":
                    types = ",".join(each["type"] for each in entry["inputs"])
                    found[keccak(text=f"{entry['name']}({types})")[:4].hex()] = entry["name"]
        return found

    def now(self) -> int:
        return int(self.anvil.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def balance(self, account: bytes) -> int:
        return int.from_bytes(self.anvil.call(hexed(TOKEN), call("balanceOf(address)", hexed(account))), "big")

    def nonce(self) -> int:
        return int.from_bytes(self.anvil.call(hexed(self.safe), call("nonce()")), "big")

    def send(self, to: bytes, data: bytes, sender: Account = RELAY, value: int = 0) -> str:
        """Send it for real. ACCEPTED, or the name of the error that it reverted with."""
        request = {
            "from": hexed(sender.address),
            "to": hexed(to),
            "data": hexed(data),
            "gas": hex(GAS),
            "value": hex(value),
        }
        self.anvil.fund(hexed(sender.address), 10**20)
        answer = ACCEPTED
        try:
            self.anvil.request("eth_call", request, "latest")
        except ChainError as error:
            answer = self._name_of(error)
        self.anvil.request("anvil_impersonateAccount", hexed(sender.address))
        transaction = self.anvil.request("eth_sendTransaction", request)
        receipt = self.anvil.wait_for("receipt", lambda: self.anvil.request("eth_getTransactionReceipt", transaction))
        assert (receipt["status"] == "0x1") == (answer == ACCEPTED), f"told {answer}, got {receipt['status']}"
        return answer

    def _name_of(self, error: ChainError) -> str:
        found = _NAME.search(str(error))
        if found is None:
            return str(error)
        return found[2] or self.errors.get(found[1], str(error))

    # What a guarded Safe is asked to do

    def transfer(self, to: bytes, amount: int, token: bytes = TOKEN) -> SafeTransaction:
        return SafeTransaction(token, 0, call("transfer(address,uint256)", hexed(to), amount), self.nonce())

    def execute(
        self,
        transaction: SafeTransaction,
        tail: bytes = b"",
        signatures: bytes | None = None,
        safe: bytes | None = None,
    ) -> str:
        """With the owners' signatures, unless others are given."""
        target = self.safe if safe is None else safe
        if signatures is None:
            signatures = self.committee.owner_signatures(transaction.hash(self.committee.domain.chain_id, target))
        return self.send(target, exec_transaction(transaction, signatures + tail))

    def tail(self, transaction: SafeTransaction, signers: Sequence[int] | None = None, valid_for: int = 600) -> bytes:
        order = self.committee.order(self.safe, transaction, valid_until=self.now() + valid_for)
        return self.committee.tail(order, signers)

    def grant_standing(self, account: bytes, grant_id: int = 1) -> None:
        grant = GrantStanding(account, grant_id, self.now() + 6 * DAY, 1, 1, keccak(account))
        values = (hexed(account), grant_id, grant.expiry, 1, 1, grant.commitment)
        data = call(
            "grant((address,uint64,uint64,uint64,uint32,bytes32),bytes)",
            values,
            self.committee.attester_signatures(grant),
        )
        assert self.send(self.at("StandingRegistry"), data) == ACCEPTED

    def later(self, seconds: int) -> None:
        self.anvil.request("evm_increaseTime", seconds)
        self.anvil.request("evm_mine")


def exec_transaction(transaction: SafeTransaction, signatures: bytes) -> bytes:
    return call(
        "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)",
        hexed(transaction.to),
        transaction.value,
        transaction.data,
        transaction.operation,
        transaction.safe_tx_gas,
        transaction.base_gas,
        transaction.gas_price,
        hexed(transaction.gas_token),
        hexed(transaction.refund_receiver),
        signatures,
    )


def build(anvil: Anvil, artifacts: Artifacts) -> World:
    """Everything deployed, one Safe of three owners (two sign) with money, one merchant with standing."""
    anvil.fund(DEPLOYER, 10**21)
    people = Committee.of(4)
    circle = Circle(anvil, artifacts, settlement_plan(anvil, artifacts, people), DEPLOYER)
    deploy(anvil, artifacts, replace(payments_plan(), brake=circle.addresses["EmergencyBrake"]))
    circle.deploy()
    committee = Committee.of(4, guard=bytes.fromhex(circle.addresses["TransferGuard"][2:]))
    safe = create_safe(anvil, circle, committee)
    world = World(anvil, circle, committee, artifacts, safe)
    mint = call("mint(address,uint256)", hexed(safe), FUNDS)
    anvil.wait_mined(anvil.send_as(TOKEN_OWNER, hexed(TOKEN), mint))
    world.grant_standing(MERCHANT.address)
    return world


def settlement_plan(anvil: Anvil, artifacts: Artifacts, committee: Committee) -> Plan:
    proxy = artifacts.safe_creation("proxies/SafeProxy")
    proxy_code = anvil.runtime_code(proxy + encode(["address"], [SAFE_SINGLETON]))

    def addresses(accounts: Sequence[Account]) -> list[str]:
        return [hexed(each.address) for each in accounts]

    now = int(anvil.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    values: dict[str, dict[str, Any]] = {
        "CertificateVerifier": {},
        "ValidatorRegistry": {
            "delays": {"rotation": DAY, "recovery": 14 * DAY},
            "keys": "0x" + b"".join(validator.evm_key for validator in committee.validators).hex(),
            "proofs": ["0x" + validator.proof.hex() for validator in committee.validators],
        },
        "Actions": {"window": 7 * DAY},
        "Guardians": {"guardians": addresses(committee.guardians), "threshold": committee.guardian_threshold},
        "Governor": {"delays": {"change": 2 * DAY, "guardians": 14 * DAY}, "modelHash": "0x" + "33" * 32},
        "StandingRegistry": {
            "maxValidity": 7 * DAY,
            "attesters": addresses(committee.attesters),
            "threshold": committee.attester_threshold,
        },
        "EmergencyBrake": {
            "delays": {"sentinelPause": DAY // 4, "sentinelKey": 30 * DAY, "ending": 3600, "reduced": DAY},
            "sentinels": [{"key": hexed(committee.sentinel.address), "expires": now + 29 * DAY}],
        },
        "ColdVault": {
            "delays": {"owners": 2 * DAY, "guardians": 14 * DAY},
            "owners": addresses(committee.vault_owners),
            "threshold": committee.vault_threshold,
        },
        "TransferGuard": {
            "delays": {"notice": DAY, "exit": 14 * DAY},
            "code": {"singleton": SAFE_SINGLETON, "proxyCodehash": "0x" + keccak(proxy_code).hex()},
        },
        "PayoutModule": {"payeeDelay": DAY},
        "Evacuator": {},
        "GuardedSafeFactory": {"safeSingleton": SAFE_SINGLETON, "proxyCreationCode": "0x" + proxy.hex()},
    }
    return Plan(bytes(32), values, NEIGHBOURS)


PLAN = "(address[],uint256,bytes32,address[],(uint128,uint128,uint128)[],uint256)"


def create_safe(anvil: Anvil, circle: Circle, committee: Committee, group: bytes = bytes(32), salt: int = 0) -> bytes:
    own = group == bytes(32)
    limits = [(DAILY, CERTIFIED_FROM, NOTICE_FROM)] if own else []
    plan = (
        [hexed(owner.address) for owner in committee.owners],
        committee.owner_threshold,
        group,
        [hexed(TOKEN)] if own else [],
        limits,
        salt,
    )
    factory = circle.addresses["GuardedSafeFactory"]
    (safe,) = decode(["address"], anvil.call(factory, call(f"addressOf({PLAN})", plan)))
    anvil.wait_mined(anvil.send_as(DEPLOYER, factory, call(f"create({PLAN})", plan)))
    return bytes.fromhex(safe[2:])
