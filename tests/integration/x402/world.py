"""A facilitator over HTTP, on a real database and a real chain, and payers who sign what they are told to."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak
from psycopg_pool import ConnectionPool
from pydantic import SecretStr

from gateway.app import Application, build
from gateway.channels.chain_events import ChannelEvents
from gateway.channels.escrow import Escrow, ListedToken, register_escrow
from gateway.merchants.service import create_merchant
from gateway.settings import Settings
from kit.chain.addresses import ContractAddresses, write_addresses
from kit.chain.deploy import DEPLOYER
from kit.chain.follower import Follower
from kit.chain.rpc import Rpc, RpcError
from kit.stack.ports import free_ports
from tests.integration.chain.parts import CHAIN_ID, Node, account
from tests.integration.contracts.channels import (
    FOR_EVER,
    Channel,
    calldata,
    domain_separator,
    escrow_domain,
    sign,
    typed_digest,
)

NETWORK = f"eip155:{CHAIN_ID}"
PRICE = 1000
DELAY = 3600
_numbers = itertools.count(1)

Document = dict[str, Any]


def raw(address: str) -> bytes:
    return bytes.fromhex(address[2:])


class Server:
    """One API process of the gateway, in a thread of this one."""

    def __init__(self, application: Application, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        config = uvicorn.Config(application, host="127.0.0.1", port=port, log_level="warning", lifespan="on")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()), daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < deadline and self._thread.is_alive(), "the server did not start"
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)


class Following:
    """The chain follower's task, in a thread."""

    def __init__(self, url: str, escrow: Escrow, pool: ConnectionPool) -> None:
        self._follower = Follower(Rpc(url), CHAIN_ID, ChannelEvents(escrow), start_block=escrow.start_block)
        self._pool = pool
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Following:
        self._follower.step(self._pool)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(20)

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            try:
                self._follower.step(self._pool)
            except RpcError:
                continue


@dataclass(slots=True)
class World:
    """`x402` is the facilitator's base URL."""

    node: Node
    contracts: ContractAddresses
    pool: ConnectionPool
    settings: Settings
    x402: str
    merchant_key: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    @property
    def receiver(self) -> str:
        return self.contracts.treasury_safe

    def payer(self, tokens: int = 100 * 10**6) -> LocalAccount:
        """A new payer with so many units of the token."""
        made: LocalAccount = Account.create()
        if tokens:
            self.mint(made.address, tokens)
        return made

    def mint(self, address: str, tokens: int) -> None:
        data = calldata("mint(address,uint256)", ["address", "uint256"], [address, tokens])
        self.send(DEPLOYER, self.contracts.token.address, data)

    def send(self, sender: str, to: str, data: bytes) -> None:
        self.node.anvil.fund(sender, 10**20)
        self.node.anvil.wait_mined(self.node.anvil.send_as(sender, to, data))

    def channel(self, payer: LocalAccount, **changes: Any) -> Channel:
        facts: dict[str, Any] = {
            "receiver": self.receiver,
            "receiver_authorizer": self.contracts.receiver_authorizer,
            "token": self.contracts.token,
            "salt": next(_numbers).to_bytes(32, "big"),
            "withdraw_delay": DELAY,
        }
        return Channel(CHAIN_ID, payer, **{**facts, **changes})

    def requirements(self, scheme: str = "batch-settlement", amount: int = PRICE, **changes: Any) -> Document:
        token = self.contracts.token
        extra: Document = {"name": token.name, "version": token.version}
        if scheme == "batch-settlement":
            extra |= {
                "receiverAuthorizer": self.contracts.receiver_authorizer,
                "withdrawDelay": DELAY,
                "bookkeeper": "facilitator",
            }
        asked: Document = {
            "scheme": scheme,
            "network": NETWORK,
            "asset": token.address,
            "amount": str(amount),
            "payTo": self.receiver,
            "maxTimeoutSeconds": 300,
            "extra": extra,
        }
        return {**asked, **changes}

    def post(
        self, call: str, payload: Document, asked: Document, *, accepted: Document | None = None, **more: Any
    ) -> httpx.Response:
        body = {
            "x402Version": 2,
            "paymentPayload": {"x402Version": 2, "payload": payload, "accepted": accepted or asked},
            "paymentRequirements": asked,
        }
        return self.http.post(f"{self.x402}/{call}", json=body, **more)

    def verify(self, payload: Document, asked: Document, **more: Any) -> Document:
        response = self.post("verify", payload, asked, **more)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def settle(self, payload: Document, asked: Document, **more: Any) -> Document:
        response = self.post("settle", payload, asked, **more)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def opened(self, deposit: int = 10 * PRICE) -> tuple[Channel, Document]:
        """A new channel with a deposit and a first payment of PRICE; and the settlement's answer."""
        channel = self.channel(self.payer())
        answer = self.settle(deposit_payload(self, channel, deposit, PRICE), self.requirements())
        assert answer["success"], answer
        return channel, answer

    def state(self, channel: Channel) -> Mapping[str, Any]:
        names = ["credited", "charged", "claimed", "withheld", "refund_nonce", "voucher_max", "kept"]
        with self.pool.connection() as connection:
            row = connection.execute(
                "SELECT credited, charged, claimed, withheld, refund_nonce, voucher_max, kept "
                "FROM channel_states JOIN channels USING (merchant_id, channel_no) WHERE channel_id = %s",
                [channel.id],
            ).fetchone()
        assert row is not None
        return dict(zip(names, (value if isinstance(value, bool) else int(value) for value in row), strict=True))

    def balance(self, address: str) -> int:
        data = calldata("balanceOf(address)", ["address"], [address])
        return int.from_bytes(self.node.anvil.call(self.contracts.token.address, data), "big")

    def relayed(self) -> int:
        """Transactions that our relay has sent."""
        count = self.node.anvil.request("eth_getTransactionCount", account("relay").address, "latest")
        return int(count, 16)


def config_document(channel: Channel, **changes: Any) -> Document:
    payer = channel.payer.address
    document: Document = {
        "payer": payer,
        "payerAuthorizer": payer,
        "receiver": channel.receiver,
        "receiverAuthorizer": channel.receiver_authorizer,
        "token": channel.token.address,
        "withdrawDelay": channel.withdraw_delay,
        "salt": "0x" + channel.salt.hex(),
    }
    return {**document, **changes}


def voucher_document(channel: Channel, maximum: int, signer: LocalAccount | None = None) -> Document:
    kind = keccak(text="Voucher(bytes32 channelId,uint128 maxClaimableAmount)")
    struct_hash = keccak(encode(["bytes32", "bytes32", "uint128"], [kind, channel.id, maximum]))
    signature = sign(signer or channel.payer, typed_digest(escrow_domain(CHAIN_ID), struct_hash))
    return {
        "channelId": "0x" + channel.id.hex(),
        "maxClaimableAmount": str(maximum),
        "signature": "0x" + signature.hex(),
    }


def voucher_payload(channel: Channel, maximum: int, **changes: Any) -> Document:
    return {
        "type": "voucher",
        "channelConfig": config_document(channel),
        "voucher": voucher_document(channel, maximum),
        **changes,
    }


def refund_payload(channel: Channel, charged: int, amount: int | None = None) -> Document:
    payload = {**voucher_payload(channel, charged), "type": "refund"}
    return payload if amount is None else {**payload, "amount": str(amount)}


def deposit_payload(
    world: World,
    channel: Channel,
    amount: int,
    maximum: int,
    *,
    valid_after: int = 0,
    valid_before: int = FOR_EVER,
    salt: int | None = None,
    signer: LocalAccount | None = None,
) -> Document:
    number = next(_numbers) if salt is None else salt
    nonce = keccak(encode(["bytes32", "uint256"], [channel.id, number]))
    signature = sign(
        signer or channel.payer,
        _authorization_digest(
            world,
            "ReceiveWithAuthorization",
            channel.payer.address,
            world.contracts.erc3009_collector,
            amount,
            valid_after,
            valid_before,
            nonce,
        ),
    )
    authorization = {
        "validAfter": str(valid_after),
        "validBefore": str(valid_before),
        "salt": "0x" + number.to_bytes(32, "big").hex(),
        "signature": "0x" + signature.hex(),
    }
    return {
        "type": "deposit",
        "channelConfig": config_document(channel),
        "voucher": voucher_document(channel, maximum),
        "deposit": {"amount": str(amount), "authorization": {"erc3009Authorization": authorization}},
    }


def exact_payload(
    world: World,
    payer: LocalAccount,
    value: int = PRICE,
    *,
    to: str | None = None,
    valid_after: int = 0,
    valid_before: int | None = None,
    nonce: bytes | None = None,
    name: str | None = None,
    version: str | None = None,
    sender: str | None = None,
) -> Document:
    before = int(time.time()) + 300 if valid_before is None else valid_before
    recipient = to or world.receiver
    number = nonce or keccak(text=f"exact nonce {next(_numbers)} {time.time_ns()}")
    payer_address = sender or payer.address
    digest = _authorization_digest(
        world,
        "TransferWithAuthorization",
        payer_address,
        recipient,
        value,
        valid_after,
        before,
        number,
        name=name,
        version=version,
    )
    return {
        "authorization": {
            "from": payer_address,
            "to": recipient,
            "value": str(value),
            "validAfter": str(valid_after),
            "validBefore": str(before),
            "nonce": "0x" + number.hex(),
        },
        "signature": "0x" + sign(payer, digest).hex(),
    }


def _authorization_digest(
    world: World,
    kind: str,
    sender: str,
    recipient: str,
    value: int,
    valid_after: int,
    valid_before: int,
    nonce: bytes,
    *,
    name: str | None = None,
    version: str | None = None,
) -> bytes:
    typehash = keccak(
        text=f"{kind}(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    )
    types = ["bytes32", "address", "address", "uint256", "uint256", "uint256", "bytes32"]
    struct_hash = keccak(encode(types, [typehash, sender, recipient, value, valid_after, valid_before, nonce]))
    token = world.contracts.token
    domain = domain_separator(name or token.name, version or token.version, CHAIN_ID, token.address)
    return typed_digest(domain, struct_hash)


def claim_entry(channel: Channel, ceiling: int, total: int) -> Document:
    voucher = voucher_document(channel, ceiling)
    return {
        "voucher": {"channel": config_document(channel), "maxClaimableAmount": str(ceiling)},
        "signature": voucher["signature"],
        "totalClaimed": str(total),
    }


@contextmanager
def world(node: Node, database_url: str, folder: Path, **settings: Any) -> Iterator[World]:
    """Deploy, register a merchant paid at the treasury, follow the chain and serve."""
    contracts = node.deploy()
    write_addresses(folder / "contracts.json", contracts)
    for name in ("relay", "authorizer signer"):
        (folder / f"{name}.key").write_text(account(name).key.hex())
    (folder / "sanctions.txt").write_text("# nobody\n" + settings.pop("sanctioned", ""))
    node.anvil.fund(account("relay").address, 10**21)
    port = free_ports(1)[0]
    configured = Settings(
        database_url=SecretStr(database_url),
        chain_rpc_url=SecretStr(settings.pop("chain_rpc_url", node.url)),
        contracts_file=folder / "contracts.json",
        relay_key_file=folder / "relay.key",
        receiver_authorizer_key_file=folder / "authorizer signer.key",
        sanctions_file=folder / "sanctions.txt",
        http_port=port,
        **settings,
    )
    escrow = Escrow(CHAIN_ID, raw(contracts.escrow), contracts.deployed_at_block, configured.deposit_confirmations)
    application = build(configured)
    from kit.database.pool import open_pool

    with open_pool(database_url, max_size=6) as pool:
        with pool.connection() as connection:
            token = contracts.token
            register_escrow(connection, escrow, [ListedToken(raw(token.address), token.name, token.decimals)])
            merchant = create_merchant(connection, name="shop", receiver=raw(contracts.treasury_safe))
        with Following(node.url, escrow, pool), Server(application, port) as server:
            yield World(node, contracts, pool, configured, f"{server.url}/x402", merchant.api_key)


def dumps(document: Any) -> bytes:
    return json.dumps(document).encode()
