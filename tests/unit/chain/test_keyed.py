"""The sender of set-up programs: what a node says, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from kit.chain.fees import GWEI, FeePolicy
from kit.chain.keyed import MOST_GAS, KeyCarrier, Patience, read_private_key
from kit.chain.node import ChainError
from kit.chain.rpc import Block, Receipt, Rpc, RpcRefused, RpcUnavailable
from kit.chain.signer import KeyFileError, LocalSigner

KEY = "0x" + "ab" * 32
SIGNER = LocalSigner(Account.from_key(KEY))
TO = "0x" + "11" * 20


@dataclass
class Chain:
    """A node that answers as told; each broadcast of `answers` in turn, then taken and mined."""

    answers: list[Exception | None] = field(default_factory=list)
    nonces: list[Any] = field(default_factory=list)
    estimate: int = 100_000
    succeeded: bool = True
    foreign: bool = False
    raws: list[bytes] = field(default_factory=list)
    used: int = 0
    done: bool = False

    def read(self, method: str, *params: Any) -> Any:
        if method == "eth_estimateGas":
            return hex(self.estimate)
        return {"eth_maxPriorityFeePerGas": hex(GWEI), "eth_getBalance": hex(10**20), "eth_blockNumber": "0x5"}[
            method
        ]

    def block(self, at: Any) -> Block:
        return Block(5, bytes(32), bytes(32), 0, GWEI)

    def nonce_of(self, address: bytes) -> int:
        if self.nonces:
            told = self.nonces.pop(0)
            if isinstance(told, Exception):
                raise told
            return int(told)
        return self.used

    def submit(self, method: str, raw: str) -> None:
        self.raws.append(bytes.fromhex(raw[2:]))
        answer = self.answers.pop(0) if self.answers else None
        if answer is None or isinstance(answer, RpcUnavailable):
            self.used += 1
            self.done = self.succeeded
        if answer is not None:
            raise answer

    def receipt(self, tx_hash: bytes) -> Receipt | None:
        if self.foreign or not self.used:
            return None
        return Receipt(tx_hash, bytes(32), 6, self.succeeded, 1, 1, ())


def carrier(chain: Chain, **policy: Any) -> KeyCarrier:
    fake: Any = chain
    rpc: Rpc = fake
    return KeyCarrier(rpc, 10, SIGNER, FeePolicy(**{"bump_after": 0.0, **policy}), Patience(mined_within=2.0))


def carry(chain: Chain, **policy: Any) -> None:
    carrier(chain, **policy).carry("it", TO, b"\1", lambda: chain.done)


def _fee(raw: bytes) -> int:
    return int(TypedTransaction.from_bytes(HexBytes(raw)).as_dict()["maxFeePerGas"])


def _gas(raw: bytes) -> int:
    return int(TypedTransaction.from_bytes(HexBytes(raw)).as_dict()["gas"])


def test_done_is_not_sent() -> None:
    chain = Chain(done=True)
    carry(chain)
    assert chain.raws == []


@pytest.mark.parametrize("refusal", ["replacement transaction underpriced", "transaction underpriced", "fee too low"])
def test_too_cheap_is_raised_at_once(refusal: str) -> None:
    chain = Chain(answers=[RpcRefused("send", -32000, refusal)] * 3)
    carry(chain, bump_after=1000.0)
    fees = [_fee(raw) for raw in chain.raws]
    assert len(fees) == 4
    assert all(later * 1000 >= earlier * 1125 for earlier, later in pairwise(fees))


def test_never_above_the_cap() -> None:
    chain = Chain(answers=[RpcRefused("send", -32000, "underpriced")] * 10_000)
    with pytest.raises(ChainError, match="is not mined after 2 s"):
        carry(chain, cap=4 * GWEI, bump_after=0.2)
    assert max(_fee(raw) for raw in chain.raws) <= 4 * GWEI
    assert len(chain.raws) < 40, "at the cap it waits"


@pytest.mark.parametrize("known", ["already known", "ALREADY KNOWN", "already imported"])
def test_bytes_that_the_node_has_are_waited_for(known: str) -> None:
    chain = Chain(answers=[RpcRefused("send", -32000, known)])
    carry(chain)
    assert len({_fee(raw) for raw in chain.raws}) == len(chain.raws)


def test_no_answer_to_a_broadcast_is_no_failure() -> None:
    chain = Chain(answers=[RpcUnavailable("send: no usable answer")])
    carry(chain)
    assert len(chain.raws) == 1


def test_a_silent_node_is_asked_again() -> None:
    chain = Chain(nonces=[0, RpcUnavailable("silent")])
    carry(chain, bump_after=5.0)
    assert len(chain.raws) == 1


def test_a_refusal_that_is_none_of_these_ends_it() -> None:
    chain = Chain(answers=[RpcRefused("send", -32000, "invalid chain id")])
    with pytest.raises(ChainError, match="it could not be created: send: invalid chain id"):
        carry(chain)


def test_a_revert_is_told_with_its_transaction() -> None:
    with pytest.raises(ChainError, match=r"it could not be created: transaction 0x[0-9a-f]{64} reverted in block 6"):
        carry(Chain(succeeded=False))


def test_a_revert_because_another_was_first_is_done() -> None:
    chain = Chain(succeeded=False)
    asked = iter([False, True, True])
    carrier(chain).carry("it", TO, b"\1", lambda: next(asked))


def test_a_nonce_that_something_else_used_is_not_taken_for_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit.chain.keyed.RECEIPT_SECONDS", 0.0)
    chain = Chain(foreign=True, succeeded=False)
    with pytest.raises(ChainError, match="used by other transactions"):
        carry(chain)
    assert len(chain.raws) == 3


@pytest.mark.parametrize(("estimate", "limit"), [(100, 125), (MOST_GAS - 10, MOST_GAS), (MOST_GAS + 1, MOST_GAS + 1)])
def test_the_gas_limit_has_a_margin_below_the_most_that_a_transaction_may_have(estimate: int, limit: int) -> None:
    chain = Chain(estimate=estimate)
    carry(chain)
    assert _gas(chain.raws[0]) == limit


def test_the_depth_is_waited_for_and_told() -> None:
    patient = carrier(Chain())
    with pytest.raises(ChainError, match="not 12 blocks deep after 2 s"):
        patient.await_depth(lambda block: block == "latest")
    assert not patient.await_depth(lambda block: False)
    shallow = KeyCarrier(patient._rpc, 10, SIGNER, patience=Patience(confirmations=2))
    asked: list[str] = []
    assert shallow.await_depth(_noting(asked))
    assert asked == ["0x3"]


def _noting(asked: list[str]) -> Callable[[str], bool]:
    def stands_at(block: str) -> bool:
        asked.append(block)
        return True

    return stands_at


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_key_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_text(KEY)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="open to others") as caught:
        read_private_key(path)
    assert KEY not in str(caught.value)


def test_a_key_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(KEY)
    path.chmod(0o600)
    assert read_private_key(path).address == SIGNER.address
    with pytest.raises(KeyFileError, match="regular file"):
        read_private_key(tmp_path)
    with pytest.raises(KeyFileError, match="cannot be read"):
        read_private_key(tmp_path / "none")
