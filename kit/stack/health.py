"""Health checks: each raises NotReadyError with the reason while its part does not serve."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import redis
from celery import Celery
from kombu.exceptions import OperationalError

from kit.stack.parts import Check, NotReadyError

SECONDS = 3.0
PING_SECONDS = 1.0


def postgres_answers(url: str) -> Check:
    """A real query over TCP with the password."""

    def check() -> None:
        try:
            with psycopg.connect(url, connect_timeout=int(SECONDS)) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise NotReadyError(str(error).strip()) from error

    return check


def valkey_answers(url: str) -> Check:
    """PING."""

    def check() -> None:
        try:
            with redis.Redis.from_url(url, socket_timeout=SECONDS) as client:
                client.ping()
        except redis.RedisError as error:
            raise NotReadyError(str(error)) from error

    return check


def rpc(url: str, method: str, *params: object) -> Any:
    """One JSON-RPC call. Raises NotReadyError when there is no answer or an error."""
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    try:
        answer = httpx.post(url, json=request, timeout=SECONDS).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise NotReadyError(f"{method}: {error}") from error
    if "result" not in answer:
        raise NotReadyError(f"{method}: {answer.get('error')}")
    return answer["result"]


def chain_answers(url: str, chain_id: int) -> Check:
    """eth_chainId, and it is the one expected."""

    def check() -> None:
        found = int(rpc(url, "eth_chainId"), 16)
        if found != chain_id:
            raise NotReadyError(f"the node serves chain {found}, not {chain_id}")

    return check


def http_answers(base: str, *paths: str) -> Check:
    """Each path in turn answers 200."""

    def check() -> None:
        for path in paths:
            try:
                answer = httpx.get(base + path, timeout=SECONDS)
            except httpx.HTTPError as error:
                raise NotReadyError(f"GET {path}: {error}") from error
            if answer.status_code != httpx.codes.OK:
                raise NotReadyError(f"GET {path}: {answer.status_code} {answer.text[:200]}")

    return check


def worker_answers(broker_url: str) -> Check:
    """A Celery worker on this broker answers a ping."""

    def check() -> None:
        # A connection of its own: pooled ones may be from before a restart of the broker.
        with Celery(broker=broker_url) as app, app.connection_for_write() as connection:
            inspect = app.control.inspect(timeout=PING_SECONDS, limit=1, connection=connection)
            try:
                answers = inspect.ping()
            except (OperationalError, *connection.connection_errors, *connection.channel_errors) as error:
                raise NotReadyError(f"ping: {error}") from error
        if not answers:
            raise NotReadyError("no worker answers a ping")

    return check


def file_touched_within(path: Path, seconds: float, now: Callable[[], float] = time.time) -> Check:
    """A liveness file that its process touches at each turn of its loop."""

    def check() -> None:
        try:
            age = now() - path.stat().st_mtime
        except FileNotFoundError:
            raise NotReadyError(f"{path.name} has not been written") from None
        if age > seconds:
            raise NotReadyError(f"{path.name} was last touched {age:.0f} s ago")

    return check


def without_password(url: str) -> str:
    """A URL that may be shown."""
    return re.sub(r"(//[^:/@]*):[^@]*@", r"\1:***@", url)
