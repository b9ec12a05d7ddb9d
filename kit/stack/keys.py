"""The keys of one stack: made at random each time, of worth on its own local chain only."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account

from kit.stack.rundir import write_json, write_secret

OWNERS = 3


@dataclass(frozen=True, slots=True)
class Key:
    """A secp256k1 key and its address."""

    address: str
    private_key: str

    def __repr__(self) -> str:
        return f"Key({self.address})"

    def as_json(self) -> dict[str, str]:
        return {"address": self.address, "private_key": self.private_key}


@dataclass(frozen=True, slots=True)
class Keys:
    """One key a role."""

    payer: Key
    merchant: Key
    owners: tuple[Key, ...]
    relay: Key
    receiver_authorizer: Key

    def all(self) -> list[Key]:
        return [self.payer, self.merchant, *self.owners, self.relay, self.receiver_authorizer]


def new_key() -> Key:
    private_key = "0x" + secrets.token_bytes(32).hex()
    return Key(str(Account.from_key(private_key).address), private_key)


def new_keys() -> Keys:
    owners = tuple(new_key() for _ in range(OWNERS))
    return Keys(new_key(), new_key(), owners, relay=new_key(), receiver_authorizer=new_key())


def save(keys: Keys, run_dir: Path) -> None:
    """keys.json for people, and one file a key for the services that may hold it; all mode 0600."""
    roles = {"payer": keys.payer, "merchant": keys.merchant, "relay": keys.relay}
    roles["receiver_authorizer"] = keys.receiver_authorizer
    shown: dict[str, object] = {role: key.as_json() for role, key in roles.items()}
    write_json(run_dir / "keys.json", shown | {"owners": [key.as_json() for key in keys.owners]})
    write_secret(run_dir / "relay.key", keys.relay.private_key)
    write_secret(run_dir / "receiver-authorizer.key", keys.receiver_authorizer.private_key)
