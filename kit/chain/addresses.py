"""Where the contracts stand, and the file that tells the services."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TypeVar

# Fixed by the protocols: official clients have these built in.
ESCROW = "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003"
ERC3009_COLLECTOR = "0x4020806089470a89826cB9fB1f4059150b550004"
PERMIT2_COLLECTOR = "0x4020425FAf3B746C082C2f942b4E5159887B0005"
PERMIT2 = "0x000000000022D473030F116dDEE9F6B43aC78BA3"
MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11"
CREATE2_DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
BASE_SEPOLIA_USDC = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
SAFE_SINGLETON = "0xFf51A5898e281Db6DfC7855790607438dF2ca44b"
SAFE_PROXY_FACTORY = "0x14F2982D601c9458F93bd70B218933A6f8165e7b"
SAFE_FALLBACK_HANDLER = "0x3EfCBb83A4A7AfcB4F68D501E2c2203a38be77f4"


class AddressFileError(Exception):
    """The addresses file cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token with its EIP-712 domain; `decimals` is the exponent of its smallest unit."""

    address: str
    name: str
    version: str
    decimals: int


@dataclass(frozen=True, slots=True)
class ContractAddresses:
    """The contracts of one chain, checksummed; no event of theirs lies below `deployed_at_block`.

    Channels pay `treasury_safe`; `operator_safe` owns the receiver-authorizer. Without a guarded Safe both are one.
    """

    chain_id: int
    token: Token
    escrow: str
    erc3009_collector: str
    permit2_collector: str
    receiver_authorizer: str
    operator_safe: str
    treasury_safe: str
    multicall3: str
    deployed_at_block: int


Record = TypeVar("Record", Token, ContractAddresses)


def read_addresses(path: Path) -> ContractAddresses:
    """Raises AddressFileError, also when a field is missing, unknown or of the wrong type."""
    try:
        members = json.loads(path.read_text())
        token = _typed(Token(**members["token"]))
        return _typed(ContractAddresses(**{**members, "token": token}))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise AddressFileError(f"{path} is not a contracts file ({type(error).__name__}: {error})") from error


def _typed(record: Record) -> Record:
    for field in fields(record):
        if type(getattr(record, field.name)).__name__ != field.type:
            raise TypeError(f"{field.name} is not of type {field.type}")
    return record


def write_addresses(path: Path, addresses: ContractAddresses) -> None:
    """Replace the file as a whole: a reader sees the old one or the new one. Raises AddressFileError."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w") as file:
            json.dump(asdict(addresses), file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise AddressFileError(f"{path} cannot be written ({error.strerror})") from error
