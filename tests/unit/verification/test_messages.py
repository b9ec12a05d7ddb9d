"""Every message's digest is eth_account's, over types written down from the protocol's document."""

from __future__ import annotations

from dataclasses import fields as dataclass_fields
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account.messages import _hash_eip191_message, encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.messages import ALL, ON_CHAIN, field_values, fields, message_class, random_messages, values
from verification.signatures.messages import (
    FOREVER,
    InvalidMessage,
    Message,
    Parameter,
    Pause,
    govern_key,
    members_hash,
    settlement_domain,
)

ADDRESSES = values("address")
SOME = settings(max_examples=25, deadline=None)


def expected_digest(name: str, chain_id: int, guard: bytes, message: Message) -> bytes:
    members = fields(name)
    signable = encode_typed_data(
        {"name": "Lockgate Settlement", "version": "1", "chainId": chain_id, "verifyingContract": "0x" + guard.hex()},
        {name: [{"name": member, "type": kind} for kind, member in members]},
        {
            member: "0x" + value.hex() if isinstance(value, bytes) else value
            for (_, member), value in zip(members, field_values(message), strict=True)
        },
    )
    return bytes(_hash_eip191_message(signable))


@pytest.mark.parametrize("name", ALL)
@SOME
@given(data=st.data())
def test_digests_are_eth_accounts(name: str, data: st.DataObject) -> None:
    message = data.draw(random_messages(name))
    chain_id, guard = data.draw(st.integers(0, 2**64)), data.draw(ADDRESSES)
    domain = settlement_domain(chain_id, guard)
    expected = expected_digest(name, chain_id, guard, message)
    assert message.digest(domain) == expected
    assert bytes(_hash_eip191_message(encode_typed_data(full_message=message.typed_data(domain)))) == expected


@pytest.mark.parametrize("name", ALL)
def test_types_are_the_documents(name: str) -> None:
    assert message_class(name).type == f"{name}({ALL[name]})"


def test_no_message_is_forgotten() -> None:
    assert {each.__name__ for each in Message.__subclasses__()} == set(ALL)


def wrong_values(kind: str) -> list[Any]:
    """What a field of that type cannot hold."""
    if kind.startswith("uint"):
        return [-1, 2 ** int(kind[4:]), None, "1", b"\1", 1.0]
    if kind == "string":
        return [None, 1, b"text", "\ud800"]
    length = 20 if kind == "address" else 32
    return [b"", bytes(length - 1), bytes(length + 1), None, "0x" + "00" * length]


@pytest.mark.parametrize("name", ALL)
@SOME
@given(data=st.data())
def test_a_wrong_field_is_named(name: str, data: st.DataObject) -> None:
    good = field_values(data.draw(random_messages(name)))
    attributes = [field.name for field in dataclass_fields(message_class(name))]
    for at, (kind, _) in enumerate(fields(name)):
        for wrong in wrong_values(kind):
            with pytest.raises(InvalidMessage, match=rf"{name}\.{attributes[at]} is no {kind}"):
                message_class(name)(*good[:at], wrong, *good[at + 1 :])


def test_digest_is_bound_to_chain_and_guard() -> None:
    message = Pause(1, FOREVER)
    domains = [settlement_domain(chain, bytes([guard]) * 20) for chain in (1, 2) for guard in (1, 2)]
    assert len({message.digest(domain) for domain in domains}) == 4


def test_messages_with_equal_fields_differ() -> None:
    """No signature of one kind passes for another."""
    filling = {"address": b"\1" * 20, "bytes32": b"\1" * 32}
    made = [message_class(name)(*(filling.get(kind, 1) for kind, _ in fields(name))) for name in ON_CHAIN]
    assert len({message.struct_hash() for message in made}) == len(ON_CHAIN)


@SOME
@given(st.sampled_from(Parameter), values("bytes32"), ADDRESSES)
def test_govern_key(parameter: Parameter, group: bytes, token: bytes) -> None:
    assert govern_key(parameter, group, token) == keccak(
        encode(["uint8", "bytes32", "address"], [parameter, group, token])
    )


@SOME
@given(st.lists(ADDRESSES, max_size=9), values("uint256"))
def test_members_hash(members: list[bytes], threshold: int) -> None:
    assert members_hash(members, threshold) == keccak(encode(["address[]", "uint256"], [members, threshold]))
