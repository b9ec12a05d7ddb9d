"""What tests of several rooms share: one stack for the system tests, one bare PostgreSQL for the others."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from kit.stack import Stack, launch, options_from_environment
from kit.stack import postgres as embedded
from kit.stack.launcher import Launcher
from kit.stack.ports import free_ports
from kit.stack.rundir import default_run_dir
from kit.stack.services import lockgate

_numbers = count(1)


@pytest.fixture(scope="session")
def run_dirs(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Where this session's stacks keep their state; kept for reading when a test has failed."""
    folder = default_run_dir() / f"tests-{os.getpid()}"
    folder.mkdir(parents=True)
    yield folder
    if request.session.testsfailed == 0:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def stack(run_dirs: Path) -> Iterator[Stack]:
    """The whole stack, shared: a test changes what is its own (channels, merchants), not the parts."""
    with launch(run_dirs / "shared", options_from_environment()) as running:
        yield running


@pytest.fixture(scope="session")
def postgres(run_dirs: Path) -> Iterator[embedded.Server]:
    """A bare server with full durability; each test module takes databases of its own."""
    with Launcher(run_dirs / "bare") as launcher:
        (port,) = free_ports(1)
        server = embedded.prepare(launcher.run.path / "postgres", port)
        launcher.start_all([server.part()])
        yield server


@pytest.fixture(scope="module")
def database_url(postgres: embedded.Server) -> str:
    """An empty database of this module's own."""
    name = f"empty_{next(_numbers)}"
    postgres.create_database(name)
    return postgres.url(name)


@pytest.fixture(scope="session")
def gateway_template(postgres: embedded.Server) -> str:
    """Name of a database with the gateway's schema, to copy from; nobody may be connected to it."""
    name = "gateway_template"
    postgres.create_database(name)
    env = os.environ | {"LOCKGATE_DATABASE_URL": postgres.url(name)}
    done = subprocess.run(lockgate("gateway", "migrate"), env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return name


@pytest.fixture(scope="module")
def gateway_database_url(postgres: embedded.Server, gateway_template: str) -> str:
    """A database of this module's own with the gateway's schema and nothing in it."""
    name = f"gateway_{next(_numbers)}"
    postgres.create_database(name, template=gateway_template)
    return postgres.url(name)
