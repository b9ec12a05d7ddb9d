"""Errors as RFC 9457 problem details with a stable `type`, and what to do next in `detail`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:lockgate:problem:"


class Problem(Exception):
    """An error that the caller is told: HTTP status, stable code, sentence. Extra members are JSON values."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def document(self) -> dict[str, Any]:
        title = self.code.replace("_", " ").capitalize()
        return {
            "type": TYPE_PREFIX + self.code,
            "title": title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.members,
        }

    def body(self) -> bytes:
        return orjson.dumps(self.document())

    def response(self) -> Response:
        return Response(self.body(), self.status, headers=self.headers, media_type=CONTENT_TYPE)


def answer_problem(_request: Request, error: Exception) -> Response:
    """The exception handler for Problem."""
    assert isinstance(error, Problem)
    return error.response()
