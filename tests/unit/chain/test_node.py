"""Reading a node: logs that it finds too many at once, and what it says when it refuses."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from eth_utils.address import to_checksum_address

from kit.chain.creation import created_by
from kit.chain.node import CallRefused, ChainError, Node


class Narrow(Node):
    """A node that searches at most ten blocks at once and has a log in each."""

    def __init__(self, most: int = 10) -> None:
        self.most = most
        self.asked = 0
        super().__init__("http://node.invalid")

    def request(self, method: str, *params: Any) -> Any:
        if method == "eth_chainId":
            return "0xa"
        assert method == "eth_getLogs"
        self.asked += 1
        first, last = int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16)
        if last - first + 1 > self.most:
            raise CallRefused("eth_getLogs: more than 10 blocks")
        return [{"blockNumber": hex(number)} for number in range(first, last + 1)]


@pytest.mark.parametrize(("first", "last"), [(0, 0), (0, 9), (0, 10), (3, 1_000), (77, 78)])
def test_logs_come_whole_in_order_from_a_node_that_searches_little(first: int, last: int) -> None:
    with Narrow() as node:
        found = [int(log["blockNumber"], 16) for log in node.logs("0x", [], first, last)]
    assert found == list(range(first, last + 1))


def test_a_node_that_gives_no_logs_at_all_is_not_asked_for_ever() -> None:
    with Narrow(most=0) as node, pytest.raises(CallRefused):
        node.logs("0x", [], 0, 2**24)
    assert node.asked == 26, "halved 25 times"


def answering(monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    def post(*_: Any, **__: Any) -> httpx.Response:
        return httpx.Response(200, json=body, request=httpx.Request("POST", "http://node.invalid"))

    monkeypatch.setattr(httpx.Client, "post", post)


def test_a_refusal_has_its_data(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, {"error": {"code": 3, "message": "execution reverted", "data": "0x7db3aba7"}})
    with pytest.raises(CallRefused, match=r"eth_chainId: execution reverted \(0x7db3aba7\)") as caught:
        Node("http://node.invalid")
    assert caught.value.data == bytes.fromhex("7db3aba7")


@pytest.mark.parametrize("error", ["no", {"message": "no"}, {"message": "no", "data": {"a": 1}}, {"data": "text"}])
def test_a_refusal_without_data_has_none(monkeypatch: pytest.MonkeyPatch, error: Any) -> None:
    answering(monkeypatch, {"error": error})
    with pytest.raises(CallRefused) as caught:
        Node("http://node.invalid")
    assert caught.value.data == b""


def test_what_is_no_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, [])
    with pytest.raises(ChainError, match="not a JSON-RPC object"):
        Node("http://node.invalid")


def test_the_address_of_a_contracts_child() -> None:
    """A widely quoted example."""
    creator = "0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"
    assert created_by(creator, 1) == to_checksum_address("0x343c43a37d37dff08ae8c4a11544c718abb4fcf8")
    assert created_by(creator, 2) == to_checksum_address("0xf778b86fa74e846c4f0a1fbd1335fe81c00a0c91")
