"""Official vectors: RFC 9380, Ethereum's BLS suite, EIP-2333, by both backends."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from py_ecc.bls.hash import expand_message_xmd

from verification.signatures.bls import BLS, Backend, MalformedPoint, SecretKey, generate, signature_to_evm
from verification.signatures.bls.reference import PyEccBackend

FACTS = Path(__file__).parent / "facts"
BACKENDS = [pytest.param(BLS, id="blst"), pytest.param(PyEccBackend(), id="py-ecc")]
INFINITY = {48: b"\xc0" + bytes(47), 96: b"\xc0" + bytes(95)}
SHA256: Any = hashlib.sha256


@cache
def facts(file: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((FACTS / f"{file}.json").read_text())
    return read


def cases(folder: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in facts("ethereum_bls")[folder]]


@pytest.mark.parametrize(
    "case", facts("rfc9380")["expand_message_xmd"]["cases"], ids=lambda case: case["message"][:6]
)
def test_expand_message_of_the_reference(case: dict[str, Any]) -> None:
    suite = facts("rfc9380")["expand_message_xmd"]["suite"].encode()
    assert expand_message_xmd(case["message"].encode(), suite, case["length"], SHA256).hex() == case["output"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", facts("rfc9380")["hash_to_curve"]["cases"], ids=lambda case: case["message"][:6])
def test_hash_to_curve(backend: Backend, case: dict[str, Any]) -> None:
    suite = facts("rfc9380")["hash_to_curve"]["suite"].encode()
    point = signature_to_evm(backend.hash_to_curve(case["message"].encode(), suite))
    assert point.hex() == "".join("0" * 32 + part for part in (*case["x"], *case["y"]))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", cases("sign"))
def test_sign(backend: Backend, case: dict[str, Any]) -> None:
    secret, message = bytes.fromhex(case["secret"]), bytes.fromhex(case["message"])
    if case["output"] is None:
        with pytest.raises(ValueError, match="between 1 and"):
            SecretKey.from_bytes(secret)
    else:
        assert backend.sign(SecretKey.from_bytes(secret), message).hex() == case["output"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", cases("verify"))
def test_verify(backend: Backend, case: dict[str, Any]) -> None:
    key, message, signature = (bytes.fromhex(case[name]) for name in ("key", "message", "signature"))
    assert backend.verify(key, message, signature) is case["output"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", cases("aggregate"))
def test_aggregate(backend: Backend, case: dict[str, Any]) -> None:
    """Where the suite lets a sum be infinity, we refuse."""
    signatures = [bytes.fromhex(each) for each in case["input"]]
    if case["output"] is None or bytes.fromhex(case["output"]) == INFINITY[96]:
        with pytest.raises(MalformedPoint):
            backend.aggregate(signatures)
    else:
        assert backend.aggregate(signatures).hex() == case["output"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", cases("fast_aggregate_verify"))
def test_verify_aggregate(backend: Backend, case: dict[str, Any]) -> None:
    keys = [bytes.fromhex(key) for key in case["keys"]]
    message, signature = bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])
    assert backend.verify_aggregate(keys, message, signature) is case["output"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("group", ["deserialization_G1", "deserialization_G2"])
def test_deserialization(backend: Backend, group: str) -> None:
    """Infinity, which the suite reads as a point, is no key and no signature of ours."""
    check = backend.check_key if group.endswith("G1") else backend.check_signature
    for case in facts("ethereum_bls")[group]:
        point = bytes.fromhex(case["input"])
        if case["output"] and point not in INFINITY.values():
            check(point)
        else:
            with pytest.raises(MalformedPoint):
                check(point)
                pytest.fail(f"{case['name']} passed")


def test_generate_is_that_of_eip_2333() -> None:
    """Its first test case: the master key of a seed is KeyGen of it."""
    seed = bytes.fromhex(
        "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"
    )
    expected = 6083874454709270928345386274498605044986640685124978867557563392430687146096
    assert generate(seed).scalar == expected
