"""The servers of a stack: durable, killable, restartable, replaceable, and never in each other's way."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from celery import Celery
from kombu.entity import Queue
from kombu.message import Message

from kit.stack import AlreadyRunningError, Options, Part, PartError, Stack, StackError, launch, rabbitmq
from kit.stack.health import chain_answers, rpc
from kit.stack.launcher import Launcher
from kit.stack.parts import NotReadyError
from tests.system.stack.processes import alive, eventually, identities

pytestmark = pytest.mark.system

SERVERS = Options(contracts=False, gateway=False)
MARKED = "0x00000000000000000000000000000000000000aa"


@pytest.fixture(scope="module")
def servers(run_dirs: Path) -> Iterator[Stack]:
    with launch(run_dirs / "servers", SERVERS) as running:
        yield running


@pytest.mark.parametrize("name", ["fsync", "synchronous_commit", "full_page_writes"])
def test_postgres_is_fully_durable(servers: Stack, name: str) -> None:
    with psycopg.connect(servers.env["LOCKGATE_DATABASE_URL"]) as connection:
        found = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert found == ("on",)


def test_the_gateways_role_is_no_superuser_and_passwords_are_scram(servers: Stack) -> None:
    assert servers.server is not None
    with psycopg.connect(servers.server.url()) as connection:
        query = "SELECT rolsuper, left(rolpassword, 13) FROM pg_authid WHERE rolname = 'gateway'"
        assert connection.execute(query).fetchone() == (False, "SCRAM-SHA-256")
    wrong = servers.env["LOCKGATE_DATABASE_URL"].replace("gateway:", "gateway:not")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_the_broker_asks_for_its_password(servers: Stack) -> None:
    url = servers.env["LOCKGATE_BROKER_URL"]
    open_url = "redis://" + url.rpartition("@")[2]
    with redis.Redis.from_url(open_url) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_the_chain_has_the_bls_precompiles_and_funded_accounts(servers: Stack) -> None:
    url = servers.info["chain"]["rpc_url"]
    infinity = "0x" + "00" * 256
    call = {"to": "0x000000000000000000000000000000000000000b", "data": infinity}
    assert rpc(url, "eth_call", call, "latest") == "0x" + "00" * 128
    for role in ("payer", "merchant"):
        assert int(rpc(url, "eth_getBalance", servers.info["accounts"][role]["address"], "latest"), 16) > 0


def test_stack_json_leaves_out_what_is_not_built(servers: Stack) -> None:
    assert set(servers.info) == {"chain", "accounts"}
    assert set(servers.info["chain"]) == {"rpc_url", "chain_id"}
    assert servers.run.stack_json.stat().st_mode & 0o777 == 0o600


def test_no_secret_is_in_an_argument_list(servers: Stack) -> None:
    secrets = {key.private_key for key in servers.keys.all()}
    urls = [servers.env["LOCKGATE_DATABASE_URL"], servers.env["LOCKGATE_BROKER_URL"]]
    secrets |= {password for url in urls if (password := urlsplit(url).password) is not None}
    assert len(secrets) == 9
    for name in servers.names:
        for pid in servers.processes(name):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
            assert not any(secret in words for secret in secrets), name


def test_a_killed_postgres_comes_back_with_every_commit(servers: Stack) -> None:
    url = servers.env["LOCKGATE_DATABASE_URL"]
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (7)")
    servers.kill("postgres")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    servers.restart("postgres")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_a_killed_node_comes_back_with_its_chain(servers: Stack) -> None:
    url = servers.info["chain"]["rpc_url"]
    rpc(url, "anvil_setBalance", MARKED, hex(777))
    before = int(rpc(url, "eth_blockNumber"), 16)
    eventually(lambda: int(rpc(url, "eth_blockNumber"), 16) >= before + 3, "three more blocks")
    servers.kill("anvil")
    servers.restart("anvil")
    assert int(rpc(url, "eth_blockNumber"), 16) >= before
    assert int(rpc(url, "eth_getBalance", MARKED, "latest"), 16) == 777


def test_a_paused_node_hangs_and_goes_on(servers: Stack) -> None:
    url = servers.info["chain"]["rpc_url"]
    servers.pause("anvil")
    try:
        with pytest.raises(NotReadyError, match="timed out"):
            rpc(url, "eth_chainId")
    finally:
        servers.resume("anvil")
    chain_answers(url, 31337)()


def test_a_part_that_ends_by_itself_is_noticed(run_dirs: Path) -> None:
    with launch(run_dirs / "dying", replace(SERVERS, chain_id=84532)) as running:
        valkey = running.part("valkey").pid
        assert valkey is not None
        running.restart("valkey")
        assert not running.failed.is_set(), "a restart that was asked for is no failure"
        running.kill("valkey")
        assert not running.failed.is_set(), "nor is a kill"
        running.start("valkey")
        os.kill(running.processes("valkey")[0], signal.SIGKILL)
        assert running.failed.wait(10)
        assert "valkey: ended by itself with signal SIGKILL" in str(running.failure)
        assert str(running.run.log("valkey")) in str(running.failure)


def test_a_second_stack_in_the_same_folder_is_refused(servers: Stack) -> None:
    with pytest.raises(AlreadyRunningError):
        launch(servers.run.path, SERVERS)
    assert servers.part("postgres").alive


def test_parts_outside_replace_the_embedded_ones(servers: Stack, run_dirs: Path) -> None:
    options = replace(
        SERVERS,
        database_url=servers.env["LOCKGATE_DATABASE_URL"],
        broker_url=servers.env["LOCKGATE_BROKER_URL"],
        chain_rpc_url=servers.info["chain"]["rpc_url"],
    )
    with launch(run_dirs / "outside", options) as running:
        assert running.names == []
        assert running.env["LOCKGATE_DATABASE_URL"] == options.database_url
        assert running.info["chain"]["rpc_url"] == options.chain_rpc_url


def test_an_outside_part_that_does_not_serve_is_named_without_its_password(run_dirs: Path) -> None:
    options = replace(SERVERS, database_url="postgresql://someone:s3cret@127.0.0.1:1/none")
    with pytest.raises(StackError, match="LOCKGATE_DATABASE_URL names") as caught:
        launch(run_dirs / "absent", options)
    assert "s3cret" not in str(caught.value)


def test_a_part_that_cannot_start_is_named_with_its_last_words(run_dirs: Path) -> None:
    failing = Part("broken", ("sh", "-c", "echo no such luck >&2; exit 3"), {"PATH": "/usr/bin:/bin"})
    absent = Part("absent", ("/no/such/program",), {})
    with Launcher(run_dirs / "broken") as launcher:
        with pytest.raises(PartError, match="broken: ended with status 3") as caught:
            launcher.start_all([replace(failing, ready=_never)])
        assert "no such luck" in str(caught.value)
        with pytest.raises(PartError, match="absent: could not be started"):
            launcher.start_all([absent])
        with pytest.raises(PartError, match="step: ended with status 3"):
            launcher.start_all([replace(failing, name="step", once=True)])
        slow = Part("slow", ("sleep", "60"), {"PATH": "/usr/bin:/bin"}, ready=_never, deadline=0.3)
        with pytest.raises(PartError, match="slow: not ready after 0 s: never"):
            launcher.start_all([slow])


def _never() -> None:
    raise NotReadyError("never")


def test_descendants_that_hide_are_ended_too(run_dirs: Path) -> None:
    """A daemon in a session of its own, deaf to SIGTERM, whose parent is gone."""
    hide = "setsid sh -c 'trap \"\" TERM; sleep 300 & wait; sleep 300' & sleep 0.2; exec sleep 300"
    with Launcher(run_dirs / "hiding") as launcher:
        launcher.start_all([Part("hiding", ("sh", "-c", hide), {"PATH": "/usr/bin:/bin"})])
        eventually(lambda: len(launcher.processes("hiding")) >= 3, "the daemon runs")
        everyone = identities(launcher.processes("hiding")[0])
    eventually(lambda: not alive(everyone), "all descendants are gone")


@pytest.mark.skipif(not rabbitmq.installed(), reason="RabbitMQ is not installed")
def test_rabbitmq_serves_quorum_queues_and_keeps_them_over_a_restart(run_dirs: Path) -> None:
    """A restart, not a kill: one node alone writes a new queue's leader down seconds after it is declared."""
    with Launcher(run_dirs / "rabbitmq") as launcher:
        broker = rabbitmq.prepare(launcher.run.path / "rabbitmq")
        launcher.start_all([broker.part])
        app = Celery(broker=broker.url)
        app.conf.task_default_queue_type = "quorum"
        app.send_task("kept", task_id="kept-1")
        launcher.restart("rabbitmq")
        taken: list[str] = []
        eventually(lambda: _take(app, taken), "the task is still in the queue")
        assert taken == ["kept-1"]
        app.close()


def _take(app: Celery, taken: list[str]) -> bool:
    """Consume for a moment over a new connection: a queue whose leader is not elected yet answers late."""

    def receive(_: object, message: Message) -> None:
        taken.append(message.headers["id"])
        message.ack()

    queue = Queue("celery", queue_arguments={"x-queue-type": "quorum"})
    with app.connection_for_read() as connection, connection.Consumer([queue], callbacks=[receive]):
        try:
            connection.drain_events(timeout=2)
        except TimeoutError:
            return False
    return bool(taken)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that the server's user cannot reach")
def test_state_below_a_private_folder_lies_elsewhere_and_is_removed(run_dirs: Path) -> None:
    private = run_dirs / "private"
    private.mkdir(mode=0o700)
    with launch(private / "run", SERVERS) as running:
        link = running.run.path / "postgres"
        home = link.readlink()
        assert home.is_dir()
        assert running.part("postgres").alive
    assert not home.exists()
    assert not link.is_symlink()


def test_the_way_to_the_node_can_be_cut_delayed_and_mended(run_dirs: Path) -> None:
    with launch(run_dirs / "relay", replace(SERVERS, chain_relay=True)) as running:
        node, way = running.info["chain"]["rpc_url"], running.env["LOCKGATE_CHAIN_RPC_URL"]
        assert rpc(way, "eth_chainId") == rpc(node, "eth_chainId")
        running.relay_delay_file.write_text("500")
        started = time.monotonic()
        rpc(way, "eth_chainId")
        assert time.monotonic() - started >= 0.5
        running.relay_delay_file.unlink()
        running.kill("rpc")
        with pytest.raises(NotReadyError, match="refused"):
            rpc(way, "eth_chainId")
        rpc(node, "eth_chainId")
        running.restart("rpc")
        rpc(way, "eth_chainId")


def test_a_killed_reaper_takes_grandchildren_along(run_dirs: Path) -> None:
    """The death signal reaches a part alone; its children end with their process group."""
    with Launcher(run_dirs / "orphans") as launcher:
        launcher.start_all([Part("parent", ("sh", "-c", "sleep 300 & wait"), {"PATH": "/usr/bin:/bin"})])
        eventually(lambda: len(launcher.processes("parent")) == 2, "the child runs")
        parent, child = launcher.processes("parent")
        both = {one for one in identities(os.getpid()) if one[0] in (parent, child)}
        assert len(both) == 2
        os.kill(launcher.reaper_pid, signal.SIGKILL)
        assert launcher.failed.wait(10)
        eventually(lambda: not alive(both), "parent and child are gone")
