"""A merchant, a payer, the escrow on a real node, and the book that follows it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from gateway.channels.chain_events import ChannelEvents
from gateway.channels.escrow import Escrow, ListedToken, register_escrow
from gateway.channels.service import find_channel
from gateway.merchants.service import create_merchant
from kit.chain.addresses import ContractAddresses
from kit.chain.follower import Follower, Progress
from kit.chain.rpc import Receipt, Rpc
from tests.integration.chain.parts import CHAIN_ID, Node, account
from tests.integration.contracts.channels import CONFIG, Channel, calldata, claim, sign, typed_digest

_salts = itertools.count(1)


def raw(address: str) -> bytes:
    return bytes.fromhex(address[2:])


@dataclass(slots=True)
class World:
    """Everything a test of the book against the chain needs."""

    node: Node
    contracts: ContractAddresses
    pool: ConnectionPool
    rpc: Rpc
    merchant_id: int
    escrow: Escrow
    follower: Follower
    _deposits: Any = field(default_factory=lambda: itertools.count(1))

    def channel(self) -> Channel:
        """A new channel of the payer to the merchant's treasury."""
        return Channel(
            CHAIN_ID,
            account("payer"),
            self.contracts.treasury_safe,
            self.contracts.receiver_authorizer,
            self.contracts.token,
            salt=next(_salts).to_bytes(32, "big"),
        )

    def send(self, sender: str, to: str, data: bytes, *, wait: bool = True) -> bytes:
        """A transaction that our sender knows nothing of."""
        tx_hash = self.node.anvil.send_as(sender, to, data)
        if wait:
            self.node.anvil.wait_mined(tx_hash)
        return raw(tx_hash)

    def receipt(self, tx_hash: bytes) -> Receipt:
        found = self.rpc.receipt(tx_hash)
        assert found is not None
        return found

    def deposit(self, channel: Channel, amount: int, *, wait: bool = True) -> bytes:
        relay = account("relay").address
        return self.send(relay, self.contracts.escrow, channel.deposit(amount, next(self._deposits)), wait=wait)

    def claim(self, *rows: tuple[Channel, int], wait: bool = True) -> bytes:
        data = claim([channel.row(total, total) for channel, total in rows])
        return self.send(account("relay").address, self.contracts.receiver_authorizer, data, wait=wait)

    def settle(self, *, wait: bool = True) -> bytes:
        words = [self.contracts.treasury_safe, self.contracts.token.address]
        data = calldata("settle(address,address)", ["address", "address"], words)
        return self.send(account("relay").address, self.contracts.escrow, data, wait=wait)

    def refund(self, channel: Channel, amount: int, nonce: int) -> bytes:
        from eth_abi.abi import encode
        from eth_utils.crypto import keccak

        from tests.integration.contracts.channels import escrow_domain

        kind = keccak(text="Refund(bytes32 channelId,uint256 nonce,uint128 amount)")
        struct = keccak(encode(["bytes32", "bytes32", "uint256", "uint128"], [kind, channel.id, nonce, amount]))
        signature = sign(account("authorizer signer"), typed_digest(escrow_domain(CHAIN_ID), struct))
        types = [CONFIG, "uint128", "uint256", "bytes"]
        data = calldata(f"refundWithSignature({','.join(types)})", types, [channel.config, amount, nonce, signature])
        return self.send(account("relay").address, self.contracts.escrow, data)

    def initiate_withdraw(self, channel: Channel, amount: int) -> bytes:
        data = calldata(f"initiateWithdraw({CONFIG},uint128)", [CONFIG, "uint128"], [channel.config, amount])
        return self.send(channel.payer.address, self.contracts.escrow, data)

    def finalize_withdraw(self, channel: Channel) -> bytes:
        data = calldata(f"finalizeWithdraw({CONFIG})", [CONFIG], [channel.config])
        return self.send(channel.payer.address, self.contracts.escrow, data)

    def transfer(self, amount: int, *, to: str | None = None) -> bytes:
        words = [to or self.contracts.treasury_safe, amount]
        data = calldata("transfer(address,uint256)", ["address", "uint256"], words)
        return self.send(account("payer").address, self.contracts.token.address, data)

    def follow(self) -> Progress:
        """Until there is nothing left to follow."""
        while True:
            progress = self.follower.step(self.pool)
            if progress.caught_up:
                return progress

    def state(self, channel: Channel) -> dict[str, Any]:
        """channel_states as plain numbers."""
        names = (
            "credited, charged, claimed, settled, withheld, deficit, withdraw_requested_at, withdraw_amount, "
            "refund_nonce"
        )
        with self.pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(
                f"SELECT {names} FROM channel_states JOIN channels USING (merchant_id, channel_no) "  # noqa: S608
                "WHERE channel_id = %s",
                [channel.id],
            ).fetchone()
        assert row is not None
        return {name: int(value) for name, value in row.items()}

    def numbers(self, channel: Channel) -> tuple[int, int, int, int]:
        """credited, charged, claimed, settled."""
        state = self.state(channel)
        return state["credited"], state["charged"], state["claimed"], state["settled"]

    def balances(self) -> dict[str, int]:
        """Sum of legs by kind of account."""
        with self.pool.connection() as connection:
            rows = connection.execute(
                "SELECT kind, sum(amount) FROM ledger_legs JOIN ledger_accounts USING (tenant_id, account_id) "
                "GROUP BY kind"
            ).fetchall()
        return {kind: int(amount) for kind, amount in rows}

    def fetch(self, query: str, *words: Any) -> list[Any]:
        with self.pool.connection() as connection:
            return connection.execute(query, list(words)).fetchall()

    def charge(self, channel: Channel, total: int, *, ceiling: int | None = None) -> None:
        """What a capture does to a channel: charged up to `total`, with the voucher for it kept."""
        _, signature, _ = channel.row(ceiling or total, total)
        with self.pool.connection() as connection:
            found = find_channel(connection, channel.id)
            assert found is not None
            row = connection.execute(
                "SELECT charged FROM channel_states WHERE channel_no = %s FOR UPDATE", [found.channel_no]
            ).fetchone()
            assert row is not None
            amount = total - int(row[0])
            connection.execute(
                "UPDATE channel_states SET charged = %s, voucher_max = %s, voucher_signature = %s, kept = true, "
                "first_unclaimed_at = COALESCE(first_unclaimed_at, now()), last_payment_at = now() "
                "WHERE channel_no = %s",
                [Decimal(total), Decimal(ceiling or total), signature, found.channel_no],
            )
            from kit.ids import uuid7
            from kit.ledger.book import Leg, Transfer, post

            payment = uuid7()
            connection.execute(
                "INSERT INTO payments (merchant_id, payment_id, scheme, state, channel_no, asset_id, amount, "
                "cumulative, voucher_max, payer, request_hash, batch_id) "
                "VALUES (%s, %s, 1, 3, %s, %s, %s, %s, %s, %s, sha256(%s), %s)",
                [found.merchant_id, payment, found.channel_no, found.asset_id, Decimal(amount), Decimal(total),
                 Decimal(total), found.payer, payment.bytes, payment],
            )  # fmt: skip
            legs = (Leg(found.channel_account, -amount), Leg(found.captured_account, amount))
            transfer = Transfer(found.merchant_id, payment, found.asset_id, legs)
            post(connection, [transfer], held_elsewhere=[found.channel_account])


def build(node: Node, pool: ConnectionPool, *, confirmations: int = 1, merchants: Sequence[str] = ("shop",)) -> World:
    """Deploy, register the escrow and a merchant paid at the treasury, and follow from the deployment on."""
    contracts = node.deploy()
    rpc = Rpc(node.url)
    escrow = Escrow(CHAIN_ID, raw(contracts.escrow), contracts.deployed_at_block, confirmations)
    token = contracts.token
    merchant_id = 0
    with pool.connection() as connection:
        register_escrow(connection, escrow, [ListedToken(raw(token.address), token.name, token.decimals)])
        for name in merchants:
            receiver = raw(contracts.treasury_safe)
            merchant_id = create_merchant(connection, name=name, receiver=receiver).merchant_id
    follower = Follower(rpc, CHAIN_ID, ChannelEvents(escrow), start_block=escrow.start_block)
    return World(node, contracts, pool, rpc, merchant_id, escrow, follower)
