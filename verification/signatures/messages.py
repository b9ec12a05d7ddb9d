"""Every message of the high-value protocol that somebody signs: EIP-712 struct hashes and digests.

The on-chain half of this file is `contracts/src/governance/Messages.sol`; a test compares the two. Addresses are 20
bytes and hashes 32, amounts are in the token's smallest unit, times Unix seconds. One domain for all: that of a guard
on a chain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any, ClassVar

from verification.signatures.eip712 import Domain, address_word, keccak, word

SETTLEMENT_NAME = "Lockgate Settlement"
SETTLEMENT_VERSION = "1"
FOREVER = 2**64 - 1
"""`Pause.until` of a guardians' pause."""


class InvalidMessage(ValueError):
    """A field that its type cannot hold; names the message and the field."""


def settlement_domain(chain_id: int, guard: bytes) -> Domain:
    """The domain of everything that is signed for the guard at this address of this chain."""
    return Domain(SETTLEMENT_NAME, SETTLEMENT_VERSION, chain_id, guard)


class Message:
    """What all have in common. A subclass is a frozen dataclass with the fields of `type` in the same order."""

    __slots__ = ()

    type: ClassVar[str]
    """EIP-712 `encodeType`, from which the fields' names and encodings are read."""

    def __post_init__(self) -> None:
        """Raises InvalidMessage, so a message that exists can be encoded."""
        for member in _layout(self.type).members:
            member.encoded(self)

    def struct_hash(self) -> bytes:
        """EIP-712 `hashStruct`."""
        layout = _layout(self.type)
        return keccak(layout.typehash + b"".join(member.encoded(self) for member in layout.members))

    def digest(self, domain: Domain) -> bytes:
        """What is signed."""
        return domain.digest(self.struct_hash())

    def typed_data(self, domain: Domain) -> dict[str, Any]:
        """The same as `eth_signTypedData_v4` and eth_account take it, for whoever signs with a wallet."""
        layout = _layout(self.type)
        return {
            "types": {
                "EIP712Domain": [
                    {"name": "name", "type": "string"},
                    {"name": "version", "type": "string"},
                    {"name": "chainId", "type": "uint256"},
                    {"name": "verifyingContract", "type": "address"},
                ],
                layout.name: [{"name": member.name, "type": member.kind} for member in layout.members],
            },
            "primaryType": layout.name,
            "domain": {
                "name": domain.name,
                "version": domain.version,
                "chainId": domain.chain_id,
                "verifyingContract": "0x" + domain.verifying_contract.hex(),
            },
            "message": {member.name: _shown(getattr(self, member.attribute)) for member in layout.members},
        }


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    kind: str
    attribute: str
    encode: Callable[[Any], bytes]

    def encoded(self, message: Message) -> bytes:
        try:
            return self.encode(getattr(message, self.attribute))
        except (ValueError, TypeError, OverflowError, AttributeError) as error:
            raise InvalidMessage(f"{type(message).__name__}.{self.attribute} is no {self.kind}") from error


@dataclass(frozen=True, slots=True)
class _Layout:
    name: str
    typehash: bytes
    members: tuple[_Member, ...]


@lru_cache(None)
def _layout(type_: str) -> _Layout:
    name, _, fields = type_.removesuffix(")").partition("(")
    members = []
    for field in fields.split(","):
        kind, _, member = field.partition(" ")
        attribute = re.sub(r"(?=[A-Z])", "_", member).lower()
        members.append(_Member(member, kind, attribute, _encoder(kind)))
    return _Layout(name, keccak(type_.encode()), tuple(members))


def _encoder(kind: str) -> Callable[[Any], bytes]:
    if kind.startswith("uint"):
        limit = 1 << int(kind.removeprefix("uint"))
        return lambda value: _uint(value, limit)
    return {"address": address_word, "bytes32": _bytes32, "string": lambda text: keccak(text.encode())}[kind]


def _uint(value: int, limit: int) -> bytes:
    if not 0 <= value < limit:
        raise ValueError("out of range")
    return word(value)


def _bytes32(value: bytes) -> bytes:
    if len(value) != 32:
        raise ValueError("not 32 bytes")
    return bytes(value)


def _shown(value: object) -> object:
    return "0x" + value.hex() if isinstance(value, bytes) else value


# Validators


@dataclass(frozen=True, slots=True)
class Facts(Message):
    """What the validators decided on; only its struct hash goes on chain, in the messages that carry `factsHash`."""

    type: ClassVar[str] = (
        "Facts(uint64 blockNumber,bytes32 blockHash,uint64 blockTime,bytes32 configHash,bytes32 policyHash,"
        "bytes32 modelHash,bytes32 reportsRoot,bytes32 logRoot,uint32 score)"
    )
    block_number: int
    block_hash: bytes
    block_time: int
    config_hash: bytes
    policy_hash: bytes
    model_hash: bytes
    reports_root: bytes
    log_root: bytes
    score: int


@dataclass(frozen=True, slots=True)
class Order(Message):
    """A transaction of a guarded Safe may be executed until `valid_until`."""

    type: ClassVar[str] = (
        "Order(address safe,bytes32 safeTxHash,uint256 safeNonce,uint64 epoch,uint64 validUntil,bytes32 factsHash)"
    )
    safe: bytes
    safe_tx_hash: bytes
    safe_nonce: int
    epoch: int
    valid_until: int
    facts_hash: bytes


@dataclass(frozen=True, slots=True)
class Refusal(Message):
    """A validator's signed no to an order; `reasons` is a set of bits. Never on chain."""

    type: ClassVar[str] = "Refusal(bytes32 orderDigest,uint64 reasons)"
    order_digest: bytes
    reasons: int


@dataclass(frozen=True, slots=True)
class Unpause(Message):
    """Also signed by the guardians, for a pause of theirs."""

    type: ClassVar[str] = "Unpause(uint64 pauseId,uint64 epoch,uint64 validUntil,bytes32 factsHash)"
    pause_id: int
    epoch: int
    valid_until: int
    facts_hash: bytes


@dataclass(frozen=True, slots=True)
class Evacuate(Message):
    """By the validators or the guardians: a paused Safe's whole balance of a token goes to the vault."""

    type: ClassVar[str] = "Evacuate(uint64 pauseId,uint64 epoch,address safe,address token)"
    pause_id: int
    epoch: int
    safe: bytes
    token: bytes


@dataclass(frozen=True, slots=True)
class Return(Message):
    """By the validators, and the vault's owners or the guardians."""

    type: ClassVar[str] = "Return(uint64 returnId,uint64 epoch,address safe,address token,uint256 amount)"
    return_id: int
    epoch: int
    safe: bytes
    token: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Rotate(Message):
    """The current validators name the next ones."""

    type: ClassVar[str] = "Rotate(uint64 newEpoch,bytes32 keysHash,uint64 notBefore)"
    new_epoch: int
    keys_hash: bytes
    not_before: int


@dataclass(frozen=True, slots=True)
class Govern(Message):
    """A parameter's new value; `key` is `govern_key` of it."""

    type: ClassVar[str] = "Govern(uint64 governId,uint64 epoch,bytes32 key,bytes32 value,uint64 notBefore)"
    govern_id: int
    epoch: int
    key: bytes
    value: bytes
    not_before: int


class Parameter(IntEnum):
    """What `Govern` may change; see IGovernor.sol for each value's meaning."""

    DAILY_LIMIT = 0
    CERTIFIED_FROM = 1
    NOTICE_FROM = 2
    PAYOUT_KEY = 3
    POLICY_HASH = 4
    MODEL_HASH = 5
    GUARDIANS = 6
    ATTESTERS = 7


def govern_key(parameter: Parameter, group: bytes = bytes(32), token: bytes = bytes(20)) -> bytes:
    """`Govern.key` of a parameter of a group and token; zero where a parameter has none."""
    return keccak(word(parameter) + _bytes32(group) + address_word(token))


def members_hash(members: Sequence[bytes], threshold: int) -> bytes:
    """`Govern.value` of new guardians or attesters: keccak256(abi.encode(address[], uint256))."""
    addresses = b"".join(address_word(member) for member in members)
    return keccak(word(64) + word(threshold) + word(len(members)) + addresses)


@dataclass(frozen=True, slots=True)
class Cancel(Message):
    type: ClassVar[str] = "Cancel(uint64 actionId,uint64 epoch)"
    action_id: int
    epoch: int


# Sentinel and guardians


@dataclass(frozen=True, slots=True)
class Pause(Message):
    """By a sentinel, or by the guardians with `until` FOREVER."""

    type: ClassVar[str] = "Pause(uint64 pauseId,uint64 until)"
    pause_id: int
    until: int


@dataclass(frozen=True, slots=True)
class Veto(Message):
    type: ClassVar[str] = "Veto(uint64 actionId)"
    action_id: int


@dataclass(frozen=True, slots=True)
class Rearm(Message):
    type: ClassVar[str] = "Rearm(address sentinel,uint64 expires)"
    sentinel: bytes
    expires: int


@dataclass(frozen=True, slots=True)
class Recover(Message):
    type: ClassVar[str] = "Recover(uint64 actionId,bytes32 keysHash)"
    action_id: int
    keys_hash: bytes


@dataclass(frozen=True, slots=True)
class Exit(Message):
    type: ClassVar[str] = "Exit(uint64 actionId,address safe)"
    action_id: int
    safe: bytes


# Attesters


@dataclass(frozen=True, slots=True)
class GrantStanding(Message):
    type: ClassVar[str] = (
        "GrantStanding(address account,uint64 grantId,uint64 expiry,uint64 classes,uint32 issuer,bytes32 commitment)"
    )
    account: bytes
    grant_id: int
    expiry: int
    classes: int
    issuer: int
    commitment: bytes


@dataclass(frozen=True, slots=True)
class RegisterPayee(Message):
    type: ClassVar[str] = "RegisterPayee(address safe,address payee)"
    safe: bytes
    payee: bytes


# Never on chain


@dataclass(frozen=True, slots=True)
class PriceReport(Message):
    """What one oracle says of an asset's price at a time."""

    type: ClassVar[str] = "PriceReport(address asset,uint64 time,uint128 price,address reporter)"
    asset: bytes
    time: int
    price: int
    reporter: bytes


@dataclass(frozen=True, slots=True)
class BindAccount(Message):
    """An account says that the presenter of a credential controls it."""

    type: ClassVar[str] = "BindAccount(address account,bytes32 nonce,string aud,uint64 exp)"
    account: bytes
    nonce: bytes
    aud: str
    exp: int


@dataclass(frozen=True, slots=True)
class Alert(Message):
    """To and from connected protocols."""

    type: ClassVar[str] = "Alert(bytes32 subject,uint8 kind,uint64 expires,bytes32 evidence)"
    subject: bytes
    kind: int
    expires: int
    evidence: bytes
