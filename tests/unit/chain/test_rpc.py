"""What a failure means: unknown or refused, tried again or not."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from kit.chain.rpc import READ_TRIES, Rpc, RpcRefused, RpcUnavailable

Answer = Callable[[httpx.Request], httpx.Response]


def rpc(answer: Answer, asked: list[str]) -> Rpc:
    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["method"])
        return answer(request)

    made = Rpc("http://node.invalid")
    made._http = httpx.Client(base_url="http://node.invalid", transport=httpx.MockTransport(handle))
    return made


def result(request: httpx.Request, **members: object) -> httpx.Response:
    return httpx.Response(200, json={"jsonrpc": "2.0", "id": json.loads(request.content)["id"], **members})


def lost(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("late")


@pytest.mark.parametrize(
    "answer",
    [
        lost,
        lambda _: httpx.Response(502),
        lambda _: httpx.Response(429),
        lambda _: httpx.Response(200, text="<html>"),
        lambda _: httpx.Response(200, json=[]),
        lambda request: result(request, error={"code": -32005, "message": "limit exceeded"}),
        lambda request: result(request, error={"code": -32603, "message": "internal error"}),
    ],
)
def test_no_answer_is_unknown_read_again_and_never_sent_again(answer: Answer) -> None:
    asked: list[str] = []
    with pytest.raises(RpcUnavailable):
        rpc(answer, asked).read("eth_chainId")
    assert len(asked) == READ_TRIES
    asked.clear()
    with pytest.raises(RpcUnavailable):
        rpc(answer, asked).submit("eth_sendRawTransaction", "0x00")
    assert len(asked) == 1


def test_a_refusal_is_final_and_carries_revert_data() -> None:
    asked: list[str] = []
    error = {"code": 3, "message": "execution reverted", "data": "0x08c379a0"}
    with pytest.raises(RpcRefused) as caught:
        rpc(lambda request: result(request, error=error), asked).read("eth_call", {})
    assert caught.value.reverted and caught.value.data == bytes.fromhex("08c379a0")
    assert len(asked) == 1


def test_a_quantity_that_is_none_is_no_answer() -> None:
    with pytest.raises(RpcUnavailable):
        rpc(lambda request: result(request, result=None), []).chain_id()


def test_answers_of_a_batch_keep_their_order() -> None:
    def shuffled(request: httpx.Request) -> httpx.Response:
        calls = json.loads(request.content)
        answers = [{"jsonrpc": "2.0", "id": call["id"], "result": call["method"]} for call in calls]
        return httpx.Response(200, json=answers[::-1])

    made = Rpc("http://node.invalid")
    made._http = httpx.Client(base_url="http://node.invalid", transport=httpx.MockTransport(shuffled))
    assert made.read_many([("a", ()), ("b", ()), ("c", ())]) == ["a", "b", "c"]
