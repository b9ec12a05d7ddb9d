"""RabbitMQ as the broker where Debian's package is installed; it needs neither systemd nor its own service.

The server runs as the package's user (or as the caller, who need not be root) below folders of its own.
Erlang's port mapper (epmd) would outlive it and is shared by default: this one has a port of its own and
ends with the stack, whose reaper inherits it.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import amqp
from amqp.exceptions import AMQPError

from kit.stack.parts import Check, NotReadyError, Part, StackError
from kit.stack.ports import free_ports
from kit.stack.unprivileged import identity, make_home, own

ACCOUNT = "rabbitmq"
PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The package's own program; the one in /usr/sbin is a wrapper that changes the user by itself."""

LOGIN = "lockgate"
SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Broker:
    """A prepared broker: its part, and its AMQP URL with the password."""

    part: Part
    url: str = field(repr=False)


def installed() -> bool:
    return os.access(PROGRAM, os.X_OK)


def prepare(folder: Path) -> Broker:
    """A new, empty broker below `folder`. Raises StackError when RabbitMQ is not installed."""
    if not installed():
        raise StackError("RabbitMQ is not installed (on Debian: apt-get install rabbitmq-server)")
    port, mapper_port, distribution_port = free_ports(3)
    user = identity(ACCOUNT)
    home = make_home(folder, user)
    password = secrets.token_urlsafe(24)
    files = {
        "rabbitmq.conf": f"listeners.tcp.default = 127.0.0.1:{port}\n"
        f"default_user = {LOGIN}\ndefault_pass = {password}\n"
        "log.console = true\nlog.console.level = info\nlog.file = false\n",
        "enabled_plugins": "[].\n",
    }
    for name, text in files.items():
        path = home / name
        path.touch(mode=0o600)
        path.write_text(text)
        own(path, user)
    for name in ("mnesia", "log", "home"):
        (home / name).mkdir(mode=0o700)
        own(home / name, user)
    env = {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "HOME": str(home / "home"),
        "RABBITMQ_NODENAME": f"lockgate-{port}@localhost",
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_PID_FILE": str(home / "mnesia" / "pid"),
        "RABBITMQ_CONF_ENV_FILE": str(home / "absent"),
        "RABBITMQ_DIST_PORT": str(distribution_port),
        "ERL_EPMD_PORT": str(mapper_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    url = f"amqp://{LOGIN}:{password}@127.0.0.1:{port}//"
    part = Part("rabbitmq", (str(PROGRAM),), env, _answers(port, password), user=user, deadline=60.0)
    return Broker(part, url)


def _answers(port: int, password: str) -> Check:
    """A connection that logs in."""

    def check() -> None:
        connection = amqp.Connection(
            host=f"127.0.0.1:{port}", userid=LOGIN, password=password, connect_timeout=SECONDS
        )
        try:
            with connection:
                connection.connect()
        except (OSError, AMQPError) as error:
            raise NotReadyError(str(error)) from error

    return check
