"""Logs: JSON lines with a request id, from structlog and from the standard library, and no secret in any."""

from __future__ import annotations

import io
import json
import logging as standard
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from gateway.merchants.keys import PREFIX
from kit import logging
from kit.logging import get_logger, request_id

API_KEY = PREFIX + "A1_-" * 10 + "xyz"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    root = standard.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    logging.configure("INFO")

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    return read


def test_one_json_object_a_line_with_the_request_id(lines: Lines) -> None:
    token = request_id.set("req-1")
    try:
        get_logger("room").info("payment_captured", amount="5", text="two\nlines")
        standard.getLogger("library").warning("disk %s is slow", "sda")
    finally:
        request_id.reset(token)
    ours, theirs = lines()
    assert ours | {"timestamp": ""} == {
        "event": "payment_captured",
        "amount": "5",
        "text": "two\nlines",
        "level": "info",
        "logger": "room",
        "request_id": "req-1",
        "timestamp": "",
    }
    assert (theirs["event"], theirs["level"], theirs["request_id"]) == ("disk sda is slow", "warning", "req-1")


def test_no_request_id_outside_a_request(lines: Lines) -> None:
    get_logger("room").info("started")
    assert "request_id" not in lines()[0]


def test_levels(lines: Lines) -> None:
    get_logger("room").debug("too quiet")
    standard.getLogger("httpx").info("GET https://node.example/v2/key")
    assert lines() == []


SECRETS = [
    API_KEY,
    f"Bearer {API_KEY} was used",
    "postgresql://lockgate:hunter2@db.example/lockgate",
    "redis://:hunter2@cache.example:6379/0",
    "could not connect: amqps://user:hunter2@mq.example//, giving up",
]


@pytest.mark.parametrize("text", SECRETS)
def test_what_looks_like_a_secret_is_hidden_in_any_text(lines: Lines, text: str) -> None:
    get_logger("room").info("told", detail=text)
    get_logger("room").info(text)
    standard.getLogger("library").error("failed: %s", text)
    get_logger("room").info("nested", detail={"deep": [text, (text,)], "other": 5})
    get_logger("room").info("an object", detail=ValueError(text))
    written = lines()
    assert len(written) == 5
    for line in written:
        assert "hunter2" not in json.dumps(line)
        assert API_KEY not in json.dumps(line)
        assert "[hidden]" in json.dumps(line)


def test_an_exception_s_text_is_cleaned_too(lines: Lines) -> None:
    try:
        raise ValueError(f"bad url postgresql://a:hunter2@host/{API_KEY}")
    except ValueError:
        get_logger("room").exception("failed")
        standard.getLogger("library").exception("failed too")
    written = lines()
    assert len(written) == 2
    for line in written:
        assert "ValueError" in line["exception"]
        assert "hunter2" not in json.dumps(line)
        assert API_KEY not in json.dumps(line)


@pytest.mark.parametrize(
    "name", ["api_key", "private_key", "signature", "Authorization", "password", "client_secret", "mnemonic", "seed"]
)
def test_what_is_named_like_a_secret_is_hidden(lines: Lines, name: str) -> None:
    get_logger("room").info("told", **{name: "hunter2"})
    get_logger("room").info("told", document={"inner": {name: "hunter2"}})
    get_logger("room").info("told", documents=[{name: "hunter2"}, ({name: ["hunter2"]},)])
    get_logger("room").info("told", **{name: b"hunter2"})
    for line in lines():
        assert "hunter2" not in json.dumps(line)


def test_what_is_public_stays(lines: Lines) -> None:
    get_logger("room").info("told", key_id=7, idempotency_key="order-1", transaction="0x" + "ab" * 32)
    (line,) = lines()
    assert (line["key_id"], line["idempotency_key"], line["transaction"]) == (7, "order-1", "0x" + "ab" * 32)


def test_the_caller_s_own_values_are_not_changed(lines: Lines) -> None:
    document = {"api_key": "hunter2", "list": [API_KEY]}
    get_logger("room").info("told", document=document)
    assert document == {"api_key": "hunter2", "list": [API_KEY]}
    assert "hunter2" not in json.dumps(lines())
