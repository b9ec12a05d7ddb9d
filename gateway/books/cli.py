"""`lockgate books check`: exit 0 and one line when everything balances, 1 and every difference when not."""

from __future__ import annotations

import argparse
import json
import sys

import psycopg
from pydantic import ValidationError

from gateway.books.check import Audit, NotComparable, audit
from gateway.channels.escrow import EscrowNotRegistered
from gateway.settings import load
from kit.chain.guard import ChainMismatch
from kit.chain.rpc import Rpc, RpcError

NOT_CHECKED = 2


class BooksCommand:
    """The command `books`, with its one verb `check`."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.description = "Audit the books."
        verbs = parser.add_subparsers(dest="verb", required=True)
        check = verbs.add_parser("check", help="debits = credits, legs = balances, book = chain at one block")
        check.add_argument("--block", type=int, default=None, metavar="NUMBER", help="default: the last final block")
        check.add_argument("--wait", type=float, default=30.0, metavar="SECONDS", help="for the book to get there")
        check.add_argument("--json", action="store_true", help="the whole result as JSON")

    def run(self, args: argparse.Namespace) -> int:
        """0 balanced, 1 differences, 2 not checked (with the reason on stderr)."""
        try:
            settings = load()
            rpc = Rpc(settings.chain_rpc_url.get_secret_value())
            found = audit(settings.database_url.get_secret_value(), rpc, number=args.block, wait_seconds=args.wait)
        except ValidationError as error:
            fields = ", ".join("LOCKGATE_" + str(item["loc"][0]).upper() for item in error.errors())
            print(f"lockgate books: settings missing or wrong: {fields}", file=sys.stderr)
            return NOT_CHECKED
        except psycopg.Error as error:
            print(f"lockgate books: the database does not serve: {type(error).__name__}", file=sys.stderr)
            return NOT_CHECKED
        except (NotComparable, EscrowNotRegistered, ChainMismatch, RpcError) as error:
            print(f"lockgate books: not checked: {error}", file=sys.stderr)
            return NOT_CHECKED
        print(json.dumps(as_json(found), indent=2) if args.json else as_text(found))
        return 0 if found.balances else 1


def as_text(found: Audit) -> str:
    """The line that says that the books balance, or a line a difference."""
    at = f"block {found.number} (0x{found.block_hash.hex()})"
    if not found.balances:
        lines = [f"difference: {difference}" for difference in found.differences]
        return "\n".join([*lines, f"books do not balance: {len(lines)} differences at {at}"])
    legs = sum(asset.legs for asset in found.assets)
    parts = [f"{legs} legs", f"{found.channels} channels"]
    parts += [f"asset {a.asset_id}: debits {a.debits} = credits {a.credits}" for a in found.assets]
    parts += [
        f"asset {t.asset_id} on chain: deposits {t.balance}, claimed {t.claimed}, settled {t.settled},"
        f" escrow holds {t.held}" + (f" of which foreign {t.foreign}" if t.foreign else "")
        for t in found.chain
    ]
    return f"books balance: {'; '.join(parts)}; at {at}"


def as_json(found: Audit) -> dict[str, object]:
    """Amounts as decimal strings."""
    return {
        "balances": found.balances,
        "block": {"number": found.number, "hash": "0x" + found.block_hash.hex()},
        "channels": found.channels,
        "assets": [
            {"asset_id": a.asset_id, "debits": str(a.debits), "credits": str(a.credits), "legs": a.legs}
            for a in found.assets
        ],
        "chain": [
            {
                "token": "0x" + t.token.hex(),
                "channels": t.channels,
                "balance": str(t.balance),
                "claimed": str(t.claimed),
                "settled": str(t.settled),
                "escrow_holds": str(t.held),
                "foreign": str(t.foreign),
            }
            for t in found.chain
        ],
        "differences": [
            {"where": d.where, "what": d.what, "expected": str(d.expected), "found": str(d.found)}
            for d in found.differences
        ],
    }


command = BooksCommand()
