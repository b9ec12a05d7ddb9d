"""The protocol's messages as its document states them, and strategies that fill them."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

from hypothesis import strategies as st

from verification.signatures import messages
from verification.signatures.messages import Message

ON_CHAIN = {
    "Order": "address safe,bytes32 safeTxHash,uint256 safeNonce,uint64 epoch,uint64 validUntil,bytes32 factsHash",
    "Pause": "uint64 pauseId,uint64 until",
    "Evacuate": "uint64 pauseId,uint64 epoch,address safe,address token",
    "Unpause": "uint64 pauseId,uint64 epoch,uint64 validUntil,bytes32 factsHash",
    "Return": "uint64 returnId,uint64 epoch,address safe,address token,uint256 amount",
    "Rotate": "uint64 newEpoch,bytes32 keysHash,uint64 notBefore",
    "Govern": "uint64 governId,uint64 epoch,bytes32 key,bytes32 value,uint64 notBefore",
    "Cancel": "uint64 actionId,uint64 epoch",
    "Veto": "uint64 actionId",
    "Rearm": "address sentinel,uint64 expires",
    "Recover": "uint64 actionId,bytes32 keysHash",
    "Exit": "uint64 actionId,address safe",
    "GrantStanding": ("address account,uint64 grantId,uint64 expiry,uint64 classes,uint32 issuer,bytes32 commitment"),
    "RegisterPayee": "address safe,address payee",
}
OFF_CHAIN = {
    "Facts": (
        "uint64 blockNumber,bytes32 blockHash,uint64 blockTime,bytes32 configHash,bytes32 policyHash,"
        "bytes32 modelHash,bytes32 reportsRoot,bytes32 logRoot,uint32 score"
    ),
    "Refusal": "bytes32 orderDigest,uint64 reasons",
    "PriceReport": "address asset,uint64 time,uint128 price,address reporter",
    "BindAccount": "address account,bytes32 nonce,string aud,uint64 exp",
    "Alert": "bytes32 subject,uint8 kind,uint64 expires,bytes32 evidence",
}
ALL = ON_CHAIN | OFF_CHAIN

Field = tuple[str, str]
"""Type and name."""


def fields(name: str) -> list[Field]:
    return [(kind, member) for kind, member in (each.split(" ") for each in ALL[name].split(","))]


def message_class(name: str) -> Any:
    return getattr(messages, name)


def values(kind: str) -> st.SearchStrategy[Any]:
    if kind.startswith("uint"):
        return st.integers(0, 2 ** int(kind[4:]) - 1)
    length = {"address": 20, "bytes32": 32}.get(kind)
    return st.binary(min_size=length, max_size=length) if length else st.text(max_size=40)


def random_messages(name: str) -> st.SearchStrategy[Message]:
    strategy: st.SearchStrategy[Message] = st.builds(message_class(name), *(values(kind) for kind, _ in fields(name)))
    return strategy


def field_values(message: Message) -> tuple[Any, ...]:
    return astuple(message)  # type: ignore[call-overload,no-any-return]
