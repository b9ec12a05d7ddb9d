"""A guarded Safe with real money on a real node, everything around it real, and what an attacker can send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from eth_abi.abi import decode
from eth_utils.crypto import keccak

from kit.chain.abi import calldata, error_names, selector, signature_of
from kit.chain.addresses import BASE_SEPOLIA_USDC, SAFE_SINGLETON
from kit.chain.anvil import Anvil, CallRefused, ChainError
from kit.chain.artifacts import Artifacts
from kit.chain.circle import Circle, Plan
from kit.chain.deploy import DEPLOYER as TOKEN_OWNER
from kit.chain.deploy import deploy
from kit.chain.rpc import hexed
from kit.chain.settlement import DEPLOYER, NEIGHBOURS
from tests.integration.contracts.conftest import plan as payments_plan
from tests.integration.contracts.settlement_set import stated_set
from tests.support.committee import Account, Committee
from verification.multisig import SafeTransaction
from verification.signatures.messages import GrantStanding

USD = 10**6
DAY = 86_400
DAILY = 1_000 * USD
CERTIFIED_FROM = 400 * USD
NOTICE_FROM = 50_000 * USD
FUNDS = 200_000 * USD
GAS = 8_000_000
TOKEN = bytes.fromhex(BASE_SEPOLIA_USDC[2:])
RELAY = Account("relay of the theft suite")
MERCHANT = Account("a merchant with standing")
THIEF = Account("a thief without standing")
ZERO = hexed(bytes(20))
SETUP = "setup(address[],uint256,address,bytes,address,address,uint256,address)"
ACCEPTED = "accepted"
NO_REASON = "no reason"
_ERROR_STRING = selector("Error(string)")


def mined(anvil: Anvil, request: Mapping[str, str]) -> dict[str, Any]:
    """The receipt (EIP-7966); the node mines at once, so nothing is waited for."""
    return dict(anvil.request("eth_sendTransactionSync", request))


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
        return {selector.hex(): name for selector, name in error_names(self.artifacts).items()}

    def now(self) -> int:
        return int(self.anvil.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    @property
    def group(self) -> bytes:
        """The Safe's own."""
        return bytes(12) + self.safe

    def balance(self, account: bytes, token: bytes = TOKEN) -> int:
        """In the token's smallest unit; of native currency, whose token is zero, in wei."""
        if not any(token):
            return int(self.anvil.request("eth_getBalance", hexed(account), "latest"), 16)
        return int.from_bytes(self.anvil.call(hexed(token), calldata("balanceOf(address)", hexed(account))), "big")

    @contextmanager
    def moves(self, token: bytes = TOKEN, also: Mapping[str, bytes] | None = None, **expected: int) -> Iterator[None]:
        """What is done in here changes each purse by exactly so much, in the token's smallest unit, and no other.

        Purses: safe, vault, thief, merchant, and those of `also`. Nor does the Safe lose a wei, unless that is meant.
        """
        purses = {
            "safe": self.safe,
            "vault": self.at("ColdVault"),
            "thief": THIEF.address,
            "merchant": MERCHANT.address,
            **(also or {}),
        }
        assert expected.keys() <= purses.keys()

        def books() -> dict[str, int]:
            found = {name: self.balance(purse, token) for name, purse in purses.items()}
            return found if not any(token) else {**found, "wei of the safe": self.balance(self.safe, bytes(20))}

        before = books()
        yield
        changed = {name: after - before[name] for name, after in books().items() if after != before[name]}
        assert changed == {name: change for name, change in expected.items() if change}

    def nonce(self, safe: bytes | None = None) -> int:
        return int.from_bytes(self.anvil.call(hexed(safe or self.safe), calldata("nonce()")), "big")

    def send(self, to: bytes, data: bytes, sender: Account = RELAY, value: int = 0) -> str:
        """Send it for real. ACCEPTED, or the name of the error that it reverted with."""
        request = {
            "from": hexed(sender.address),
            "to": hexed(to),
            "data": hexed(data),
            "gas": hex(GAS),
            "value": hex(value),
        }
        if sender is not RELAY:
            self.anvil.fund(hexed(sender.address), 10**20)
        answer = ACCEPTED
        try:
            self.anvil.request("eth_call", request, "latest")
        except ChainError as error:
            answer = self._name_of(error)
        receipt = mined(self.anvil, request)
        assert (receipt["status"] == "0x1") == (answer == ACCEPTED), f"told {answer}, got {receipt['status']}"
        return answer

    def create(self, creation_code: bytes) -> bytes:
        """A contract of a stranger's; its address."""
        receipt = mined(self.anvil, {"from": hexed(RELAY.address), "data": hexed(creation_code), "gas": hex(GAS)})
        assert receipt["status"] == "0x1"
        return bytes.fromhex(receipt["contractAddress"][2:])

    def _name_of(self, error: ChainError) -> str:
        return self.error_name(error.data) if isinstance(error, CallRefused) else str(error)

    def error_name(self, data: bytes) -> str:
        """Of what a call reverted with: a custom error's name, or the text of an `Error(string)`."""
        if data[:4] == _ERROR_STRING:
            return str(decode(["string"], data[4:])[0])
        return self.errors.get(data[:4].hex(), data.hex()) if data else NO_REASON

    # What a guarded Safe is asked to do

    def transfer(self, to: bytes, amount: int, token: bytes = TOKEN) -> SafeTransaction:
        return SafeTransaction(token, 0, calldata("transfer(address,uint256)", hexed(to), amount), self.nonce())

    def execute(
        self,
        transaction: SafeTransaction,
        tail: bytes = b"",
        signatures: bytes | None = None,
        safe: bytes | None = None,
    ) -> str:
        """With the owners' signatures, unless others are given."""
        target = safe or self.safe
        if signatures is None:
            signatures = self.committee.owner_signatures(transaction.hash(self.committee.domain.chain_id, target))
        return self.send(target, exec_transaction(transaction, signatures + tail))

    def tail(
        self,
        transaction: SafeTransaction,
        signers: Sequence[int] | None = None,
        valid_for: int = 600,
        safe: bytes | None = None,
    ) -> bytes:
        order = self.committee.order(safe or self.safe, transaction, valid_until=self.now() + valid_for)
        return self.committee.tail(order, signers)

    def another_safe(
        self,
        group: bytes = bytes(32),
        tokens: Sequence[bytes] = (TOKEN,),
        salt: int = 1,
        committee: Committee | None = None,
    ) -> bytes:
        """Of the same owners, unless others are named; empty."""
        return self.planned_safe(safe_plan(committee or self.committee, group, tokens, salt))

    def planned_safe(self, plan: tuple[Any, ...]) -> bytes:
        return create_safe(self.anvil, self.circle, self.artifacts, plan)

    def by_owners(self, to: bytes, signature: str, *values: Any) -> str:
        """A call by the Safe itself, as classes A, C and E are."""
        return self.execute(SafeTransaction(to, 0, calldata(signature, *values), self.nonce()))

    def grant_standing(self, account: bytes, grant_id: int = 1) -> None:
        grant = GrantStanding(account, grant_id, self.now() + 6 * DAY, 1, 1, keccak(account))
        values = (hexed(account), grant_id, grant.expiry, 1, 1, grant.commitment)
        data = calldata(
            "grant((address,uint64,uint64,uint64,uint32,bytes32),bytes)",
            values,
            self.committee.attester_signatures(grant),
        )
        assert self.send(self.at("StandingRegistry"), data) == ACCEPTED

    def later(self, seconds: int) -> None:
        self.anvil.request("evm_increaseTime", seconds)
        self.anvil.request("evm_mine")


def exec_transaction(transaction: SafeTransaction, signatures: bytes) -> bytes:
    return calldata(
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


def build(anvil: Anvil, artifacts: Artifacts, validators: int = 4) -> World:
    """Everything deployed, one Safe of three owners (two sign) with money, one merchant with standing."""
    world = build_set(anvil, artifacts, validators)
    mint(anvil, TOKEN, world.safe)
    world.grant_standing(MERCHANT.address)
    return world


def build_set(anvil: Anvil, artifacts: Artifacts, validators: int = 4, salt: int = 0) -> World:
    """All contracts and one empty Safe; another salt gives another high-value set of the same people."""
    anvil.fund(DEPLOYER, 10**21)
    anvil.fund(hexed(RELAY.address), 10**24)
    anvil.request("anvil_autoImpersonateAccount", True)
    plan = settlement_plan(anvil, artifacts, Committee.of(validators))
    circle = Circle(anvil, artifacts, replace(plan, salt=salt.to_bytes(32, "big")), DEPLOYER)
    if salt == 0:
        deploy(anvil, artifacts, replace(payments_plan(), brake=circle.addresses["EmergencyBrake"]))
    circle.deploy()
    guard = bytes.fromhex(circle.addresses["TransferGuard"][2:])
    committee = Committee.of(validators, chain_id=anvil.chain_id, guard=guard)
    return World(anvil, circle, committee, artifacts, create_safe(anvil, circle, artifacts, safe_plan(committee)))


def mint(anvil: Anvil, token: bytes, to: bytes, amount: int = FUNDS) -> None:
    data = calldata("mint(address,uint256)", hexed(to), amount)
    assert mined(anvil, {"from": TOKEN_OWNER, "to": hexed(token), "data": hexed(data)})["status"] == "0x1"


def settlement_plan(anvil: Anvil, artifacts: Artifacts, committee: Committee) -> Plan:
    return Plan(bytes(32), stated_set(anvil, artifacts, committee, SAFE_SINGLETON), NEIGHBOURS)


def safe_plan(
    committee: Committee, group: bytes = bytes(32), tokens: Sequence[bytes] = (TOKEN,), salt: int = 0
) -> tuple[Any, ...]:
    """A Safe of the committee's owners; one that wants another's group brings no limits of its own."""
    listed = tokens if group == bytes(32) else ()
    return (
        [hexed(owner.address) for owner in committee.owners],
        committee.owner_threshold,
        group,
        [hexed(token) for token in listed],
        [(DAILY, CERTIFIED_FROM, NOTICE_FROM)] * len(listed),
        salt,
    )


def plan_type(artifacts: Artifacts) -> str:
    """`GuardedSafeFactory.Plan` as a function's signature has it."""
    return signature_of(artifacts, "GuardedSafeFactory", "function", "create").removeprefix("create")[1:-1]


def create_safe(anvil: Anvil, circle: Circle, artifacts: Artifacts, plan: tuple[Any, ...]) -> bytes:
    """See safe_plan."""
    kind, factory = plan_type(artifacts), circle.addresses["GuardedSafeFactory"]
    (safe,) = decode(["address"], anvil.call(factory, calldata(f"addressOf({kind})", plan)))
    data = calldata(f"create({kind})", plan)
    assert mined(anvil, {"from": DEPLOYER, "to": factory, "data": hexed(data)})["status"] == "0x1"
    return bytes.fromhex(safe[2:])


def plain_safe(world: World, handler: bytes = bytes(20)) -> bytes:
    """An ordinary Safe of the same owners."""
    factory = world.create(world.artifacts.safe_creation("proxies/SafeProxyFactory"))
    owners = [hexed(owner.address) for owner in world.committee.owners]
    initializer = calldata(SETUP, owners, world.committee.owner_threshold, ZERO, b"", hexed(handler), ZERO, 0, ZERO)
    data = calldata("createProxyWithNonce(address,bytes,uint256)", SAFE_SINGLETON, initializer, 0)
    safe = world.anvil.call(hexed(factory), data)[12:]
    assert world.send(factory, data) == ACCEPTED
    return safe
