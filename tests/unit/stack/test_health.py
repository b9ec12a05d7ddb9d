"""Health checks that need no server, and URLs that may be shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from kit.stack.health import (
    chain_answers,
    file_touched_within,
    http_answers,
    postgres_answers,
    valkey_answers,
    without_password,
)
from kit.stack.parts import NotReadyError
from kit.stack.ports import free_ports


class Answers(BaseHTTPRequestHandler):
    """200 on /healthz, 503 elsewhere; a chain id of 7."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 503)
        self.end_headers()
        self.wfile.write(b"migrating")

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"jsonrpc":"2.0","id":1,"result":"0x7"}')

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_every_path_must_answer_200(server: str) -> None:
    http_answers(server, "/healthz")()
    with pytest.raises(NotReadyError, match="GET /readyz: 503 migrating"):
        http_answers(server, "/healthz", "/readyz")()


def test_the_node_must_serve_the_chain_expected(server: str) -> None:
    chain_answers(server, 7)()
    with pytest.raises(NotReadyError, match="serves chain 7, not 31337"):
        chain_answers(server, 31337)()


def test_what_does_not_listen_is_not_ready() -> None:
    (port,) = free_ports(1)
    at = f"127.0.0.1:{port}"
    for check in (
        postgres_answers(f"postgresql://u:p@{at}/d"),
        valkey_answers(f"redis://{at}/0"),
        http_answers(f"http://{at}", "/healthz"),
        chain_answers(f"http://{at}", 1),
    ):
        with pytest.raises(NotReadyError):
            check()


def test_a_liveness_file_must_be_there_and_recent(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    check = file_touched_within(file, 10, now=lambda: 1000.0)
    with pytest.raises(NotReadyError, match="has not been written"):
        check()
    file.touch()
    os.utime(file, (980, 980))
    with pytest.raises(NotReadyError, match="20 s ago"):
        check()
    os.utime(file, (995, 995))
    check()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://gateway:p%40ss@db:5432/x", "postgresql://gateway:***@db:5432/x"),
        ("redis://:word@h:1/0", "redis://:***@h:1/0"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
    ],
)
def test_a_shown_url_holds_no_password(url: str, shown: str) -> None:
    assert without_password(url) == shown
