"""`lockgate voucher`: what a payer's wallet does, for a first payment by hand: sign the next voucher of a channel."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import httpx
from coincurve import PrivateKey

from verification.amounts import InvalidAmount, parse_positive
from verification.signatures.eip712 import escrow_domain, voucher_digest
from verification.signatures.recovery import canonical_signature


class _Command:
    """The entry object of the `voucher` word."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.description = "Print a request for POST /v1/payments, signed by the stack's own payer."
        parser.add_argument("--amount", required=True, help="in the token's smallest unit")
        parser.add_argument("--reference", help="yours; shown with the payment")
        parser.add_argument("--channel", help="0x id; default: the merchant's newest channel")
        parser.add_argument("--stack", type=Path, default=Path(".run/stack.json"), help="what `make up` wrote")

    def run(self, args: argparse.Namespace) -> int:
        try:
            stack = json.loads(args.stack.read_text("utf-8"))
            request = sign_next(stack, parse_positive(args.amount), args.channel)
        except (OSError, InvalidAmount, LookupError, httpx.HTTPError) as error:
            sys.stderr.write(f"voucher: {error}\n")
            return 1
        if args.reference is not None:
            request["reference"] = args.reference
        sys.stdout.write(json.dumps(request) + "\n")
        return 0


command = _Command()


def sign_next(stack: dict[str, Any], amount: int, channel_id: str | None) -> dict[str, Any]:
    """The body of a payment of `amount` on top of what the channel is charged. Raises LookupError, HTTPError."""
    channel = _channel(stack, channel_id)
    domain = escrow_domain(stack["chain"]["chain_id"], bytes.fromhex(stack["chain"]["escrow"].removeprefix("0x")))
    most = int(channel["charged"]) + amount
    key = PrivateKey.from_hex(stack["accounts"]["payer"]["private_key"].removeprefix("0x"))
    digest = voucher_digest(domain, bytes.fromhex(channel["id"][2:]), most)
    signature = canonical_signature(key.sign_recoverable(digest, hasher=None))
    voucher = {"channelId": channel["id"], "maxClaimableAmount": str(most), "signature": "0x" + signature.hex()}
    return {"voucher": voucher, "amount": str(amount)}


def _channel(stack: dict[str, Any], channel_id: str | None) -> dict[str, Any]:
    gateway = stack["gateway"]
    headers = {"Authorization": f"Bearer {gateway['merchant_api_key']}"}
    with httpx.Client(base_url=gateway["url"], headers=headers, timeout=10.0) as http:
        answer = http.get(f"/v1/channels/{channel_id}" if channel_id else "/v1/channels?limit=1")
        if answer.status_code == 404:
            raise LookupError("no channel has this id")
        document: dict[str, Any] = answer.raise_for_status().json()
    if channel_id:
        return document
    if not document["data"]:
        raise LookupError("there is no channel yet: let an x402 client pay once, which opens one")
    newest: dict[str, Any] = document["data"][0]
    return newest
