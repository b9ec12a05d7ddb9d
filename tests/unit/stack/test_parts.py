"""The order of parts, their ports, and what an error says."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from kit.stack.launcher import as_info
from kit.stack.parts import Part, PartError, StackError, in_waves
from kit.stack.ports import HIGHEST, LOWEST, free_ports


def part(name: str, *depends_on: str) -> Part:
    return Part(name, ("true",), {}, depends_on=depends_on)


def names(parts: list[Part]) -> list[list[str]]:
    return [[one.name for one in wave] for wave in in_waves(parts)]


def test_each_part_follows_those_it_depends_on() -> None:
    given = [part("api", "db", "migrate"), part("migrate", "db"), part("db"), part("worker", "db", "migrate")]
    assert names(given) == [["db"], ["migrate"], ["api", "worker"]]


def test_a_dependency_outside_is_no_obstacle() -> None:
    assert names([part("api", "db")]) == [["api"]]


def test_a_circle_is_refused_with_its_members() -> None:
    with pytest.raises(StackError, match=r"circle: a, b"):
        in_waves([part("a", "b"), part("b", "a"), part("c")])


def test_a_parts_environment_is_not_shown() -> None:
    assert "s3cret" not in repr(Part("db", ("true",), {"PASSWORD": "s3cret"}))


def test_a_failure_names_part_reason_and_log() -> None:
    said = str(PartError("worker", "ended with status 3", Path("/run/worker.log"), "last words"))
    assert said == "worker: ended with status 3\nlast words\nworker: its log is /run/worker.log"


def test_ports_are_distinct_free_and_out_of_the_way_of_outgoing_connections() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(LOWEST <= port <= HIGHEST for port in ports)
    with socket.socket() as one:
        one.bind(("127.0.0.1", ports[0]))


def test_what_is_absent_is_left_out() -> None:
    given = {"chain": {"rpc_url": "u", "guard": None}, "settlement": {"url": None}, "gateway": {}}
    assert as_info(given) == {"chain": {"rpc_url": "u"}}
