"""What the high-value contracts answer, value by value, beside what the file states.

Code and constructor are compared elsewhere (`circle`, `origin`); this reads storage, and names what differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.address import is_address

from kit.chain.abi import calldata, event_topic
from kit.chain.circle import Circle, Difference
from kit.chain.creation import created_by
from kit.chain.node import CallRefused
from kit.chain.rpc import hexed
from kit.chain.statement import PlanError, plain


@dataclass(frozen=True, slots=True)
class Reading:
    """One stated value, and the function that answers it. What `is_governed` the protocol may have changed."""

    contract: str
    getter: str
    kind: str
    path: tuple[str, ...]
    is_governed: bool = False


def _addresses(contract: str, *names: str) -> tuple[Reading, ...]:
    """Neighbours given in a struct."""
    return tuple(Reading(contract, name, "address", ("neighbours", name)) for name in names)


READINGS = (
    *_addresses("ValidatorRegistry", "guard", "actions", "verifier", "guardians"),
    Reading("ValidatorRegistry", "rotationDelay", "uint64", ("delays", "rotation")),
    Reading("ValidatorRegistry", "recoveryDelay", "uint64", ("delays", "recovery")),
    Reading("CertificateVerifier", "registry", "address", ("registry",)),
    *_addresses("Actions", "guard", "verifier", "guardians", "registry", "governor", "vault"),
    Reading("Actions", "window", "uint64", ("window",)),
    Reading("Guardians", "governor", "address", ("governor",)),
    Reading("Guardians", "members", "address[]", ("guardians",), is_governed=True),
    Reading("Guardians", "threshold", "uint256", ("threshold",), is_governed=True),
    *_addresses("Governor", "guard", "actions", "verifier", "payoutModule", "guardians", "standing"),
    Reading("Governor", "changeDelay", "uint64", ("delays", "change")),
    Reading("Governor", "guardiansDelay", "uint64", ("delays", "guardians")),
    Reading("Governor", "modelHash", "bytes32", ("modelHash",), is_governed=True),
    Reading("StandingRegistry", "guard", "address", ("guard",)),
    Reading("StandingRegistry", "governor", "address", ("governor",)),
    Reading("StandingRegistry", "maxValidity", "uint64", ("maxValidity",)),
    Reading("StandingRegistry", "attesters", "address[]", ("attesters",), is_governed=True),
    Reading("StandingRegistry", "threshold", "uint256", ("threshold",), is_governed=True),
    *_addresses("EmergencyBrake", "guard", "verifier", "guardians"),
    Reading("EmergencyBrake", "sentinelPause", "uint64", ("delays", "sentinelPause")),
    Reading("EmergencyBrake", "sentinelKey", "uint64", ("delays", "sentinelKey")),
    Reading("EmergencyBrake", "endingDelay", "uint64", ("delays", "ending")),
    Reading("EmergencyBrake", "reducedDelay", "uint64", ("delays", "reduced")),
    *_addresses("ColdVault", "guard", "verifier", "guardians", "actions", "evacuator"),
    Reading("ColdVault", "ownersDelay", "uint64", ("delays", "owners")),
    Reading("ColdVault", "guardiansDelay", "uint64", ("delays", "guardians")),
    Reading("ColdVault", "owners", "address[]", ("owners",)),
    Reading("ColdVault", "threshold", "uint256", ("threshold",)),
    Reading("PayoutModule", "guard", "address", ("guard",)),
    Reading("PayoutModule", "governor", "address", ("governor",)),
    Reading("PayoutModule", "standing", "address", ("standing",)),
    Reading("PayoutModule", "payeeDelay", "uint64", ("payeeDelay",)),
    *_addresses("Evacuator", "guard", "brake", "verifier", "registry", "guardians", "vault"),
    Reading("GuardedSafeFactory", "guard", "address", ("guard",)),
    Reading("GuardedSafeFactory", "safeSingleton", "address", ("safeSingleton",)),
)

# The guard answers its constructor's structs whole: function, struct, and members in order with their types.
_GUARD_STRUCTS = (
    ("neighbours", "neighbours", tuple((name, "address") for name in (
        "factory", "governor", "verifier", "standing", "brake", "guardians", "actions", "payoutModule", "evacuator",
        "vault"))),
    ("delays", "delays", (("notice", "uint64"), ("exit", "uint64"))),
    ("safeCode", "code", (("singleton", "address"), ("proxyCodehash", "bytes32"))),
)  # fmt: skip


CHANGEABLE = {(reading.contract, reading.path[0]) for reading in READINGS if reading.is_governed} | {
    ("ValidatorRegistry", "epoch"),
    ("ValidatorRegistry", "keys"),
    ("EmergencyBrake", "sentinels"),
}
"""What the protocol may change after the deployment, so that a file may state it as `changed`."""


class Readback:
    """Reads a circle at one block. Contracts that are not stated or not there are passed over."""

    def __init__(self, circle: Circle, block: int, from_block: int = 0) -> None:
        self._circle = circle
        self._block = hex(block)
        self._last = block
        self._first = from_block
        self._there = {name for name, at in circle.addresses.items() if circle.has_code(at, self._block)}
        stated = {(contract, name) for contract, values in circle.plan.changed.items() for name in values}
        if unknown := sorted(stated - CHANGEABLE):
            raise PlanError(f"changed.{'.'.join(unknown[0])} is nothing that the protocol changes")

    def differences(self) -> list[Difference]:
        """Raises ChainError when the node does not answer, PlanError when the file states no such value."""
        found = [each for reading in READINGS if (each := self._read(reading)) is not None]
        parts = (self._guard(), self._validators(), self._sentinels(), self._factory(), self._groups())
        return [*found, *(each for part in parts for each in part)]

    def _read(self, reading: Reading) -> Difference | None:
        if reading.contract not in self._there:
            return None
        stated = self._stated_now(reading.contract, reading.path)
        return self._compare(reading.contract, reading.getter, [reading.kind], [stated], reading.is_governed)

    def _stated_now(self, contract: str, path: tuple[str, ...]) -> Any:
        changed = self._circle.plan.changed.get(contract, {})
        return changed[path[0]] if path[0] in changed else self._circle.stated(contract, path)

    def _guard(self) -> Iterator[Difference]:
        if "TransferGuard" not in self._there:
            return
        for getter, struct, members in _GUARD_STRUCTS:
            stated = [self._circle.stated("TransferGuard", (struct, name)) for name, _ in members]
            found = self._compare("TransferGuard", getter, [kind for _, kind in members], stated, False)
            if found is not None:
                yield found

    def _validators(self) -> Iterator[Difference]:
        name = "ValidatorRegistry"
        if name not in self._there:
            return
        keys = _bytes(self._circle.stated(name, ("keys",)))
        (epoch,) = self.ask(name, "epoch()", [], ["uint64"])
        if not isinstance(epoch, int):
            yield Difference(name, "it names no epoch")
            return
        stated = self._circle.plan.changed.get(name, {}).get("epoch", 1)
        if epoch != stated:
            yield Difference(name, f"changed since: the epoch is {epoch}, the file states {stated}")
        now = _bytes(self._stated_now(name, ("keys",)))
        for number, wanted in {epoch: now, 1: keys}.items():
            (found,) = self.ask(name, "keysOf(uint64)", [number], ["bytes"])
            if found != wanted:
                since = "changed since: " if number != 1 else ""
                yield Difference(name, f"{since}{_keys_differ(number, found, wanted)}")

    def _sentinels(self) -> Iterator[Difference]:
        name = "EmergencyBrake"
        if name not in self._there:
            return
        now = self._circle.chain.time_of(self._block)
        sentinels = self._stated_now(name, ("sentinels",))
        stated = {str(each["key"]).lower(): int(each["expires"]) for each in sentinels}
        logs = self.logs(name, "SentinelRearmed")
        seen = {"0x" + log["topics"][1][-40:].lower() for log in logs}
        for key in sorted(stated.keys() | seen):
            (until,) = self.ask(name, "armedUntil(address)", [key], ["uint64"])
            wanted = stated.get(key, 0) if stated.get(key, 0) > now else 0
            if until != wanted:
                yield Difference(
                    name, f"changed since: sentinel {key} is {_armed(until)}, the file states {_armed(wanted)}"
                )

    def _factory(self) -> Iterator[Difference]:
        """What it created for itself: the set-up that Safes delegate to, and Safe's proxy as contract code."""
        name = "GuardedSafeFactory"
        if name not in self._there:
            return
        (setup,) = self.ask(name, "setup()", [], ["address"])
        if not is_address(setup):
            yield Difference(name, "it names no set-up")
            return
        for role in ("guard", "payoutModule", "evacuator"):
            wanted = self._circle.stated(name, (role,))
            answer = self._call(setup, calldata(f"{role}()"))
            if answer != encode(["address"], [wanted]):
                yield Difference(name, f"its set-up's {role} is 0x{answer.hex()[-40:]}, the file states {wanted}")
        singleton = self._circle.stated(name, ("safeSingleton",))
        proxy = _bytes(self._circle.stated(name, ("proxyCreationCode",))) + encode(["address"], [singleton])
        if self._circle.chain.code(created_by(self._circle.addresses[name], 2), self._block) != b"\0" + proxy:
            yield Difference(name, "the proxy's creation code that it keeps is not the file's")

    def _groups(self) -> Iterator[Difference]:
        for group, stated in self._circle.plan.groups.items():
            yield from GroupReadback(self, group, stated).differences()

    def logs(self, contract: str, event: str, *topics: str) -> list[dict[str, Any]]:
        first = hexed(event_topic(self._circle.artifacts, contract, event))
        return self._circle.chain.logs(self._circle.addresses[contract], [first, *topics], self._first, self._last)

    def has(self, contract: str) -> bool:
        return contract in self._there

    def _compare(
        self, contract: str, getter: str, kinds: Sequence[str], stated: Sequence[Any], is_governed: bool
    ) -> Difference | None:
        try:
            values = [plain({"type": kind, "name": getter}, value) for kind, value in zip(kinds, stated, strict=True)]
            wanted = encode(kinds, values)
        except (EncodingError, ValueError, TypeError) as error:
            raise PlanError(f"{contract}.{getter}: {error}") from error
        answer = self._call(self._circle.addresses[contract], calldata(f"{getter}()"))
        if answer == wanted:
            return None
        since = "changed since: " if is_governed else ""
        return Difference(
            contract, f"{since}{getter} is {_shown(kinds, answer)}, the file states {_shown(kinds, wanted)}"
        )

    def ask(self, contract: str, signature: str, values: Sequence[Any], kinds: Sequence[str]) -> tuple[Any, ...]:
        answer = self._call(self._circle.addresses[contract], calldata(signature, *values))
        try:
            return decode(kinds, answer)
        except DecodingError:
            return tuple("0x" + answer.hex() for _ in kinds)

    def _call(self, address: str, data: bytes) -> bytes:
        """Empty when the contract refuses: then it is another one, and its code says so, too."""
        try:
            return self._circle.chain.call(address, data, self._block)
        except CallRefused:
            return b""


class GroupReadback:
    """What the governor and the factory set for one group. All of a stated group is stated: the rest is zero."""

    def __init__(self, all_of: Readback, group: str, stated: Any) -> None:
        known = {"limits", "payoutKey", "policyHash"}
        if not isinstance(stated, dict) or set(stated) - known or not isinstance(stated.get("limits", {}), dict):
            raise PlanError(f"groups.{group} is an object of {', '.join(sorted(known))}")
        self._all = all_of
        self._group = group
        self._id = _bytes(group)
        if len(self._id) != 32:
            raise PlanError(f"groups.{group} is not an id of 32 bytes")
        self._stated = stated

    def differences(self) -> Iterator[Difference]:
        if self._all.has("TransferGuard"):
            yield from self._limits()
        if self._all.has("PayoutModule"):
            key = str(self._stated.get("payoutKey", "0x" + "00" * 20)).lower()
            yield from self._differs("PayoutModule", "payoutKeyOf", "address", key)
        if self._all.has("Governor"):
            policy = str(self._stated.get("policyHash", "0x" + "00" * 32)).lower()
            yield from self._differs("Governor", "policyHash", "bytes32", policy)

    def _differs(self, contract: str, getter: str, kind: str, wanted: str) -> Iterator[Difference]:
        (answer,) = self._all.ask(contract, f"{getter}(bytes32)", [self._id], [kind])
        found = answer if isinstance(answer, str) else hexed(answer)
        if found != wanted:
            yield Difference(
                contract, f"changed since: {getter} of {self._group} is {found}, the file states {wanted}"
            )

    def _limits(self) -> Iterator[Difference]:
        stated = {
            str(token).lower(): _three(self._group, limits)
            for token, limits in self._stated.get("limits", {}).items()
        }
        logs = self._all.logs("TransferGuard", "LimitsChanged", hexed(self._id))
        seen = {"0x" + log["topics"][2][-40:].lower() for log in logs}
        for token in sorted(stated.keys() | seen):
            signature = "limitsOf(bytes32,address)"
            found = self._all.ask("TransferGuard", signature, [self._id, token], ["uint256"] * 3)
            wanted = stated.get(token, (0, 0, 0))
            if found != wanted:
                what = f"limits of {self._group} for {token} are {_limits(found)}, the file states {_limits(wanted)}"
                yield Difference("TransferGuard", f"changed since: {what}")


_LIMITS = ("daily", "certifiedFrom", "noticeFrom")


def _three(group: str, limits: Any) -> tuple[int, ...]:
    """Amounts in the token's smallest unit, as decimal text or whole numbers."""
    try:
        if set(limits) != set(_LIMITS):
            raise ValueError(f"they are {', '.join(_LIMITS)}")
        return tuple(int(str(limits[name])) for name in _LIMITS)
    except (TypeError, ValueError) as error:
        raise PlanError(f"groups.{group}.limits: {error}") from error


def _limits(values: Sequence[Any]) -> str:
    return "/".join(str(value) for value in values)


def _armed(until: Any) -> str:
    return f"armed until {until}" if until else "not armed"


def _keys_differ(epoch: int, found: Any, wanted: bytes) -> str:
    if not isinstance(found, bytes) or len(found) % 128:
        return f"the keys of epoch {epoch} are none"
    pairs = [(found[at : at + 128], wanted[at : at + 128]) for at in range(0, max(len(found), len(wanted)), 128)]
    other = [str(index) for index, (one, two) in enumerate(pairs) if one != two]
    return (
        f"of the keys of epoch {epoch} ({len(found) // 128}, the file states {len(wanted) // 128}), "
        f"those at {', '.join(other)} are not the file's"
    )


def _shown(kinds: Sequence[str], encoded: bytes) -> str:
    try:
        values = decode(kinds, encoded)
    except DecodingError:
        return "no answer" if not encoded else "0x" + encoded.hex()
    return ", ".join(hexed(value) if isinstance(value, bytes) else str(value) for value in values)


def _bytes(text: Any) -> bytes:
    try:
        return bytes.fromhex(str(text).removeprefix("0x"))
    except ValueError as error:
        raise PlanError(f"{str(text)[:20]} is not hexadecimal") from error
