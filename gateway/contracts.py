"""Read the contracts file that `lockgate contracts deploy` writes."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.deps import Contracts


def read_contracts(path: Path) -> Contracts:
    """Raises OSError when the file is missing, ValueError when a member is."""
    document = json.loads(path.read_text("utf-8"))
    try:
        token = document["token"]
        return Contracts(
            chain_id=int(document["chain_id"]),
            escrow=_address(document["escrow"]),
            token=_address(token["address"]),
            token_name=token["name"],
            token_version=token["version"],
            token_decimals=int(token["decimals"]),
            receiver_authorizer=_address(document["receiver_authorizer"]),
            erc3009_collector=_address(document["erc3009_collector"]),
            multicall3=_address(document["multicall3"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path.name} is not a contracts file: {error!r}") from error


def _address(text: str) -> bytes:
    parsed = bytes.fromhex(text.removeprefix("0x"))
    if len(parsed) != 20:
        raise ValueError(f"{text} is not an address")
    return parsed
