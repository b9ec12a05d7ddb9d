"""Where the contracts stand, as bytes: what `lockgate contracts deploy` wrote."""

from __future__ import annotations

from pathlib import Path

from gateway.deps import Contracts
from kit.chain.addresses import read_addresses


def read_contracts(path: Path) -> Contracts:
    """Raises kit.chain.addresses.AddressFileError, ValueError for a text that is no address."""
    read = read_addresses(path)
    return Contracts(
        chain_id=read.chain_id,
        escrow=_address(read.escrow),
        token=_address(read.token.address),
        token_name=read.token.name,
        token_version=read.token.version,
        token_decimals=read.token.decimals,
        receiver_authorizer=_address(read.receiver_authorizer),
        erc3009_collector=_address(read.erc3009_collector),
        multicall3=_address(read.multicall3),
    )


def _address(text: str) -> bytes:
    parsed = bytes.fromhex(text.removeprefix("0x"))
    if len(parsed) != 20:
        raise ValueError(f"{text} is not an address")
    return parsed
