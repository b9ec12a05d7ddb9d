"""`lockgate up`, `lockgate down` and `lockgate stack`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from types import FrameType

from kit.stack import rundir
from kit.stack.parts import StackError
from kit.stack.paths import MissingToolError
from kit.stack.ports import NoPortError
from kit.stack.rundir import AlreadyRunningError, RunDir, default_run_dir
from kit.stack.services import lockgate
from kit.stack.stack import Stack, launch, options_from_environment

POLL_SECONDS = 0.1
DOWN_SECONDS = 120.0


class Up:
    """`lockgate up`: run the stack until a signal, or until a part fails."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.description = "Run the one-machine stack until Ctrl-C."
        choices = ["contracts", "gateway"]
        parser.add_argument(
            "--without", action="append", default=[], choices=choices, help="leave a group of parts out"
        )

    def run(self, args: argparse.Namespace) -> int:
        stopping = threading.Event()

        def stop(number: int, _: FrameType | None) -> None:
            if stopping.is_set():
                return
            stopping.set()
            raise KeyboardInterrupt(signal.Signals(number).name)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)
        try:
            options = options_from_environment(
                contracts="contracts" not in args.without,
                gateway="gateway" not in args.without and "contracts" not in args.without,
                report=_say,
            )
            with launch(default_run_dir(), options) as stack:
                return _serve(stack)
        except (StackError, AlreadyRunningError, MissingToolError, NoPortError) as error:
            print(f"lockgate up: {error}", file=sys.stderr, flush=True)
            return 1
        except KeyboardInterrupt:
            _say("stopped")
            return 0


def _serve(stack: Stack) -> int:
    url = stack.info.get("gateway", {}).get("url") or stack.info["chain"]["rpc_url"]
    _say(f"ready: {url} (all of it in {stack.run.stack_json}); Ctrl-C stops it")
    try:
        while not stack.failed.wait(POLL_SECONDS):
            continue
    except KeyboardInterrupt as asked:
        _say(f"stopping ({asked})")
        stack.stop_all()
        raise
    print(f"lockgate up: {stack.failure}", file=sys.stderr, flush=True)
    return 1


def _say(text: str) -> None:
    print(f"stack: {text}", flush=True)


class Down:
    """`lockgate down`: stop the stack of this run folder from outside."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.description = "Stop the stack of this checkout and wait until it is gone."

    def run(self, args: argparse.Namespace) -> int:
        run = RunDir(default_run_dir())
        if rundir.is_free(run):
            _say("none is running here")
            return 0
        pid = rundir.holder(run)
        if pid is not None:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                _say("its launcher is gone; waiting for its reaper")
        deadline = time.monotonic() + DOWN_SECONDS
        while not rundir.is_free(run):
            if time.monotonic() > deadline:
                print(f"lockgate down: pid {pid} still runs after {DOWN_SECONDS:.0f} s", file=sys.stderr)
                return 1
            time.sleep(POLL_SECONDS)
        _say("stopped")
        return 0


class Status:
    """`lockgate stack`: what runs here, and a command of ours with its settings."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.description = "Say whether a stack runs in this checkout, and where. Keys are not shown."
        actions = parser.add_subparsers(dest="action")
        run = actions.add_parser(
            "run", help="run a lockgate command with the stack's settings: stack run books check"
        )
        run.add_argument("words", nargs=argparse.REMAINDER)

    def run(self, args: argparse.Namespace) -> int:
        run = RunDir(default_run_dir())
        if rundir.is_free(run):
            _say("none is running here")
            return 1
        if args.action == "run":
            environment = json.loads(run.environment.read_text())
            return subprocess.run(lockgate(*args.words), env=os.environ | environment, check=False).returncode
        if not run.stack_json.exists():
            _say(f"pid {rundir.holder(run)} is starting or stopping one; logs are in {run.logs}")
            return 0
        info = json.loads(run.stack_json.read_text())
        _say(f"pid {rundir.holder(run)}; logs are in {run.logs}")
        print(json.dumps({"chain": info["chain"], "gateway": {"url": rundir.running_url(run)}}, indent=2))
        return 0


up = Up()
down = Down()
stack = Status()
