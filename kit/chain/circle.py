"""Deploys and verifies contracts that name each other in their constructors, from one file that states them all.

Addresses follow from the deployer and the salt (CREATE3), so a run that was stopped is finished by the next one, and
nothing is ever initialised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Protocol

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError
from eth_utils.crypto import keccak

from kit.chain.abi import calldata, error_names
from kit.chain.addresses import CREATE2_DEPLOYER
from kit.chain.anvil import Anvil
from kit.chain.artifacts import Artifacts
from kit.chain.creation import created_by, created_by_salt
from kit.chain.node import CallRefused, ChainError, Node
from kit.chain.statement import Plan, PlanError, plain, read_plan, type_of

__all__ = ["Carrier", "Circle", "Difference", "Impersonation", "Plan", "PlanError", "read_plan"]

DEPLOYER_CONTRACT = "Create3Deployer"
CREATED = bytes(keccak(text="Created(address,bytes32,address)"))
MOST_REORGANISATIONS = 8
_SALT = bytes(32)


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which the chain is not what the file states."""

    contract: str
    what: str


class Carrier(Protocol):
    """Brings one account's transactions on chain, one after the other."""

    @property
    def tag(self) -> str:
        """The block at which a step counts as done: "pending" when what waits there will be mined, else "latest"."""

    def carry(self, what: str, to: str, data: bytes, is_done: Callable[[], bool]) -> None:
        """Send it unless `is_done` by now; mined by then or before `await_depth` is true. Raises ChainError."""

    def await_depth(self, stands_at: Callable[[str], bool]) -> bool:
        """True once all `stands_at` a block as deep as wanted; False when it does not at the head any more."""


class Impersonation:
    """An account without a key on an Anvil."""

    tag = "pending"

    def __init__(self, chain: Anvil, account: str) -> None:
        self._chain = chain
        self._account = account
        self._sent: dict[str, str] = {}

    def carry(self, what: str, to: str, data: bytes, is_done: Callable[[], bool]) -> None:
        """Sent and not awaited before `await_depth`: one block takes the set, where one each would take a dozen."""
        if is_done():
            return
        if not self._chain.code(to):
            self._await_sent()  # Anvil estimates the gas at the latest block
        with _named(what):
            self._sent[what] = self._chain.send_as(self._account, to, data)

    def _await_sent(self) -> None:
        while self._sent:
            what, transaction = self._sent.popitem()
            with _named(what):
                self._chain.wait_mined(transaction)

    def await_depth(self, stands_at: Callable[[str], bool]) -> bool:
        self._await_sent()
        return self._chain.wait_for("what was deployed", lambda: stands_at("latest"))


class Circle:
    """One set of contracts on one chain, deployed by one account; without a carrier, on an Anvil only."""

    def __init__(
        self, chain: Node, artifacts: Artifacts, plan: Plan, deployer: str, carrier: Carrier | None = None
    ) -> None:
        self.chain = chain
        self.plan = plan
        self.deployer = deployer
        self.artifacts = artifacts
        self._carrier = carrier
        self.factory = factory_of(artifacts)
        self.addresses = addresses_of(artifacts, plan, deployer)

    @cached_property
    def codes(self) -> dict[str, bytes]:
        """Creation code of each contract with the constructor's arguments. Raises PlanError, ArtifactError."""
        return {name: self._creation_code(name, dict(values)) for name, values in self.plan.values.items()}

    def deploy(self) -> list[str]:
        """Create what is not there yet and return its names. Raises ChainError, PlanError, ArtifactError.

        A wrong file, and a constructor that would revert, change nothing.
        """
        codes = self.codes
        carrier = self._carrier or self._impersonation()
        missing = {name: code for name, code in codes.items() if not self._stands(name, carrier.tag)}
        self._rehearse(missing, carrier.tag)
        made: dict[str, None] = {}
        for _ in range(MOST_REORGANISATIONS):
            made |= dict.fromkeys(self._create_missing(carrier))
            if carrier.await_depth(lambda block: all(self._stands(name, block) for name in codes)):
                return list(made)
        raise ChainError(f"{MOST_REORGANISATIONS} reorganisations took contracts away again; run this once more")

    def verify(self, block: str = "latest") -> list[Difference]:
        """How the code on chain, with its immutables (neighbours, roles, delays), differs from the file's."""
        return [found for name in self.codes if (found := self._compare(name, block)) is not None]

    def creation_call(self, name: str) -> bytes:
        """What is sent to the factory contract to create it."""
        return calldata("deploy(bytes32,bytes)", self.salt_of(name), self.codes[name])

    def salt_of(self, name: str) -> bytes:
        return salt_of(self.plan, name)

    def stated(self, contract: str, path: Sequence[str]) -> Any:
        """The file's value at a parameter or its member, or the neighbour's address. Raises PlanError."""
        found: Any = self.plan.values[contract]
        for step in path:
            if isinstance(found, dict) and step in found:
                found = found[step]
                continue
            neighbour = self.plan.neighbours.get(path[-1], "")
            if neighbour not in self.addresses:
                raise PlanError(f"{contract} needs {'.'.join(path)}")
            return self.addresses[neighbour]
        return found

    def has_code(self, address: str, block: str = "latest") -> bool:
        return bool(self.chain.code(address, block))

    def _impersonation(self) -> Carrier:
        if not isinstance(self.chain, Anvil):
            raise ChainError(f"chain {self.chain.chain_id} is no local Anvil: a key has to send the transactions")
        return Impersonation(self.chain, self.deployer)

    def _stands(self, name: str, block: str) -> bool:
        return self.has_code(self.addresses[name], block)

    def _rehearse(self, missing: dict[str, bytes], block: str) -> None:
        if missing and not self.has_code(CREATE2_DEPLOYER):
            raise ChainError(
                f"there is no CREATE2 deployer at {CREATE2_DEPLOYER} on chain {self.chain.chain_id}: its well-known "
                "transaction has to be sent there first (deterministic-deployment-proxy); nothing was sent"
            )
        for name, code in missing.items():
            try:
                self.chain.runtime_code_at(self.addresses[name], code, block)
            except CallRefused as refused:
                raise ChainError(
                    f"{name} could not be created: {self._named(refused)}; nothing was sent"
                ) from refused

    def _named(self, refused: CallRefused) -> str:
        return error_names(self.artifacts).get(refused.data[:4]) or str(refused)

    def _create_missing(self, carrier: Carrier) -> list[str]:
        def stands(address: str) -> bool:
            return self.has_code(address, carrier.tag)

        if not all(stands(address) for address in self.addresses.values()) and not stands(self.factory):
            data = _SALT + self.artifacts.creation(DEPLOYER_CONTRACT)
            carrier.carry(DEPLOYER_CONTRACT, CREATE2_DEPLOYER, data, partial(stands, self.factory))
        missing = [name for name in self.plan.names if not stands(self.addresses[name])]
        for name in missing:
            carrier.carry(name, self.factory, self.creation_call(name), partial(stands, self.addresses[name]))
        return missing

    def _compare(self, name: str, block: str) -> Difference | None:
        address = self.addresses[name]
        found = self.chain.code(address, block)
        if not found:
            return Difference(name, f"there is no code at {address}")
        # Run as if it were being created just there, so that immutables made of its own address are equal, too.
        values = {**self.plan.values[name], **self.plan.lapsing.get(name, {})}
        try:
            expected = self.chain.runtime_code_at(address, self._creation_code(name, values), block)
        except CallRefused as refused:
            return Difference(name, f"the file's constructor call is refused: {self._named(refused)}")
        return None if found == expected else Difference(name, f"the code at {address} is not the file's")

    def _creation_code(self, name: str, stated: dict[str, Any]) -> bytes:
        inputs = self.artifacts.constructor_inputs(name)
        try:
            values = [self._value(name, each, stated) for each in inputs]
            if stated:
                raise PlanError(f"{name}: its constructor knows no {', '.join(sorted(stated))}")
            return self.artifacts.creation(name, [type_of(each) for each in inputs], values)
        except (EncodingError, TypeError, ValueError, KeyError) as error:
            raise PlanError(f"{name}: {error}") from error

    def _value(self, contract: str, parameter: dict[str, Any], stated: dict[str, Any]) -> Any:
        name = str(parameter["name"]).rstrip("_")
        neighbour = self.plan.neighbours.get(name, "")
        if parameter["type"] == "address" and name not in stated and neighbour in self.addresses:
            return self.addresses[neighbour]
        if parameter["type"] == "tuple":
            members = _members(contract, name, stated.pop(name, {}))
            values = tuple(self._value(f"{contract}.{name}", each, members) for each in parameter["components"])
            if members:
                raise PlanError(f"{contract}.{name} has no {', '.join(sorted(members))}")
            return values
        if name not in stated:
            raise PlanError(f"{contract} needs {name} ({parameter['type']})")
        return plain(parameter, stated.pop(name))


# Solady's CREATE3 proxy: creates the calldata it is called with.
_PROXY = bytes.fromhex("67363d3d37363d34f03d5260086018f3")


def factory_of(artifacts: Artifacts) -> str:
    """Where the contract that creates all others stands. Raises ArtifactError."""
    return created_by_salt(CREATE2_DEPLOYER, _SALT, artifacts.creation(DEPLOYER_CONTRACT))


def salt_of(plan: Plan, name: str) -> bytes:
    return bytes(keccak(plan.salt + name.encode()))


def addresses_of(artifacts: Artifacts, plan: Plan, deployer: str) -> dict[str, str]:
    """Where each contract of the plan stands or will. Needs no chain. Raises ArtifactError.

    CREATE3: the address of what a minimal proxy, itself made by CREATE2, creates first.
    """
    factory, found = factory_of(artifacts), {}
    for name in plan.names:
        salt = keccak(encode(["address", "bytes32"], [deployer, salt_of(plan, name)]))
        found[name] = created_by(created_by_salt(factory, salt, _PROXY), 1)
    return found


@contextmanager
def _named(what: str) -> Iterator[None]:
    try:
        yield
    except ChainError as error:
        raise ChainError(f"{what} could not be created: {error}") from error


def _members(contract: str, name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PlanError(f"{contract}: {name} is an object")
    return dict(value)
