"""`lockgate gateway ...`: the service's processes, its migrations, its merchants."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from gateway.settings import Settings, load
from kit import logging

GRACEFUL_SECONDS = 25


class _Command:
    """The entry object of the `gateway` word."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        serve = actions.add_parser("serve", help="run the API")
        serve.add_argument("--workers", type=int, default=None, help="processes (LOCKGATE_API_WORKERS)")
        actions.add_parser("worker", help="run the Celery worker")
        actions.add_parser("beat", help="run the Celery scheduler; any number of them give one effect")
        actions.add_parser("migrate", help="bring the database to this release's schema")
        merchant = actions.add_parser("merchant", help="merchants and their keys").add_subparsers(
            dest="verb", required=True
        )
        create = merchant.add_parser("create", help="register a merchant and print its first key, once")
        create.add_argument("--name", required=True)
        create.add_argument("--treasury", required=True, help="0x address that is paid")
        create.add_argument("--json", action="store_true", help="print JSON")
        issue = merchant.add_parser("issue-key", help="print a new key, once")
        issue.add_argument("--merchant", required=True)
        issue.add_argument("--label", default="")
        issue.add_argument("--read-only", action="store_true")
        revoke = merchant.add_parser("revoke-key", help="revoke a key; holds for the next request")
        revoke.add_argument("--merchant", required=True)
        revoke.add_argument("--key-id", required=True, type=int)
        key = merchant.add_parser("require-x402-key", help="x402 refunds and charges need the API key")
        key.add_argument("--merchant", required=True)
        key.add_argument("--off", action="store_true", help="take the requirement back")
        receiver = merchant.add_parser("add-receiver", help="let a merchant be paid at one more address")
        receiver.add_argument("--merchant", required=True)
        receiver.add_argument("--treasury", required=True)

    def run(self, args: argparse.Namespace) -> int:
        actions: dict[str, Callable[[argparse.Namespace, Settings], int]] = {
            "serve": _serve,
            "worker": _worker,
            "beat": _beat,
            "migrate": _migrate,
            "merchant": _merchant,
        }
        return actions[args.action](args, load())


command = _Command()


def _serve(args: argparse.Namespace, settings: Settings) -> int:
    import uvicorn  # noqa: PLC0415 - a migration does not need a server

    logging.configure(settings.log_level)
    uvicorn.run(
        "gateway.app:create",
        factory=True,
        host=settings.http_host,
        port=settings.http_port,
        workers=args.workers or settings.api_workers,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,  # nothing here depends on the peer's address or scheme
        backlog=2048,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    return 0


def _worker(_args: argparse.Namespace, settings: Settings) -> int:
    from gateway.worker import app  # noqa: PLC0415 - only the worker needs it
    from kit.work.running import run_worker  # noqa: PLC0415

    return run_worker(app, "--loglevel", settings.log_level, "--concurrency", str(settings.worker_processes))


def _beat(_args: argparse.Namespace, settings: Settings) -> int:
    from gateway.worker import app  # noqa: PLC0415 - only the scheduler needs it

    app.start(argv=["beat", "--loglevel", settings.log_level])
    return 0


def _migrate(_args: argparse.Namespace, settings: Settings) -> int:
    from gateway.migrations import MIGRATIONS  # noqa: PLC0415
    from kit.database.migrate import migrate  # noqa: PLC0415
    from kit.database.pool import connect  # noqa: PLC0415

    with connect(settings.database_url.get_secret_value(), autocommit=True) as connection:
        applied = migrate(connection, MIGRATIONS)
    sys.stdout.write("".join(f"applied {name}\n" for name in applied) or "nothing to apply\n")
    return 0


def _merchant(args: argparse.Namespace, settings: Settings) -> int:
    from gateway.merchants import service  # noqa: PLC0415
    from kit.database.pool import connect  # noqa: PLC0415

    verbs: dict[str, Callable[[Any, argparse.Namespace], dict[str, Any]]] = {
        "create": _create,
        "issue-key": _issue,
        "revoke-key": _revoke,
        "require-x402-key": _require_x402_key,
        "add-receiver": _add_receiver,
    }
    try:
        with connect(settings.database_url.get_secret_value()) as connection:
            answer = verbs[args.verb](connection, args)
    except (service.ReceiverTaken, service.UnknownMerchant, ValueError) as error:
        sys.stderr.write(f"{args.verb}: {error}\n")
        return 1
    if getattr(args, "json", False):
        sys.stdout.write(json.dumps(answer) + "\n")
    else:
        sys.stdout.write("".join(f"{name}: {value}\n" for name, value in answer.items()))
    return 0


def _create(connection: Any, args: argparse.Namespace) -> dict[str, Any]:
    from gateway.merchants import service  # noqa: PLC0415

    made = service.create_merchant(connection, name=args.name, receiver=_address(args.treasury))
    return {"merchant_id": made.public_id, "api_key": made.api_key, "key_id": made.key_id}


def _issue(connection: Any, args: argparse.Namespace) -> dict[str, Any]:
    from gateway.merchants import service  # noqa: PLC0415

    merchant_id = service.merchant_id_of(connection, args.merchant)
    api_key, key_id = service.issue_key(
        connection, merchant_id=merchant_id, label=args.label, can_write=not args.read_only
    )
    return {"api_key": api_key, "key_id": key_id}


def _revoke(connection: Any, args: argparse.Namespace) -> dict[str, Any]:
    from gateway.merchants import service  # noqa: PLC0415

    merchant_id = service.merchant_id_of(connection, args.merchant)
    if not service.revoke_key(connection, merchant_id=merchant_id, key_id=args.key_id):
        raise ValueError(f"{args.merchant} has no live key {args.key_id}")
    return {"revoked": args.key_id}


def _require_x402_key(connection: Any, args: argparse.Namespace) -> dict[str, Any]:
    from gateway.merchants import service  # noqa: PLC0415

    merchant_id = service.merchant_id_of(connection, args.merchant)
    service.require_x402_key(connection, merchant_id=merchant_id, required=not args.off)
    return {"merchant": args.merchant, "x402_key_required": not args.off}


def _add_receiver(connection: Any, args: argparse.Namespace) -> dict[str, Any]:
    from gateway.merchants import service  # noqa: PLC0415

    merchant_id = service.merchant_id_of(connection, args.merchant)
    service.add_receiver(connection, merchant_id=merchant_id, receiver=_address(args.treasury))
    return {"receiver": args.treasury}


def _address(text: str) -> bytes:
    try:
        parsed = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        parsed = b""
    if len(parsed) != 20:
        raise ValueError(f"{text} is not an address")
    return parsed
