"""One HTTP exchange seen from a middleware: the request read whole, the app's answer held back, answers sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from gateway.x402.replays import Answer, Headers

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PROBLEM_TYPE = "urn:lockgate:problem:"


class TooLarge(Exception):
    """The request has more bytes than the limit allows."""


class AnswerTooLarge(Exception):
    """The app's answer has more bytes than can be held back until it is paid: nothing is settled for it."""


def header_values(scope: Scope, name: str) -> list[str]:
    wanted = name.lower().encode()
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == wanted]


def routed_path(scope: Scope) -> str:
    """The decoded path that a router under this scope sees."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and (path == root or path.startswith(root + "/")):
        return path[len(root) :]
    return path


def target(scope: Scope) -> str:
    """Path and query as the client sent them."""
    raw = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"")
    whole: bytes = raw + (b"?" + query if query else b"")
    return whole.decode("latin-1")


async def read_body(receive: Receive, most: int) -> bytes:
    """Raises TooLarge, and ConnectionError when the client went away."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the client went away")
        body += message.get("body", b"")
        if len(body) > most:
            raise TooLarge
        if not message.get("more_body", False):
            return bytes(body)


async def run_app(app: App, scope: Scope, body: bytes, most: int) -> Answer:
    """The app's whole answer to a request whose body was read. Raises AnswerTooLarge, and whatever the app raises."""
    sent = False
    status, headers, parts, size = 500, Headers(), [], 0

    async def receive() -> MutableMapping[str, Any]:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status, headers, size
        if message["type"] == "http.response.start":
            status, headers = message["status"], [(bytes(k), bytes(v)) for k, v in message.get("headers", [])]
        elif message["type"] == "http.response.body":
            part = message.get("body", b"")
            size += len(part)
            if size > most:
                raise AnswerTooLarge
            parts.append(part)

    await app(scope, receive, send)
    return Answer(status, headers, b"".join(parts))


async def respond(send: Send, answer: Answer, *, head: bool = False) -> None:
    headers = [(k, v) for k, v in answer.headers if k.lower() != b"content-length"]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})


def json_answer(status: int, document: Any, headers: Headers | None = None) -> Answer:
    basic: Headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    return Answer(status, [*basic, *(headers or [])], orjson.dumps(document))


def problem_answer(status: int, code: str, detail: str, headers: Headers | None = None) -> Answer:
    """RFC 9457."""
    title = code.replace("_", " ").capitalize()
    document = {"type": PROBLEM_TYPE + code, "title": title, "status": status, "detail": detail, "code": code}
    basic: Headers = [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store")]
    return Answer(status, [*basic, *(headers or [])], orjson.dumps(document))


def with_headers(answer: Answer, *more: tuple[str, str]) -> Answer:
    return Answer(answer.status, [*answer.headers, *((k.encode(), v.encode()) for k, v in more)], answer.body)


def as_private(answer: Answer) -> Answer:
    """A paid answer is nobody else's: no shared cache may keep it."""
    controls = [value for key, value in answer.headers if key.lower() == b"cache-control"]
    others = [(key, value) for key, value in answer.headers if key.lower() != b"cache-control"]
    words = [word.strip() for value in controls for word in value.decode("latin-1").split(",") if word.strip()]
    kept = [word for word in words if word.lower() not in ("public", "private")]
    return Answer(answer.status, [*others, (b"cache-control", ", ".join([*kept, "private"]).encode())], answer.body)
