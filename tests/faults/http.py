"""Requests as a merchant's server sends them: one connection, and an honest account of what is not known."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer."""

    status: int
    document: Any
    closes: bool = False
    """The server says that it closes the connection."""


class Http:
    """One keep-alive connection, opened anew when it is lost. Not for use by two threads."""

    def __init__(self, url: str, api_key: str) -> None:
        target = urlsplit(url)
        self._connection = http.client.HTTPConnection(str(target.hostname), target.port, timeout=SECONDS)
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}

    def post(self, path: str, body: bytes, **headers: str) -> Answer | None:
        """None when no whole answer came: what became of the request is unknown."""
        return self._ask("POST", path, body, headers)

    def get(self, path: str) -> Answer | None:
        return self._ask("GET", path, None, {})

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer | None:
        try:
            self._connection.request(method, path, body, {**self._headers, **headers})
            response = self._connection.getresponse()
            closes = response.will_close
            text = response.read()
            return Answer(response.status, json.loads(text), closes)
        except (OSError, http.client.HTTPException, ValueError):
            self._connection.close()
            return None
